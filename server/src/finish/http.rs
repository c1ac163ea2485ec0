//! The three calls that end a lease.

use axum::{
    Json,
    extract::{Path, State},
};
use offpeak_api::{
    ids::LeaseId,
    lease::{CompleteRequest, FailRequest, Orders, ReleaseRequest, TaskResult},
    problem::Problem,
};
use sea_orm::{ConnectionTrait, Insert, QueryFilter};
use serde_json::json;

use super::{
    advance::{self, Next},
    failure,
};
use crate::{
    app::App,
    auth::{AgentAuth, HolderAuth},
    clock::Instant,
    db::Writes,
    deliver,
    entity::{job_event, lease, task},
    error::{ApiError, Body},
    jobs::{self, playable::ENOUGH_SEGMENTS},
    lease::{
        LeaseEvent, LeaseState, TaskEvent, TaskKind,
        hold::{Found, held_or_ended, hold, orders},
        holders, limits, spec,
        store::{self as lease_store, View},
    },
    notify,
};

/// Complete a task
///
/// Nothing is left to do: everything was committed, or the result is in the body.
#[utoipa::path(post, path = "/v1/leases/{id}/complete", operation_id = "complete_lease", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = CompleteRequest, responses(
    (status = 200, description = "Settled; the lease has ended", body = Orders),
    (status = 409, description = "The lease is lost", body = Problem),
    (status = 422, description = "Something is missing", body = Problem),
))]
pub async fn complete(
    State(app): State<App>,
    HolderAuth(auth): HolderAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<CompleteRequest>,
) -> Result<Json<Orders>, ApiError> {
    let now = app.clock.now();
    let result = limits::sayable(request.result);
    // As the last commit left it, if that was here.
    if let Some(view) = app.known_leases.take(&id, &auth, now)
        && span_at_once(&app, &view, &result, now).await?
    {
        app.wake.events();
        return Ok(Json(orders(&app, &view.task)));
    }
    let view = match held_or_ended(&app.db.reader, &id, &auth, LeaseState::Completed).await? {
        Found::Held(view) => *view,
        Found::Repeated(task) => return Ok(Json(orders(&app, &task))),
    };
    advance::check_stored(&app, &view.lease, &view.task, &result).await?;
    let task = if span_at_once(&app, &view, &result, now).await? {
        view.task
    } else {
        complete_locked(&app, (&id, &auth), &view.task.job_id, result, now).await?
    };
    app.wake.events();
    Ok(Json(orders(&app, &task)))
}

/// Completes a span that is neither the first nor the last of its job, on the condition that all is as it was seen. False, and
/// nothing written, when anything is out of the ordinary.
///
/// The job does not go on by it: the span that ends the presentation is still to come, and whoever completes that one waits
/// for the lock that this takes on the job.
async fn span_at_once(app: &App, view: &View, result: &TaskResult, now: Instant) -> Result<bool, ApiError> {
    let View { lease, task, stage } = view;
    let is_usual = matches!(result, TaskResult::Encode { warnings, .. } if warnings.is_empty())
        && spec::kind_of(task)? == TaskKind::Encode
        && !task.to_end
        && task.cursor == task.last
        && task.backup_lease_id.is_none()
        && (stage.playable_at_ms.is_some() || task.first.cast_unsigned() >= ENOUGH_SEGMENTS)
        && lease.expires_at_ms >= now.ms();
    let both_end = (lease_store::ending(&lease.id, LeaseEvent::Complete, now), lease_store::completion(task, lease, now));
    let ((Some(ending), Some(completion)), true) = (both_end, is_usual) else { return Ok(false) };
    let (mut writes, db) = (Writes::default(), &app.db.reader);
    writes
        .add_condition(db, &jobs::store::is_being_encoded(&task.job_id))
        .add_condition(db, &completion)
        .add_condition(db, &ending.filter(lease_store::is_in_time(now)))
        .add_query(db, &holders::success(&lease.agent_id, speed(lease, task, now)))
        .add_query(db, &ended(lease, task, LeaseEvent::Complete, json!(null), now));
    Ok(app.db.write_at_once(writes).await?)
}

/// Completes a task, and takes the job on when nothing of its stage is open any more.
async fn complete_locked(
    app: &App,
    (id, auth): (&LeaseId, &AgentAuth),
    job: &str,
    result: TaskResult,
    now: Instant,
) -> Result<task::Model, ApiError> {
    let tx = app.db.write().await?;
    // Two tasks of a job may be the last at once: the job is locked, and before its tasks, as everywhere.
    let stage = jobs::store::lock_stage(&tx.tx, job).await?;
    let (lease, task) = hold(&tx.tx, id, auth, now).await?;
    let outcome = advance::complete(app, &tx.tx, &lease, &task, result, now).await?;
    let mut writes = Writes::default();
    end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Complete, json!(null), now);
    if task.backup_lease_id.is_some() {
        // Settling asks who else holds the task: this lease must have ended by then.
        std::mem::take(&mut writes).carry_out(&tx.tx).await?;
    }
    let next = match outcome {
        advance::Outcome::GoesOn => {
            writes.add_query(&tx.tx, &holders::success(&lease.agent_id, speed(&lease, &task, now)));
            lease_store::settle(&tx.tx, &mut writes, &task, TaskEvent::Complete, now).await?;
            writes.carry_out(&tx.tx).await?;
            // Before the job may be complete: whoever is told of that is told where to play it.
            if stage.playable_at_ms.is_none() {
                jobs::store::update_playable(app, &tx.tx, &task.job_id, now).await?;
            }
            advance::next_stage(app, &tx.tx, &task.job_id, now).await?
        }
        advance::Outcome::JobFailed(error) => {
            // The lease did what it was to do; the task did not, so that a retry has something to do again.
            lease_store::settle(&tx.tx, &mut writes, &task, TaskEvent::FailForGood, now).await?;
            writes.carry_out(&tx.tx).await?;
            jobs::store::fail(app, &tx.tx, &task.job_id, &error, now).await?;
            Next::GoesOn
        }
    };
    // As a repeat of this call will find it.
    let task = if task.to_end { lease_store::find_task(&tx.tx, &task.id).await? } else { task };
    tx.commit().await?;
    if next == Next::Completed {
        deliver::finish(app, &task.job_id.parse().map_err(ApiError::internal)?).await;
    }
    // A span that is done makes nothing ready; what follows a fetch, a probe or the last span does.
    if next == Next::NewStage || !matches!(spec::kind_of(&task)?, TaskKind::Encode | TaskKind::Audio | TaskKind::File) {
        app.wake.work();
    }
    Ok(task)
}

