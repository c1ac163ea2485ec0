//! SQL of how a lease lives on and how it ends, and of what that makes of its task.

use offpeak_api::{
    ids::JobId,
    lease::{Heartbeat, HolderState},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, SimpleExpr},
};

use super::{lock_holders, state_of};
use crate::{
    clock::Instant,
    db::Writes,
    entity::{lease, task},
    error::ApiError,
    lease::{LeaseEvent, LeaseState, TaskEvent, TaskState, holders::is_active, queue},
};

/// A lease that is held lives on until then.
pub fn renewal(lease: &lease::Model, until: Instant) -> UpdateMany<lease::Entity> {
    lease::Entity::update_many()
        .col_expr(lease::Column::ExpiresAtMs, Expr::value(until.ms()))
        .filter(lease::Column::Id.eq(lease.id.as_str()))
        .filter(is_active())
}

/// For writes under a lease that was not locked first: it has not run out. Whoever is late must take the task out of the
/// queue again, under its lock.
pub fn is_in_time(now: Instant) -> SimpleExpr {
    lease::Column::ExpiresAtMs.gte(now.ms())
}

/// As [`renewal`], with what its holder told.
pub fn beat(lease: &lease::Model, beat: &Heartbeat, until: Instant, now: Instant) -> Result<UpdateMany<lease::Entity>, ApiError> {
    let (holder_state, suspended_at_ms, suspended_reason) = match beat.state {
        HolderState::Encoding => ("encoding", None, None),
        HolderState::Suspended => ("suspended", lease.suspended_at_ms.or(Some(now.ms())), beat.reason.clone()),
    };
    let progress = serde_json::to_value(beat.progress)?;
    Ok(renewal(lease, until)
        .col_expr(lease::Column::HolderState, Expr::value(holder_state))
        .col_expr(lease::Column::SuspendedAtMs, Expr::value(suspended_at_ms))
        .col_expr(lease::Column::SuspendedReason, Expr::value(suspended_reason))
        .col_expr(lease::Column::Progress, Expr::value(progress)))
}

/// Ends a lease, if it has not ended.
pub async fn end_lease(tx: &impl ConnectionTrait, id: &str, event: LeaseEvent, now: Instant) -> Result<(), ApiError> {
    if let Some(end) = ending(id, event, now) {
        end.exec(tx).await?;
    }
    Ok(())
}

/// The end of a lease, to be written with what it means.
pub fn ending(id: &str, event: LeaseEvent, now: Instant) -> Option<UpdateMany<lease::Entity>> {
    let how = LeaseState::Active.after(event)?;
    let end = lease::Entity::update_many()
        .col_expr(lease::Column::State, Expr::value(how.as_str()))
        .col_expr(lease::Column::EndedAtMs, Expr::value(now.ms()))
        .filter(lease::Column::Id.eq(id))
        .filter(is_active());
    Some(end)
}

/// The end of a span whose rows are all committed, if it is still as it was read: held by this lease alone, and not the one
/// that ends the presentation.
pub fn completion(task: &task::Model, lease: &lease::Model, now: Instant) -> Option<UpdateMany<task::Entity>> {
    let done = TaskState::parse(&task.state)?.after(TaskEvent::Complete)?;
    Some(
        task::Entity::update_many()
            .col_expr(task::Column::State, Expr::value(done.as_str()))
            .col_expr(task::Column::LeaseId, Expr::value(None::<String>))
            .col_expr(task::Column::DoneAtMs, Expr::value(now.ms()))
            .filter(task::Column::Id.eq(task.id.as_str()))
            .filter(task::Column::State.eq(task.state.as_str()))
            .filter(task::Column::LeaseId.eq(lease.id.as_str()))
            .filter(task::Column::BackupLeaseId.is_null())
            .filter(task::Column::Cursor.eq(task.cursor))
            .filter(task::Column::Last.eq(task.last))
            .filter(task::Column::ToEnd.eq(task.to_end)),
    )
}

