//! SQL of job events.

use offpeak_api::job::JobEvent;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Insert, QueryFilter, QueryOrder, QuerySelect};

use crate::{clock::Instant, entity::job_event, error::ApiError};

/// Writes an event in the transaction of the change that it tells of. Wake the watchers after the commit.
pub async fn record(
    tx: &impl ConnectionTrait,
    job: &str,
    kind: &str,
    data: serde_json::Value,
    now: Instant,
) -> Result<(), ApiError> {
    event(job, kind, data, now).exec_without_returning(tx).await?;
    Ok(())
}

/// The event, to be written together with the change.
pub fn event(job: &str, kind: &str, data: serde_json::Value, now: Instant) -> Insert<job_event::ActiveModel> {
    job_event::Entity::insert(job_event::ActiveModel {
        job_id: Set(job.to_owned()),
        kind: Set(kind.to_owned()),
        data: Set(data),
        at_ms: Set(now.ms()),
        ..Default::default()
    })
}

/// Events of a job after the one with this sequence number, oldest first.
pub async fn events_after(db: &impl ConnectionTrait, job: &str, after: i64, limit: u64) -> Result<Vec<JobEvent>, ApiError> {
    let rows = job_event::Entity::find()
        .filter(job_event::Column::JobId.eq(job))
        .filter(job_event::Column::Sequence.gt(after))
        .order_by_asc(job_event::Column::Sequence)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(JobEvent {
                sequence: row.sequence,
                kind: row.kind,
                at: Instant(row.at_ms).to_utc(),
                job: row.job_id.parse().map_err(ApiError::internal)?,
                data: row.data,
            })
        })
        .collect()
}
