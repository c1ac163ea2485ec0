//! A holder's right to its lease, checked before anything is done under it.

use offpeak_api::{
    ids::LeaseId,
    lease::{Action, Orders},
};
use sea_orm::ConnectionTrait;

use super::{
    LeaseState, TaskKind, expiry,
    store::{self, View},
};
use crate::{
    app::App,
    auth::AgentAuth,
    clock::Instant,
    entity::{lease, task},
    error::ApiError,
};

/// The lease, its task and the stage of its job, if this agent holds it: a look without locks.
pub async fn held(db: &impl ConnectionTrait, id: &LeaseId, auth: &AgentAuth) -> Result<View, ApiError> {
    active(store::view(db, id, &auth.agent_id).await?, |view| &view.lease)
}

/// What a call that ends a lease finds.
pub enum Found {
    Held(Box<View>),
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
    match store::view(db, id, &auth.agent_id).await? {
        Some(view) if view.lease.state == how.as_str() => Ok(Found::Repeated(Box::new(view.task))),
        found => active(found, |view| &view.lease).map(|view| Found::Held(Box::new(view))),
    }
}

/// The lease and its task, locked until the transaction ends. A lease whose time ran out lives on if its task was not taken.
pub async fn hold(
    tx: &impl ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
    now: Instant,
) -> Result<(lease::Model, task::Model), ApiError> {
    let (task, lease) = active(store::lock_with_task(tx, id, &auth.agent_id).await?, |(_, lease)| lease)?;
    if lease.expires_at_ms < now.ms() {
        expiry::take_back(tx, &lease, &task).await?;
    }
    Ok((lease, task))
}

fn active<T>(found: Option<T>, lease: fn(&T) -> &lease::Model) -> Result<T, ApiError> {
    let Some(found) = found else { return Err(lost("it is unknown, or its job was deleted")) };
    let state = lease(&found).state.as_str();
    if state == LeaseState::Active.as_str() {
        return Ok(found);
    }
    if state == LeaseState::Superseded.as_str() {
        return Err(ApiError::conflict("superseded", "The task's other holder was done first.")
            .hint("Stop this work at once, and ask for other work."));
    }
    Err(lost(&format!("it is {state}")))
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
        // A track of sound is encoded whole, and may turn out longer than planned.
        to_end: task.to_end || task.kind == TaskKind::Audio.as_str(),
        expires_in_seconds: app.config.lease.lifetime.as_secs(),
        source: None,
        refused: Vec::new(),
    }
}
