//! A claim in one statement, which passes over whatever other claims hold at the moment; and a claim with its grant.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, IdenStatic, Iterable, Value};

use super::{
    claim::{Claimant, Claimed, Tried},
    parameters, statement,
};
use crate::{
    clock::Instant,
    entity::{lease, task},
    error::ApiError,
    lease::{
        LeaseState, TaskEvent, TaskState,
        rules::classes::NO_ENCODER,
        store::{Grantee, NewNames, new_lease},
    },
};

/// The slot with the least tag, and the first task of its team over all the claimant's classes.
pub(super) async fn try_once(tx: &impl ConnectionTrait, who: Claimant<'_>, passed_over: &[String]) -> Result<Tried, ApiError> {
    let fixed = [who.build, who.agent.as_str()];
    let values = fixed.into_iter().chain(who.classes.iter().chain(passed_over).map(String::as_str)).map(Value::from);
    let first_class = fixed.len() + 1;
    let steps = format!("{}, {}", choice(first_class, who.classes.len(), passed_over.len()), removal("true"));
    let sql = format!(
        "WITH {steps} SELECT taken.class, taken.tag, taken.id, taken.team_id, first.task_id, first.class AS task_class \
         FROM taken LEFT JOIN first ON true"
    );
    let Some(row) = tx.query_one_raw(statement(tx, &sql, values)).await? else {
        return Ok(Tried::Nothing);
    };
    if let Some(task_id) = row.try_get::<Option<String>>("", "task_id")? {
        return Ok(Tried::Claimed(Claimed { task_id, class: row.try_get("", "task_class")?, tag: row.try_get("", "tag")? }));
    }
    let (class, team_id): (String, String) = (row.try_get("", "class")?, row.try_get("", "team_id")?);
    let sql = "SELECT 1 AS one FROM ready WHERE class = $1 AND team_id = $2 LIMIT 1";
    if tx.query_one_raw(statement(tx, sql, [class.as_str().into(), team_id.as_str().into()])).await?.is_some() {
        return Ok(Tried::NothingOf(team_id));
    }
    let sql = "DELETE FROM slot WHERE class = $1 AND tag = $2 AND id = $3";
    let (tag, id): (f64, i64) = (row.try_get("", "tag")?, row.try_get("", "id")?);
    tx.execute_raw(statement(tx, sql, [class.into(), tag.into(), id.into()])).await?;
    Ok(Tried::Stale)
}

/// What came of a claim with its grant.
#[derive(Debug)]
pub enum AtOnce {
    Granted(Box<(lease::Model, task::Model)>),
    /// Something waits, and a transaction must look closer: the task begins its job, or had a holder before, or is over, or
    /// the first team has nothing for this claimant. Nothing was changed.
    LookCloser,
    Nothing,
}

/// Claims a task and grants it, with the job's event, in one statement and without a transaction around it: what a farm does
/// all day, and less than a third of the trips to the database.
pub async fn claim_at_once(db: &impl ConnectionTrait, who: Claimant<'_>, to: Grantee<'_>, now: Instant) -> Result<AtOnce, DbErr> {
    let names = NewNames::new();
    let granted = TaskState::Ready.after(TaskEvent::Grant).map_or("", TaskState::as_str);
    let fixed: [Value; 8] = [
        who.build.into(),
        who.agent.as_str().into(),
        names.id.as_str().into(),
        to.request_id.into(),
        names.prefix.as_str().into(),
        now.ms().into(),
        to.expires.ms().into(),
        to.instance.map(str::to_owned).into(),
    ];
    let first_class = fixed.len() + 1;
    let columns: Vec<String> = task::Column::iter().map(|column| column.as_str().to_owned()).collect();
    let columns: Vec<String> = columns.iter().map(|name| format!("granted.\"{name}\" AS \"{TASK}{name}\"")).collect();
    // The task is found by one key, in the collation of its index: `ready` compares as bytes, and without the change of
    // collation all of `task` would be read.
    let sql = format!(
        "WITH {choice}, \
         granted AS (UPDATE task SET state = '{granted}', lease_id = $3, tag = (SELECT taken.tag FROM taken) \
             WHERE task.id = (SELECT first.task_id COLLATE \"default\" FROM first WHERE first.class <> '{NO_ENCODER}') \
             AND task.state = '{ready}' RETURNING task.*), \
         lease AS (INSERT INTO lease (id, task_id, job_id, agent_id, request_id, state, class, tag, prefix, from_row, \
                 holder_state, created_at_ms, expires_at_ms, instance) \
             SELECT $3, id, job_id, $2, $4, '{active}', class, tag, $5, cursor, 'encoding', $6, $7, $8 FROM granted), \
         event AS (INSERT INTO job_event (job_id, kind, data, at_ms) \
             SELECT job_id, 'lease.granted', json_build_object('lease', $3::text, 'task', id, 'kind', kind, 'agent', $2::text, \
                 'first', \"first\", 'cursor', cursor, 'last', last, 'taken_over', NULL), $6 FROM granted), \
         {removal} \
         SELECT {columns} FROM taken LEFT JOIN granted ON true",
        choice = choice(first_class, who.classes.len(), 0),
        ready = TaskState::Ready.as_str(),
        active = LeaseState::Active.as_str(),
        removal = removal("EXISTS (SELECT 1 FROM granted)"),
        columns = columns.join(", "),
    );
    let values = fixed.into_iter().chain(who.classes.iter().map(|class| class.as_str().into()));
    let Some(row) = db.query_one_raw(statement(db, &sql, values)).await? else { return Ok(AtOnce::Nothing) };
    let Some(task) = task::Model::from_query_result_optional(&row, TASK)? else { return Ok(AtOnce::LookCloser) };
    let lease = new_lease(names, &task, task.tag, to, now);
    Ok(AtOnce::Granted(Box::new((lease, task))))
}

