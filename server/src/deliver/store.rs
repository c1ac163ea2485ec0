//! What was committed of a job, as packaging wants it.

use offpeak_api::{ids::JobId, work::VideoRendition};
use sea_orm::ConnectionTrait;

use crate::{
    commit::store as commit_store,
    entity::{rendition, segment, task},
    error::ApiError,
    jobs,
    lease::{TaskKind, TaskState, spec, store as lease_store},
    package::{PackagedKind, PackagedRendition, PackagedSegment, Presentation},
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
    Ok(Presentation { grid: plan.grid, renditions })
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
    let folder = format!("jobs/{job}/");
    let uri = |key: &str| key.strip_prefix(&folder).unwrap_or(key).to_owned();
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
