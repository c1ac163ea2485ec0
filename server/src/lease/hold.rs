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
    entity::{lease, task},
    error::ApiError,
};

/// The lease and its task, if this agent holds it: a look without locks.
pub async fn held(db: &impl ConnectionTrait, id: &LeaseId, auth: &AgentAuth) -> Result<(lease::Model, task::Model), ApiError> {
    active(store::find_with_task(db, id, &auth.agent_id).await?)
}

/// What a call that ends a lease finds.
pub enum Found {
    Held(Box<(lease::Model, task::Model)>),
    /// The call came before, and this lease ended by it: it gets its first answer.
    Repeated(Box<task::Model>),
}

/// As [`held`], for a call that ends the lease as `how`.
pub async fn held_or_ended(
    db: &impl ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
    how: LeaseState,
) -> Result<Found, ApiError> {
    match store::find_with_task(db, id, &auth.agent_id).await? {
        Some((task, lease)) if lease.state == how.as_str() => Ok(Found::Repeated(Box::new(task))),
        found => active(found).map(|held| Found::Held(Box::new(held))),
    }
}

/// The lease and its task, locked until the transaction ends. A lease whose time ran out lives on if its task was not taken.
pub async fn hold(
    tx: &impl ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
    now: Instant,
) -> Result<(lease::Model, task::Model), ApiError> {
    let (lease, task) = active(store::lock_with_task(tx, id, &auth.agent_id).await?)?;
    if lease.expires_at_ms < now.ms() {
        expiry::take_back(tx, &lease, &task).await?;
    }
    Ok((lease, task))
}

fn active(found: Option<(task::Model, lease::Model)>) -> Result<(lease::Model, task::Model), ApiError> {
    match found {
        Some((task, lease)) if lease.state == LeaseState::Active.as_str() => Ok((lease, task)),
        Some((_, lease)) if lease.state == LeaseState::Superseded.as_str() => {
            Err(ApiError::conflict("superseded", "The task's other holder was done first.")
                .hint("Stop this work at once, and ask for other work."))
        }
        Some((_, lease)) => Err(lost(&format!("it is {}", lease.state))),
        None => Err(lost("it is unknown, or its job was deleted")),
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
