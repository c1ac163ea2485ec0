//! SQL of tasks and leases: finding and locking them here, how a task gets its holder in `grants.rs`, how a lease ends in
//! `ends.rs`.

mod ends;
mod grants;

use offpeak_api::{
    ids::{AgentId, LeaseId},
    lease::Capabilities,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, FromQueryResult, IdenStatic, JoinType, Order, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, QueryTrait, Select, SelectA, SelectB,
    sea_query::{Expr, LockBehavior, LockType, Query, SimpleExpr},
};

pub use ends::{abandon, beat, close_job_tasks, completion, end_lease, ending, is_in_time, renewal, settle, settle_task};
pub use grants::{Grantee, NewNames, grant, grant_backup, grant_waiting, is_taken, new_lease};

use super::{LeaseEvent, TaskEvent, TaskKind, TaskState, holders::is_active, queue};
use crate::{
    clock::Instant,
    entity::{agent, job, lease, task},
    error::ApiError,
    jobs::store::Stage,
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
