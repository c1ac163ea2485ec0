//! What was committed of a job, as packaging wants it.

use offpeak_api::{ids::JobId, job::JobState, profile::Access, work::VideoRendition};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, FromQueryResult, QuerySelect};

use crate::{
    commit::store as commit_store,
    entity::{job, manifests_due, rendition, segment, task},
    error::ApiError,
    jobs,
    lease::{TaskKind, TaskState, spec, store as lease_store},
    package::{PackagedKind, PackagedRendition, PackagedSegment, PageNotes, Presentation},
    plan::{Plan, PlannedAudio},
};

/// The committed segments of every rendition of a job whose init segments are all known.
pub async fn load_presentation(db: &impl ConnectionTrait, job: &JobId) -> Result<Presentation, ApiError> {
    let row = jobs::store::get(db, job.as_str()).await?;
    let plan = spec::plan_of(&row)?;
    let tasks = lease_store::tasks_of_job(db, job.as_str()).await?;
    let mut renditions = Vec::new();
    for rendition in commit_store::renditions_of_job(db, job.as_str()).await? {
        let segments = commit_store::segments_of(db, &rendition).await?;
        renditions.extend(packaged(job, &plan, rendition, segments, &tasks)?);
    }
    let notes = page_notes(db, &row, &plan).await?;
    Ok(Presentation { grid: plan.grid, renditions, notes, query: String::new() })
}

/// What the profile of a job says about who can watch it.
pub async fn access_of(db: &impl ConnectionTrait, id: &JobId) -> Result<Access, ApiError> {
    #[derive(FromQueryResult)]
    struct Found {
        profile: serde_json::Value,
    }
    let select = job::Entity::find_by_id(id.to_string()).select_only().column(job::Column::Profile);
    let found = select.into_model::<Found>().one(db).await?;
    let found = found.ok_or_else(|| ApiError::not_found("job_not_found", format!("There is no job {id}.")))?;
    access_in(&found.profile)
}

/// Of a profile as a job's row keeps it.
pub fn access_in(profile: &serde_json::Value) -> Result<Access, ApiError> {
    Ok(profile.get("access").cloned().map(serde_json::from_value).transpose()?.unwrap_or_default())
}

async fn page_notes(db: &impl ConnectionTrait, row: &job::Model, plan: &Plan) -> Result<PageNotes, ApiError> {
    let frames = row.end_frame.map_or(plan.frames, i64::cast_unsigned);
    let seconds = if plan.video.is_empty() {
        // Sound alone is planned in segments, which say its length only roughly.
        let (facts, _) = spec::facts_and_plan(row)?;
        facts.end_seconds() - facts.start_seconds()
    } else {
        plan.grid.seconds_at(frames)
    };
    let is_completed = jobs::store::state_of(row)? == JobState::Completed;
    let files = jobs::store::files_of(db, std::slice::from_ref(&row.id)).await?;
    Ok(PageNotes {
        planned_seconds: (!is_completed).then_some(seconds),
        files: files.iter().map(|file| relative(&row.id, &file.storage_key)).collect(),
    })
}

/// A storage key as playlists of the job name it.
fn relative(job: &str, key: &str) -> String {
    key.strip_prefix(&format!("jobs/{job}/")).unwrap_or(key).to_owned()
}

fn packaged(
    job: &JobId,
    plan: &Plan,
    rendition: rendition::Model,
    segments: Vec<segment::Model>,
    tasks: &[task::Model],
) -> Result<Option<PackagedRendition>, ApiError> {
    // Sound that turned out to be empty has none; of a rendition that is only late, nothing is asked before all are playable.
    let Some(init) = commit_store::pinned_init(&rendition)? else { return Ok(None) };
    let (kind, max_kbps, made_by) = if rendition.kind == "audio" {
        let audio: PlannedAudio = serde_json::from_value(rendition.spec.clone())?;
        (PackagedKind::Audio { channels: audio.channels }, audio.bitrate_kbps, TaskKind::Audio)
    } else {
        let video: VideoRendition = serde_json::from_value(rendition.spec.clone())?;
        let kind = PackagedKind::Video { width: video.width, height: video.height, rate: plan.grid.rate };
        (kind, video.max_kbps, TaskKind::Encode)
    };
    let open = tasks.iter().any(|task| task.kind == made_by.as_str() && task.state != TaskState::Done.as_str());
    let uri = |key: &str| relative(job.as_str(), key);
    Ok(Some(PackagedRendition {
        id: rendition.name,
        kind,
        codecs: init.codecs,
        timescale: init.timescale,
        media_time: init.media_time,
        init_uri: uri(rendition.init_key.as_deref().unwrap_or_default()),
        max_kbps,
        segments: segments
            .iter()
            .map(|segment| PackagedSegment {
                index: segment.index.cast_unsigned(),
                uri: uri(&segment.storage_key),
                start_ticks: segment.start_ticks.cast_unsigned(),
                duration_ticks: segment.duration_ticks.cast_unsigned(),
                frames: segment.frames.cast_unsigned(),
                bytes: segment.bytes.cast_unsigned(),
            })
            .collect(),
        complete: !open,
    }))
}

/// Notes, as a job completes, that its manifests are to be written to storage.
pub async fn note_manifests_due(tx: &impl ConnectionTrait, job: &str) -> Result<(), ApiError> {
    manifests_due::ActiveModel { job_id: Set(job.to_owned()) }.insert(tx).await?;
    Ok(())
}

pub async fn manifests_due(db: &impl ConnectionTrait, job: &JobId) -> Result<bool, ApiError> {
    Ok(manifests_due::Entity::find_by_id(job.to_string()).one(db).await?.is_some())
}

/// Jobs whose manifests are not in storage yet.
pub async fn all_manifests_due(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<JobId>, ApiError> {
    let rows = manifests_due::Entity::find().limit(limit).all(db).await?;
    rows.into_iter().map(|row| row.job_id.parse().map_err(ApiError::internal)).collect()
}

pub async fn manifests_written(tx: &impl ConnectionTrait, job: &JobId) -> Result<(), ApiError> {
    manifests_due::Entity::delete_by_id(job.to_string()).exec(tx).await?;
    Ok(())
}
