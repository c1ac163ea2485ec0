//! The agent's side of a lease: ask, renew, get addresses to upload to.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use offpeak_api::{
    ids::LeaseId,
    lease::{Heartbeat, HolderState, Lease, LeaseRequest, ObjectName, Orders, PROTOCOL, UploadUrls, UploadUrlsRequest},
    problem::Problem,
};

use sea_orm::QueryFilter;

use super::{
    ADDRESS_LIFETIME, LONGEST_WAIT, LeaseEvent, SUSPENDED_AT_MOST, TaskEvent,
    grant::{self, Asker},
    hold::{held, hold, lost, orders},
    limits, restart,
    rules::classes,
    seen, spec,
    store::{self, View},
};
use crate::{
    app::App,
    auth::{AgentAuth, AskerAuth, HolderAuth},
    blob::BlobKey,
    clock::Instant,
    commit,
    db::Writes,
    entity::{lease, task},
    error::{ApiError, Body},
    groups,
};

/// Ask for work
///
/// Waits up to `wait_seconds` for something to do. A repeat with the same `request_id` gets the same lease.
#[utoipa::path(post, path = "/v1/leases", tag = "leases", security(("bearer" = [])), request_body = LeaseRequest, responses(
    (status = 201, description = "A lease, and what to do", body = Lease),
    (status = 204, description = "Nothing to do now: ask again"),
    (status = 403, description = "The agent is being drained or was set aside, or its group wants ffmpeg walled off in full \
        (`sandbox_required`); `Retry-After` says when to ask again", body = Problem),
    (status = 409, description = "That request was answered with a lease that has ended", body = Problem),
    (status = 426, description = "The engine is too old for this server", body = Problem),
))]
pub async fn request_lease(
    State(app): State<App>,
    AskerAuth(auth): AskerAuth,
    Body(request): Body<LeaseRequest>,
) -> Result<Response, ApiError> {
    if request.protocol < PROTOCOL {
        return Err(ApiError::new(
            StatusCode::UPGRADE_REQUIRED,
            "engine_too_old",
            format!("This engine speaks protocol {}; the server needs {PROTOCOL}.", request.protocol),
        )
        .hint("Update the engine."));
    }
    auth.standing.may_lease(app.clock.now())?;
    let mut request = request;
    request.capabilities = limits::check_request(&request)?;
    let asker = Asker {
        agent: auth.agent_id.clone(),
        request_id: request.request_id.clone(),
        instance: request.instance.clone(),
        classes: classes::served_by(&request.capabilities),
        build: request.capabilities.ffmpeg.clone(),
        expected_idle: request.expected_idle_seconds.map(Duration::from_secs),
    };
    let turn = app.looks.turn().await;
    // In boxes that are gone before the wait: thousands may wait at once, and these are most of what each would hold.
    Box::pin(seen::note(&app, &auth.agent_id, Some(&request.capabilities), app.clock.now())).await?;
    if let Some(instance) = &request.instance {
        Box::pin(restart::note(&app, &auth, instance)).await?;
    }
    // Most are, and cost nothing here.
    if !request.capabilities.is_boxed() {
        Box::pin(groups::check_unboxed(&app.db.reader, &auth.agent_id)).await?;
    }
    drop(turn);

    let wait = Duration::from_secs(u64::from(request.wait_seconds)).min(LONGEST_WAIT);
    let deadline = tokio::time::Instant::now() + wait;
    let mut waiter = app.wake.work_waiter(&asker.classes.join(" "));
    loop {
        let turn = app.looks.turn().await;
        let look = Box::pin(grant::try_grant(&app, &asker)).await?;
        drop(turn);
        if let Some(lease) = look {
            waiter.found();
            return Ok((StatusCode::CREATED, Json(lease)).into_response());
        }
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        if !waiter.wait(left).await {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    }
}

/// Renew a lease and get orders
#[utoipa::path(post, path = "/v1/leases/{id}/heartbeat", operation_id = "renew_lease", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = Heartbeat, responses(
    (status = 200, description = "Renewed; what to do from now on", body = Orders),
    (status = 409, description = "The lease is lost: stop at once", body = Problem),
))]
pub async fn heartbeat(
    State(app): State<App>,
    HolderAuth(auth): HolderAuth,
    Path(id): Path<LeaseId>,
    Body(beat): Body<Heartbeat>,
) -> Result<Json<Orders>, ApiError> {
    let now = app.clock.now();
    let beat = limits::plausible(beat);
    let view = held(&app.db.reader, &id, &auth).await?;
    let until = now + app.config.lease.lifetime;
    let mut renewal = Writes::default();
    renewal.add_condition(&app.db.reader, &store::beat(&view.lease, &beat, until, now)?.filter(store::is_in_time(now)));
    let is_usual = beat.state == HolderState::Encoding && view.lease.expires_at_ms >= now.ms();
    let task = if is_usual && app.db.write_at_once(renewal).await? {
        view.task
    } else {
        renew_locked(&app, (&id, &auth), &beat, until, now).await?
    };
    seen::note(&app, &auth.agent_id, None, now).await?;
    let source = spec::source_address(&app, &app.db.reader, &task).await?;
    Ok(Json(Orders { source, ..orders(&app, &task) }))
}

