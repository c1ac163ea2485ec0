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
    lease::{Action, Heartbeat, Lease, LeaseRequest, ObjectName, Orders, PROTOCOL, UploadUrls, UploadUrlsRequest},
    problem::Problem,
};

use super::{ADDRESS_LIFETIME, LONGEST_WAIT, LeaseState, grant, limits, spec, store};
use crate::{
    app::App,
    auth::AgentAuth,
    blob::BlobKey,
    commit,
    entity::{lease, task},
    error::{ApiError, Body},
    jobs,
};

/// Ask for work
///
/// Waits up to `wait_seconds` for something to do. A repeat with the same `request_id` gets the same lease.
#[utoipa::path(post, path = "/v1/leases", tag = "leases", security(("bearer" = [])), request_body = LeaseRequest, responses(
    (status = 201, description = "A lease, and what to do", body = Lease),
    (status = 204, description = "Nothing to do now: ask again"),
    (status = 409, description = "That request was answered with a lease that has ended", body = Problem),
    (status = 426, description = "The engine is too old for this server", body = Problem),
))]
pub async fn request_lease(
    State(app): State<App>,
    auth: AgentAuth,
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
    limits::check_request(&request)?;
    let kinds = grant::kinds_for(&request.capabilities);
    let capabilities = serde_json::to_value(&request.capabilities)?;
    if store::is_news(&app.db.reader, &auth.agent_id, &capabilities, app.clock.now()).await? {
        let tx = app.db.write().await?;
        store::mark_seen(&tx.tx, &auth.agent_id, Some(capabilities), app.clock.now()).await?;
        tx.commit().await?;
    }

    let wait = Duration::from_secs(u64::from(request.wait_seconds)).min(LONGEST_WAIT);
    let deadline = tokio::time::Instant::now() + wait;
    let mut waiter = app.wake.work_waiter(&kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" "));
    loop {
        // In a box that is gone before the wait: thousands may wait at once, and this is most of what each would hold.
        let look = Box::pin(grant::try_grant(&app, &auth.agent_id, &request.request_id, &kinds));
        if let Some(lease) = look.await? {
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
#[utoipa::path(post, path = "/v1/leases/{id}/heartbeat", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = Heartbeat, responses(
    (status = 200, description = "Renewed; what to do from now on", body = Orders),
    (status = 409, description = "The lease is lost: stop at once", body = Problem),
))]
pub async fn heartbeat(
    State(app): State<App>,
    auth: AgentAuth,
    Path(id): Path<LeaseId>,
    Body(beat): Body<Heartbeat>,
) -> Result<Json<Orders>, ApiError> {
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let (lease, task) = held(&tx.tx, &id, &auth).await?;
    store::renew(&tx.tx, &lease, Some((beat.state, limits::plausible(beat.progress))), now + app.config.lease.lifetime).await?;
    store::mark_seen(&tx.tx, &auth.agent_id, None, now).await?;
    tx.commit().await?;
    let job = jobs::store::get(&app.db.reader, &task.job_id).await?;
    let source = match spec::kind_of(&task)? {
        super::TaskKind::Fetch | super::TaskKind::File => None,
        super::TaskKind::Probe | super::TaskKind::Audio | super::TaskKind::Encode => {
            Some(spec::source_address(&app, &app.db.reader, &job).await?)
        }
    };
    Ok(Json(Orders { source, ..orders(&app, &task) }))
}

/// Get addresses to upload to
///
/// Each is signed for one key, length and SHA-256. Keys are written once; another try needs another `attempt`.
#[utoipa::path(post, path = "/v1/leases/{id}/upload-urls", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = UploadUrlsRequest, responses(
    (status = 200, description = "Addresses, in the order of the request", body = UploadUrls),
    (status = 409, description = "The lease is lost: stop at once", body = Problem),
    (status = 422, description = "An object that this task does not make", body = Problem),
))]
pub async fn upload_urls(
    State(app): State<App>,
    auth: AgentAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<UploadUrlsRequest>,
) -> Result<Json<UploadUrls>, ApiError> {
    limits::check_objects(&request.objects)?;
    let now = app.clock.now();
    let (lease, task) = held(&app.db.reader, &id, &auth).await?;
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
            return Err(ApiError::unfit("unknown_object", format!("This task does not make {:?}.", object.name)));
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
    key.parse().map_err(|_| ApiError::unfit("unknown_object", format!("{name:?} has no place in storage.")))
}

/// The lease, if this agent holds it.
pub async fn held(
    db: &impl sea_orm::ConnectionTrait,
    id: &LeaseId,
    auth: &AgentAuth,
) -> Result<(lease::Model, task::Model), ApiError> {
    let found = store::find_lease(db, id, &auth.agent_id).await?;
    match found {
        Some(lease) if lease.state == LeaseState::Active.as_str() => {
            let task = store::find_task(db, &lease.task_id).await?;
            Ok((lease, task))
        }
        // Its task may be gone by now, with a job that was deleted.
        Some(lease) => Err(lost(&lease.state)),
        None => Err(lost("unknown")),
    }
}

/// The answer to any call under a lease that is not active.
pub fn lost(state: &str) -> ApiError {
    ApiError::conflict("lease_lost", format!("This lease is not active: it is {state}."))
        .hint("Stop this work at once, and ask for other work.")
}

/// Orders as the task's row has them.
pub fn orders(app: &App, task: &task::Model) -> Orders {
    Orders {
        action: Action::Continue,
        cursor: task.cursor.cast_unsigned(),
        last: task.last.cast_unsigned(),
        to_end: task.to_end,
        expires_in_seconds: app.config.lease.lifetime.as_secs(),
        source: None,
        refused: Vec::new(),
    }
}
