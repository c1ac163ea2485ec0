//! A job as clients see it: rows, what was committed, and what its holders say they are at.

use std::collections::HashMap;

use offpeak_api::{
    facts::Facts,
    ids::JobId,
    job::{AgentAtWork, Job, JobProgress, JobState, OutputFile, Outputs, RenditionKind, RenditionProgress},
    lease::Progress,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::store;
use crate::{
    app::App,
    clock::Instant,
    commit::store::{self as commit_store, Committed},
    deliver::{self, playback},
    entity::{agent, job, lease, output_file, rendition, task},
    error::ApiError,
    lease::{NO_DEADLINE_MS, TaskKind, holders::is_active},
    plan::Plan,
};

/// Shares of a job's work, for one number over all stages. Encoding is nearly all of it.
const PROBE_SHARE: f64 = 0.02;
const FILES_SHARE: f64 = 0.03;

/// A lease of a job with what its row and its task's say.
struct Held {
    lease: lease::Model,
    task: task::Model,
    agent_name: String,
    progress: Progress,
}

/// These jobs, as clients see them. What is shown is kept: progress never goes back, even if a holder is lost or a rendition
/// begins again.
pub async fn show(app: &App, rows: Vec<job::Model>) -> Result<Vec<Job>, ApiError> {
    let kept: Vec<f64> = rows.iter().map(|row| row.progress).collect();
    let jobs = to_wire(app, rows).await?;
    let raised: Vec<&Job> =
        jobs.iter().zip(kept).filter(|(job, kept)| job.progress.fraction > *kept).map(|(job, _)| job).collect();
    if !raised.is_empty() {
        let tx = app.db.write().await?;
        for job in raised {
            store::raise_progress(&tx.tx, job.id.as_str(), job.progress.fraction).await?;
        }
        tx.commit().await?;
    }
    Ok(jobs)
}

/// A handful of queries for any number of jobs.
async fn to_wire(app: &App, rows: Vec<job::Model>) -> Result<Vec<Job>, ApiError> {
    let db = &app.db.reader;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut renditions = by_job(
        rendition::Entity::find().filter(rendition::Column::JobId.is_in(ids.iter().map(String::as_str))).all(db).await?,
        |row| &row.job_id,
    );
    let committed = commit_store::committed_of(db, &ids).await?;
    let mut files = by_job(store::files_of(db, &ids).await?, |row| &row.job_id);
    let mut held = held_of(db, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let mut renditions = renditions.remove(&row.id).unwrap_or_default();
            renditions.sort_by_key(|rendition| rendition.ordinal);
            let parts = Parts {
                renditions,
                committed: &committed,
                files: files.remove(&row.id).unwrap_or_default(),
                held: held.remove(&row.id).unwrap_or_default(),
            };
            assemble(app, row, parts)
        })
        .collect()
}

/// Before what was committed is voided: progress that may have been shown is kept.
pub async fn keep(tx: &impl ConnectionTrait, row: &job::Model) -> Result<(), ApiError> {
    let plan: Option<Plan> = row.plan.clone().map(serde_json::from_value).transpose()?;
    let parts = Parts {
        renditions: commit_store::renditions_of_job(tx, &row.id).await?,
        committed: &commit_store::committed_of(tx, std::slice::from_ref(&row.id)).await?,
        files: Vec::new(),
        held: Vec::new(),
    };
    let shown = progress(row, store::state_of(row)?, plan.as_ref(), &parts).fraction;
    store::raise_progress(tx, &row.id, shown).await
}

fn by_job<T>(rows: Vec<T>, job_of: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut sorted: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        sorted.entry(job_of(&row).clone()).or_default().push(row);
    }
    sorted
}

async fn held_of(db: &impl ConnectionTrait, jobs: &[String]) -> Result<HashMap<String, Vec<Held>>, ApiError> {
    let leases = lease::Entity::find()
        .filter(lease::Column::JobId.is_in(jobs.iter().map(String::as_str)))
        .filter(is_active())
        .all(db)
        .await?;
    if leases.is_empty() {
        return Ok(HashMap::new());
    }
    let tasks = task::Entity::find().filter(task::Column::Id.is_in(leases.iter().map(|l| l.task_id.as_str()))).all(db).await?;
    let tasks: HashMap<String, task::Model> = tasks.into_iter().map(|task| (task.id.clone(), task)).collect();
    let agents =
        agent::Entity::find().filter(agent::Column::Id.is_in(leases.iter().map(|l| l.agent_id.as_str()))).all(db).await?;
    let names: HashMap<String, String> = agents.into_iter().map(|agent| (agent.id, agent.name)).collect();
    let held = leases.into_iter().filter_map(|lease| {
        let task = tasks.get(&lease.task_id)?.clone();
        let agent_name = names.get(&lease.agent_id).cloned().unwrap_or_default();
        let progress = lease.progress.clone().and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
        Some(Held { lease, task, agent_name, progress })
    });
    Ok(by_job(held.collect(), |held| &held.lease.job_id))
}

