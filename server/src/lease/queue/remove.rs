//! Tasks that wait no longer, without having been claimed.

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

/// Takes one task out, if it waits, with one of its team's slots.
pub async fn remove(tx: &impl ConnectionTrait, task: &task::Model) -> Result<(), ApiError> {
    let sql = format!("DELETE FROM ready WHERE {OF_TASK}");
    let removed = tx.execute_raw(statement(tx, &sql, key(task))).await?.rows_affected();
    if removed > 0 {
        remove_slots(tx, &task.class, &task.team_id, removed.cast_signed()).await?;
    }
    Ok(())
}

/// As [`remove`], but a task that a claim is just taking is left to it.
pub async fn remove_if_free(tx: &impl ConnectionTrait, task: &task::Model) -> Result<(), ApiError> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let sql = format!("SELECT 1 FROM ready WHERE {OF_TASK} FOR UPDATE SKIP LOCKED");
        if tx.query_one_raw(statement(tx, &sql, key(task))).await?.is_none() {
            return Ok(());
        }
    }
    remove(tx, task).await
}

/// Takes all tasks of a job out, and gives its team back what they were charged for.
pub async fn remove_job(tx: &impl ConnectionTrait, job_id: &str) -> Result<(), ApiError> {
    let sql = "SELECT ready.class, ready.team_id, sum(task.estimated_work) AS work FROM ready \
               JOIN task ON task.id = ready.task_id WHERE ready.job_id = $1 GROUP BY ready.class, ready.team_id";
    let charged = tx.query_all_raw(statement(tx, sql, [job_id.into()])).await?;
    for row in charged {
        let (class, team_id): (String, String) = (row.try_get("", "class")?, row.try_get("", "team_id")?);
        let sql = "DELETE FROM ready WHERE job_id = $1 AND class = $2";
        let removed = tx.execute_raw(statement(tx, sql, [job_id.into(), class.as_str().into()])).await?.rows_affected();
        remove_slots(tx, &class, &team_id, removed.cast_signed()).await?;
        refund(tx, &team_id, row.try_get("", "work")?).await?;
    }
    Ok(())
}

/// The team's last slots go: what waits keeps its place.
async fn remove_slots(tx: &impl ConnectionTrait, class: &str, team_id: &str, count: i64) -> Result<(), ApiError> {
    let sql = "DELETE FROM slot WHERE (class, tag, id) IN ( \
               SELECT class, tag, id FROM slot WHERE class = $1 AND team_id = $2 ORDER BY tag DESC LIMIT $3)";
    tx.execute_raw(statement(tx, sql, [class.into(), team_id.into(), count.into()])).await?;
    Ok(())
}

/// The account goes back by what will not be done; the tags of what still waits stay.
async fn refund(tx: &impl ConnectionTrait, team_id: &str, work: f64) -> Result<(), ApiError> {
    let sql = "UPDATE flow SET last_tag = CASE WHEN last_tag * team.weight > $2 THEN last_tag - $2 / team.weight ELSE 0 END \
               FROM team WHERE team.id = flow.team_id AND flow.team_id = $1";
    tx.execute_raw(statement(tx, sql, [team_id.into(), work.into()])).await?;
    Ok(())
}
