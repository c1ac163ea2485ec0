//! SQL of how a task gets its holder.

use offpeak_api::ids::{AgentId, LeaseId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, SqlErr, sea_query::Expr,
};
use serde_json::json;

use super::{end_lease, state_of};
use crate::{
    auth::random_name,
    clock::Instant,
    db::Writes,
    entity::{lease, task},
    error::ApiError,
    lease::{LeaseEvent, LeaseState, TaskEvent, TaskState, queue::Claimed},
    notify,
};

/// Whom a task is given to.
#[derive(Debug, Clone, Copy)]
pub struct Grantee<'a> {
    pub agent: &'a AgentId,
    pub request_id: &'a str,
    /// The process that asks, if it says.
    pub instance: Option<&'a str>,
    /// Until when the lease lives without a heartbeat.
    pub expires: Instant,
}

/// Gives a locked `task` to an agent, instead of whoever held it. `tag` is that of the slot that was claimed with it.
///
/// Nothing when the task is over, or when this request got a lease meanwhile: the transaction is of no use then.
pub async fn grant(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    tag: f64,
    to: Grantee<'_>,
    now: Instant,
) -> Result<Option<lease::Model>, ApiError> {
    let state = state_of(task)?;
    let event = match state {
        TaskState::Leased => TaskEvent::TakeOver,
        TaskState::Ready | TaskState::Done | TaskState::Failed | TaskState::Cancelled => TaskEvent::Grant,
    };
    let Some(next) = state.after(event) else { return Ok(None) };
    for holder in [&task.lease_id, &task.backup_lease_id].into_iter().flatten() {
        end_lease(tx, holder, LeaseEvent::Lose, now).await?;
    }
    let lease = new_lease(NewNames::new(), task, tag, to, now);
    let row = task::ActiveModel {
        id: Set(task.id.clone()),
        state: Set(next.as_str().to_owned()),
        lease_id: Set(Some(lease.id.clone())),
        backup_lease_id: Set(None),
        tag: Set(tag),
        ..Default::default()
    };
    write_grant(tx, task, lease, row, now).await
}

/// A second lease on a locked task that cannot be cut.
pub async fn grant_backup(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    to: Grantee<'_>,
    now: Instant,
) -> Result<Option<lease::Model>, ApiError> {
    let lease = new_lease(NewNames::new(), task, task.tag, to, now);
    let row = task::ActiveModel { id: Set(task.id.clone()), backup_lease_id: Set(Some(lease.id.clone())), ..Default::default() };
    write_grant(tx, task, lease, row, now).await
}

/// What a lease is called, here and in storage.
#[derive(Debug)]
pub struct NewNames {
    pub id: String,
    pub prefix: String,
}

impl NewNames {
    #[expect(clippy::new_without_default, reason = "each has other names")]
    pub fn new() -> Self {
        Self { id: LeaseId::new().to_string(), prefix: random_name(16) }
    }
}

/// The row of a lease on `task`.
pub fn new_lease(names: NewNames, task: &task::Model, tag: f64, to: Grantee<'_>, now: Instant) -> lease::Model {
    lease::Model {
        id: names.id,
        task_id: task.id.clone(),
        job_id: task.job_id.clone(),
        agent_id: to.agent.to_string(),
        request_id: to.request_id.to_owned(),
        instance: to.instance.map(str::to_owned),
        state: LeaseState::Active.as_str().to_owned(),
        class: task.class.clone(),
        tag,
        prefix: names.prefix,
        from_row: task.cursor,
        progress: None,
        holder_state: "encoding".to_owned(),
        suspended_at_ms: None,
        suspended_reason: None,
        created_at_ms: now.ms(),
        expires_at_ms: to.expires.ms(),
        ended_at_ms: None,
    }
}

/// Gives a task that was just claimed to an agent. Nothing when it does not simply wait: it had a holder before, or is over.
///
/// Fails with [`is_taken`] when this request got a lease meanwhile.
pub async fn grant_waiting(
    tx: &impl ConnectionTrait,
    claimed: &Claimed,
    to: Grantee<'_>,
    now: Instant,
) -> Result<Option<(lease::Model, task::Model)>, DbErr> {
    let Some(next) = TaskState::Ready.after(TaskEvent::Grant) else { return Ok(None) };
    let names = NewNames::new();
    let granted = task::Entity::update_many()
        .col_expr(task::Column::State, Expr::value(next.as_str()))
        .col_expr(task::Column::LeaseId, Expr::value(names.id.as_str()))
        .col_expr(task::Column::Tag, Expr::value(claimed.tag))
        .filter(task::Column::Id.eq(claimed.task_id.as_str()))
        .filter(task::Column::State.eq(TaskState::Ready.as_str()))
        .exec_with_returning(tx)
        .await?;
    let Some(task) = granted.into_iter().next() else { return Ok(None) };
    let lease = new_lease(names, &task, claimed.tag, to, now);
    let mut writes = Writes::default();
    add_lease(tx, &mut writes, &lease, &task, None, now);
    writes.carry_out(tx).await?;
    Ok(Some((lease, task)))
}

/// The lease and the job's event.
fn add_lease(
    tx: &impl ConnectionTrait,
    writes: &mut Writes,
    lease: &lease::Model,
    task: &task::Model,
    taken_over: Option<&str>,
    now: Instant,
) {
    let event = json!({
        "lease": lease.id, "task": task.id, "kind": task.kind, "agent": lease.agent_id, "first": task.first,
        "cursor": task.cursor, "last": task.last, "taken_over": taken_over,
    });
    writes
        .add_query(tx, &lease::Entity::insert(lease.clone().into_active_model()))
        .add_query(tx, &notify::event(&task.job_id, "lease.granted", event, now));
}

/// The lease, the task's row and the job's event. `task` is as it was before.
async fn write_grant(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    lease: lease::Model,
    row: task::ActiveModel,
    now: Instant,
) -> Result<Option<lease::Model>, ApiError> {
    let mut writes = Writes::default();
    writes.add_query(tx, &task::Entity::update(row).validate()?);
    add_lease(tx, &mut writes, &lease, task, task.lease_id.as_deref(), now);
    match writes.carry_out(tx).await {
        Ok(()) => Ok(Some(lease)),
        Err(error) if is_taken(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A row with the same key is there already.
pub fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
