//! SQL of sources.

use std::collections::HashSet;

use offpeak_api::{
    ids::{AgentId, SourceId, TeamId},
    job::{JobState, SourceState},
};
use percent_encoding::percent_decode_str;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

use super::{sink::Tail, tus::clean_filename};
use crate::{
    clock::Instant,
    entity::{arrival, job, lease, source, task},
    error::ApiError,
    lease::{TaskKind, holders::is_active},
};

const UPLOADING: &str = "uploading";
const READY: &str = "ready";
pub const DELETED: &str = "deleted";

fn not_found(id: &str) -> ApiError {
    ApiError::not_found("source_not_found", format!("There is no source or upload {id}."))
}

pub async fn get(db: &impl ConnectionTrait, id: &SourceId) -> Result<source::Model, ApiError> {
    source::Entity::find_by_id(id.to_string()).one(db).await?.ok_or_else(|| not_found(id.as_str()))
}

/// As [`get`], and nobody else changes the source until this transaction ends: between asking who uses it and deleting it,
/// no job begins to.
pub async fn lock(tx: &impl ConnectionTrait, id: &SourceId) -> Result<source::Model, ApiError> {
    source::Entity::find_by_id(id.to_string()).lock_exclusive().one(tx).await?.ok_or_else(|| not_found(id.as_str()))
}

/// As [`find_source`] and [`lock`].
pub async fn lock_source(tx: &impl ConnectionTrait, team: &TeamId, id: &SourceId) -> Result<source::Model, ApiError> {
    let row = lock(tx, id).await?;
    if row.team_id == team.as_str() { Ok(row) } else { Err(not_found(id.as_str())) }
}

/// The team's source; that of another team is as unknown as none.
pub async fn find_source(db: &impl ConnectionTrait, team: &TeamId, id: &SourceId) -> Result<source::Model, ApiError> {
    let row = get(db, id).await?;
    if row.team_id == team.as_str() { Ok(row) } else { Err(not_found(id.as_str())) }
}

/// The source that this agent fetches under a lease that it holds now.
pub async fn find_fetched(db: &impl ConnectionTrait, agent: &AgentId, id: &SourceId) -> Result<source::Model, ApiError> {
    if fetches(db, agent, id).await? { get(db, id).await } else { Err(not_found(id.as_str())) }
}

/// True while the agent holds the lease of a task that fetches this source.
pub async fn fetches(db: &impl ConnectionTrait, agent: &AgentId, id: &SourceId) -> Result<bool, ApiError> {
    let jobs = Query::select().column(job::Column::Id).from(job::Entity).and_where(job::Column::SourceId.eq(id.as_str())).take();
    let tasks = Query::select()
        .column(task::Column::Id)
        .from(task::Entity)
        .and_where(task::Column::Kind.eq(TaskKind::Fetch.as_str()))
        .and_where(task::Column::JobId.in_subquery(jobs))
        .take();
    let held = lease::Entity::find()
        .filter(lease::Column::AgentId.eq(agent.as_str()))
        .filter(is_active())
        .filter(lease::Column::TaskId.in_subquery(tasks))
        .limit(1)
        .one(db)
        .await?;
    Ok(held.is_some())
}

pub fn state_of(source: &source::Model) -> Result<SourceState, ApiError> {
    match source.state.as_str() {
        UPLOADING => Ok(SourceState::Uploading),
        READY => Ok(SourceState::Ready),
        DELETED => Ok(SourceState::Deleted),
        other => Err(ApiError::internal(format!("{} is of unknown state {other}", source.id))),
    }
}

/// What is known of a source before its first byte.
#[derive(Debug, Clone, Copy)]
pub struct NewSource<'a> {
    pub team: &'a TeamId,
    /// None when it becomes known later.
    pub length: Option<u64>,
    pub filename: Option<&'a str>,
    /// `Upload-Metadata` as it was sent.
    pub metadata: Option<&'a str>,
    /// Where an agent is to fetch it from.
    pub url: Option<&'a str>,
}

pub async fn insert(
    db: &impl ConnectionTrait,
    new: NewSource<'_>,
    now: Instant,
    expires: Instant,
) -> Result<source::Model, ApiError> {
    let row = source::ActiveModel {
        id: Set(SourceId::new().to_string()),
        team_id: Set(new.team.to_string()),
        state: Set(UPLOADING.to_owned()),
        filename: Set(new.filename.map(str::to_owned)),
        url: Set(new.url.map(str::to_owned)),
        length: Set(new.length.map(u64::cast_signed)),
        received: Set(0),
        hash_state: Set(None),
        sha256: Set(None),
        metadata: Set(new.metadata.map(str::to_owned)),
        created_at_ms: Set(now.ms()),
        expires_at_ms: Set(expires.ms()),
    };
    Ok(row.insert(db).await?)
}

