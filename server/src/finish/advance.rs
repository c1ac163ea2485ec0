//! What a completed task means for its job.

use offpeak_api::{
    facts::{Facts, Warning},
    job::{JobError, JobState},
    lease::{ObjectName, TaskResult},
    profile::{FileContainer, Profile},
    webhook::WebhookEvent,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::the_end;
use crate::{
    app::App,
    clock::Instant,
    commit::{is_sha256, store as commit_store},
    deliver,
    entity::{job, lease, task},
    error::ApiError,
    jobs::{self, JobEvent, tasks},
    lease::{TaskKind, TaskState, http::object_key, spec, store as lease_store},
    notify,
    plan::{self, PlannedFile},
    upload,
    webhooks::outbox,
};

/// How the job goes on after a task's result.
#[derive(Debug)]
pub enum Outcome {
    GoesOn,
    /// The result itself says that the job cannot succeed.
    JobFailed(JobError),
}

/// What the result names must be in storage. Asked before the transaction begins.
pub async fn check_stored(app: &App, lease: &lease::Model, task: &task::Model, result: &TaskResult) -> Result<(), ApiError> {
    match result {
        TaskResult::File { attempt, bytes, sha256 } if spec::kind_of(task)? == TaskKind::File => {
            check_hash(sha256)?;
            let key = object_key(lease, task, &ObjectName::File, *attempt)?;
            if app.blobs.holds(&key, *bytes, sha256).await.map_err(ApiError::internal)? {
                return Ok(());
            }
            let detail = format!("The file is not in storage with {bytes} bytes and the SHA-256 {sha256}.");
            Err(ApiError::unfit("not_uploaded", detail))
        }
        TaskResult::File { .. }
        | TaskResult::Fetch {}
        | TaskResult::Probe { .. }
        | TaskResult::Encode { .. }
        | TaskResult::Audio { .. } => Ok(()),
    }
}

/// Takes a task's result into the job.
pub async fn complete(
    app: &App,
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    result: TaskResult,
    now: Instant,
) -> Result<Outcome, ApiError> {
    match (spec::kind_of(task)?, result) {
        (TaskKind::Fetch, TaskResult::Fetch {}) => fetched(tx, task, now).await,
        (TaskKind::Probe, TaskResult::Probe { facts }) => probed(app, tx, task, *facts, now).await,
        (TaskKind::Encode, TaskResult::Encode { end_frame, warnings }) => {
            jobs::store::add_warnings(tx, &task.job_id, warnings).await?;
            the_end::encoded(tx, task, end_frame, now).await
        }
        (TaskKind::Audio, TaskResult::Audio { segments, warnings }) => {
            jobs::store::add_warnings(tx, &task.job_id, warnings).await?;
            if task.cursor.cast_unsigned() != segments {
                return Err(incomplete(task, segments));
            }
            commit_store::set_segments_total(tx, &task.job_id, "audio", segments).await?;
            jobs::tasks::set_last(tx, task, segments).await?;
            let has_video = !spec::plan_of(&jobs::store::get(tx, &task.job_id).await?)?.video.is_empty();
            Ok(if segments > 0 || has_video { Outcome::GoesOn } else { Outcome::JobFailed(no_sound()) })
        }
        (TaskKind::File, TaskResult::File { attempt, bytes, sha256 }) => {
            check_hash(&sha256)?;
            let planned: PlannedFile = serde_json::from_value(task.spec.clone())?;
            let key = object_key(lease, task, &ObjectName::File, attempt)?;
            let content_type = match planned.container {
                FileContainer::Mp4 => "video/mp4",
            };
            jobs::store::insert_file(tx, &task.job_id, &planned.name, key.as_str(), content_type, bytes, &sha256, now).await?;
            Ok(Outcome::GoesOn)
        }
        (kind, _) => Err(ApiError::unfit("wrong_result", format!("This is not the result of a task of kind {}.", kind.as_str()))),
    }
}

fn check_hash(sha256: &str) -> Result<(), ApiError> {
    if is_sha256(sha256) {
        return Ok(());
    }
    Err(ApiError::unfit("bad_hash", "`sha256` has 64 lower-case hexadecimal digits."))
}

/// Of a source that is nothing but sound.
fn no_sound() -> JobError {
    JobError::of_source(
        "no_sound",
        "Not one moment of this file's sound could be decoded. It is probably damaged; export or upload it again.",
    )
}

pub(super) fn incomplete(task: &task::Model, last: u32) -> ApiError {
    ApiError::unfit("incomplete", format!("Segments are committed up to {}, not up to {last}.", task.cursor))
}

async fn fetched(tx: &impl ConnectionTrait, task: &task::Model, now: Instant) -> Result<Outcome, ApiError> {
    let job = jobs::store::get(tx, &task.job_id).await?;
    let source = upload::store::get(tx, &job.source_id.parse().map_err(ApiError::internal)?).await?;
    if source.state != "ready" {
        return Err(ApiError::unfit("incomplete", "The source's last bytes have not arrived."));
    }
    tasks::insert(tx, &job, vec![tasks::NewTask::plain(TaskKind::Probe)], now).await?;
    Ok(Outcome::GoesOn)
}

/// Facts become a plan, the plan becomes renditions and tasks.
async fn probed(
    app: &App,
    tx: &impl ConnectionTrait,
    task: &task::Model,
    facts: Facts,
    now: Instant,
) -> Result<Outcome, ApiError> {
    let job = jobs::store::get(tx, &task.job_id).await?;
    let profile: Profile = serde_json::from_value(job.profile.clone())?;
    let plan = match plan::plan(&facts, &profile) {
        Ok(plan) => plan,
        Err(error) => {
            let message = format!("{}. {}", capitalised(&error.to_string()), error.hint());
            return Ok(Outcome::JobFailed(JobError::of_source(error.code(), message)));
        }
    };
    let warnings: Vec<Warning> = facts.warnings.clone();
    jobs::store::set_planned(tx, &job, &facts, &plan).await?;
    jobs::store::add_warnings(tx, &job.id, warnings).await?;
    tasks::insert_planned(tx, &job, &facts, &plan, now).await?;
    let event = json!({
        "duration_seconds": facts.end_seconds() - facts.start_seconds(), "segments": plan.segments, "spans": plan.spans.len(),
        "renditions": plan.video.iter().map(|made| &made.id).chain(plan.audio.iter().map(|made| &made.id)).collect::<Vec<_>>(),
    });
    notify::record(tx, &job.id, "job.planned", event, now).await?;
    tracing::info!(job.id, segments = plan.segments, spans = plan.spans.len(), storage = %app.config.storage.scheme(), "planned job");
    Ok(Outcome::GoesOn)
}

fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What a job does when one of its tasks is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    GoesOn,
    /// There are tasks of another stage now.
    NewStage,
    Completed,
}

