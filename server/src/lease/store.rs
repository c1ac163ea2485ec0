//! SQL of tasks and leases.

use offpeak_api::{
    ids::{AgentId, JobId, LeaseId},
    lease::{HolderState, Progress},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

use super::{LeaseState, SEEN_EVERY, TaskEvent, TaskKind, TaskState};
use crate::{
    auth::random_name,
    clock::Instant,
    entity::{agent, failure, lease, task},
    error::ApiError,
};

/// Tasks that this agent may take: of kinds that it can do, and that it has not failed before.
fn takeable_by(agent: &AgentId, kinds: &[TaskKind]) -> Condition {
    // Asked for each candidate by its index: the failures of an agent's whole life are never collected.
    let failed_before = Query::select()
        .expr(Expr::value(1))
        .from(failure::Entity)
        .and_where(Expr::col((failure::Entity, failure::Column::TaskId)).equals((task::Entity, task::Column::Id)))
        .and_where(failure::Column::AgentId.eq(agent.as_str()))
        .to_owned();
    Condition::all().add(task::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str()))).add(Expr::exists(failed_before).not())
}

/// The first ready task in the order of work.
pub async fn first_ready(
    db: &impl ConnectionTrait,
    agent: &AgentId,
    kinds: &[TaskKind],
) -> Result<Option<task::Model>, ApiError> {
    Ok(task::Entity::find()
        .filter(task::Column::State.eq(TaskState::Ready.as_str()))
        .filter(takeable_by(agent, kinds))
        .order_by(task::Column::Rank, Order::Asc)
        .order_by(task::Column::JobId, Order::Asc)
        .order_by(task::Column::Ordinal, Order::Asc)
        .limit(1)
        .one(db)
        .await?)
}

/// The first task in the order of work whose lease has run out, with that lease. The table of active leases is short.
pub async fn first_expired(
    db: &impl ConnectionTrait,
    agent: &AgentId,
    kinds: &[TaskKind],
    now: Instant,
) -> Result<Option<(task::Model, lease::Model)>, ApiError> {
    let expired = lease::Entity::find()
        .filter(lease::Column::State.eq(LeaseState::Active.as_str()))
        .filter(lease::Column::ExpiresAtMs.lt(now.ms()))
        .order_by(lease::Column::ExpiresAtMs, Order::Asc)
        .limit(64)
        .all(db)
        .await?;
    if expired.is_empty() {
        return Ok(None);
    }
    let first = task::Entity::find()
        .filter(task::Column::Id.is_in(expired.iter().map(|lease| lease.task_id.as_str())))
        .filter(task::Column::State.eq(TaskState::Leased.as_str()))
        .filter(takeable_by(agent, kinds))
        .order_by(task::Column::Rank, Order::Asc)
        .order_by(task::Column::JobId, Order::Asc)
        .order_by(task::Column::Ordinal, Order::Asc)
        .limit(1)
        .one(db)
        .await?;
    Ok(first.and_then(|task| {
        let lease = expired.into_iter().find(|lease| lease.task_id == task.id)?;
        Some((task, lease))
    }))
}

/// The lease that an earlier, equal request of this agent got.
pub async fn lease_of_request(
    db: &impl ConnectionTrait,
    agent: &AgentId,
    request_id: &str,
) -> Result<Option<lease::Model>, ApiError> {
    Ok(lease::Entity::find()
        .filter(lease::Column::AgentId.eq(agent.as_str()))
        .filter(lease::Column::RequestId.eq(request_id))
        .one(db)
        .await?)
}

pub async fn find_task(db: &impl ConnectionTrait, id: &str) -> Result<task::Model, ApiError> {
    task::Entity::find_by_id(id.to_owned()).one(db).await?.ok_or_else(|| ApiError::internal(format!("{id} has no row")))
}

