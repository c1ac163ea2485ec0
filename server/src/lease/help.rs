//! What an agent gets when nothing waits: the tail of a span that somebody else holds, or a second lease on what cannot be cut.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{
    TaskKind, TaskState,
    grant::Asker,
    holders,
    rules::{
        backup::{self, Candidate},
        steal::{self, Thief, Victim},
    },
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

/// A lease that might be helped with, and its task.
#[derive(Debug)]
struct Held {
    lease: lease::Model,
    task: task::Model,
    victim: Victim,
}

/// Steals, or doubles, for an agent that found nothing waiting.
pub async fn somebody(app: &App, asker: &Asker, now: Instant) -> Result<Option<(lease::Model, task::Model)>, ApiError> {
    let Some(work_per_second) = holders::speed_of_active(&app.db.reader, &asker.agent).await? else { return Ok(None) };
    let thief = Thief { work_per_second };
    let mut held = Vec::new();
    for (lease, task, speed) in holders::held_in_classes(&app.db.reader, asker.claimant()).await? {
        let victim = victim(app, asker, &lease, &task, speed, now).await?;
        held.push(Held { lease, task, victim });
    }
    if held.is_empty() {
        return Ok(None);
    }
    let spans: Vec<&Held> = held.iter().filter(|held| held.task.kind == TaskKind::Encode.as_str()).collect();
    let victims: Vec<Victim> = spans.iter().map(|held| held.victim).collect();
    if let Some(chosen) = steal::choose(thief, &victims) {
        return steal(app, asker, spans[chosen.victim], chosen.mid, now).await;
    }
    for held in &held {
        if backup::is_worth_it(&candidate(held, thief, now)?) {
            return second(app, asker, held, now).await;
        }
    }
    Ok(None)
}

fn since(at_ms: i64, now: Instant) -> Duration {
    now.since(Instant(at_ms))
}

/// How far the holder is, as it told with its last heartbeat. `speed` is that of its past, in work a second.
async fn victim(
    app: &App,
    asker: &Asker,
    lease: &lease::Model,
    task: &task::Model,
    speed: Option<f64>,
    now: Instant,
) -> Result<Victim, ApiError> {
    let rows = f64::from(task.last - task.first).max(1.0);
    let work_per_row = task.estimated_work / rows;
    let mut encoded_rows = 0.0;
    let mut rows_per_second = speed.map(|speed| speed / work_per_row);
    if let (TaskKind::Encode, Some(progress)) = (spec::kind_of(task)?, holders::progress_of(lease)) {
        let per_row = f64::from(jobs::planned::of(app, &task.job_id).await?.plan.grid.frames_per_segment);
        encoded_rows = f64::from(lease.from_row) + progress.frames as f64 / per_row - f64::from(task.cursor);
        if progress.frames_per_second > 0.0 {
            rows_per_second = Some(progress.frames_per_second / per_row);
        }
    }
    Ok(Victim {
        cursor: task.cursor.cast_unsigned(),
        last: task.last.cast_unsigned(),
        encoded_rows,
        rows_per_second,
        work_per_row,
        suspended_for: lease.suspended_at_ms.map(|at| since(at, now)),
        silent_for: since(lease.expires_at_ms, now + app.config.lease.lifetime),
        held_by_thief: lease.agent_id == asker.agent.as_str(),
    })
}

fn candidate(held: &Held, thief: Thief, now: Instant) -> Result<Candidate, ApiError> {
    let kind = spec::kind_of(&held.task)?;
    let held_for = since(held.lease.created_at_ms, now);
    let rows_left = f64::from((held.task.last - held.task.cursor).max(0));
    let is_span = kind == TaskKind::Encode;
    // What has no rows tells bytes, if anything.
    let share = holders::progress_of(&held.lease)
        .and_then(|progress| Some(progress.bytes as f64 / progress.total_bytes.filter(|total| *total > 0)? as f64))
        .filter(|share| *share > 0.0);
    Ok(Candidate {
        kind,
        rows_to_steal: if is_span { held.victim.rows_to_steal() } else { 0 },
        backups: u32::from(held.task.backup_lease_id.is_some()),
        held_by_asker: held.victim.held_by_thief,
        suspended_for: held.victim.suspended_for,
        held_for,
        seconds_left: if is_span {
            Some(held.victim.seconds_left())
        } else {
            share.map(|share| held_for.as_secs_f64() * (1.0 - share).max(0.0) / share)
        },
        seconds_anew: thief
            .work_per_second
            .filter(|speed| is_span && *speed > 0.0)
            .map(|speed| rows_left * held.victim.work_per_row / speed),
    })
}

/// The tail `[mid, last)` becomes a task of its own, leased to the thief; or the whole task changes hands when `mid` is its
/// cursor. Nothing when things have changed meanwhile.
async fn steal(
    app: &App,
    asker: &Asker,
    from: &Held,
    mid: u32,
    now: Instant,
) -> Result<Option<(lease::Model, task::Model)>, ApiError> {
    let tx = app.db.write().await?;
    let Some(task) = unchanged(&tx.tx, from).await? else { return Ok(None) };
    let (cursor, mid) = (task.cursor, mid.cast_signed());
    if mid < cursor || mid >= task.last {
        return Ok(None);
    }
    let stolen = if mid == cursor { task.clone() } else { tasks::split(&tx.tx, &task, mid, now).await? };
    let Some(lease) = store::grant(&tx.tx, &stolen, task.tag, asker.grantee(app, now), now).await? else { return Ok(None) };
    let event = json!({
        "task": task.id, "agent": from.lease.agent_id, "from": mid, "last": task.last, "thief": asker.agent, "new_task": stolen.id,
    });
    notify::record(&tx.tx, &task.job_id, "span.stolen", event, now).await?;
    tx.commit().await?;
    tracing::info!(task.id, from = mid, last = task.last, victim.id = from.lease.agent_id, agent.id = %asker.agent, "stole a tail");
    Ok(Some((lease, stolen)))
}

/// A second lease on the task. Nothing when things have changed meanwhile.
async fn second(app: &App, asker: &Asker, beside: &Held, now: Instant) -> Result<Option<(lease::Model, task::Model)>, ApiError> {
    let tx = app.db.write().await?;
    let Some(task) = unchanged(&tx.tx, beside).await?.filter(|task| task.backup_lease_id.is_none()) else { return Ok(None) };
    let Some(lease) = store::grant_backup(&tx.tx, &task, asker.grantee(app, now), now).await? else { return Ok(None) };
    let event = json!({ "task": task.id, "kind": task.kind, "agent": beside.lease.agent_id, "second": asker.agent });
    notify::record(&tx.tx, &task.job_id, "task.doubled", event, now).await?;
    tx.commit().await?;
    Ok(Some((lease, task)))
}

/// The task, locked, if the same lease still holds it and it is not in the queue again: then it is taken from there.
///
/// Its job is locked first: whoever ends a job holds that lock, and would not see a tail that is cut off meanwhile.
async fn unchanged(tx: &impl ConnectionTrait, held: &Held) -> Result<Option<task::Model>, ApiError> {
    if jobs::store::try_lock(tx, &held.task.job_id).await?.is_none() {
        return Ok(None);
    }
    let Some(task) = store::lock_task(tx, &held.task.id).await? else { return Ok(None) };
    let is_held = task.state == TaskState::Leased.as_str() && task.lease_id.as_deref() == Some(held.lease.id.as_str());
    Ok((is_held && !store::is_waiting(tx, &task).await?).then_some(task))
}