/// A source that an agent will fetch from `url`; its length becomes known then.
pub async fn create_fetch_source(
    db: &impl ConnectionTrait,
    team: &TeamId,
    url: &str,
    now: Instant,
    expires: Instant,
) -> Result<SourceId, ApiError> {
    let last = url::Url::parse(url).ok().and_then(|url| url.path_segments()?.next_back().map(str::to_owned));
    let filename = last.and_then(|last| clean_filename(&percent_decode_str(&last).decode_utf8_lossy()));
    let new = NewSource { team, length: None, filename: filename.as_deref(), metadata: None, url: Some(url) };
    insert(db, new, now, expires).await?.id.parse().map_err(ApiError::internal)
}

/// Bytes that are safe on disk, and the hash's inner state after them.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What the row says before.
    pub from: u64,
    pub received: u64,
    pub hash_state: Vec<u8>,
    pub expires: Instant,
}

/// Notes progress, unless the row has changed since it was read: then false, and nothing of it counts.
pub async fn note_progress(tx: &impl ConnectionTrait, id: &SourceId, progress: Progress) -> Result<bool, ApiError> {
    let updated = still_at(id, progress.from)
        .col_expr(source::Column::Received, Expr::value(progress.received.cast_signed()))
        .col_expr(source::Column::HashState, Expr::value(progress.hash_state))
        .col_expr(source::Column::ExpiresAtMs, Expr::value(progress.expires.ms()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// What is known of a source once its last byte is safe and the object has its key.
#[derive(Debug, Clone, Copy)]
pub struct Ready<'a> {
    /// What the row says before.
    pub from: u64,
    pub length: u64,
    /// Nothing when the bucket did not tell it.
    pub sha256: Option<&'a str>,
    pub expires: Instant,
}

/// False when the row has changed since it was read.
pub async fn note_ready(tx: &impl ConnectionTrait, id: &SourceId, ready: Ready<'_>) -> Result<bool, ApiError> {
    let updated = still_at(id, ready.from)
        .col_expr(source::Column::State, Expr::value(READY))
        .col_expr(source::Column::Length, Expr::value(ready.length.cast_signed()))
        .col_expr(source::Column::Received, Expr::value(ready.length.cast_signed()))
        .col_expr(source::Column::HashState, Expr::value(None::<Vec<u8>>))
        .col_expr(source::Column::Sha256, Expr::value(ready.sha256.map(str::to_owned)))
        .col_expr(source::Column::ExpiresAtMs, Expr::value(ready.expires.ms()))
        .exec(tx)
        .await?;
    if updated.rows_affected != 1 {
        return Ok(false);
    }
    arrival::Entity::delete_many().filter(arriving(id)).exec(tx).await?;
    Ok(true)
}

fn still_at(id: &SourceId, received: u64) -> sea_orm::UpdateMany<source::Entity> {
    source::Entity::update_many()
        .filter(source::Column::Id.eq(id.as_str()))
        .filter(source::Column::State.eq(UPLOADING))
        .filter(source::Column::Received.eq(received.cast_signed()))
}

/// The length of an upload that began without one.
pub async fn set_length(tx: &impl ConnectionTrait, id: &SourceId, length: u64) -> Result<(), ApiError> {
    source::Entity::update_many()
        .col_expr(source::Column::Length, Expr::value(length.cast_signed()))
        .filter(source::Column::Id.eq(id.as_str()))
        .filter(source::Column::Length.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

pub async fn set_expiry(tx: &impl ConnectionTrait, id: &SourceId, expires: Instant) -> Result<(), ApiError> {
    source::Entity::update_many()
        .col_expr(source::Column::ExpiresAtMs, Expr::value(expires.ms()))
        .filter(source::Column::Id.eq(id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Back to no byte and no length, for a source that is fetched.
pub async fn reset(tx: &impl ConnectionTrait, id: &SourceId, expires: Instant) -> Result<(), ApiError> {
    source::Entity::update_many()
        .col_expr(source::Column::State, Expr::value(UPLOADING))
        .col_expr(source::Column::Length, Expr::value(None::<i64>))
        .col_expr(source::Column::Received, Expr::value(0_i64))
        .col_expr(source::Column::HashState, Expr::value(None::<Vec<u8>>))
        .col_expr(source::Column::Sha256, Expr::value(None::<String>))
        .col_expr(source::Column::ExpiresAtMs, Expr::value(expires.ms()))
        .filter(source::Column::Id.eq(id.as_str()))
        .filter(source::Column::Url.is_not_null())
        .filter(source::Column::State.ne(DELETED))
        .exec(tx)
        .await?;
    give_up_arrival(tx, id).await
}

pub async fn mark_deleted(tx: &impl ConnectionTrait, id: &SourceId) -> Result<(), ApiError> {
    source::Entity::update_many()
        .col_expr(source::Column::State, Expr::value(DELETED))
        .col_expr(source::Column::HashState, Expr::value(None::<Vec<u8>>))
        .filter(source::Column::Id.eq(id.as_str()))
        .exec(tx)
        .await?;
    give_up_arrival(tx, id).await
}

fn arriving(id: &SourceId) -> Condition {
    Condition::all().add(arrival::Column::SourceId.eq(id.as_str())).add(arrival::Column::GivenUp.eq(false))
}

/// How a source arrives in a bucket, if it has begun to.
pub async fn arrival_of(db: &impl ConnectionTrait, id: &SourceId) -> Result<Option<arrival::Model>, ApiError> {
    Ok(arrival::Entity::find().filter(arriving(id)).order_by_asc(arrival::Column::Id).limit(1).one(db).await?)
}

/// The source's arrival: that which was begun already, or a new one.
pub async fn begin_arrival(
    tx: &impl ConnectionTrait,
    id: &SourceId,
    multipart: Option<&str>,
    part_bytes: u64,
    direct: bool,
) -> Result<arrival::Model, ApiError> {
    lock(tx, id).await?;
    if let Some(row) = arrival_of(tx, id).await? {
        return Ok(row);
    }
    let row = arrival::ActiveModel {
        source_id: Set(id.to_string()),
        multipart: Set(multipart.map(str::to_owned)),
        part_bytes: Set(part_bytes.cast_signed()),
        direct: Set(direct),
        tail: Set(None),
        given_up: Set(false),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// Notes the bucket's name for an upload. False when it has one already, or is given up.
pub async fn note_multipart(tx: &impl ConnectionTrait, arrival: i64, multipart: &str) -> Result<bool, ApiError> {
    let updated = arrival::Entity::update_many()
        .col_expr(arrival::Column::Multipart, Expr::value(multipart))
        .filter(arrival::Column::Id.eq(arrival))
        .filter(arrival::Column::Multipart.is_null())
        .filter(arrival::Column::GivenUp.eq(false))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}

pub async fn note_tail(tx: &impl ConnectionTrait, tail: &Tail) -> Result<(), ApiError> {
    arrival::Entity::update_many()
        .col_expr(arrival::Column::Tail, Expr::value(tail.object.as_ref().map(|key| key.to_string())))
        .filter(arrival::Column::Id.eq(tail.arrival))
        .exec(tx)
        .await?;
    Ok(())
}

async fn give_up_arrival(tx: &impl ConnectionTrait, id: &SourceId) -> Result<(), ApiError> {
    arrival::Entity::update_many()
        .col_expr(arrival::Column::GivenUp, Expr::value(true))
        .filter(arrival::Column::SourceId.eq(id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Arrivals that the bucket is to be told of that nothing more comes. The table has only what is arriving.
pub async fn given_up_arrivals(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<arrival::Model>, ApiError> {
    Ok(arrival::Entity::find().filter(arrival::Column::GivenUp.eq(true)).limit(limit).all(db).await?)
}

pub async fn forget_arrival(tx: &impl ConnectionTrait, arrival: i64) -> Result<(), ApiError> {
    arrival::Entity::delete_by_id(arrival).exec(tx).await?;
    Ok(())
}

/// A job that is not over needs this source.
pub async fn has_unfinished_job(db: &impl ConnectionTrait, id: &SourceId) -> Result<bool, ApiError> {
    let over = [JobState::Completed, JobState::Failed, JobState::Cancelled].map(JobState::as_str);
    let unfinished = job::Entity::find()
        .filter(job::Column::SourceId.eq(id.as_str()))
        .filter(job::Column::State.is_not_in(over))
        .limit(1)
        .one(db)
        .await?;
    Ok(unfinished.is_some())
}

/// When the last job of this source ended.
pub async fn last_job_end(db: &impl ConnectionTrait, id: &SourceId) -> Result<Option<Instant>, ApiError> {
    let last = job::Entity::find()
        .filter(job::Column::SourceId.eq(id.as_str()))
        .filter(job::Column::EndedAtMs.is_not_null())
        .order_by_desc(job::Column::EndedAtMs)
        .limit(1)
        .one(db)
        .await?;
    Ok(last.and_then(|job| job.ended_at_ms).map(Instant))
}

/// Sources whose time has come, the longest overdue of each state first.
pub async fn expired(db: &impl ConnectionTrait, now: Instant, limit: u64) -> Result<Vec<source::Model>, ApiError> {
    Ok(source::Entity::find()
        .filter(Condition::any().add(source::Column::State.eq(UPLOADING)).add(source::Column::State.eq(READY)))
        .filter(source::Column::ExpiresAtMs.lte(now.ms()))
        .order_by_asc(source::Column::ExpiresAtMs)
        .limit(limit)
        .all(db)
        .await?)
}

/// Which of these are still arriving.
pub async fn uploading_among(db: &impl ConnectionTrait, ids: &[SourceId]) -> Result<HashSet<String>, ApiError> {
    let rows = source::Entity::find()
        .select_only()
        .column(source::Column::Id)
        .filter(source::Column::Id.is_in(ids.iter().map(SourceId::as_str)))
        .filter(source::Column::State.eq(UPLOADING))
        .into_tuple::<String>()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