/// Gives `task` to `agent`. The task must have been read in this transaction.
pub async fn grant(
    tx: &impl ConnectionTrait,
    task: &task::Model,
    agent: &AgentId,
    request_id: &str,
    now: Instant,
    until: Instant,
) -> Result<Option<lease::Model>, ApiError> {
    let id = LeaseId::new();
    let expected = TaskState::parse(&task.state);
    let Some(next) = expected.and_then(|state| match state {
        // The holder's time ran out: the task changes hands without becoming ready in between.
        TaskState::Leased => state.after(TaskEvent::GiveBack).and_then(|state| state.after(TaskEvent::Grant)),
        TaskState::Ready | TaskState::Done | TaskState::Failed | TaskState::Cancelled => state.after(TaskEvent::Grant),
    }) else {
        return Ok(None);
    };
    let mut update = task::Entity::update_many()
        .col_expr(task::Column::State, Expr::value(next.as_str()))
        .col_expr(task::Column::LeaseId, Expr::value(id.as_str()))
        .filter(task::Column::Id.eq(task.id.as_str()))
        .filter(task::Column::State.eq(task.state.as_str()));
    if let Some(holder) = &task.lease_id {
        update = update.filter(task::Column::LeaseId.eq(holder.as_str()));
        end_lease(tx, holder, LeaseState::Lost, now).await?;
    }
    if update.exec(tx).await?.rows_affected == 0 {
        // Another server was faster.
        return Ok(None);
    }
    let row = lease::ActiveModel {
        id: Set(id.to_string()),
        task_id: Set(task.id.clone()),
        job_id: Set(task.job_id.clone()),
        agent_id: Set(agent.to_string()),
        request_id: Set(request_id.to_owned()),
        state: Set(LeaseState::Active.as_str().to_owned()),
        prefix: Set(random_name(16)),
        from_row: Set(task.cursor),
        progress: Set(None),
        holder_state: Set("encoding".to_owned()),
        suspended_at_ms: Set(None),
        suspended_reason: Set(None),
        created_at_ms: Set(now.ms()),
        expires_at_ms: Set(until.ms()),
        ended_at_ms: Set(None),
    };
    Ok(Some(row.insert(tx).await?))
}

/// A lease of this agent, whatever its state.
pub async fn find_lease(db: &impl ConnectionTrait, id: &LeaseId, agent: &AgentId) -> Result<Option<lease::Model>, ApiError> {
    Ok(lease::Entity::find_by_id(id.to_string()).filter(lease::Column::AgentId.eq(agent.as_str())).one(db).await?)
}