/// Before the names of a task's columns, which a slot has as well.
const TASK: &str = "task_";

/// Steps that choose a slot and a task. Parameters: the claimant's build and agent as `$1` and `$2`, and from `classes_from` on
/// its classes and the teams passed over.
///
/// `head` looks without locking, if the agent is to be given work at all; `taken` locks the least slot of that class which
/// nobody else is just taking; `first` is its team's first task for the claimant.
fn choice(classes_from: usize, classes: usize, passed_over: usize) -> String {
    let rows: Vec<String> = (classes_from..classes_from + classes).map(|n| format!("(${n})")).collect();
    let rows = rows.join(", ");
    let others = if passed_over == 0 {
        String::new()
    } else {
        format!("AND slot.team_id NOT IN ({})", parameters(classes_from + classes, passed_over))
    };
    format!(
        "served(class) AS (VALUES {rows}), \
         head AS (SELECT least.class FROM served CROSS JOIN LATERAL ( \
             SELECT slot.class, slot.tag, slot.id FROM slot WHERE slot.class = served.class {others} \
             ORDER BY slot.tag, slot.id LIMIT 1) AS least \
             WHERE EXISTS (SELECT 1 FROM agent WHERE agent.id = $2 AND agent.standing = 'active') \
             ORDER BY least.tag, least.id LIMIT 1), \
         taken AS (SELECT slot.class, slot.tag, slot.id, slot.team_id FROM slot \
             WHERE slot.class = (SELECT head.class FROM head) {others} \
             ORDER BY slot.tag, slot.id LIMIT 1 FOR UPDATE SKIP LOCKED), \
         first AS (SELECT mine.* FROM taken CROSS JOIN served CROSS JOIN LATERAL ( \
             SELECT ready.* FROM ready WHERE ready.class = served.class AND ready.team_id = taken.team_id \
             AND ready.build IN ('', $1) AND NOT EXISTS ( \
                 SELECT 1 FROM failure WHERE failure.task_id = ready.task_id AND failure.agent_id = $2) \
             ORDER BY ready.rank, ready.deadline_ms, ready.job_id, ready.ordinal LIMIT 1 FOR UPDATE SKIP LOCKED) AS mine \
             ORDER BY mine.rank, mine.deadline_ms, mine.job_id, mine.ordinal LIMIT 1)"
    )
}

/// Steps that take what was chosen out of the queue, under a condition.
///
/// When the team has no task for the claimant, nothing is deleted. When the task is of another class, one of the team's slots
/// there becomes one of the class that was taken from (see `claim_sqlite::lend_slot`); while other claims hold all of those,
/// the slot stays, as a slot too many is harmless and one too few would hide a task.
fn removal(condition: &str) -> String {
    format!(
        "gone_ready AS (DELETE FROM ready USING first \
             WHERE ready.class = first.class AND ready.team_id = first.team_id AND ready.rank = first.rank \
             AND ready.deadline_ms = first.deadline_ms AND ready.job_id = first.job_id AND ready.ordinal = first.ordinal \
             AND ready.task_id = first.task_id AND {condition}), \
         lent AS (SELECT slot.class, slot.tag, slot.id FROM taken CROSS JOIN first JOIN slot \
             ON slot.class = first.class AND slot.team_id = taken.team_id WHERE first.class <> taken.class AND {condition} \
             ORDER BY slot.tag LIMIT 1 FOR UPDATE OF slot SKIP LOCKED), \
         gone_slot AS (DELETE FROM slot USING taken, first \
             WHERE slot.class = taken.class AND slot.tag = taken.tag AND slot.id = taken.id AND {condition} \
             AND (first.class = taken.class OR EXISTS (SELECT 1 FROM lent))), \
         moved AS (UPDATE slot SET class = taken.class FROM lent, taken \
             WHERE slot.class = lent.class AND slot.tag = lent.tag AND slot.id = lent.id)"
    )
}
