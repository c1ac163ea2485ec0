//! A job as clients see it: rows, what was committed, and what its holders say they are at.

use std::collections::HashMap;

use offpeak_api::{
    facts::Facts,
    ids::JobId,
    job::{AgentAtWork, Job, JobProgress, JobState, OutputFile, Outputs, RenditionKind, RenditionProgress},
    lease::Progress,
    work::{AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{
    eta::{Eta, known},
    store,
};
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
#[derive(Debug)]
pub(super) struct Held {
    pub lease: lease::Model,
    pub task: task::Model,
    agent_name: String,
    /// What the agent got done in the past, in units of estimated work a second.
    pub agent_speed: Option<f64>,
    pub progress: Progress,
}

/// These jobs, as clients see them. What is shown is kept: progress never goes back, even if a holder is lost or a rendition
/// begins again.
pub async fn show(app: &App, rows: Vec<job::Model>) -> Result<Vec<Job>, ApiError> {
    let kept: Vec<f64> = rows.iter().map(|row| row.progress).collect();
    let jobs = to_wire(app, &app.db.reader, rows).await?;
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

/// A job as it is within a transaction, and as clients will see it once that is committed.
pub async fn snapshot(app: &App, tx: &impl ConnectionTrait, job: &str) -> Result<Job, ApiError> {
    let row = store::get(tx, job).await?;
    to_wire(app, tx, vec![row]).await?.pop().ok_or_else(|| ApiError::internal("a job got lost on its way out"))
}

/// A handful of queries for any number of jobs.
async fn to_wire(app: &App, db: &impl ConnectionTrait, rows: Vec<job::Model>) -> Result<Vec<Job>, ApiError> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut renditions = by_job(
        rendition::Entity::find().filter(rendition::Column::JobId.is_in(ids.iter().map(String::as_str))).all(db).await?,
        |row| &row.job_id,
    );
    let committed = commit_store::committed_of(db, &ids).await?;
    let mut files = by_job(store::files_of(db, &ids).await?, |row| &row.job_id);
    let mut held = held_of(db, &ids).await?;
    let names = store::source_names(db, &rows).await?;
    let read = |row: job::Model| {
        let mut renditions = renditions.remove(&row.id).unwrap_or_default();
        renditions.sort_by_key(|rendition| rendition.ordinal);
        let parts = Parts {
            renditions,
            committed: &committed,
            files: files.remove(&row.id).unwrap_or_default(),
            held: held.remove(&row.id).unwrap_or_default(),
        };
        Assessed::of(row, parts)
    };
    let jobs = rows.into_iter().map(read).collect::<Result<Vec<_>, ApiError>>()?;
    let shown = jobs.iter().map(Assessed::shown).collect::<Vec<_>>();
    let mut etas = known::of(app, &shown).await?;
    let now = app.clock.now();
    jobs.into_iter()
        .map(|job| {
            let eta = etas.remove(&job.row.id);
            let name = names.get(&job.row.source_id).cloned();
            Ok(Job { source_name: name, ..assemble(app, job, eta, now)? })
        })
        .collect()
}

/// A job's row, what belongs to it, and how far that is.
struct Assessed<'a> {
    row: job::Model,
    state: JobState,
    plan: Option<Plan>,
    parts: Parts<'a>,
    progress: JobProgress,
}

impl<'a> Assessed<'a> {
    fn of(row: job::Model, parts: Parts<'a>) -> Result<Self, ApiError> {
        let state = store::state_of(&row)?;
        let plan: Option<Plan> = row.plan.clone().map(serde_json::from_value).transpose()?;
        let progress = progress(&row, state, plan.as_ref(), &parts);
        Ok(Self { row, state, plan, parts, progress })
    }

    fn shown(&self) -> known::Shown<'_> {
        let Self { row, state, plan, parts, progress } = self;
        known::Shown { row, state: *state, plan: plan.as_ref(), progress, held: &parts.held }
    }
}

/// Before what was committed is voided: progress that may have been shown is kept.
pub async fn keep(tx: &impl ConnectionTrait, row: &job::Model) -> Result<(), ApiError> {
    let parts = Parts {
        renditions: commit_store::renditions_of_job(tx, &row.id).await?,
        committed: &commit_store::committed_of(tx, std::slice::from_ref(&row.id)).await?,
        files: Vec::new(),
        held: Vec::new(),
    };
    let shown = Assessed::of(row.clone(), parts)?.progress.fraction;
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
    let agents: HashMap<String, agent::Model> = agents.into_iter().map(|agent| (agent.id.clone(), agent)).collect();
    let held = leases.into_iter().filter_map(|lease| {
        let task = tasks.get(&lease.task_id)?.clone();
        let agent = agents.get(&lease.agent_id);
        let agent_name = agent.map(|agent| agent.name.clone()).unwrap_or_default();
        let agent_speed = agent.and_then(|agent| agent.work_per_second);
        let progress = lease.progress.clone().and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
        Some(Held { lease, task, agent_name, agent_speed, progress })
    });
    Ok(by_job(held.collect(), |held| &held.lease.job_id))
}