/// Begins the job's next stage when nothing of the present one is open.
pub async fn next_stage(app: &App, tx: &impl ConnectionTrait, job_id: &str, now: Instant) -> Result<Next, ApiError> {
    if lease_store::any_open(tx, job_id).await? {
        return Ok(Next::GoesOn);
    }
    let job = jobs::store::get(tx, job_id).await?;
    let all = lease_store::tasks_of_job(tx, job_id).await?;
    if job.plan.is_none() || all.iter().any(|task| task.state != TaskState::Done.as_str()) {
        return Ok(Next::GoesOn);
    }
    match jobs::store::state_of(&job)? {
        JobState::Encoding => {
            let plan = spec::plan_of(&job)?;
            if plan.files.is_empty() {
                return complete_job(app, tx, &job, now).await;
            }
            jobs::store::set_making_files(tx, &job).await?;
            let files = (0..).zip(&plan.files).map(|(n, file)| tasks::NewTask::file(n, file));
            tasks::insert(tx, &job, files.collect::<Result<_, _>>()?, now).await?;
            notify::record(tx, job_id, "job.encoded", json!({ "files": plan.files.len() }), now).await?;
            Ok(Next::NewStage)
        }
        JobState::Finishing => complete_job(app, tx, &job, now).await,
        JobState::Queued | JobState::Probing | JobState::Completed | JobState::Failed | JobState::Cancelled => Ok(Next::GoesOn),
    }
}

async fn complete_job(app: &App, tx: &impl ConnectionTrait, job: &job::Model, now: Instant) -> Result<Next, ApiError> {
    jobs::store::end(tx, job, JobEvent::Complete, now).await?;
    jobs::figures::store::note(tx, job).await?;
    deliver::store::note_manifests_due(tx, &job.id).await?;
    notify::record(tx, &job.id, "job.completed", json!({}), now).await?;
    outbox::job(app, tx, &job.id, WebhookEvent::JobCompleted, now).await?;
    tracing::info!(job.id, "completed job");
    Ok(Next::Completed)
}
