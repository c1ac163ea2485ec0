//! The call that makes finished segments count.

use axum::{
    Json,
    extract::{Path, State},
};
use offpeak_api::{
    ids::LeaseId,
    lease::{CommitRequest, InitReport, ObjectName, Orders, SegmentReport},
    problem::Problem,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{Misfit, Sorted, Target, sort_rows, store};
use crate::{
    app::App,
    auth::AgentAuth,
    blob::BlobKey,
    clock::Instant,
    entity::{lease, rendition, task},
    error::{ApiError, Body},
    jobs,
    lease::{TaskKind, http as lease_http, spec, store as lease_store},
    notify,
};

impl From<Misfit> for ApiError {
    fn from(misfit: Misfit) -> Self {
        ApiError::unfit(misfit.code(), misfit.to_string())
    }
}

/// Commit finished segments
///
/// Whole rows from the cursor on, uploaded before. Repeating a commit is harmless. Rows at or past the task's `last` come
/// back in `refused`.
#[utoipa::path(post, path = "/v1/leases/{id}/commit", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = CommitRequest, responses(
    (status = 200, description = "Accepted; what to do from now on", body = Orders),
    (status = 409, description = "The lease is lost: stop at once", body = Problem),
    (status = 422, description = "What does not fit, and why", body = Problem),
))]
pub async fn commit(
    State(app): State<App>,
    auth: AgentAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<CommitRequest>,
) -> Result<Json<Orders>, ApiError> {
    // Storage is asked before the transaction: no lock is held while a disk or a network answers.
    let (lease, task) = lease_http::held(&app.db.reader, &id, &auth).await?;
    check_uploaded(&app, &lease, &task, &request).await?;

    let now = app.clock.now();
    let tx = app.db.write().await?;
    let (lease, task) = lease_http::held(&tx.tx, &id, &auth).await?;
    let renditions = store::renditions_of_task(&tx.tx, &task).await?;
    let sorted = sort(&tx.tx, &task, &renditions, &request.segments).await?;
    check_repeats(&tx.tx, &renditions, &sorted).await?;
    if !sorted.accepted.is_empty() {
        accept(&tx.tx, &lease, &task, &renditions, &sorted, &request.inits, now).await?;
    }
    lease_store::renew(&tx.tx, &lease, None, now).await?;
    let task = lease_store::find_task(&tx.tx, &task.id).await?;
    jobs::store::update_playable(&tx.tx, &task.job_id, now).await?;
    tx.commit().await?;
    app.wake.events();
    Ok(Json(Orders { refused: sorted.refused, ..lease_http::orders(&task) }))
}

async fn sort<'a>(
    db: &impl ConnectionTrait,
    task: &task::Model,
    renditions: &[rendition::Model],
    reports: &'a [SegmentReport],
) -> Result<Sorted<'a>, ApiError> {
    let kind = spec::kind_of(task)?;
    if !kind.makes_segments() {
        return Err(Misfit::NoSegments.into());
    }
    let (_, plan) = spec::facts_and_plan(&jobs::store::get(db, &task.job_id).await?)?;
    let names: Vec<String> = renditions.iter().map(|rendition| rendition.name.clone()).collect();
    let target = Target {
        kind,
        renditions: &names,
        cursor: task.cursor.cast_unsigned(),
        last: task.last.cast_unsigned(),
        open_end: task.to_end || kind == TaskKind::Audio,
        grid: plan.grid,
    };
    Ok(sort_rows(&target, reports)?)
}

/// Every object that the commit names must be in storage, with the length it says. (Its hash was checked as it came in.)
async fn check_uploaded(app: &App, lease: &lease::Model, task: &task::Model, request: &CommitRequest) -> Result<(), ApiError> {
    let segments = request
        .segments
        .iter()
        .map(|s| (ObjectName::Segment { rendition: s.rendition.clone(), index: s.index }, s.attempt, s.bytes));
    let inits = request.inits.iter().map(|i| (ObjectName::Init { rendition: i.rendition.clone() }, i.attempt, i.bytes));
    for (name, attempt, bytes) in segments.chain(inits) {
        let key = lease_http::object_key(lease, task, &name, attempt)?;
        if app.blobs.stat(&key).await.map_err(ApiError::internal)? != Some(bytes) {
            return Err(ApiError::unfit("not_uploaded", format!("{name:?} is not in storage with {bytes} bytes."))
                .hint("Upload it before committing it."));
        }
    }
    Ok(())
}

async fn check_repeats(db: &impl ConnectionTrait, renditions: &[rendition::Model], sorted: &Sorted<'_>) -> Result<(), ApiError> {
    for report in &sorted.repeated {
        let Some(rendition) = renditions.iter().find(|rendition| rendition.name == report.rendition) else { continue };
        let committed = store::find_segment(db, rendition, report.index).await?;
        if committed.is_some_and(|committed| committed.sha256 != report.sha256) {
            return Err(ApiError::unfit(
                "conflict",
                format!("Segment {} of {} was committed before, with other bytes.", report.index, report.rendition),
            ));
        }
    }
    Ok(())
}

async fn accept(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    renditions: &[rendition::Model],
    sorted: &Sorted<'_>,
    inits: &[InitReport],
    now: Instant,
) -> Result<(), ApiError> {
    for rendition in renditions {
        let init = inits.iter().find(|init| init.rendition == rendition.name);
        check_init(tx, lease, task, rendition, init).await?;
    }
    for report in sorted.accepted.iter().flatten() {
        let Some(rendition) = renditions.iter().find(|rendition| rendition.name == report.rendition) else { continue };
        let name = ObjectName::Segment { rendition: report.rendition.clone(), index: report.index };
        let key: BlobKey = lease_http::object_key(lease, task, &name, report.attempt)?;
        store::insert_segment(tx, rendition, report, key.as_str(), &lease.id, now).await?;
    }
    let rows = u32::try_from(sorted.accepted.len()).unwrap_or(u32::MAX);
    let cursor = task.cursor.cast_unsigned() + rows;
    store::advance(tx, task, cursor).await?;
    let bytes: u64 = sorted.accepted.iter().flatten().map(|report| report.bytes).sum();
    let event = json!({
        "lease": lease.id, "task": task.id, "agent": lease.agent_id, "kind": task.kind, "first": task.cursor, "last": cursor,
        "bytes": bytes,
    });
    notify::record(tx, &task.job_id, "segments.committed", event, now).await
}

/// The first commit pins a rendition's init segment; later ones must agree with it.
async fn check_init(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    rendition: &rendition::Model,
    init: Option<&InitReport>,
) -> Result<(), ApiError> {
    match (store::pinned_init(rendition)?, init) {
        (None, None) => {
            Err(ApiError::unfit("no_init", format!("The first commit of {} needs its init segment.", rendition.name)))
        }
        (None, Some(init)) => {
            let name = ObjectName::Init { rendition: rendition.name.clone() };
            let key = lease_http::object_key(lease, task, &name, init.attempt)?;
            store::pin_init(tx, rendition, init, key.as_str()).await
        }
        (Some(pinned), Some(init)) if pinned.fingerprint != init.fingerprint => Err(ApiError::unfit(
            "init_mismatch",
            format!("The init segment of {} is not the one that its first commit brought.", rendition.name),
        )
        .hint("All agents of a job need the same build of ffmpeg.")),
        (Some(_), _) => Ok(()),
    }
}