struct Parts<'a> {
    renditions: Vec<rendition::Model>,
    committed: &'a HashMap<(String, String), Committed>,
    files: Vec<output_file::Model>,
    held: Vec<Held>,
}

fn assemble(app: &App, row: job::Model, parts: Parts<'_>) -> Result<Job, ApiError> {
    let state = store::state_of(&row)?;
    let plan: Option<Plan> = row.plan.clone().map(serde_json::from_value).transpose()?;
    let now = app.clock.now();
    let progress = progress(&row, state, plan.as_ref(), &parts);
    let eta_seconds = eta_seconds(&row, state, &progress, &parts.held, now);
    let job = row.id.as_str();
    let absolute = |path: String| app.config.public_url.join(&path).map(String::from).map_err(ApiError::internal);
    let id: JobId = row.id.parse().map_err(ApiError::internal)?;
    let signature = playback::query_for(app, &id, deliver::store::access_in(&row.profile)?, now);
    let mut outputs = Outputs { watch: Some(absolute(format!("/watch/{job}{signature}"))?), ..Outputs::default() };
    if row.playable_at_ms.is_some() && !matches!(state, JobState::Failed | JobState::Cancelled) {
        outputs.hls = Some(absolute(format!("/media/{job}/multivariant.m3u8{signature}"))?);
        outputs.dash = Some(absolute(format!("/media/{job}/manifest.mpd{signature}"))?);
    }
    for file in &parts.files {
        let path = file.storage_key.strip_prefix("jobs/").unwrap_or(&file.storage_key);
        outputs.files.push(OutputFile {
            name: file.name.clone(),
            url: absolute(format!("/media/{path}{signature}"))?,
            bytes: file.bytes.cast_unsigned(),
            sha256: file.sha256.clone(),
            content_type: file.content_type.clone(),
        });
    }
    let time = |ms: Option<i64>| ms.map(|ms| Instant(ms).to_utc());
    Ok(Job {
        id,
        team: row.team_id.parse().map_err(ApiError::internal)?,
        source: row.source_id.parse().map_err(ApiError::internal)?,
        profile: row.profile_name,
        priority: u8::try_from(row.priority).unwrap_or(5),
        deadline: (row.deadline_ms != NO_DEADLINE_MS).then(|| Instant(row.deadline_ms).to_utc()),
        metadata: serde_json::from_value(row.metadata)?,
        state,
        progress,
        eta_seconds,
        created_at: Instant(row.created_at_ms).to_utc(),
        started_at: time(row.started_at_ms),
        playable_at: time(row.playable_at_ms),
        ended_at: time(row.ended_at_ms),
        facts: row.facts.map(facts_for_clients).transpose()?,
        warnings: serde_json::from_value(row.warnings)?,
        outputs,
        error: row.error.map(serde_json::from_value).transpose()?,
    })
}

/// Facts without keyframe times: a long film has thousands, and only planning needs them.
fn facts_for_clients(stored: serde_json::Value) -> Result<Facts, ApiError> {
    let mut facts: Facts = serde_json::from_value(stored)?;
    if let Some(video) = &mut facts.video {
        video.keyframes_seconds.clear();
    }
    Ok(facts)
}

fn progress(row: &job::Model, state: JobState, plan: Option<&Plan>, parts: &Parts<'_>) -> JobProgress {
    let renditions: Vec<RenditionProgress> =
        parts.renditions.iter().map(|rendition| rendition_progress(row, rendition, parts)).collect();
    let files_total = plan.map_or(0, |plan| u32::try_from(plan.files.len()).unwrap_or(u32::MAX));
    let files_done = u32::try_from(parts.files.len()).unwrap_or(u32::MAX);
    let planned = plan.is_some();
    let mut progress = JobProgress {
        fraction: 0.0,
        probe: if planned { 1.0 } else { probe_fraction(&parts.held) },
        frames_total: row.end_frame.map_or_else(|| plan.map_or(0, |plan| plan.frames), i64::cast_unsigned),
        renditions,
        files_done,
        files_total,
        agents: parts.held.iter().filter_map(at_work).collect(),
    };
    let share = |done: f64, total: f64| if total > 0.0 { (done / total).min(1.0) } else { 1.0 };
    let (done, total) = segments(&progress);
    let files_share = if files_total > 0 { FILES_SHARE } else { 0.0 };
    let encoded = if planned { share(done, total) } else { 0.0 };
    let fraction = PROBE_SHARE * progress.probe
        + (1.0 - PROBE_SHARE - files_share) * encoded
        + files_share * share(f64::from(files_done), f64::from(files_total)) * f64::from(u8::from(planned));
    // In whole thousandths, so that looking at a job writes a row that often at most.
    let fraction = (fraction * 1000.0).floor() / 1000.0;
    progress.fraction = if state == JobState::Completed { 1.0 } else { fraction.max(row.progress).min(0.999) };
    progress
}

