//! Making a job's tasks, in the order in which they should be done.

use offpeak_api::ids::TaskId;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;

use crate::{
    clock::Instant,
    commit::store as commit_store,
    entity::{job, task},
    error::ApiError,
    lease::{TaskKind, TaskState},
    plan::{Plan, PlannedFile, estimated_work},
};

/// A task to be made.
#[derive(Debug, Clone)]
pub struct NewTask {
    kind: TaskKind,
    ordinal: i32,
    last: u32,
    first: u32,
    to_end: bool,
    spec: serde_json::Value,
    estimated_work: f64,
}

/// Where each kind's ordinals begin: fetch, probe, audio, spans front to back, files.
fn first_ordinal(kind: TaskKind) -> i32 {
    match kind {
        TaskKind::Fetch => 0,
        TaskKind::Probe => 1,
        TaskKind::Audio => 2,
        TaskKind::Encode => 100,
        TaskKind::File => 1_000_000,
    }
}

impl NewTask {
    /// A task that is one piece.
    pub fn plain(kind: TaskKind) -> Self {
        Self { kind, ordinal: first_ordinal(kind), first: 0, last: 0, to_end: false, spec: json!({}), estimated_work: 1.0 }
    }

    /// The `n`-th file of a job.
    pub fn file(n: i32, file: &PlannedFile) -> Result<Self, ApiError> {
        let plain = Self::plain(TaskKind::File);
        Ok(Self { ordinal: plain.ordinal + n, spec: serde_json::to_value(file)?, ..plain })
    }
}

pub async fn insert(tx: &impl ConnectionTrait, job: &job::Model, new: NewTask, now: Instant) -> Result<(), ApiError> {
    let row = task::ActiveModel {
        id: Set(TaskId::new().to_string()),
        job_id: Set(job.id.clone()),
        team_id: Set(job.team_id.clone()),
        kind: Set(new.kind.as_str().to_owned()),
        class: Set("none".to_owned()),
        state: Set(TaskState::Ready.as_str().to_owned()),
        rank: Set(9 - job.priority),
        deadline_ms: Set(job.deadline_ms),
        ordinal: Set(new.ordinal),
        first: Set(new.first.cast_signed()),
        cursor: Set(new.first.cast_signed()),
        last: Set(new.last.cast_signed()),
        to_end: Set(new.to_end),
        spec: Set(new.spec),
        estimated_work: Set(new.estimated_work),
        lease_id: Set(None),
        backup_lease_id: Set(None),
        failures: Set(0),
        created_at_ms: Set(now.ms()),
        done_at_ms: Set(None),
    };
    row.insert(tx).await?;
    Ok(())
}

/// Renditions, the audio task and the spans of a plan.
pub async fn insert_planned(tx: &impl ConnectionTrait, job: &job::Model, plan: &Plan, now: Instant) -> Result<(), ApiError> {
    for (ordinal, video) in (0..).zip(&plan.video) {
        let spec = serde_json::to_value(video)?;
        commit_store::insert_rendition(tx, &job.id, &video.id, "video", ordinal, spec, plan.segments).await?;
    }
    if let Some(audio) = &plan.audio {
        let spec = serde_json::to_value(audio)?;
        commit_store::insert_rendition(tx, &job.id, &audio.id, "audio", 1000, spec, audio.segments).await?;
        insert(tx, job, NewTask { last: audio.segments, ..NewTask::plain(TaskKind::Audio) }, now).await?;
    }
    for (n, span) in (0..).zip(&plan.spans) {
        let plain = NewTask::plain(TaskKind::Encode);
        let new = NewTask {
            ordinal: plain.ordinal + n,
            first: span.first,
            last: span.last,
            to_end: span.to_end,
            estimated_work: estimated_work(plan, *span),
            ..plain
        };
        insert(tx, job, new, now).await?;
    }
    Ok(())
}

/// The task turned out to end there.
pub async fn set_last(tx: &impl ConnectionTrait, task: &task::Model, last: u32) -> Result<(), ApiError> {
    let row = task::ActiveModel { id: Set(task.id.clone()), last: Set(last.cast_signed()), ..Default::default() };
    task::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// The presentation turned out to end in this span.
pub async fn set_to_end(tx: &impl ConnectionTrait, task: &task::Model) -> Result<(), ApiError> {
    let row = task::ActiveModel { id: Set(task.id.clone()), to_end: Set(true), ..Default::default() };
    task::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}
