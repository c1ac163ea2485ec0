//! SQL of renditions and committed segments.

use std::collections::HashMap;

use offpeak_api::{
    lease::{InitReport, SegmentReport},
    work::VideoRendition,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, InsertMany, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    clock::Instant,
    entity::{lease, rendition, segment, task},
    error::ApiError,
    lease::{TaskKind, TaskState},
};

/// The renditions that this task makes segments of, in the plan's order.
pub async fn renditions_of_task(db: &impl ConnectionTrait, task: &task::Model) -> Result<Vec<rendition::Model>, ApiError> {
    renditions_of_kinds(db, &task.job_id, TaskKind::parse(&task.kind).as_slice()).await
}

/// The renditions that tasks of these kinds make, in the plan's order.
pub async fn renditions_of_kinds(
    db: &impl ConnectionTrait,
    job: &str,
    kinds: &[TaskKind],
) -> Result<Vec<rendition::Model>, ApiError> {
    let made_by = |kind: &TaskKind| match kind {
        TaskKind::Encode => Some("video"),
        TaskKind::Audio => Some("audio"),
        TaskKind::Fetch | TaskKind::Probe | TaskKind::File => None,
    };
    let kinds: Vec<&str> = kinds.iter().filter_map(made_by).collect();
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    Ok(rendition::Entity::find()
        .filter(rendition::Column::JobId.eq(job))
        .filter(rendition::Column::Kind.is_in(kinds))
        .order_by_asc(rendition::Column::Ordinal)
        .all(db)
        .await?)
}

/// All renditions of a job, in the plan's order.
pub async fn renditions_of_job(db: &impl ConnectionTrait, job: &str) -> Result<Vec<rendition::Model>, ApiError> {
    Ok(rendition::Entity::find()
        .filter(rendition::Column::JobId.eq(job))
        .order_by_asc(rendition::Column::Ordinal)
        .all(db)
        .await?)
}

pub async fn find_rendition(db: &impl ConnectionTrait, job: &str, name: &str) -> Result<Option<rendition::Model>, ApiError> {
    Ok(rendition::Entity::find_by_id((job.to_owned(), name.to_owned())).one(db).await?)
}

/// What the pinned init segment says, if one is pinned.
pub fn pinned_init(rendition: &rendition::Model) -> Result<Option<InitReport>, ApiError> {
    Ok(rendition.init.clone().map(serde_json::from_value).transpose()?)
}

/// The picture size of a video rendition.
pub fn picture(rendition: &rendition::Model) -> Option<VideoRendition> {
    serde_json::from_value(rendition.spec.clone()).ok()
}

/// A new rendition, as planned.
pub async fn insert_rendition(
    tx: &impl ConnectionTrait,
    job: &str,
    name: &str,
    kind: &str,
    ordinal: i32,
    spec: serde_json::Value,
    segments_total: u32,
) -> Result<(), ApiError> {
    let row = rendition::ActiveModel {
        job_id: Set(job.to_owned()),
        name: Set(name.to_owned()),
        ordinal: Set(ordinal),
        kind: Set(kind.to_owned()),
        spec: Set(spec),
        epoch: Set(0),
        segments_total: Set(segments_total.cast_signed()),
        init: Set(None),
        init_key: Set(None),
        init_agent_id: Set(None),
        kept_segments: Set(0),
        kept_frames: Set(0),
        kept_bytes: Set(0),
    };
    row.insert(tx).await?;
    Ok(())
}