/// Estimated work a second under this lease. Spans say how fast an agent is; what else there is takes as long as its network
/// does.
fn speed(lease: &lease::Model, task: &task::Model, now: Instant) -> Option<f64> {
    let seconds = now.since(Instant(lease.created_at_ms)).as_secs_f64();
    let (done, all) = (f64::from(task.cursor - lease.from_row), f64::from(task.last - task.first));
    (task.kind == TaskKind::Encode.as_str() && done > 0.0 && seconds > 0.0).then(|| task.estimated_work * done / all / seconds)
}

/// Hand a task back without blame
#[utoipa::path(post, path = "/v1/leases/{id}/release", operation_id = "release_lease", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = ReleaseRequest, responses(
    (status = 200, description = "Somebody else will go on; what was committed stays", body = Orders),
    (status = 409, description = "The lease is lost", body = Problem),
))]
pub async fn release(
    State(app): State<App>,
    HolderAuth(auth): HolderAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<ReleaseRequest>,
) -> Result<Json<Orders>, ApiError> {
    if let Found::Repeated(task) = held_or_ended(&app.db.reader, &id, &auth, LeaseState::Released).await? {
        return Ok(Json(orders(&app, &task)));
    }
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let (lease, task) = hold(&tx.tx, &id, &auth, now).await?;
    let mut writes = Writes::default();
    end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Release, json!(request.reason), now);
    // Before the task is settled: that asks who still holds it.
    writes.carry_out(&tx.tx).await?;
    lease_store::settle_task(&tx.tx, &task, TaskEvent::GiveBack, now).await?;
    tx.commit().await?;
    app.wake.work();
    app.wake.events();
    Ok(Json(orders(&app, &task)))
}

/// Hand a task back with blame
///
/// A source at fault fails the job now; else another agent may try.
#[utoipa::path(post, path = "/v1/leases/{id}/fail", operation_id = "fail_lease", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = FailRequest, responses(
    (status = 200, description = "Noted", body = Orders),
    (status = 409, description = "The lease is lost", body = Problem),
))]
pub async fn fail(
    State(app): State<App>,
    HolderAuth(auth): HolderAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<FailRequest>,
) -> Result<Json<Orders>, ApiError> {
    let lease = match held_or_ended(&app.db.reader, &id, &auth, LeaseState::Failed).await? {
        Found::Held(view) => view.lease,
        Found::Repeated(task) => return Ok(Json(orders(&app, &task))),
    };
    let now = app.clock.now();
    let tx = app.db.write().await?;
    // The job may fail by this: it is locked before its task, as everywhere.
    jobs::store::lock_stage(&tx.tx, &lease.job_id).await?;
    let (lease, task) = hold(&tx.tx, &id, &auth, now).await?;
    let (code, message) = (failure::cut(&request.code), failure::cut(&request.message));
    tracing::warn!(lease.id, task.id, task.kind, agent.id = %auth.agent_id, ?code, why = ?message, "task failed");
    let why = json!({ "code": code, "message": message });
    let mut writes = Writes::default();
    end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Fail, why, now);
    writes.carry_out(&tx.tx).await?;
    failure::take(&app, &tx.tx, &lease, &task, request, now).await?;
    tx.commit().await?;
    // It may have been set aside by this.
    app.known_agents.forget();
    app.wake.work();
    app.wake.events();
    Ok(Json(orders(&app, &task)))
}

/// The lease ends, and its job's events tell of it.
pub(super) fn end(
    tx: &impl ConnectionTrait,
    writes: &mut Writes,
    (lease, task): (&lease::Model, &task::Model),
    how: LeaseEvent,
    why: serde_json::Value,
    now: Instant,
) {
    if let Some(ending) = lease_store::ending(&lease.id, how, now) {
        writes.add_query(tx, &ending);
    }
    writes.add_query(tx, &ended(lease, task, how, why, now));
}

/// The event that tells of the end of a lease.
fn ended(
    lease: &lease::Model,
    task: &task::Model,
    how: LeaseEvent,
    why: serde_json::Value,
    now: Instant,
) -> Insert<job_event::ActiveModel> {
    let event = json!({
        "lease": lease.id, "task": task.id, "kind": task.kind, "agent": lease.agent_id,
        "how": LeaseState::Active.after(how).map(LeaseState::as_str), "why": why,
        "cursor": task.cursor, "last": task.last,
    });
    notify::event(&task.job_id, "lease.ended", event, now)
}
