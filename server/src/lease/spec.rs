//! What a lease asks its holder to do, made from the rows at the moment of the grant: addresses are fresh, and a task that
//! was begun by another goes on at its cursor.

use std::time::Duration;

use offpeak_api::{
    facts::Facts,
    ids::SourceId,
    work::{Audio, Encode, Fetch, File, FileTrack, Probe, Rows, SourceAddress, SourceLimits, StoredObject, Work},
};
use sea_orm::ConnectionTrait;

use super::{ADDRESS_LIFETIME, TaskKind};
use crate::{
    app::App,
    blob::BlobKey,
    commit,
    entity::{job, task},
    error::ApiError,
    jobs::{self, planned::Planned},
    plan::{self, Plan, PlannedFile},
    upload,
};

/// The work of `task`, for whoever holds it.
pub async fn work_of(app: &App, db: &impl ConnectionTrait, task: &task::Model) -> Result<Work, ApiError> {
    match kind_of(task)? {
        TaskKind::Fetch => fetch(app, db, &jobs::store::get(db, &task.job_id).await?).await,
        TaskKind::Probe => {
            let source = jobs::store::get(db, &task.job_id).await?.source_id;
            Ok(Work::Probe(Probe { source: address_of(app, db, &source).await?, limits: SourceLimits::default() }))
        }
        TaskKind::Encode => encode(app, task).await,
        TaskKind::Audio => audio(app, task).await,
        TaskKind::File => file(app, db, task).await,
    }
}

pub fn kind_of(task: &task::Model) -> Result<TaskKind, ApiError> {
    TaskKind::parse(&task.kind).ok_or_else(|| ApiError::internal(format!("{} is of unknown kind {}", task.id, task.kind)))
}

/// A fresh address of the source, for the tasks that read it.
pub async fn source_address(app: &App, db: &impl ConnectionTrait, task: &task::Model) -> Result<Option<SourceAddress>, ApiError> {
    match kind_of(task)? {
        TaskKind::Fetch | TaskKind::File => Ok(None),
        TaskKind::Probe => {
            let source = jobs::store::get(db, &task.job_id).await?.source_id;
            address_of(app, db, &source).await.map(Some)
        }
        TaskKind::Encode | TaskKind::Audio => planned_source(app, &*jobs::planned::of(app, &task.job_id).await?).await.map(Some),
    }
}

async fn address_of(app: &App, db: &impl ConnectionTrait, source: &str) -> Result<SourceAddress, ApiError> {
    let id: SourceId = source.parse().map_err(ApiError::internal)?;
    let bytes = upload::store::get(db, &id).await?.length.unwrap_or(0);
    address(app, &id, bytes.cast_unsigned()).await
}

async fn planned_source(app: &App, planned: &Planned) -> Result<SourceAddress, ApiError> {
    let id: SourceId = planned.source_id.parse().map_err(ApiError::internal)?;
    address(app, &id, planned.source_bytes).await
}

async fn address(app: &App, id: &SourceId, bytes: u64) -> Result<SourceAddress, ApiError> {
    Ok(SourceAddress {
        url: app.blobs.get_address(&BlobKey::source(id), app.clock.now(), ADDRESS_LIFETIME).await?,
        bytes,
        expires_in_seconds: ADDRESS_LIFETIME.as_secs(),
    })
}

fn rows_of(task: &task::Model) -> Rows {
    Rows { first: task.first.cast_unsigned(), cursor: task.cursor.cast_unsigned(), last: task.last.cast_unsigned() }
}

async fn fetch(app: &App, db: &impl ConnectionTrait, job: &job::Model) -> Result<Work, ApiError> {
    let source: SourceId = job.source_id.parse().map_err(ApiError::internal)?;
    let url = upload::store::get(db, &source).await?.url.ok_or_else(|| ApiError::internal("a fetch task without a URL"))?;
    Ok(Work::Fetch(Fetch { url, source, max_bytes: app.config.max_source_bytes, allow: app.config.outbound_allow.entries() }))
}

