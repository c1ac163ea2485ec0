//! Blame: who may try again after a failure, and when a job fails for good. The numbers are in [`blame`].

use std::{collections::BTreeSet, time::Duration};

use offpeak_api::{
    job::JobError,
    lease::{Blame, FailRequest},
    plain,
};
use sea_orm::ConnectionTrait;

use super::store::{self, Why};
use crate::{
    agents::standing,
    app::App,
    clock::Instant,
    entity::{failure, lease, task},
    error::ApiError,
    jobs,
    lease::{LeaseEvent, TaskEvent, TaskKind, rules::blame, spec, store as lease_store},
};

/// An agent that was not heard of for this long counts as offline; long polls end after 30 s. It is still expected back
/// ([`blame::EXPECTED_BACK_WITHIN`]).
pub const AGENT_GONE_AFTER: Duration = Duration::from_secs(90);
/// The code of a failure that says nothing of the task: the agent made another init segment than the pinned one. It does not
/// get the task again, and nobody is blamed.
pub const INIT_MISMATCH: &str = "init_mismatch";
const LEASE_EXPIRED: &str = "lease_expired";
const LONGEST_CODE: usize = 64;
const LONGEST_MESSAGE: usize = 2000;
const LONGEST_LOG_LINES: usize = 50;

/// Notes the failure; the task goes back, or the job fails.
pub async fn take(
    app: &App,
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    request: FailRequest,
    now: Instant,
) -> Result<(), ApiError> {
    let skip = request.log_tail.len().saturating_sub(LONGEST_LOG_LINES);
    let why = Why {
        code: cut(&request.code).chars().take(LONGEST_CODE).collect(),
        message: cut(&request.message),
        log_tail: request.log_tail.iter().skip(skip).map(|line| cut(line)).collect(),
    };
    store::insert_failure(tx, lease, task, &why, now).await?;
    let for_good = match request.blame {
        Blame::Source => true,
        Blame::Agent => {
            standing::note_failure(tx, &lease.agent_id, &task.job_id, now).await?;
            is_for_good(&store::failures_of(tx, &task.id).await?)
        }
    };
    if for_good { fail_job(app, tx, task, now).await } else { lease_store::settle_task(tx, task, TaskEvent::GiveBack, now).await }
}

/// A lease on a locked task ran out, or its process is gone, with nothing committed and without a word. When that happens again and again, it counts as a
/// failure, and the task goes to somebody else. True when it does.
pub async fn take_silence(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    now: Instant,
) -> Result<bool, ApiError> {
    if task.cursor > lease.from_row {
        return Ok(false);
    }
    let times = store::count_silence(tx, lease).await?;
    if times < blame::SILENCES_PER_FAILURE {
        return Ok(false);
    }
    tracing::warn!(lease.id, task.id, task.kind, agent.id = lease.agent_id, times, "the agent falls silent with this task");
    let message = format!("The machine fell silent {times} times while it worked at this, and had finished nothing.");
    let why = Why { code: LEASE_EXPIRED.to_owned(), message, log_tail: Vec::new() };
    store::insert_failure(tx, lease, task, &why, now).await?;
    lease_store::end_lease(tx, &lease.id, LeaseEvent::Lose, now).await?;
    lease_store::settle_task(tx, task, TaskEvent::GiveBack, now).await?;
    Ok(true)
}

/// Fails the job for what its task's failures say.
pub(super) async fn fail_job(app: &App, tx: &impl ConnectionTrait, task: &task::Model, now: Instant) -> Result<(), ApiError> {
    let failures = store::failures_of(tx, &task.id).await?;
    let Some(last) = failures.iter().rfind(|failure| counts(failure)).or(failures.last()) else { return Ok(()) };
    let error = JobError {
        code: last.code.clone(),
        message: describe(task, &last.message, &failures)?,
        log_tail: serde_json::from_value(last.log_tail.clone())?,
        failures: store::for_clients(tx, &failures).await?,
    };
    let agents: BTreeSet<&str> =
        failures.iter().filter(|failure| counts(failure)).map(|failure| failure.agent_id.as_str()).collect();
    // One machine alone may well be at fault; two that agree are not.
    if agents.len() > 1 {
        for agent in agents {
            standing::forgive(tx, agent, &task.job_id, now).await?;
        }
    }
    lease_store::settle_task(tx, task, TaskEvent::FailForGood, now).await?;
    jobs::store::fail(app, tx, &task.job_id, &error, now).await
}

/// Logs can hold anything; people read this in terminals.
pub(super) fn cut(text: &str) -> String {
    plain::short(text, LONGEST_MESSAGE)
}

/// A sentence for people: which part failed, where, and the last reason.
fn describe(task: &task::Model, message: &str, failures: &[failure::Model]) -> Result<String, ApiError> {
    let agents = failures.iter().map(|failure| failure.agent_id.as_str()).collect::<BTreeSet<_>>().len();
    let is_span = spec::kind_of(task)? == TaskKind::Encode;
    Ok(match (is_span, agents) {
        (true, 0 | 1) => format!("Segments {}..{}: {message}", task.cursor, task.last),
        (true, n) => format!("Segments {}..{} failed on {n} machines. The last one said: {message}", task.cursor, task.last),
        (false, 0 | 1) => message.to_owned(),
        (false, n) => format!("The {} task failed on {n} machines. The last one said: {message}", task.kind),
    })
}

pub(super) fn counts(failure: &failure::Model) -> bool {
    failure.code != INIT_MISMATCH
}

pub(super) fn is_for_good(failures: &[failure::Model]) -> bool {
    let failed_by: Vec<&str> =
        failures.iter().filter(|failure| counts(failure)).map(|failure| failure.agent_id.as_str()).collect();
    blame::is_for_good(&failed_by)
}
