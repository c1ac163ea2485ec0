//! Tasks that wait no longer, without having been claimed.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, Value};

use super::statement;
use crate::{entity::task, error::ApiError};

const OF_TASK: &str = "class = $1 AND team_id = $2 AND rank = $3 AND deadline_ms = $4 AND job_id = $5 AND ordinal = $6 \
                       AND task_id = $7";

fn key(task: &task::Model) -> [Value; 7] {
    [
        task.class.as_str().into(),
        task.team_id.as_str().into(),
        i64::from(task.rank).into(),
        task.deadline_ms.into(),
        task.job_id.as_str().into(),
        i64::from(task.ordinal).into(),
        task.id.as_str().into(),
    ]
}

/// Takes one task out, if it waits, with one of its team's slots. One that a claim is just taking is left to it: nobody who
/// holds the lock of a job or a task waits for the queue.
pub async fn remove_if_free(tx: &impl ConnectionTrait, task: &task::Model) -> Result<(), ApiError> {
    let sql = format!("DELETE FROM ready WHERE ({KEY}) IN (SELECT {KEY} FROM ready WHERE {OF_TASK} {})", skip_locked(tx));
    let removed = tx.execute_raw(statement(tx, &sql, key(task))).await?.rows_affected();
    if removed > 0 {
        remove_slots(tx, &task.class, &task.team_id, removed.cast_signed()).await?;
    }
    Ok(())
}

const KEY: &str = "class, team_id, rank, deadline_ms, job_id, ordinal, task_id";

fn skip_locked(tx: &impl ConnectionTrait) -> &'static str {
    match tx.get_database_backend() {
        DbBackend::Postgres => "FOR UPDATE SKIP LOCKED",
        _ => "",
    }
}

/// Takes all tasks of a job out but those that a claim is taking, and gives its team back what they were charged for.
pub async fn remove_job(tx: &impl ConnectionTrait, job_id: &str) -> Result<(), ApiError> {
    let sql = format!(
        "DELETE FROM ready WHERE ({KEY}) IN (SELECT {KEY} FROM ready WHERE job_id = $1 {}) \
         RETURNING class, team_id, (SELECT estimated_work FROM task WHERE task.id = ready.task_id) AS work",
        skip_locked(tx)
    );
    let mut charged: BTreeMap<(String, String), (i64, f64)> = BTreeMap::new();
    for row in tx.query_all_raw(statement(tx, &sql, [job_id.into()])).await? {
        let (tasks, work) = charged.entry((row.try_get("", "class")?, row.try_get("", "team_id")?)).or_default();
        *tasks += 1;
        *work += row.try_get::<Option<f64>>("", "work")?.unwrap_or(0.0);
    }
    for ((class, team_id), (tasks, work)) in charged {
        remove_slots(tx, &class, &team_id, tasks).await?;
        refund(tx, &team_id, work).await?;
    }
    Ok(())
}

/// The team's last slots go: what waits keeps its place. One that a claim holds may be left over, and is found to be stale.
async fn remove_slots(tx: &impl ConnectionTrait, class: &str, team_id: &str, count: i64) -> Result<(), ApiError> {
    let sql = format!(
        "DELETE FROM slot WHERE (class, tag, id) IN ( \
         SELECT class, tag, id FROM slot WHERE class = $1 AND team_id = $2 ORDER BY tag DESC LIMIT $3 {})",
        skip_locked(tx)
    );
    tx.execute_raw(statement(tx, &sql, [class.into(), team_id.into(), count.into()])).await?;
    Ok(())
}

/// The account goes back by what will not be done; the tags of what still waits stay.
async fn refund(tx: &impl ConnectionTrait, team_id: &str, work: f64) -> Result<(), ApiError> {
    let sql = "UPDATE flow SET last_tag = CASE WHEN last_tag * team.weight > $2 THEN last_tag - $2 / team.weight ELSE 0 END \
               FROM team WHERE team.id = flow.team_id AND flow.team_id = $1";
    tx.execute_raw(statement(tx, sql, [team_id.into(), work.into()])).await?;
    Ok(())
}