async fn encode(app: &App, task: &task::Model) -> Result<Work, ApiError> {
    let planned = jobs::planned::of(app, &task.job_id).await?;
    let Planned { facts, plan, .. } = &*planned;
    let video = facts.video.as_ref().ok_or_else(|| ApiError::internal("an encode task without video"))?;
    let rows = rows_of(task);
    let first_frame = plan.grid.first_frame(rows.cursor);
    let end_frame = plan.grid.first_frame(rows.last);
    Ok(Work::Encode(Encode {
        source: planned_source(app, &planned).await?,
        container: facts.container.clone(),
        stream: video.stream,
        grid: plan.grid,
        rows,
        to_end: task.to_end,
        seek_points: plan::seek_points(video, &plan.grid, &facts.container, plan.filters, first_frame),
        read_until_seconds: (!task.to_end).then(|| plan::read_until_seconds(video, &plan.grid, &facts.container, end_frame)),
        filters: plan.filters,
        renditions: plan.video.clone(),
    }))
}

async fn audio(app: &App, task: &task::Model) -> Result<Work, ApiError> {
    let planned = jobs::planned::of(app, &task.job_id).await?;
    let Planned { facts, plan, .. } = &*planned;
    let (Some(sound), Some(made)) = (&facts.audio, &plan.audio) else {
        return Err(ApiError::internal("an audio task without audio"));
    };
    Ok(Work::Audio(Audio {
        source: planned_source(app, &planned).await?,
        container: facts.container.clone(),
        stream: sound.stream,
        grid: plan.grid,
        rows: rows_of(task),
        rendition: made.id.clone(),
        bitrate_kbps: made.bitrate_kbps,
        channels: made.channels,
    }))
}

async fn file(app: &App, db: &impl ConnectionTrait, task: &task::Model) -> Result<Work, ApiError> {
    let planned: PlannedFile = serde_json::from_value(task.spec.clone())?;
    let mut tracks = Vec::new();
    for rendition in [&planned.video, &planned.audio].into_iter().flatten() {
        tracks.extend(file_track(app, db, &task.job_id, rendition).await?);
    }
    Ok(Work::File(File { name: planned.name, container: planned.container, tracks }))
}

/// The segments of one rendition; nothing when it turned out to be empty, as sound may.
async fn file_track(app: &App, db: &impl ConnectionTrait, job: &str, name: &str) -> Result<Option<FileTrack>, ApiError> {
    let rendition = commit::store::find_rendition(db, job, name)
        .await?
        .ok_or_else(|| ApiError::internal(format!("{job} has no rendition {name}")))?;
    let Some(init) = commit::store::pinned_init(&rendition)? else { return Ok(None) };
    let mut segments = Vec::new();
    for segment in commit::store::segments_of(db, &rendition).await? {
        segments.push(stored(app, &segment.storage_key, segment.bytes.cast_unsigned(), &segment.sha256).await?);
    }
    let init_key = rendition.init_key.unwrap_or_default();
    let init = stored(app, &init_key, init.bytes, &init.sha256).await?;
    Ok(Some(FileTrack { rendition: name.to_owned(), init, segments }))
}

/// A file is put together of parts that are read three times, and no heartbeat brings fresh addresses for them.
const PARTS_LIFETIME: Duration = Duration::from_secs(12 * 3600);

async fn stored(app: &App, key: &str, bytes: u64, sha256: &str) -> Result<StoredObject, ApiError> {
    let key: BlobKey = key.parse().map_err(ApiError::internal)?;
    let url = app.blobs.get_address(&key, app.clock.now(), PARTS_LIFETIME).await?;
    Ok(StoredObject { url, bytes, sha256: sha256.to_owned() })
}

/// The stored plan of a job that was planned. Facts can be long: whoever does not need them should not read them.
pub fn plan_of(job: &job::Model) -> Result<Plan, ApiError> {
    let plan = job.plan.clone().ok_or_else(|| ApiError::internal(format!("{} was not planned yet", job.id)))?;
    Ok(serde_json::from_value(plan)?)
}

/// The stored facts and plan of a job that was planned.
pub fn facts_and_plan(job: &job::Model) -> Result<(Facts, Plan), ApiError> {
    let (Some(facts), Some(plan)) = (&job.facts, &job.plan) else {
        return Err(ApiError::internal(format!("{} was not planned yet", job.id)));
    };
    Ok((serde_json::from_value(facts.clone())?, serde_json::from_value(plan.clone())?))
}