/// Segments done and to do over all renditions.
fn segments(progress: &JobProgress) -> (f64, f64) {
    progress.renditions.iter().fold((0.0, 0.0), |(done, total), rendition| {
        (done + f64::from(rendition.segments_done), total + f64::from(rendition.segments_total))
    })
}

/// A fetch or a probe tells bytes; half of the stage each would be a guess, so the running one counts as all of it.
fn probe_fraction(held: &[Held]) -> f64 {
    held.iter()
        .filter_map(|held| held.progress.total_bytes.map(|total| held.progress.bytes as f64 / total.max(1) as f64))
        .fold(0.0, f64::max)
        .min(0.99)
}

fn rendition_progress(row: &job::Model, rendition: &rendition::Model, parts: &Parts<'_>) -> RenditionProgress {
    let picture = commit_store::picture(rendition);
    let committed = parts.committed.get(&(row.id.clone(), rendition.name.clone()));
    let count = |of: fn(&Committed) -> i64| committed.map_or(0, |committed| of(committed).cast_unsigned());
    RenditionProgress {
        id: rendition.name.clone(),
        kind: if rendition.kind == "audio" { RenditionKind::Audio } else { RenditionKind::Video },
        width: picture.as_ref().map(|picture| picture.width),
        height: picture.as_ref().map(|picture| picture.height),
        segments_done: u32::try_from(count(|c| c.segments)).unwrap_or(u32::MAX),
        // A film may turn out to be longer than planned.
        segments_total: u64::from(rendition.segments_total.cast_unsigned()).max(count(|c| c.segments)) as u32,
        frames_done: count(|c| c.frames),
        bytes: count(|c| c.bytes),
    }
}

fn at_work(held: &Held) -> Option<AgentAtWork> {
    Some(AgentAtWork {
        agent: held.lease.agent_id.parse().ok()?,
        name: held.agent_name.clone(),
        task_kind: held.task.kind.clone(),
        first: held.task.first.cast_unsigned(),
        cursor: held.task.cursor.cast_unsigned(),
        last: held.task.last.cast_unsigned(),
        frames_per_second: held.progress.frames_per_second,
    })
}

/// Frames left over the speed at which they come now, or came on average. Nothing before there is a speed.
fn eta_seconds(row: &job::Model, state: JobState, progress: &JobProgress, held: &[Held], now: Instant) -> Option<u64> {
    if state != JobState::Encoding {
        return None;
    }
    let videos = || progress.renditions.iter().filter(|rendition| rendition.kind == RenditionKind::Video);
    let done = videos().map(|rendition| rendition.frames_done).min()?;
    let encoding = || held.iter().filter(|held| held.task.kind == TaskKind::Encode.as_str());
    // What holders have encoded beyond their commits is nearly done; it is counted so that the estimate does not jump.
    let begun: u64 =
        encoding().map(|held| held.progress.frames.saturating_sub(committed_under(held, progress))).fold(0, u64::saturating_add);
    let left = progress.frames_total.saturating_sub(done.saturating_add(begun)) as f64;
    let now_speed: f64 = encoding().map(|held| held.progress.frames_per_second).sum();
    let elapsed = now.since(Instant(row.started_at_ms?)).as_secs_f64();
    let speed = if now_speed > 0.0 { now_speed } else { done as f64 / elapsed.max(0.1) };
    (speed > 0.0).then(|| (left / speed).ceil() as u64)
}

/// Frames of the rows that a holder's task has committed.
fn committed_under(held: &Held, progress: &JobProgress) -> u64 {
    let video = progress.renditions.iter().find(|rendition| rendition.kind == RenditionKind::Video);
    let per_segment = video.map_or(0, |video| progress.frames_total.checked_div(u64::from(video.segments_total)).unwrap_or(0));
    u64::from((held.task.cursor - held.task.first).cast_unsigned()) * per_segment
}
