//! SQL of failures and silences.

use std::collections::HashMap;

use offpeak_api::{ids::AgentId, job::TaskFailure};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use crate::{
    clock::Instant,
    entity::{agent, failure, job, lease, silence, task},
    error::ApiError,
    lease::rules::blame::EXPECTED_BACK_WITHIN,
};

/// Why somebody failed a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    pub code: String,
    pub message: String,
    pub log_tail: Vec<String>,
}

/// Notes that the holder of a locked task failed it: it is never given the task again.
pub async fn insert_failure(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    why: &Why,
    now: Instant,
) -> Result<(), ApiError> {
    let row = failure::ActiveModel {
        id: NotSet,
        task_id: Set(task.id.clone()),
        job_id: Set(task.job_id.clone()),
        agent_id: Set(lease.agent_id.clone()),
        task_kind: Set(task.kind.clone()),
        first: Set(task.cursor),
        last: Set(task.last),
        code: Set(why.code.clone()),
        message: Set(why.message.clone()),
        log_tail: Set(serde_json::to_value(&why.log_tail)?),
        at_ms: Set(now.ms()),
    };
    row.insert(tx).await?;
    task::Entity::update_many()
        .col_expr(task::Column::Failures, Expr::col(task::Column::Failures).add(1))
        .filter(task::Column::Id.eq(task.id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Failures of a task, oldest first.
pub async fn failures_of(db: &impl ConnectionTrait, task: &str) -> Result<Vec<failure::Model>, ApiError> {
    Ok(failure::Entity::find().filter(failure::Column::TaskId.eq(task)).order_by_asc(failure::Column::Id).all(db).await?)
}

/// The same for clients, with the machines' names.
pub async fn for_clients(db: &impl ConnectionTrait, failures: &[failure::Model]) -> Result<Vec<TaskFailure>, ApiError> {
    let names: HashMap<String, String> = agent::Entity::find()
        .select_only()
        .columns([agent::Column::Id, agent::Column::Name])
        .filter(agent::Column::Id.is_in(failures.iter().map(|failure| failure.agent_id.as_str())))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let wire = failures.iter().map(|failure| {
        Ok(TaskFailure {
            agent: failure.agent_id.parse::<AgentId>().map_err(ApiError::internal)?,
            agent_name: names.get(&failure.agent_id).cloned().unwrap_or_default(),
            task_kind: failure.task_kind.clone(),
            first: failure.first.cast_unsigned(),
            last: failure.last.cast_unsigned(),
            code: failure.code.clone(),
            message: failure.message.clone(),
            log_tail: serde_json::from_value(failure.log_tail.clone())?,
            at: Instant(failure.at_ms).to_utc(),
        })
    });
    wire.collect()
}

/// Tasks that wait and that somebody failed.
pub async fn tried(db: &impl ConnectionTrait) -> Result<Vec<task::Model>, ApiError> {
    Ok(task::Entity::find()
        // In the words of the index that covers them.
        .filter(Expr::cust("task.failures > 0 AND task.state = 'ready'"))
        .all(db)
        .await?)
}

/// Agents that will ask for work again, as far as anybody knows.
pub async fn expected_agents(db: &impl ConnectionTrait, now: Instant) -> Result<Vec<agent::Model>, ApiError> {
    use offpeak_api::agent::Standing;
    Ok(agent::Entity::find()
        .filter(agent::Column::LastSeenAtMs.gt((now - EXPECTED_BACK_WITHIN).ms()))
        .filter(agent::Column::Standing.eq(Standing::Active.as_str()))
        .all(db)
        .await?)
}

/// The build of ffmpeg that a job is pinned to.
pub async fn build_of(db: &impl ConnectionTrait, job: &str) -> Result<Option<String>, ApiError> {
    let build: Option<Option<String>> =
        job::Entity::find_by_id(job.to_owned()).select_only().column(job::Column::Build).into_tuple().one(db).await?;
    Ok(build.flatten())
}

/// A lease ran out without a word: how often that happened to this agent with this task by now.
pub async fn count_silence(tx: &impl ConnectionTrait, lease: &lease::Model) -> Result<i32, ApiError> {
    use silence::Column::{AgentId, JobId, TaskId, Times};
    let row = silence::ActiveModel {
        job_id: Set(lease.job_id.clone()),
        task_id: Set(lease.task_id.clone()),
        agent_id: Set(lease.agent_id.clone()),
        times: Set(1),
    };
    let again = Expr::col((silence::Entity, Times)).add(1);
    silence::Entity::insert(row)
        .on_conflict(OnConflict::columns([JobId, TaskId, AgentId]).value(Times, again).to_owned())
        .exec_without_returning(tx)
        .await?;
    let key = (lease.job_id.clone(), lease.task_id.clone(), lease.agent_id.clone());
    Ok(silence::Entity::find_by_id(key).one(tx).await?.map_or(0, |row| row.times))
}

/// It was heard of again.
pub async fn forgive_silence(tx: &impl ConnectionTrait, lease: &lease::Model) -> Result<(), ApiError> {
    let key = (lease.job_id.clone(), lease.task_id.clone(), lease.agent_id.clone());
    silence::Entity::delete_by_id(key).exec(tx).await?;
    Ok(())
}

/// Nobody is blamed any more for anything of this job.
pub async fn forgive_job(tx: &impl ConnectionTrait, job: &str) -> Result<(), ApiError> {
    failure::Entity::delete_many().filter(failure::Column::JobId.eq(job)).exec(tx).await?;
    silence::Entity::delete_many().filter(silence::Column::JobId.eq(job)).exec(tx).await?;
    Ok(())
}
