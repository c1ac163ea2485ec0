//! A claim in one statement, which passes over whatever other claims hold at the moment.

use sea_orm::{ConnectionTrait, Value};

use super::{
    claim::{Claimant, Claimed, Tried},
    parameters, statement,
};
use crate::error::ApiError;

/// The slot with the least tag, and the first task of its team over all the claimant's classes.
pub(super) async fn try_once(tx: &impl ConnectionTrait, who: Claimant<'_>, passed_over: &[String]) -> Result<Tried, ApiError> {
    let fixed = [who.build, who.agent.as_str()];
    let values = fixed.into_iter().chain(who.classes.iter().chain(passed_over).map(String::as_str)).map(Value::from);
    let Some(row) = tx.query_one_raw(statement(tx, &sql(who.classes.len(), passed_over.len()), values)).await? else {
        return Ok(Tried::Nothing);
    };
    if let Some(task_id) = row.try_get::<Option<String>>("", "task_id")? {
        return Ok(Tried::Claimed(Claimed { task_id, tag: row.try_get("", "tag")? }));
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

/// Parameters: the claimant's build and agent, its classes, the teams passed over.
///
/// `head` looks without locking, if the agent is to be given work at all; `taken` locks the least slot of that class which nobody else is just taking. When its team
/// has no task for the claimant, nothing is deleted. When the task is of another class, one of the team's slots there
/// becomes one of the class that was taken from (see `claim_sqlite::lend_slot`); while other claims hold all of those, the
/// slot stays, as a slot too many is harmless and one too few would hide a task.
fn sql(classes: usize, passed_over: usize) -> String {
    let classes_from = 3;
    let rows: Vec<String> = (classes_from..classes_from + classes).map(|n| format!("(${n})")).collect();
    let rows = rows.join(", ");
    let others = if passed_over == 0 {
        String::new()
    } else {
        format!("AND slot.team_id NOT IN ({})", parameters(classes_from + classes, passed_over))
    };
    format!(
        "WITH served(class) AS (VALUES {rows}), \
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
             ORDER BY mine.rank, mine.deadline_ms, mine.job_id, mine.ordinal LIMIT 1), \
         gone_ready AS (DELETE FROM ready USING first \
             WHERE ready.class = first.class AND ready.team_id = first.team_id AND ready.rank = first.rank \
             AND ready.deadline_ms = first.deadline_ms AND ready.job_id = first.job_id AND ready.ordinal = first.ordinal \
             AND ready.task_id = first.task_id), \
         lent AS (SELECT slot.class, slot.tag, slot.id FROM taken CROSS JOIN first JOIN slot \
             ON slot.class = first.class AND slot.team_id = taken.team_id WHERE first.class <> taken.class \
             ORDER BY slot.tag LIMIT 1 FOR UPDATE OF slot SKIP LOCKED), \
         gone_slot AS (DELETE FROM slot USING taken, first \
             WHERE slot.class = taken.class AND slot.tag = taken.tag AND slot.id = taken.id \
             AND (first.class = taken.class OR EXISTS (SELECT 1 FROM lent))), \
         moved AS (UPDATE slot SET class = taken.class FROM lent, taken \
             WHERE slot.class = lent.class AND slot.tag = lent.tag AND slot.id = lent.id) \
         SELECT taken.class, taken.tag, taken.id, taken.team_id, first.task_id FROM taken LEFT JOIN first ON true"
    )
}
