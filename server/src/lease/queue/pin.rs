//! What waits of a job that is pinned to a build of ffmpeg, or freed.

use sea_orm::ConnectionTrait;

use super::statement;
use crate::error::ApiError;

/// Locks what waits of a job.
pub async fn lock_job(tx: &impl ConnectionTrait, job_id: &str) -> Result<(), ApiError> {
    // Nothing changes; SQLite has locked already.
    let sql = "UPDATE ready SET build = build WHERE job_id = $1";
    tx.execute_raw(statement(tx, sql, [job_id.into()])).await?;
    Ok(())
}

/// What takes an encoder is given to agents with this build from now on, or to any.
pub async fn set_build(tx: &impl ConnectionTrait, job_id: &str, build: Option<&str>) -> Result<(), ApiError> {
    let sql = "UPDATE ready SET build = $2 WHERE job_id = $1 AND class <> 'none'";
    tx.execute_raw(statement(tx, sql, [job_id.into(), build.unwrap_or_default().into()])).await?;
    Ok(())
}
