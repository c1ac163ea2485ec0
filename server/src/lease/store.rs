//! SQL of tasks and leases.

use offpeak_api::{
    ids::{AgentId, JobId, LeaseId},
    lease::{Capabilities, Heartbeat, HolderState},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, FromQueryResult, IdenStatic, IntoActiveModel, JoinType, Order,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait, Select, SelectA, SelectB, SqlErr, UpdateMany,
    sea_query::{Expr, LockBehavior, LockType, Query, SimpleExpr},
};
use serde_json::json;

use super::{
    LeaseEvent, LeaseState, TaskEvent, TaskKind, TaskState,
    holders::is_active,
    queue::{self, Claimed},
};
use crate::{
    auth::random_name,
    clock::Instant,
    db::Writes,
    entity::{agent, job, lease, task},
    error::ApiError,
    jobs::store::Stage,
    notify,
};

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

/// The task, locked until the transaction ends.
pub async fn lock_task(tx: &impl ConnectionTrait, id: &str) -> Result<Option<task::Model>, ApiError> {
    Ok(task::Entity::find_by_id(id.to_owned()).lock_exclusive().one(tx).await?)
}

/// As [`lock_task`]; nothing as well when somebody else has locked it. For who has locked other tasks already.
pub async fn lock_task_if_free(tx: &impl ConnectionTrait, id: &str) -> Result<Option<task::Model>, ApiError> {
    let find = task::Entity::find_by_id(id.to_owned());
    Ok(find.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).one(tx).await?)
}

