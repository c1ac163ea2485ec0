//! The map of a job.

use axum::{
    Json,
    extract::{Path, State},
};
use offpeak_api::{
    ids::JobId,
    job::RenditionKind,
    lease::{HolderState, Progress},
    map::{JobMap, MapTrack, SpanHolder},
    problem::Problem,
};

use super::{Told, done_of, makers, open_of, runs, store};
use crate::{
    app::App,
    auth::may::{JobsRead, May},
    clock::Instant,
    commit::store as commit_store,
    entity::{lease, rendition, task},
    error::ApiError,
    jobs,
    lease::{TaskKind, store as lease_store},
    plan::Plan,
};

/// Read the map of a job
///
/// Which machine made which segments, and who is at which now. Empty until the job is planned.
#[utoipa::path(get, path = "/v1/jobs/{id}/map", tag = "jobs", security(("bearer" = ["jobs:read"])), params(("id" = JobId, Path)), responses(
    (status = 200, description = "The map", body = JobMap),
    (status = 404, description = "No such job", body = Problem),
))]
pub async fn get_job_map(State(app): State<App>, auth: May<JobsRead>, Path(id): Path<JobId>) -> Result<Json<JobMap>, ApiError> {
    let db = &app.db.reader;
    let job = jobs::store::find(db, &auth.team_id, &id).await?;
    let Some(plan) = job.plan.map(serde_json::from_value::<Plan>).transpose()? else { return Ok(Json(JobMap::default())) };
    let renditions = commit_store::renditions_of_job(db, id.as_str()).await?;
    let tasks = lease_store::tasks_of_job(db, id.as_str()).await?;
    let leases = store::active_leases(db, id.as_str()).await?;
    let told = store::told(db, id.as_str()).await?;
    let now = app.clock.now();
    let mut tracks = Vec::new();
    for (kind, of) in [(RenditionKind::Video, TaskKind::Encode), (RenditionKind::Audio, TaskKind::Audio)] {
        tracks.extend(track(kind, of, &Known { renditions: &renditions, tasks: &tasks, leases: &leases, told: &told }, now)?);
    }
    let agents = store::names(db, &named(&tracks)).await?;
    Ok(Json(JobMap { segment_seconds: Some(plan.grid.segment_seconds()), tracks, agents }))
}

/// What the database knows about a job's segments.
struct Known<'a> {
    renditions: &'a [rendition::Model],
    tasks: &'a [task::Model],
    leases: &'a [lease::Model],
    told: &'a [Told],
}

fn track(kind: RenditionKind, of: TaskKind, known: &Known<'_>, now: Instant) -> Result<Option<MapTrack>, ApiError> {
    let name = match kind {
        RenditionKind::Video => "video",
        RenditionKind::Audio => "audio",
    };
    let renditions: Vec<&rendition::Model> = known.renditions.iter().filter(|rendition| rendition.kind == name).collect();
    let Some(total) = renditions.iter().map(|rendition| rendition.segments_total.cast_unsigned()).max() else { return Ok(None) };
    let mut tasks: Vec<&task::Model> = known.tasks.iter().filter(|task| task.kind == of.as_str()).collect();
    tasks.sort_by_key(|task| task.first);
    let done: Vec<(u32, u32)> = tasks.iter().map(|task| done_of(task)).collect();
    let mut open = Vec::new();
    for task in &tasks {
        let holders = known.leases.iter().filter(|lease| lease.task_id == task.id);
        let holders = holders.map(|lease| holder(lease, now)).collect::<Result<Vec<_>, _>>()?;
        open.extend(open_of(task, lease_store::state_of(task)?, holders));
    }
    Ok(Some(MapTrack {
        kind,
        renditions: renditions.iter().map(|rendition| rendition.name.clone()).collect(),
        segments_total: total,
        made: runs(&done, &makers(known.told, of.as_str(), total)),
        open,
    }))
}

fn holder(lease: &lease::Model, now: Instant) -> Result<SpanHolder, ApiError> {
    let progress: Progress = lease.progress.clone().map(serde_json::from_value).transpose()?.unwrap_or_default();
    let state = if lease.holder_state == "suspended" { HolderState::Suspended } else { HolderState::Encoding };
    Ok(SpanHolder {
        agent: lease.agent_id.parse().map_err(ApiError::internal)?,
        state,
        reason: lease.suspended_reason.clone().filter(|_| state == HolderState::Suspended),
        silent: lease.expires_at_ms < now.ms(),
        frames_per_second: progress.frames_per_second,
    })
}

/// The ids of all agents on the map.
fn named(tracks: &[MapTrack]) -> Vec<String> {
    let makers = tracks.iter().flat_map(|track| &track.made).filter_map(|run| run.agent.as_ref());
    let holders = tracks.iter().flat_map(|track| &track.open).flat_map(|span| &span.holders).map(|holder| &holder.agent);
    let mut ids: Vec<String> = makers.chain(holders).map(ToString::to_string).collect();
    ids.sort();
    ids.dedup();
    ids
}