/// The first commit's init segment is the rendition's.
pub async fn pin_init(
    tx: &impl ConnectionTrait,
    rendition: &rendition::Model,
    init: &InitReport,
    key: &str,
    agent: &str,
) -> Result<(), ApiError> {
    let row = rendition::ActiveModel {
        job_id: Set(rendition.job_id.clone()),
        name: Set(rendition.name.clone()),
        init: Set(Some(serde_json::to_value(init)?)),
        init_key: Set(Some(key.to_owned())),
        init_agent_id: Set(Some(agent.to_owned())),
        ..Default::default()
    };
    rendition::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The true number of segments, once the last task of a kind told it.
pub async fn set_segments_total(tx: &impl ConnectionTrait, job: &str, kind: &str, total: u32) -> Result<(), ApiError> {
    rendition::Entity::update_many()
        .col_expr(rendition::Column::SegmentsTotal, Expr::value(total.cast_signed()))
        .filter(rendition::Column::JobId.eq(job))
        .filter(rendition::Column::Kind.eq(kind))
        .exec(tx)
        .await?;
    Ok(())
}

/// Committed segments of a rendition's present epoch, in order.
pub async fn segments_of(db: &impl ConnectionTrait, rendition: &rendition::Model) -> Result<Vec<segment::Model>, ApiError> {
    Ok(segment::Entity::find()
        .filter(segment::Column::JobId.eq(rendition.job_id.as_str()))
        .filter(segment::Column::Rendition.eq(rendition.name.as_str()))
        .filter(segment::Column::Epoch.eq(rendition.epoch))
        .order_by_asc(segment::Column::Index)
        .all(db)
        .await?)
}

/// Hashes of the committed segments `first..=last` of a rendition, by index, and the leases that they were committed under.
pub async fn hashes_between(
    db: &impl ConnectionTrait,
    rendition: &rendition::Model,
    first: u32,
    last: u32,
) -> Result<HashMap<u32, (String, String)>, ApiError> {
    let rows: Vec<(i32, String, String)> = segment::Entity::find()
        .select_only()
        .column(segment::Column::Index)
        .column(segment::Column::Sha256)
        .column(segment::Column::LeaseId)
        .filter(segment::Column::JobId.eq(rendition.job_id.as_str()))
        .filter(segment::Column::Rendition.eq(rendition.name.as_str()))
        .filter(segment::Column::Epoch.eq(rendition.epoch))
        .filter(segment::Column::Index.between(first.cast_signed(), last.cast_signed()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(index, sha256, lease)| (index.cast_unsigned(), (sha256, lease))).collect())
}

/// Frames of the last row that this task committed, if there is one. All renditions of a row have the same.
pub async fn frames_before_cursor(
    db: &impl ConnectionTrait,
    task: &task::Model,
    renditions: &[rendition::Model],
) -> Result<Option<u32>, ApiError> {
    let Some(rendition) = renditions.first().filter(|_| task.cursor > task.first) else { return Ok(None) };
    let key = (rendition.job_id.clone(), rendition.name.clone(), rendition.epoch, task.cursor - 1);
    Ok(segment::Entity::find_by_id(key).one(db).await?.map(|row| row.frames.cast_unsigned()))
}

/// The row of a committed segment.
pub fn segment_row(
    rendition: &rendition::Model,
    report: &SegmentReport,
    key: &str,
    lease_id: &str,
    now: Instant,
) -> segment::ActiveModel {
    segment::ActiveModel {
        job_id: Set(rendition.job_id.clone()),
        rendition: Set(rendition.name.clone()),
        epoch: Set(rendition.epoch),
        index: Set(report.index.cast_signed()),
        storage_key: Set(key.to_owned()),
        frames: Set(report.frames.cast_signed()),
        start_ticks: Set(report.start_ticks.cast_signed()),
        duration_ticks: Set(report.duration_ticks.cast_signed()),
        bytes: Set(report.bytes.cast_signed()),
        sha256: Set(report.sha256.clone()),
        lease_id: Set(lease_id.to_owned()),
        created_at_ms: Set(now.ms()),
    }
}

/// Committed segments, in one statement: the write lock is held for as short as can be.
pub fn segments(rows: Vec<segment::ActiveModel>) -> InsertMany<segment::ActiveModel> {
    segment::Entity::insert_many(rows)
}

/// Moves a task's cursor, and its `last` when the cursor passed it, if this lease still holds the task and nobody moved either
/// since it was read.
pub fn advance(task: &task::Model, lease: &lease::Model, cursor: u32, last: u32) -> UpdateMany<task::Entity> {
    let holds = |holder: task::Column| holder.eq(lease.id.as_str());
    task::Entity::update_many()
        .col_expr(task::Column::Cursor, Expr::value(cursor.cast_signed()))
        .col_expr(task::Column::Last, Expr::value(last.cast_signed()))
        .filter(task::Column::Id.eq(task.id.as_str()))
        .filter(task::Column::State.eq(TaskState::Leased.as_str()))
        .filter(holds(task::Column::LeaseId).or(holds(task::Column::BackupLeaseId)))
        .filter(task::Column::Cursor.eq(task.cursor))
        .filter(task::Column::Last.eq(task.last))
        .filter(task::Column::ToEnd.eq(task.to_end))
}

/// What was committed of one rendition.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Committed {
    pub job_id: String,
    pub rendition: String,
    pub segments: i64,
    pub frames: i64,
    pub bytes: i64,
}

/// What was committed of each rendition of these jobs, in its present epoch: of others there are no rows.
pub async fn committed_of(db: &impl ConnectionTrait, jobs: &[String]) -> Result<HashMap<(String, String), Committed>, ApiError> {
    // SUM gives a decimal on PostgreSQL and an integer on SQLite: cast to one.
    let sum = |column: segment::Column| Expr::col(column).sum().cast_as("bigint");
    let rows = segment::Entity::find()
        .select_only()
        .column(segment::Column::JobId)
        .column(segment::Column::Rendition)
        .column_as(segment::Column::Index.count(), "segments")
        .column_as(sum(segment::Column::Frames), "frames")
        .column_as(sum(segment::Column::Bytes), "bytes")
        .filter(segment::Column::JobId.is_in(jobs.iter().map(String::as_str)))
        .group_by(segment::Column::JobId)
        .group_by(segment::Column::Rendition)
        .into_model::<Committed>()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| ((row.job_id.clone(), row.rendition.clone()), row)).collect())
}
