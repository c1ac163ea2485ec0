//! The three calls that end a lease.

use axum::{
    Json,
    extract::{Path, State},
};
use offpeak_api::{
    ids::LeaseId,
    lease::{CompleteRequest, FailRequest, Orders, ReleaseRequest},
    problem::Problem,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{
    advance::{self, Next},
    failure,
};
use crate::{
    app::App,
    auth::HolderAuth,
    clock::Instant,
    db::Writes,
    deliver,
    entity::{lease, task},
    error::{ApiError, Body},
    jobs,
    lease::{
        LeaseEvent, LeaseState, TaskEvent, TaskKind,
        hold::{Found, held_or_ended, hold, orders},
        holders, spec, store as lease_store,
    },
    notify,
};

/// Complete a task
///
/// Nothing is left to do: everything was committed, or the result is in the body.
#[utoipa::path(post, path = "/v1/leases/{id}/complete", tag = "leases", security(("bearer" = [])),
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
    let (lease, task) = match held_or_ended(&app.db.reader, &id, &auth, LeaseState::Completed).await? {
        Found::Held(held) => *held,
        Found::Repeated(task) => return Ok(Json(orders(&app, &task))),
    };
    advance::check_stored(&app, &lease, &task, &request.result).await?;

    let now = app.clock.now();
    let tx = app.db.write().await?;
    // Two tasks of a job may be the last at once: the job is locked, and before its tasks, as everywhere.
    let stage = jobs::store::lock_stage(&tx.tx, &task.job_id).await?;
    let (lease, task) = hold(&tx.tx, &id, &auth, now).await?;
    let outcome = advance::complete(&app, &tx.tx, &lease, &task, request.result, now).await?;
    let mut writes = Writes::default();
    end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Complete, json!(null), now);
    if task.backup_lease_id.is_some() {
        // Settling asks who else holds the task: this lease must have ended by then.
        std::mem::take(&mut writes).carry_out(&tx.tx).await?;
    }
    let next = match outcome {
        advance::Outcome::GoesOn => {
            writes.add_query(&tx.tx, &holders::success(&auth.agent_id, speed(&lease, &task, now)));
            lease_store::settle(&tx.tx, &mut writes, &task, TaskEvent::Complete, now).await?;
            writes.carry_out(&tx.tx).await?;
            advance::next_stage(&tx.tx, &task.job_id, now).await?
        }
        advance::Outcome::JobFailed(error) => {
            // The lease did what it was to do; the task did not, so that a retry has something to do again.
            lease_store::settle(&tx.tx, &mut writes, &task, TaskEvent::FailForGood, now).await?;
            writes.carry_out(&tx.tx).await?;
            jobs::store::fail(&tx.tx, &task.job_id, &error, now).await?;
            Next::GoesOn
        }
    };
    if stage.playable_at_ms.is_none() {
        jobs::store::update_playable(&tx.tx, &task.job_id, now).await?;
    }
    // As a repeat of this call will find it.
    let task = if task.to_end { lease_store::find_task(&tx.tx, &task.id).await? } else { task };
    tx.commit().await?;
    if next == Next::Completed {
        deliver::finish(&app, &task.job_id.parse().map_err(ApiError::internal)?).await;
    }
    // A span that is done makes nothing ready; what follows a fetch, a probe or the last span does.
    if next == Next::NewStage || !matches!(spec::kind_of(&task)?, TaskKind::Encode | TaskKind::Audio | TaskKind::File) {
        app.wake.work();
    }
    app.wake.events();
    Ok(Json(orders(&app, &task)))
}

/// Estimated work a second under this lease. Spans say how fast an agent is; what else there is takes as long as its network
/// does.
fn speed(lease: &lease::Model, task: &task::Model, now: Instant) -> Option<f64> {
    let seconds = now.since(Instant(lease.created_at_ms)).as_secs_f64();
    let (done, all) = (f64::from(task.cursor - lease.from_row), f64::from(task.last - task.first));
    (task.kind == TaskKind::Encode.as_str() && done > 0.0 && seconds > 0.0).then(|| task.estimated_work * done / all / seconds)
}

/// Hand a task back without blame
#[utoipa::path(post, path = "/v1/leases/{id}/release", tag = "leases", security(("bearer" = [])),
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
#[utoipa::path(post, path = "/v1/leases/{id}/fail", tag = "leases", security(("bearer" = [])),
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
        Found::Held(held) => held.0,
        Found::Repeated(task) => return Ok(Json(orders(&app, &task))),
    };
    let now = app.clock.now();
    let tx = app.db.write().await?;
    // The job may fail by this: it is locked before its task, as everywhere.
    jobs::store::lock_stage(&tx.tx, &lease.job_id).await?;
    let (lease, task) = hold(&tx.tx, &id, &auth, now).await?;
    tracing::warn!(lease.id, task.id, task.kind, agent.id = %auth.agent_id, code = request.code, message = request.message, "task failed");
    let why = json!({ "code": failure::cut(&request.code), "message": failure::cut(&request.message) });
    let mut writes = Writes::default();
    end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Fail, why, now);
    writes.carry_out(&tx.tx).await?;
    failure::take(&tx.tx, &lease, &task, request, now).await?;
    tx.commit().await?;
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
    let event = json!({
        "lease": lease.id, "task": task.id, "kind": task.kind, "agent": lease.agent_id,
        "how": LeaseState::Active.after(how).map(LeaseState::as_str), "why": why,
        "cursor": task.cursor, "last": task.last,
    });
    if let Some(ending) = lease_store::ending(&lease.id, how, now) {
        writes.add_query(tx, &ending);
    }
    writes.add_query(tx, &notify::event(&task.job_id, "lease.ended", event, now));
}
