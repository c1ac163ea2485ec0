//! A claim in steps, under SQLite's one write lock.

use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{
    claim::{Claimant, Claimed, Tried},
    parameters, statement,
};
use crate::error::ApiError;

struct Slot {
    class: String,
    tag: f64,
    id: i64,
    team_id: String,
}

/// The slot with the least tag, and the first task of its team over all the claimant's classes.
pub(super) async fn try_once(tx: &impl ConnectionTrait, who: Claimant<'_>, passed_over: &[String]) -> Result<Tried, ApiError> {
    let Some(slot) = least_slot(tx, who, passed_over).await? else { return Ok(Tried::Nothing) };
    if let Some((task_id, class)) = take_first(tx, who, &slot.team_id).await? {
        drop_slot(tx, &slot).await?;
        if class != slot.class {
            lend_slot(tx, &class, &slot).await?;
        }
        return Ok(Tried::Claimed(Claimed { task_id, class, tag: slot.tag }));
    }
    let sql = "SELECT 1 FROM ready WHERE class = $1 AND team_id = $2 LIMIT 1";
    if tx.query_one_raw(statement(tx, sql, [slot.class.as_str().into(), slot.team_id.as_str().into()])).await?.is_some() {
        return Ok(Tried::NothingOf(slot.team_id));
    }
    drop_slot(tx, &slot).await?;
    Ok(Tried::Stale)
}

async fn least_slot(tx: &impl ConnectionTrait, who: Claimant<'_>, passed_over: &[String]) -> Result<Option<Slot>, ApiError> {
    let classes = who.classes.len();
    let others = if passed_over.is_empty() {
        String::new()
    } else {
        format!("AND team_id NOT IN ({})", parameters(classes + 2, passed_over.len()))
    };
    let heads: Vec<String> = (2..=classes + 1)
        .map(|n| {
            format!(
                "SELECT * FROM (SELECT class, tag, id, team_id FROM slot WHERE class = ${n} {others} ORDER BY tag, id LIMIT 1)"
            )
        })
        .collect();
    // An agent that was just drained, set aside or revoked may still be waiting.
    let sql = format!(
        "SELECT * FROM ({}) WHERE EXISTS (SELECT 1 FROM agent WHERE agent.id = $1 AND agent.standing = 'active') \
         ORDER BY tag, id LIMIT 1",
        heads.join(" UNION ALL ")
    );
    let texts = std::iter::once(who.agent.as_str()).chain(who.classes.iter().chain(passed_over).map(String::as_str));
    let values = texts.map(Value::from);
    let row = tx.query_one_raw(statement(tx, &sql, values)).await?;
    Ok(row.as_ref().map(slot_of).transpose()?)
}

fn slot_of(row: &QueryResult) -> Result<Slot, sea_orm::DbErr> {
    Ok(Slot {
        class: row.try_get("", "class")?,
        tag: row.try_get("", "tag")?,
        id: row.try_get("", "id")?,
        team_id: row.try_get("", "team_id")?,
    })
}

/// Takes the team's first task that the claimant may have; its id and class.
async fn take_first(tx: &impl ConnectionTrait, who: Claimant<'_>, team: &str) -> Result<Option<(String, String)>, ApiError> {
    let firsts: Vec<String> = (0..who.classes.len())
        .map(|n| {
            format!(
                "SELECT * FROM (SELECT class, rank, deadline_ms, job_id, ordinal, task_id FROM ready \
                 WHERE class = ${} AND team_id = $1 AND build IN ('', $2) AND NOT EXISTS ( \
                 SELECT 1 FROM failure WHERE failure.task_id = ready.task_id AND failure.agent_id = $3) \
                 ORDER BY rank, deadline_ms, job_id, ordinal LIMIT 1)",
                n + 4
            )
        })
        .collect();
    let sql = format!(
        "DELETE FROM ready WHERE (class, team_id, rank, deadline_ms, job_id, ordinal, task_id) IN ( \
         SELECT class, $1, rank, deadline_ms, job_id, ordinal, task_id FROM ({}) \
         ORDER BY rank, deadline_ms, job_id, ordinal LIMIT 1) RETURNING task_id, class",
        firsts.join(" UNION ALL ")
    );
    let fixed = [team, who.build, who.agent.as_str()];
    let values = fixed.into_iter().chain(who.classes.iter().map(String::as_str)).map(Value::from);
    let row = tx.query_one_raw(statement(tx, &sql, values)).await?;
    Ok(row.map(|row| Ok::<_, sea_orm::DbErr>((row.try_get("", "task_id")?, row.try_get("", "class")?))).transpose()?)
}

async fn drop_slot(tx: &impl ConnectionTrait, slot: &Slot) -> Result<(), ApiError> {
    let sql = "DELETE FROM slot WHERE class = $1 AND tag = $2 AND id = $3";
    tx.execute_raw(statement(tx, sql, [slot.class.as_str().into(), slot.tag.into(), slot.id.into()])).await?;
    Ok(())
}

/// The task was of another class than the slot: that class has a slot too many now, the slot's one too few.
async fn lend_slot(tx: &impl ConnectionTrait, from: &str, to: &Slot) -> Result<(), ApiError> {
    let sql = "UPDATE slot SET class = $1 WHERE (class, tag, id) IN ( \
               SELECT class, tag, id FROM slot WHERE class = $2 AND team_id = $3 ORDER BY tag LIMIT 1)";
    tx.execute_raw(statement(tx, sql, [to.class.as_str().into(), from.into(), to.team_id.as_str().into()])).await?;
    Ok(())
}
