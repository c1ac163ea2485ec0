//! Leases whose time ran out: their tasks go into the queue, so that the next request finds them in their order.
//!
//! Such a lease stays valid until somebody takes its task. A holder that shows up before takes the task out of the queue again
//! ([`take_back`]), and nothing was lost.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use sea_orm::ConnectionTrait;

use super::{LeaseEvent, TaskEvent, TaskState, queue, store};
use crate::{
    app::App,
    clock::Instant,
    entity::{lease, task},
    error::ApiError,
    finish::{self, failure},
};

/// Leases looked at in one transaction, so that it stays short.
const AT_ONCE: u64 = 64;

/// While there is other work, a process looks no more often than this: looking takes time in proportion to the leases held.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// When this process last looked, so that not every request does.
#[derive(Debug, Default)]
pub struct LastLook(AtomicI64);

/// As [`offer`], unless this process did so a moment ago.
pub async fn offer_now_and_then(app: &App, now: Instant) -> Result<usize, ApiError> {
    let last = Instant(app.last_look.0.swap(now.ms(), Ordering::Relaxed));
    if now.since(last) < LOOK_EVERY && last <= now {
        app.last_look.0.store(last.ms(), Ordering::Relaxed);
        return Ok(0);
    }
    offer(app, now).await
}

/// Offers the tasks of expired leases. Returns how many there were.
pub async fn offer(app: &App, now: Instant) -> Result<usize, ApiError> {
    let expired = store::expired(&app.db.reader, now, AT_ONCE).await?;
    if expired.is_empty() {
        return Ok(0);
    }
    let tx = app.db.write().await?;
    let mut offered = 0;
    for (lease_id, task_id) in expired {
        offered += usize::from(offer_one(&tx.tx, &lease_id, &task_id, now).await?);
    }
    tx.commit().await?;
    Ok(offered)
}

async fn offer_one(tx: &impl ConnectionTrait, lease_id: &str, task_id: &str, now: Instant) -> Result<bool, ApiError> {
    // Whoever works at it now may change everything; the next look will tell.
    let Some(task) = store::lock_task_if_free(tx, task_id).await? else { return Ok(false) };
    let holders = store::lock_holders(tx, &task).await?;
    let is_expired = |lease: &lease::Model| lease.expires_at_ms < now.ms();
    if task.state != TaskState::Leased.as_str() || !holders.iter().any(|lease| lease.id == lease_id && is_expired(lease)) {
        return Ok(false);
    }
    if holders.iter().any(|lease| !is_expired(lease)) {
        // The task's other holder is at work: it goes on alone.
        store::end_lease(tx, lease_id, LeaseEvent::Lose, now).await?;
        store::settle_task(tx, &task, TaskEvent::GiveBack, now).await?;
        return Ok(true);
    }
    if store::is_waiting(tx, &task).await? {
        return Ok(false);
    }
    if let Some(lease) = holders.iter().find(|lease| lease.id == lease_id)
        && failure::take_silence(tx, lease, &task, now).await?
    {
        return Ok(true);
    }
    queue::put_back(tx, &task).await?;
    Ok(true)
}

/// A late holder is back, and its task is locked: if it was offered and nobody took it, it is offered no longer.
///
/// A claim that is just taking it goes first: it waits for the task's lock, and this must not wait for the claim.
pub async fn take_back(tx: &impl ConnectionTrait, lease: &lease::Model, task: &task::Model) -> Result<(), ApiError> {
    queue::remove_if_free(tx, task).await?;
    finish::store::forgive_silence(tx, lease).await
}