/// The active leases on a task, locked. The task must be locked already.
pub async fn lock_holders(tx: &impl ConnectionTrait, task: &task::Model) -> Result<Vec<lease::Model>, ApiError> {
    let ids: Vec<&str> = [&task.lease_id, &task.backup_lease_id].into_iter().flatten().map(String::as_str).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(lease::Entity::find()
        .filter(lease::Column::Id.is_in(ids))
        .filter(is_active())
        .order_by_asc(lease::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?)
}

/// The job of a task, if it is the one that the job begins with.
pub async fn first_of_job(db: &impl ConnectionTrait, task: &str) -> Result<Option<String>, ApiError> {
    let begins = [TaskKind::Fetch, TaskKind::Probe].map(TaskKind::as_str);
    Ok(task::Entity::find_by_id(task.to_owned())
        .select_only()
        .column(task::Column::JobId)
        .filter(task::Column::Kind.is_in(begins))
        .into_tuple()
        .one(db)
        .await?)
}

/// True when the task is in the queue.
pub async fn is_waiting(db: &impl ConnectionTrait, task: &task::Model) -> Result<bool, ApiError> {
    use sea_orm::Statement;
    let sql = "SELECT 1 FROM ready WHERE job_id = $1 AND task_id = $2";
    let statement =
        Statement::from_sql_and_values(db.get_database_backend(), sql, [task.job_id.as_str().into(), task.id.as_str().into()]);
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// True when something waits in the queues, or is held.
pub async fn anything_open(db: &impl ConnectionTrait) -> Result<bool, ApiError> {
    let sql = "SELECT 1 WHERE EXISTS (SELECT 1 FROM ready) OR EXISTS (SELECT 1 FROM lease WHERE state = 'active')";
    Ok(db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await?.is_some())
}

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

pub fn state_of(task: &task::Model) -> Result<TaskState, ApiError> {
    TaskState::parse(&task.state).ok_or_else(|| ApiError::internal(format!("{} is in no known state: {}", task.id, task.state)))
}

/// A lease of this agent, whatever its state.
pub async fn find_lease(db: &impl ConnectionTrait, id: &LeaseId, agent: &AgentId) -> Result<Option<lease::Model>, ApiError> {
    Ok(lease::Entity::find_by_id(id.to_string()).filter(lease::Column::AgentId.eq(agent.as_str())).one(db).await?)
}

/// Ids of the leases that an agent holds.
pub async fn active_of_agent(db: &impl ConnectionTrait, agent: &AgentId) -> Result<Vec<String>, ApiError> {
    Ok(lease::Entity::find()
        .select_only()
        .column(lease::Column::Id)
        .filter(lease::Column::AgentId.eq(agent.as_str()))
        .filter(is_active())
        .into_tuple()
        .all(db)
        .await?)
}

/// Ids of the leases that an agent holds which another process of it asked for. Of those that say nothing of their process
/// nobody knows.
pub async fn active_of_other_instances(
    db: &impl ConnectionTrait,
    agent: &AgentId,
    instance: &str,
) -> Result<Vec<String>, ApiError> {
    Ok(lease::Entity::find()
        .select_only()
        .column(lease::Column::Id)
        .filter(lease::Column::AgentId.eq(agent.as_str()))
        .filter(is_active())
        .filter(lease::Column::Instance.ne(instance))
        .into_tuple()
        .all(db)
        .await?)
}

/// A lease of this agent, whatever its state, and its task, both locked until the transaction ends: the task first, as
/// everywhere.
pub async fn lock_with_task(
    tx: &impl ConnectionTrait,
    id: &LeaseId,
    agent: &AgentId,
) -> Result<Option<(task::Model, lease::Model)>, ApiError> {
    let found = of_agent(id, agent).lock_exclusive().select_also(lease::Entity).one(tx).await?;
    Ok(found.and_then(|(task, lease)| Some((task, lease?))))
}

fn of_agent(id: &LeaseId, agent: &AgentId) -> Select<task::Entity> {
    let task_of_lease = task::Entity::belongs_to(lease::Entity).from(task::Column::Id).to(lease::Column::TaskId).into();
    task::Entity::find()
        .join(JoinType::InnerJoin, task_of_lease)
        .filter(lease::Column::Id.eq(id.as_str()))
        .filter(lease::Column::AgentId.eq(agent.as_str()))
}

/// What a call under a lease has before it, read without locks.
#[derive(Debug)]
pub struct View {
    pub task: task::Model,
    pub lease: lease::Model,
    /// Of the job.
    pub stage: Stage,
}

impl FromQueryResult for View {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        Ok(Self {
            task: task::Model::from_query_result(row, SelectA.as_str())?,
            lease: lease::Model::from_query_result(row, SelectB.as_str())?,
            stage: Stage::from_query_result(row, STAGE)?,
        })
    }
}

const STAGE: &str = "C_";

/// A lease of this agent, whatever its state, with its task and the stage of its job.
pub async fn view(db: &impl ConnectionTrait, id: &LeaseId, agent: &AgentId) -> Result<Option<View>, ApiError> {
    let mut select = of_agent(id, agent).select_also(lease::Entity);
    let query = QuerySelect::query(&mut select);
    let of_task = Expr::col((job::Entity, job::Column::Id)).equals((task::Entity, task::Column::JobId));
    query.join(JoinType::InnerJoin, job::Entity, of_task);
    for (name, column) in Stage::columns() {
        query.expr_as(column, format!("{STAGE}{name}"));
    }
    let row = db.query_one_raw(select.build(db.get_database_backend())).await?;
    Ok(row.map(|row| View::from_query_result(&row, "")).transpose()?)
}

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

/// True when a span that begins at `index` or later has committed something.
pub async fn any_committed_from(db: &impl ConnectionTrait, job: &str, index: i32) -> Result<bool, ApiError> {
    let spans = tasks_of_job(db, job).await?;
    Ok(spans.iter().any(|task| task.kind == TaskKind::Encode.as_str() && task.first >= index && task.cursor > task.first))
}

/// The spans from `index` on have nothing to encode: they are done, and whoever holds one stops.
pub async fn strike_out(tx: &impl ConnectionTrait, job: &str, index: i32, now: Instant) -> Result<(), ApiError> {
    for task in tasks_of_job(tx, job).await? {
        if task.kind != TaskKind::Encode.as_str() || task.first < index {
            continue;
        }
        // Somebody may have taken it since it was read.
        queue::remove_if_free(tx, &task).await?;
        let Some(task) = lock_task(tx, &task.id).await? else { continue };
        let Some(next) = state_of(&task)?.after(TaskEvent::StrikeOut) else { continue };
        for holder in [&task.lease_id, &task.backup_lease_id].into_iter().flatten() {
            end_lease(tx, holder, LeaseEvent::Lose, now).await?;
        }
        let row = task::ActiveModel {
            id: Set(task.id),
            state: Set(next.as_str().to_owned()),
            last: Set(task.first),
            lease_id: Set(None),
            backup_lease_id: Set(None),
            done_at_ms: Set(Some(now.ms())),
            ..Default::default()
        };
        task::Entity::update(row).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// True when somebody works, or will, at a task of the job.
pub async fn any_open(db: &impl ConnectionTrait, job: &str) -> Result<bool, ApiError> {
    // In the words of the index that covers them.
    let open = task::Entity::find()
        .select_only()
        .column(task::Column::Id)
        .filter(task::Column::JobId.eq(job))
        .filter(Expr::cust("task.state IN ('ready', 'leased')"))
        .into_tuple::<String>()
        .one(db)
        .await?;
    Ok(open.is_some())
}

/// The tasks of a job, in order.
pub async fn tasks_of_job(db: &impl ConnectionTrait, job: &str) -> Result<Vec<task::Model>, ApiError> {
    Ok(task::Entity::find().filter(task::Column::JobId.eq(job)).order_by(task::Column::Ordinal, Order::Asc).all(db).await?)
}

/// The same, locked.
pub async fn lock_tasks_of_job(tx: &impl ConnectionTrait, job: &str) -> Result<Vec<task::Model>, ApiError> {
    Ok(task::Entity::find()
        .filter(task::Column::JobId.eq(job))
        .order_by(task::Column::Ordinal, Order::Asc)
        .lock_exclusive()
        .all(tx)
        .await?)
}

/// What a locked task committed does not count any more, and nobody holds it.
pub async fn set_void(tx: &impl ConnectionTrait, task: &task::Model, next: TaskState) -> Result<(), ApiError> {
    let row = task::ActiveModel {
        id: Set(task.id.clone()),
        state: Set(next.as_str().to_owned()),
        cursor: Set(task.first),
        lease_id: Set(None),
        backup_lease_id: Set(None),
        done_at_ms: Set(None),
        ..Default::default()
    };
    task::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// An agent's build of ffmpeg, as it said; empty when it said nothing.
pub async fn build_of_agent(db: &impl ConnectionTrait, agent: &str) -> Result<String, ApiError> {
    let known = agent::Entity::find_by_id(agent.to_owned()).one(db).await?;
    let capabilities = known.and_then(|agent| agent.capabilities).map(serde_json::from_value::<Capabilities>).transpose()?;
    Ok(capabilities.map(|known| known.ffmpeg).unwrap_or_default())
}

/// Leases whose time ran out, with their tasks, that are not in the queue yet.
pub async fn expired(db: &impl ConnectionTrait, now: Instant, limit: u64) -> Result<Vec<(String, String)>, ApiError> {
    Ok(lease::Entity::find()
        .select_only()
        .column(lease::Column::Id)
        .column(lease::Column::TaskId)
        .filter(is_active())
        .filter(lease::Column::ExpiresAtMs.lt(now.ms()))
        .filter(not_waiting())
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?)
}

fn not_waiting() -> SimpleExpr {
    let column = |table: &'static str, name: &'static str| Expr::col((table, name));
    let waiting = Query::select()
        .expr(Expr::value(1))
        .from("ready")
        .and_where(column("ready", "job_id").equals((lease::Entity, lease::Column::JobId)))
        .and_where(column("ready", "task_id").equals((lease::Entity, lease::Column::TaskId)))
        .to_owned();
    Expr::exists(waiting).not()
}

/// After an outage of the server: every active lease lives at least until then, but those whose tasks were offered before it.
pub async fn extend_all(tx: &impl ConnectionTrait, until: Instant) -> Result<u64, ApiError> {
    let until = until.ms();
    let done = lease::Entity::update_many()
        .col_expr(lease::Column::ExpiresAtMs, Expr::value(until))
        .filter(is_active())
        .filter(lease::Column::ExpiresAtMs.lt(until))
        .filter(not_waiting())
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
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