/// Renews a lease until then; `heartbeat` is what the holder told, if this was one.
pub async fn renew(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    heartbeat: Option<(HolderState, Progress)>,
    until: Instant,
) -> Result<(), ApiError> {
    let mut row = lease::ActiveModel { id: Set(lease.id.clone()), expires_at_ms: Set(until.ms()), ..Default::default() };
    if let Some((state, progress)) = heartbeat {
        row.holder_state = Set(match state {
            HolderState::Encoding => "encoding".to_owned(),
            HolderState::Suspended => "suspended".to_owned(),
        });
        row.progress = Set(Some(serde_json::to_value(progress)?));
    }
    lease::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Ends a lease, if it has not ended.
pub async fn end_lease(tx: &impl ConnectionTrait, id: &str, how: LeaseState, now: Instant) -> Result<bool, ApiError> {
    let done = lease::Entity::update_many()
        .col_expr(lease::Column::State, Expr::value(how.as_str()))
        .col_expr(lease::Column::EndedAtMs, Expr::value(now.ms()))
        .filter(lease::Column::Id.eq(id))
        .filter(lease::Column::State.eq(LeaseState::Active.as_str()))
        .exec(tx)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Moves a held task on; its lease is cleared.
pub async fn settle_task(tx: &impl ConnectionTrait, task: &task::Model, event: TaskEvent, now: Instant) -> Result<(), ApiError> {
    let next = TaskState::parse(&task.state)
        .and_then(|state| state.after(event))
        .ok_or_else(|| ApiError::internal(format!("{} is {} and cannot {event:?}", task.id, task.state)))?;
    let row = task::ActiveModel {
        id: Set(task.id.clone()),
        state: Set(next.as_str().to_owned()),
        lease_id: Set(None),
        done_at_ms: Set((next == TaskState::Done).then_some(now.ms())),
        ..Default::default()
    };
    row.update(tx).await?;
    Ok(())
}

/// Ends everything that is open in a job: its tasks are cancelled, its leases lost.
pub async fn close_job_tasks(tx: &impl ConnectionTrait, job: &JobId, now: Instant) -> Result<(), ApiError> {
    task::Entity::update_many()
        .col_expr(task::Column::State, Expr::value(TaskState::Cancelled.as_str()))
        .col_expr(task::Column::LeaseId, Expr::value(None::<String>))
        .filter(task::Column::JobId.eq(job.as_str()))
        .filter(task::Column::State.is_in([TaskState::Ready.as_str(), TaskState::Leased.as_str()]))
        .exec(tx)
        .await?;
    lease::Entity::update_many()
        .col_expr(lease::Column::State, Expr::value(LeaseState::Lost.as_str()))
        .col_expr(lease::Column::EndedAtMs, Expr::value(now.ms()))
        .filter(lease::Column::JobId.eq(job.as_str()))
        .filter(lease::Column::State.eq(LeaseState::Active.as_str()))
        .exec(tx)
        .await?;
    Ok(())
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

/// True when a span that begins at `index` or later has committed something.
pub async fn any_committed_from(db: &impl ConnectionTrait, job: &str, index: i32) -> Result<bool, ApiError> {
    let spans = tasks_of_job(db, job).await?;
    Ok(spans.iter().any(|task| task.kind == TaskKind::Encode.as_str() && task.first >= index && task.cursor > task.first))
}

/// The spans from `index` on have nothing to encode: they are done, and whoever holds one stops.
pub async fn strike_out(tx: &impl ConnectionTrait, job: &str, index: i32, now: Instant) -> Result<(), ApiError> {
    for task in tasks_of_job(tx, job).await? {
        let is_open = task.state == TaskState::Ready.as_str() || task.state == TaskState::Leased.as_str();
        if task.kind != TaskKind::Encode.as_str() || task.first < index || !is_open {
            continue;
        }
        if let Some(holder) = &task.lease_id {
            end_lease(tx, holder, LeaseState::Lost, now).await?;
        }
        let row = task::ActiveModel {
            id: Set(task.id),
            state: Set(TaskState::Done.as_str().to_owned()),
            last: Set(task.first),
            lease_id: Set(None),
            done_at_ms: Set(Some(now.ms())),
            ..Default::default()
        };
        task::Entity::update(row).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The tasks of a job, in order.
pub async fn tasks_of_job(db: &impl ConnectionTrait, job: &str) -> Result<Vec<task::Model>, ApiError> {
    Ok(task::Entity::find().filter(task::Column::JobId.eq(job)).order_by(task::Column::Ordinal, Order::Asc).all(db).await?)
}

/// Leases that ran out: how many, for waking those who wait.
pub async fn any_expired(db: &impl ConnectionTrait, now: Instant) -> Result<bool, ApiError> {
    let found = lease::Entity::find()
        .filter(lease::Column::State.eq(LeaseState::Active.as_str()))
        .filter(lease::Column::ExpiresAtMs.lt(now.ms()))
        .limit(1)
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// After an outage of the server: every active lease lives at least until then.
pub async fn extend_all(tx: &impl ConnectionTrait, until: Instant) -> Result<u64, ApiError> {
    let until = until.ms();
    let done = lease::Entity::update_many()
        .col_expr(lease::Column::ExpiresAtMs, Expr::value(until))
        .filter(lease::Column::State.eq(LeaseState::Active.as_str()))
        .filter(lease::Column::ExpiresAtMs.lt(until))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

/// True when an agent was not heard of for a while, or can do other things than before.
pub async fn is_news(
    db: &impl ConnectionTrait,
    agent: &AgentId,
    capabilities: &serde_json::Value,
    now: Instant,
) -> Result<bool, ApiError> {
    let known = agent::Entity::find_by_id(agent.to_string()).one(db).await?;
    Ok(known.is_none_or(|agent| {
        agent.capabilities.as_ref() != Some(capabilities) || Instant(agent.last_seen_at_ms) + SEEN_EVERY <= now
    }))
}

/// Notes that an agent showed itself.
pub async fn mark_seen(
    tx: &impl ConnectionTrait,
    agent: &AgentId,
    capabilities: Option<serde_json::Value>,
    now: Instant,
) -> Result<(), ApiError> {
    let mut row = agent::ActiveModel { id: Set(agent.to_string()), last_seen_at_ms: Set(now.ms()), ..Default::default() };
    if let Some(capabilities) = capabilities {
        row.capabilities = Set(Some(capabilities));
    }
    agent::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}
