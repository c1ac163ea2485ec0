//! Tasks that wait no longer, without having been claimed.

use sea_orm::ConnectionTrait;

use super::statement;
use crate::{entity::task, error::ApiError};

/// Takes one task out, with one of its team's slots. False when it was not waiting.
pub async fn remove(tx: &impl ConnectionTrait, task: &task::Model) -> Result<bool, ApiError> {
    let sql = "DELETE FROM ready WHERE class = $1 AND team_id = $2 AND rank = $3 AND deadline_ms = $4 AND job_id = $5 \
               AND ordinal = $6 AND task_id = $7";
    let values = [
        task.class.as_str().into(),
        task.team_id.as_str().into(),
        i64::from(task.rank).into(),
        task.deadline_ms.into(),
        task.job_id.as_str().into(),
        i64::from(task.ordinal).into(),
        task.id.as_str().into(),
    ];
    let removed = tx.execute_raw(statement(tx, sql, values)).await?.rows_affected();
    if removed > 0 {
        remove_slots(tx, &task.class, &task.team_id, removed.cast_signed()).await?;
    }
    Ok(removed > 0)
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
