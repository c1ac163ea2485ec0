//! SQL of job events.

use offpeak_api::{ids::TeamId, job::JobEvent};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Insert, JoinType, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::{
    clock::Instant,
    entity::{job, job_event},
    error::ApiError,
};

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
    let of_job = job_event::Entity::find().filter(job_event::Column::JobId.eq(job));
    read(db, of_job, after, limit).await
}

/// The same of all jobs of a team.
pub async fn events_of_team(db: &impl ConnectionTrait, team: &TeamId, after: i64, limit: u64) -> Result<Vec<JobEvent>, ApiError> {
    let job_of = job_event::Entity::belongs_to(job::Entity).from(job_event::Column::JobId).to(job::Column::Id);
    let of_team =
        job_event::Entity::find().join(JoinType::InnerJoin, job_of.into()).filter(job::Column::TeamId.eq(team.as_str()));
    read(db, of_team, after, limit).await
}

async fn read(
    db: &impl ConnectionTrait,
    events: Select<job_event::Entity>,
    after: i64,
    limit: u64,
) -> Result<Vec<JobEvent>, ApiError> {
    let rows = events
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

/// The sequence number of the newest event of all; 0 when there is none.
pub async fn newest(db: &impl ConnectionTrait) -> Result<i64, ApiError> {
    let newest: Option<Option<i64>> = job_event::Entity::find()
        .select_only()
        .column_as(job_event::Column::Sequence.max(), "newest")
        .into_tuple()
        .one(db)
        .await?;
    Ok(newest.flatten().unwrap_or(0))
}