/// Renews a lease whose holder is late or suspended, so that its task may be somebody else's by now, or in the queue.
async fn renew_locked(
    app: &App,
    (id, auth): (&LeaseId, &AgentAuth),
    beat: &Heartbeat,
    until: Instant,
    now: Instant,
) -> Result<task::Model, ApiError> {
    let tx = app.db.write().await?;
    let (lease, task) = hold(&tx.tx, id, auth, now).await?;
    if lease.suspended_at_ms.is_some_and(|since| now.since(Instant(since)) > SUSPENDED_AT_MOST)
        && beat.state == HolderState::Suspended
    {
        store::end_lease(&tx.tx, &lease.id, LeaseEvent::Lose, now).await?;
        store::settle_task(&tx.tx, &task, TaskEvent::GiveBack, now).await?;
        tx.commit().await?;
        app.wake.work();
        return Err(lost("its holder was suspended for too long"));
    }
    store::beat(&lease, beat, until, now)?.exec(&tx.tx).await?;
    tx.commit().await?;
    Ok(task)
}

/// Get addresses to upload to
///
/// Each is signed for one key, length and SHA-256. Keys are written once; another try needs another `attempt`.
#[utoipa::path(post, path = "/v1/leases/{id}/upload-urls", operation_id = "sign_objects", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = UploadUrlsRequest, responses(
    (status = 200, description = "Addresses, in the order of the request", body = UploadUrls),
    (status = 409, description = "The lease is lost: stop at once", body = Problem),
    (status = 422, description = "An object that this task does not make", body = Problem),
))]
pub async fn upload_urls(
    State(app): State<App>,
    HolderAuth(auth): HolderAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<UploadUrlsRequest>,
) -> Result<Json<UploadUrls>, ApiError> {
    limits::check_objects(&request.objects)?;
    let now = app.clock.now();
    let View { lease, task, .. } = held(&app.db.reader, &id, &auth).await?;
    let renditions = commit::store::renditions_of_task(&app.db.reader, &task).await?;
    let mut addresses = Vec::with_capacity(request.objects.len());
    for object in request.objects {
        let known = match &object.name {
            ObjectName::Init { rendition } | ObjectName::Segment { rendition, .. } => {
                renditions.iter().any(|r| r.name == *rendition)
            }
            ObjectName::File => task.kind == super::TaskKind::File.as_str(),
        };
        if !known {
            return Err(ApiError::unfit("unknown_object", format!("This task does not make {}.", object.name)));
        }
        let key = object_key(&lease, &task, &object.name, object.attempt)?;
        addresses.push(app.blobs.put_address(&key, object.bytes, &object.sha256, now, ADDRESS_LIFETIME).await?);
    }
    Ok(Json(UploadUrls { addresses }))
}

/// The key under which a lease stores an object: below its own random prefix, so that no other lease can have written it.
pub fn object_key(lease: &lease::Model, task: &task::Model, name: &ObjectName, attempt: u32) -> Result<BlobKey, ApiError> {
    let folder = format!("jobs/{}/{}-{attempt}", lease.job_id, lease.prefix);
    let key = match name {
        ObjectName::Init { rendition } => format!("{folder}/{rendition}/init.mp4"),
        ObjectName::Segment { rendition, index } => format!("{folder}/{rendition}/{index}.m4s"),
        ObjectName::File => {
            let planned: crate::plan::PlannedFile = serde_json::from_value(task.spec.clone())?;
            format!("{folder}/{}", planned.name)
        }
    };
    key.parse().map_err(|_| ApiError::unfit("unknown_object", format!("Storage has no place for {name}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_answer<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// Ten thousand of them wait in one server.
    #[test]
    fn a_request_that_waits_is_small() {
        let bytes = size_of_answer(request_lease);
        assert!(bytes <= 1600, "{bytes} bytes");
    }
}
