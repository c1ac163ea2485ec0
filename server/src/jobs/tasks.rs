//! Making a job's tasks, in the order in which they should be done, and putting them into the queue.

use offpeak_api::{facts::Facts, ids::TaskId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::json;

use crate::{
    clock::Instant,
    commit::store as commit_store,
    entity::{job, task},
    error::ApiError,
    lease::{
        TaskKind, TaskState,
        queue::{self, Waiting},
        rules::classes,
    },
    plan::{Plan, PlannedFile, Span, estimated_work},
};

/// A task to be made.
#[derive(Debug, Clone)]
pub struct NewTask {
    kind: TaskKind,
    class: String,
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

/// A span's ordinal says where it begins, so that a tail that was cut off sorts behind what is left.
fn span_ordinal(first: u32) -> i32 {
    first_ordinal(TaskKind::Encode) + first.cast_signed()
}

/// Sound is little work beside pictures: a segment of it costs about as much as one frame of 1080p.
const WORK_OF_A_SOUND_SEGMENT: f64 = 2.0;

impl NewTask {
    /// A task that is one piece.
    pub fn plain(kind: TaskKind) -> Self {
        Self {
            kind,
            class: classes::needed(kind, 0),
            ordinal: first_ordinal(kind),
            first: 0,
            last: 0,
            to_end: false,
            spec: json!({}),
            estimated_work: 1.0,
        }
    }

    /// The `n`-th file of a job.
    pub fn file(n: i32, file: &PlannedFile) -> Result<Self, ApiError> {
        let plain = Self::plain(TaskKind::File);
        Ok(Self { ordinal: plain.ordinal + n, spec: serde_json::to_value(file)?, ..plain })
    }

    fn audio(segments: u32) -> Self {
        let estimated_work = WORK_OF_A_SOUND_SEGMENT * f64::from(segments.max(1));
        Self { last: segments, estimated_work, ..Self::plain(TaskKind::Audio) }
    }

    fn span(plan: &Plan, span: Span, class: &str) -> Self {
        Self {
            class: class.to_owned(),
            ordinal: span_ordinal(span.first),
            first: span.first,
            last: span.last,
            to_end: span.to_end,
            estimated_work: estimated_work(plan, span),
            ..Self::plain(TaskKind::Encode)
        }
    }
}

/// Tasks in one statement: with their columns far from what either database allows.
const ROWS_AT_ONCE: usize = 500;

/// Makes tasks of a job, ready to be leased.
pub async fn insert(tx: &impl ConnectionTrait, job: &job::Model, new: Vec<NewTask>, now: Instant) -> Result<(), ApiError> {
    let rows: Vec<task::Model> = new
        .into_iter()
        .map(|new| task::Model {
            id: TaskId::new().to_string(),
            job_id: job.id.clone(),
            team_id: job.team_id.clone(),
            kind: new.kind.as_str().to_owned(),
            class: new.class,
            state: TaskState::Ready.as_str().to_owned(),
            rank: 9 - job.priority,
            deadline_ms: job.deadline_ms,
            ordinal: new.ordinal,
            first: new.first.cast_signed(),
            cursor: new.first.cast_signed(),
            last: new.last.cast_signed(),
            to_end: new.to_end,
            spec: new.spec,
            estimated_work: new.estimated_work,
            lease_id: None,
            tag: 0.0,
            backup_lease_id: None,
            failures: 0,
            created_at_ms: now.ms(),
            done_at_ms: None,
        })
        .collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        task::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .exec_without_returning(tx)
            .await?;
    }
    let waiting: Vec<Waiting> = rows.iter().map(waiting).collect();
    queue::add(tx, &job.team_id, &waiting).await
}

fn waiting(task: &task::Model) -> Waiting {
    Waiting {
        task_id: task.id.clone(),
        job_id: task.job_id.clone(),
        class: task.class.clone(),
        rank: task.rank,
        deadline_ms: task.deadline_ms,
        ordinal: task.ordinal,
        cost: task.estimated_work,
    }
}

/// A task of a job that is tried again waits once more, at its team's cost: what was charged before was refunded.
pub async fn wait_again(tx: &impl ConnectionTrait, task: &task::Model) -> Result<(), ApiError> {
    queue::add(tx, &task.team_id, &[waiting(task)]).await
}

/// Renditions, the audio task and the spans of a plan.
pub async fn insert_planned(
    tx: &impl ConnectionTrait,
    job: &job::Model,
    facts: &Facts,
    plan: &Plan,
    now: Instant,
) -> Result<(), ApiError> {
    let mut new = Vec::new();
    for (ordinal, video) in (0..).zip(&plan.video) {
        let spec = serde_json::to_value(video)?;
        commit_store::insert_rendition(tx, &job.id, &video.id, "video", ordinal, spec, plan.segments).await?;
    }
    if let Some(audio) = &plan.audio {
        let spec = serde_json::to_value(audio)?;
        commit_store::insert_rendition(tx, &job.id, &audio.id, "audio", 1000, spec, audio.segments).await?;
        new.push(NewTask::audio(audio.segments));
    }
    let pixels = facts.video.as_ref().map_or(0, |video| u64::from(video.width) * u64::from(video.height));
    let class = classes::needed(TaskKind::Encode, classes::encode_memory_mib(&plan.video, pixels));
    new.extend(plan.spans.iter().map(|span| NewTask::span(plan, *span, &class)));
    insert(tx, job, new, now).await
}

/// Cuts the tail `[mid, last)` off a locked span: a task of its own, for whoever takes it. Its work goes with it.
pub async fn split(tx: &impl ConnectionTrait, span: &task::Model, mid: i32, now: Instant) -> Result<task::Model, ApiError> {
    let rows = f64::from(span.last - span.first).max(1.0);
    let tails_work = span.estimated_work * f64::from(span.last - mid) / rows;
    let tail = task::Model {
        id: TaskId::new().to_string(),
        state: TaskState::Ready.as_str().to_owned(),
        ordinal: span_ordinal(mid.cast_unsigned()),
        first: mid,
        cursor: mid,
        estimated_work: tails_work,
        lease_id: None,
        backup_lease_id: None,
        failures: 0,
        created_at_ms: now.ms(),
        ..span.clone()
    };
    task::Entity::insert(tail.clone().into_active_model()).exec_without_returning(tx).await?;
    let rest = task::ActiveModel {
        id: Set(span.id.clone()),
        last: Set(mid),
        to_end: Set(false),
        estimated_work: Set(span.estimated_work - tails_work),
        ..Default::default()
    };
    task::Entity::update(rest).exec_without_returning(tx).await?;
    Ok(tail)
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
