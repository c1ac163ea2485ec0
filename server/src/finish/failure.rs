//! Blame: who may try again after a failure, and when a job fails for good.

use std::collections::BTreeSet;

use offpeak_api::{
    job::JobError,
    lease::{Blame, FailRequest},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};

use crate::{
    agents::standing,
    clock::Instant,
    entity::{agent, failure, lease, task},
    error::ApiError,
    jobs,
    lease::{TaskEvent, TaskState, store as lease_store},
};

/// A task fails for good after failing on this many different agents,
pub const AGENTS_PER_TASK: usize = 3;
/// or this many times in all.
pub const FAILURES_PER_TASK: usize = 5;
/// An agent that was not heard of for this long is not waited for. Long polls end after 30 s.
pub const AGENT_GONE_AFTER: std::time::Duration = std::time::Duration::from_secs(90);
const LONGEST_CODE: usize = 64;
const LONGEST_MESSAGE: usize = 2000;
const LONGEST_LOG_LINES: usize = 50;

/// Notes the failure; the task goes back, or the job fails.
pub async fn take(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    request: FailRequest,
    now: Instant,
) -> Result<(), ApiError> {
    let skip = request.log_tail.len().saturating_sub(LONGEST_LOG_LINES);
    let log_tail: Vec<String> = request.log_tail.iter().skip(skip).map(|line| cut(line)).collect();
    let code: String = cut(&request.code).chars().take(LONGEST_CODE).collect();
    let message = cut(&request.message);
    let row = failure::ActiveModel {
        task_id: Set(task.id.clone()),
        job_id: Set(task.job_id.clone()),
        agent_id: Set(lease.agent_id.clone()),
        code: Set(code.clone()),
        message: Set(message.clone()),
        log_tail: Set(serde_json::to_value(&log_tail)?),
        at_ms: Set(now.ms()),
        ..Default::default()
    };
    row.insert(tx).await?;
    if request.blame == Blame::Agent {
        standing::note_failure(tx, &lease.agent_id, &task.job_id, now).await?;
    }
    let failures = failures_of(tx, &task.id).await?;
    let for_good = match request.blame {
        Blame::Source => true,
        Blame::Agent => failures.len() >= FAILURES_PER_TASK || agents_of(&failures).len() >= AGENTS_PER_TASK,
    };
    let error = JobError { code, message: describe(task, &message, &failures), log_tail };
    if for_good {
        lease_store::settle_task(tx, task, TaskEvent::FailForGood, now).await?;
        return jobs::store::fail(tx, &task.job_id, &error, now).await;
    }
    lease_store::settle_task(tx, task, TaskEvent::GiveBack, now).await?;
    task::Entity::update_many()
        .col_expr(task::Column::Failures, Expr::col(task::Column::Failures).add(1))
        .filter(task::Column::Id.eq(task.id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Logs can hold anything; PostgreSQL keeps no NUL in a text.
pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LONGEST_MESSAGE).collect()
}

/// A sentence for people: which part failed, where, and the last reason.
fn describe(task: &task::Model, message: &str, failures: &[failure::Model]) -> String {
    let agents = agents_of(failures).len();
    match (task.kind.as_str(), agents) {
        ("encode", 0 | 1) => format!("Segments {}..{}: {message}", task.cursor, task.last),
        ("encode", n) => format!("Segments {}..{} failed on {n} machines. The last one said: {message}", task.cursor, task.last),
        (_, 0 | 1) => message.to_owned(),
        (kind, n) => format!("The {kind} task failed on {n} machines. The last one said: {message}"),
    }
}

fn agents_of(failures: &[failure::Model]) -> BTreeSet<&str> {
    failures.iter().map(|failure| failure.agent_id.as_str()).collect()
}

async fn failures_of(db: &impl ConnectionTrait, task: &str) -> Result<Vec<failure::Model>, ApiError> {
    Ok(failure::Entity::find().filter(failure::Column::TaskId.eq(task)).order_by_asc(failure::Column::Id).all(db).await?)
}

/// True when a task waits that somebody failed: a look that takes no lock.
pub async fn any_tried(db: &impl ConnectionTrait) -> Result<bool, ApiError> {
    Ok(tried().one(db).await?.is_some())
}

fn tried() -> sea_orm::Select<task::Entity> {
    task::Entity::find().filter(task::Column::State.eq(TaskState::Ready.as_str())).filter(task::Column::Failures.gt(0))
}

/// Fails the jobs whose next task was failed by every agent that is there: nobody would ever take it. Returns how many.
pub async fn give_up_stuck(tx: &impl ConnectionTrait, now: Instant) -> Result<usize, ApiError> {
    let stuck: Vec<task::Model> = tried().all(tx).await?;
    if stuck.is_empty() {
        return Ok(0);
    }
    let alive = agent::Entity::find().filter(agent::Column::LastSeenAtMs.gt((now - AGENT_GONE_AFTER).ms())).all(tx).await?;
    let mut failed = 0;
    for task in stuck {
        let failures = failures_of(tx, &task.id).await?;
        let tried = agents_of(&failures);
        if alive.is_empty() || alive.iter().any(|agent| !tried.contains(agent.id.as_str())) {
            continue;
        }
        let Some(last) = failures.last() else { continue };
        let error = JobError {
            code: last.code.clone(),
            message: describe(&task, &last.message, &failures),
            log_tail: serde_json::from_value(last.log_tail.clone())?,
        };
        lease_store::settle_task(tx, &task, TaskEvent::FailForGood, now).await?;
        jobs::store::fail(tx, &task.job_id, &error, now).await?;
        failed += 1;
    }
    Ok(failed)
}