struct Parts<'a> {
    renditions: Vec<rendition::Model>,
    committed: &'a HashMap<(String, String), Committed>,
    files: Vec<output_file::Model>,
    held: Vec<Held>,
}

fn assemble(app: &App, job: Assessed<'_>, eta: Option<Eta>, now: Instant) -> Result<Job, ApiError> {
    let Assessed { row, state, plan: _, parts, progress } = job;
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
        source_name: None,
        profile: row.profile_name,
        priority: u8::try_from(row.priority).unwrap_or(5),
        deadline: (row.deadline_ms != NO_DEADLINE_MS).then(|| Instant(row.deadline_ms).to_utc()),
        metadata: serde_json::from_value(row.metadata)?,
        state,
        progress,
        eta_seconds: eta.map(|eta| eta.p50.ceil() as u64),
        eta_p90_seconds: eta.map(|eta| eta.p90.ceil() as u64),
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
    let frames_total = row.end_frame.map_or_else(|| plan.map_or(0, |plan| plan.frames), i64::cast_unsigned);
    let renditions: Vec<RenditionProgress> =
        parts.renditions.iter().map(|rendition| rendition_progress(row, state, plan, rendition, parts)).collect();
    let files_total = plan.map_or(0, |plan| u32::try_from(plan.files.len()).unwrap_or(u32::MAX));
    let files_done = u32::try_from(parts.files.len()).unwrap_or(u32::MAX);
    let planned = plan.is_some();
    let mut progress = JobProgress {
        fraction: 0.0,
        probe: if planned { 1.0 } else { probe_fraction(&parts.held) },
        frames_total,
        throughput: plan.map_or(0.0, |plan| throughput(plan, &parts.held)),
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

/// Frames that holders encode in a second, over those that play in one.
fn throughput(plan: &Plan, held: &[Held]) -> f64 {
    let moving = held.iter().filter(|held| held.task.kind == TaskKind::Encode.as_str() && held.lease.holder_state != "suspended");
    // From zero on: an empty sum of floats is -0.
    moving.fold(0.0, |sum, held| sum + held.progress.frames_per_second) / plan.grid.rate.as_f64()
}

fn rendition_progress(
    row: &job::Model,
    state: JobState,
    plan: Option<&Plan>,
    rendition: &rendition::Model,
    parts: &Parts<'_>,
) -> RenditionProgress {
    let picture = commit_store::picture(rendition);
    let committed = parts.committed.get(&(row.id.clone(), rendition.name.clone()));
    // One that began again shows what it had until it has more; in the end only the truth counts.
    let kept = |kept: i64| if state == JobState::Completed { 0 } else { kept };
    let count = |of: fn(&Committed) -> i64, had: i64| committed.map_or(0, of).max(kept(had)).cast_unsigned();
    let segments_done = count(|made| made.segments, i64::from(rendition.kept_segments));
    let frames_done = count(|made| made.frames, rendition.kept_frames);
    let segments_total = u64::from(rendition.segments_total.cast_unsigned());
    let is_audio = rendition.kind == "audio";
    let planned = match plan {
        Some(plan) if is_audio => aac_frames(plan, rendition.segments_total.cast_unsigned()),
        Some(plan) => row.end_frame.map_or(plan.frames, i64::cast_unsigned),
        None => 0,
    };
    RenditionProgress {
        id: rendition.name.clone(),
        kind: if is_audio { RenditionKind::Audio } else { RenditionKind::Video },
        width: picture.as_ref().map(|picture| picture.width),
        height: picture.as_ref().map(|picture| picture.height),
        segments_done: u32::try_from(segments_done).unwrap_or(u32::MAX),
        // A film may turn out to be longer than planned.
        segments_total: segments_total.max(segments_done) as u32,
        frames_done,
        // Where the sound's last segment ends only its encoder knows.
        frames_total: if is_audio && segments_done >= segments_total { frames_done } else { planned.max(frames_done) },
        bytes: count(|made| made.bytes, rendition.kept_bytes),
    }
}

/// AAC frames of so many segments of sound, as far as a plan can tell.
fn aac_frames(plan: &Plan, segments: u32) -> u64 {
    let frames_a_second = f64::from(AUDIO_SAMPLE_RATE) / f64::from(AAC_FRAME_SAMPLES);
    (f64::from(segments) * plan.grid.segment_seconds() * frames_a_second).ceil() as u64
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
