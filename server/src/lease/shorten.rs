//! A span that was just granted is cut to what its machine can do before somebody needs it.

use serde_json::json;

use super::{
    TaskKind, TaskState,
    grant::Asker,
    holders, queue,
    rules::spell::{self, Grant},
    spec, store,
};
use crate::{
    app::App,
    clock::Instant,
    entity::{lease, task},
    error::ApiError,
    jobs::{self, tasks},
    notify,
};

/// The task as the machine gets it. Nothing is asked of the database for machines that expect nothing, and nothing is written
/// unless there is something to cut; when things have changed meanwhile, the machine gets what it was granted.
pub async fn to_idle_time(
    app: &App,
    asker: &Asker,
    lease: &lease::Model,
    granted: task::Model,
    now: Instant,
) -> Result<task::Model, ApiError> {
    let Some(expected_idle) = asker.expected_idle else { return Ok(granted) };
    if spec::kind_of(&granted)? != TaskKind::Encode {
        return Ok(granted);
    }
    // Of a machine that has done nothing yet nobody knows what it can do in any time.
    let Some(Some(work_per_second)) = holders::speed_of_active(&app.db.reader, &asker.agent).await? else { return Ok(granted) };
    let rows = f64::from(granted.last - granted.first).max(1.0);
    let cut = spell::cut(Grant {
        cursor: granted.cursor.cast_unsigned(),
        last: granted.last.cast_unsigned(),
        work_per_row: granted.estimated_work / rows,
        work_per_second,
        expected_idle,
    });
    match cut {
        Some(mid) => Ok(leave_tail(app, asker, lease, &granted, mid.cast_signed(), now).await?.unwrap_or(granted)),
        None => Ok(granted),
    }
}

/// `[mid, last)` waits for others.
async fn leave_tail(
    app: &App,
    asker: &Asker,
    lease: &lease::Model,
    granted: &task::Model,
    mid: i32,
    now: Instant,
) -> Result<Option<task::Model>, ApiError> {
    let tx = app.db.write().await?;
    // As for a theft: whoever ends a job holds this lock, and would not see a tail that is cut off meanwhile.
    if jobs::store::try_lock(&tx.tx, &granted.job_id).await?.is_none() {
        return Ok(None);
    }
    let Some(task) = store::lock_task(&tx.tx, &granted.id).await? else { return Ok(None) };
    let is_as_granted = task.state == TaskState::Leased.as_str()
        && task.lease_id.as_deref() == Some(lease.id.as_str())
        && (task.cursor, task.last) == (granted.cursor, granted.last);
    if !is_as_granted {
        return Ok(None);
    }
    let tail = tasks::split(&tx.tx, &task, mid, now).await?;
    // Its team was charged for all of the span when that began to wait.
    queue::put_back(&tx.tx, &tail).await?;
    let event = json!({ "task": task.id, "agent": asker.agent, "from": mid, "last": task.last, "new_task": tail.id });
    notify::record(&tx.tx, &task.job_id, "span.shortened", event, now).await?;
    tx.commit().await?;
    app.wake.work();
    tracing::info!(task.id, from = mid, last = task.last, agent.id = %asker.agent, "left a tail to others");
    let estimated_work = task.estimated_work - tail.estimated_work;
    Ok(Some(task::Model { last: mid, to_end: false, estimated_work, ..task }))
}
