//! Renditions that begin again, under a new epoch: what was committed of them does not count any more.
//!
//! That happens when their init segment was outvoted ([`super::votes`]), or when the build of ffmpeg that made it is gone from
//! the fleet. What must hold: only segments of a rendition's present epoch have rows, so no query has to ask; whoever was at work
//! on an old epoch has lost its lease; progress that was shown does not go back.

use std::time::Duration;

use offpeak_api::job::JobState;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{pins, store};
use crate::{
    app::App,
    clock::Instant,
    entity::{job, task},
    error::ApiError,
    finish::failure::AGENT_GONE_AFTER,
    jobs::{self, tasks},
    lease::{LeaseEvent, TaskEvent, TaskKind, TaskState, queue, spec, store as lease_store},
    notify,
};

/// A build that no agent of the fleet has had for so long is not waited for any more. Long enough for a machine to be restarted.
const BUILD_GONE_AFTER: Duration = Duration::from_secs(10 * 60);

/// A job's row and tasks, locked.
#[derive(Debug)]
pub struct Locked {
    pub(super) job: job::Model,
    tasks: Vec<task::Model>,
}

impl Locked {
    /// Segments are still being made.
    pub fn is_encoding(&self) -> Result<bool, ApiError> {
        Ok(jobs::store::state_of(&self.job)? == JobState::Encoding)
    }
}

/// Locks what beginning again changes, in the order of claims: the queue, the job, its tasks.
pub async fn lock(tx: &impl ConnectionTrait, job: &str) -> Result<Locked, ApiError> {
    queue::lock_job(tx, job).await?;
    Ok(Locked { job: jobs::store::lock(tx, job).await?, tasks: lease_store::lock_tasks_of_job(tx, job).await? })
}

/// Voids all that tasks of these kinds committed. They wait again, each for all of its rows.
pub async fn begin(
    tx: &impl ConnectionTrait,
    locked: Locked,
    kinds: &[TaskKind],
    why: &str,
    now: Instant,
) -> Result<(), ApiError> {
    let Locked { job, tasks } = locked;
    jobs::progress::keep(tx, &job).await?;
    for task in &tasks {
        let kind = spec::kind_of(task)?;
        if !kinds.contains(&kind) || task.first == task.last {
            continue;
        }
        let state = lease_store::state_of(task)?;
        let Some(next) = state.after(TaskEvent::Void) else { continue };
        for holder in [&task.lease_id, &task.backup_lease_id].into_iter().flatten() {
            lease_store::end_lease(tx, holder, LeaseEvent::Lose, now).await?;
        }
        lease_store::set_void(tx, task, next).await?;
        match state {
            TaskState::Leased if !lease_store::is_waiting(tx, task).await? => queue::put_back(tx, task).await?,
            TaskState::Done => tasks::wait_again(tx, task).await?,
            TaskState::Ready | TaskState::Leased | TaskState::Failed | TaskState::Cancelled => {}
        }
    }
    for rendition in store::renditions_of_kinds(tx, &job.id, kinds).await? {
        pins::begin_again(tx, &rendition, now).await?;
    }
    pins::forget_mismatches(tx, &job.id).await?;
    jobs::store::set_not_playable(tx, &job.id).await?;
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    tracing::warn!(job.id, ?kinds, why, "renditions begin again");
    notify::record(tx, &job.id, "renditions.voided", json!({ "kinds": kinds, "why": why }), now).await
}

/// Begins again what is open of a job, on whatever build comes.
pub async fn unpin(tx: &impl ConnectionTrait, locked: Locked, why: &str, now: Instant) -> Result<(), ApiError> {
    let is_open = |kind: TaskKind| {
        let of_kind =
            |task: &task::Model| task.kind == kind.as_str() && lease_store::state_of(task).is_ok_and(TaskState::is_open);
        locked.tasks.iter().any(of_kind)
    };
    // What is whole stays: sound and pictures need not come from one build.
    let kinds: Vec<TaskKind> = TaskKind::ALL.into_iter().filter(|kind| kind.makes_segments() && is_open(*kind)).collect();
    pin_build(tx, &locked.job, None).await?;
    begin(tx, locked, &kinds, why, now).await
}

/// Pins a job's waiting tasks to a build, or frees them.
pub async fn pin_build(tx: &impl ConnectionTrait, job: &job::Model, build: Option<&str>) -> Result<(), ApiError> {
    jobs::store::set_build(tx, &job.id, build).await?;
    queue::set_build(tx, &job.id, build).await
}

/// Unpins the jobs whose build is gone while agents with another one are there. Returns how many. When all are away, at night
/// or for want of a network, nothing is thrown away.
pub async fn unpin_due(app: &App, now: Instant) -> Result<usize, ApiError> {
    let db = &app.db.reader;
    let pinned = pins::pinned_builds(db).await?;
    if pinned.is_empty() {
        return Ok(0);
    }
    let heard_of = pins::builds_heard_of(db).await?;
    let mut unpinned = 0;
    for build in pinned {
        let seen = note_seen(app, &build, heard_of.get(&build).copied(), now).await?;
        let is_there = |(other, at): (&String, &Instant)| *other != build && now.since(*at) < AGENT_GONE_AFTER;
        if now.since(seen) <= BUILD_GONE_AFTER || !heard_of.iter().any(is_there) {
            continue;
        }
        for id in pins::jobs_pinned_to(db, &build).await? {
            unpinned += usize::from(unpin_one(app, &id, &build, now).await?);
        }
    }
    if unpinned > 0 {
        app.wake.work();
        app.wake.events();
    }
    Ok(unpinned)
}

/// When an agent had the build last. An agent that changes its build takes the old one's last sign with it, so it is written down.
async fn note_seen(app: &App, build: &str, heard_of: Option<Instant>, now: Instant) -> Result<Instant, ApiError> {
    let known = pins::build_seen(&app.db.reader, build).await?;
    let seen = match (known, heard_of) {
        (Some(known), heard_of) => heard_of.map_or(known, |at| at.max(known)),
        // It pinned a job a moment ago.
        (None, _) => now,
    };
    if known.is_none_or(|known| seen.since(known) > BUILD_GONE_AFTER / 10) {
        let tx = app.db.write().await?;
        pins::set_build_seen(&tx.tx, build, seen).await?;
        tx.commit().await?;
    }
    Ok(seen)
}

async fn unpin_one(app: &App, id: &str, build: &str, now: Instant) -> Result<bool, ApiError> {
    let tx = app.db.write().await?;
    let locked = lock(&tx.tx, id).await?;
    if !locked.is_encoding()? || locked.job.build.as_deref() != Some(build) {
        return Ok(false);
    }
    unpin(&tx.tx, locked, "build gone", now).await?;
    tx.commit().await?;
    Ok(true)
}
