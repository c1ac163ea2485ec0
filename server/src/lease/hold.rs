//! A holder's right to its lease, checked before anything is done under it.

use offpeak_api::{
    ids::LeaseId,
    lease::{Action, Orders},
};
use sea_orm::ConnectionTrait;

use super::{LeaseState, expiry, store};
use crate::{
    app::App,
    auth::AgentAuth,
    clock::Instant,
    entity::{job, lease, task},
    error::ApiError,
    jobs,
};

/// The lease and its task, if this agent holds it: a look without locks.
pub async fn held(db: &impl ConnectionTrait, id: &LeaseId, auth: &AgentAuth) -> Result<(lease::Model, task::Model), ApiError> {
    let lease = active(store::find_lease(db, id, &auth.agent_id).await?)?;
    let task = store::find_task(db, &lease.task_id).await?;
    Ok((lease, task))
}

/// The lease and its task, locked until the transaction ends. A lease whose time ran out lives on if its task was not taken.
pub async fn hold(
    tx: &impl ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
    now: Instant,
) -> Result<(lease::Model, task::Model), ApiError> {
    let lease = active(store::find_lease(tx, id, &auth.agent_id).await?)?;
    if lease.expires_at_ms < now.ms() {
        expiry::take_back(tx, &lease, &store::find_task(tx, &lease.task_id).await?).await?;
    }
    lock(tx, id, auth, &lease.task_id).await
}

/// As [`hold`], with the job, for calls that may change its stage.
pub async fn hold_with_job(
    tx: &impl ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
    now: Instant,
) -> Result<(lease::Model, task::Model, job::Model), ApiError> {
    let lease = active(store::find_lease(tx, id, &auth.agent_id).await?)?;
    if lease.expires_at_ms < now.ms() {
        expiry::take_back(tx, &lease, &store::find_task(tx, &lease.task_id).await?).await?;
    }
    let job = jobs::store::lock(tx, &lease.job_id).await?;
    let (lease, task) = lock(tx, id, auth, &lease.task_id).await?;
    Ok((lease, task, job))
}

/// Tasks are locked before leases, everywhere.
async fn lock(
    tx: &impl ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
    task: &str,
) -> Result<(lease::Model, task::Model), ApiError> {
    let task = store::lock_task(tx, task).await?;
    let lease = active(store::lock_lease(tx, id, &auth.agent_id).await?)?;
    match task {
        Some(task) => Ok((lease, task)),
        None => Err(lost("its job was deleted")),
    }
}

fn active(found: Option<lease::Model>) -> Result<lease::Model, ApiError> {
    match found {
        Some(lease) if lease.state == LeaseState::Active.as_str() => Ok(lease),
        Some(lease) if lease.state == LeaseState::Superseded.as_str() => {
            Err(ApiError::conflict("superseded", "The task's other holder was done first.")
                .hint("Stop this work at once, and ask for other work."))
        }
        Some(lease) => Err(lost(&format!("it is {}", lease.state))),
        None => Err(lost("it is unknown")),
    }
}

/// The answer to any call under a lease that is not active.
pub fn lost(why: &str) -> ApiError {
    ApiError::conflict("lease_lost", format!("This lease is not active: {why}."))
        .hint("Stop this work at once, and ask for other work.")
}

/// Orders as the task's row has them.
pub fn orders(app: &App, task: &task::Model) -> Orders {
    Orders {
        action: Action::Continue,
        cursor: task.cursor.cast_unsigned(),
        last: task.last.cast_unsigned(),
        to_end: task.to_end,
        expires_in_seconds: app.config.lease.lifetime.as_secs(),
        source: None,
        refused: Vec::new(),
    }
}