/// Moves a locked task on after one of its leases has ended.
///
/// Given back, it goes on with its other holder if it has one, and else into the queue. Otherwise nobody holds it from now on.
pub async fn settle_task(tx: &impl ConnectionTrait, task: &task::Model, event: TaskEvent, now: Instant) -> Result<(), ApiError> {
    let mut writes = Writes::default();
    settle(tx, &mut writes, task, event, now).await?;
    Ok(writes.carry_out(tx).await?)
}

/// As [`settle_task`], with what else is to be written.
pub async fn settle(
    tx: &impl ConnectionTrait,
    writes: &mut Writes,
    task: &task::Model,
    event: TaskEvent,
    now: Instant,
) -> Result<(), ApiError> {
    let holders = if task.backup_lease_id.is_some() { lock_holders(tx, task).await? } else { Vec::new() };
    let mut row = task::ActiveModel { id: Set(task.id.clone()), backup_lease_id: Set(None), ..Default::default() };
    if let (TaskEvent::GiveBack, [other, ..]) = (event, holders.as_slice()) {
        row.lease_id = Set(Some(other.id.clone()));
        writes.add_query(tx, &task::Entity::update(row).validate()?);
        return Ok(());
    }
    let next = state_of(task)?
        .after(event)
        .ok_or_else(|| ApiError::internal(format!("{} is {} and cannot {event:?}", task.id, task.state)))?;
    let how = if next == TaskState::Done { LeaseEvent::Supersede } else { LeaseEvent::Lose };
    for end in holders.iter().filter_map(|other| ending(&other.id, how, now)) {
        writes.add_query(tx, &end);
    }
    row.state = Set(next.as_str().to_owned());
    row.lease_id = Set(None);
    row.done_at_ms = Set((next == TaskState::Done).then_some(now.ms()));
    writes.add_query(tx, &task::Entity::update(row).validate()?);
    if next == TaskState::Ready {
        queue::put_back(tx, task).await?;
    }
    Ok(())
}

/// Ends everything that is open in a job: its tasks are cancelled, its leases lost.
///
/// The job's row must be locked, so that no new tasks come. What comes into the queue meanwhile is refused by its claim.
pub async fn close_job_tasks(tx: &impl ConnectionTrait, job: &JobId, now: Instant) -> Result<(), ApiError> {
    queue::remove_job(tx, job.as_str()).await?;
    // In one statement: a task that is released meanwhile must not slip from one state into the other between two.
    task::Entity::update_many()
        .col_expr(task::Column::State, Expr::value(TaskState::Cancelled.as_str()))
        .col_expr(task::Column::LeaseId, Expr::value(None::<String>))
        .col_expr(task::Column::BackupLeaseId, Expr::value(None::<String>))
        .filter(task::Column::JobId.eq(job.as_str()))
        .filter(task::Column::State.is_in(of_cancel()))
        .exec(tx)
        .await?;
    lease::Entity::update_many()
        .col_expr(lease::Column::State, Expr::value(LeaseState::Lost.as_str()))
        .col_expr(lease::Column::EndedAtMs, Expr::value(now.ms()))
        .filter(lease::Column::JobId.eq(job.as_str()))
        .filter(is_active())
        .exec(tx)
        .await?;
    Ok(())
}

/// The states in which a task can be cancelled.
fn of_cancel() -> impl Iterator<Item = &'static str> {
    let cancelled = |state: &TaskState| state.after(TaskEvent::Cancel) == Some(TaskState::Cancelled);
    TaskState::ALL.into_iter().filter(cancelled).map(TaskState::as_str)
}

/// The job is gone: nothing that was uploaded under any of its leases counts.
pub async fn abandon(tx: &impl ConnectionTrait, job: &JobId, now: Instant) -> Result<(), ApiError> {
    lease::Entity::update_many()
        .col_expr(lease::Column::State, Expr::value(LeaseState::Lost.as_str()))
        .col_expr(lease::Column::EndedAtMs, Expr::value(now.ms()))
        .filter(lease::Column::JobId.eq(job.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}
