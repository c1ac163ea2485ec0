//! The call that makes finished segments count.

use axum::{
    Json,
    extract::{Path, State},
};
use futures_util::{TryStreamExt, stream};
use offpeak_api::{
    ids::LeaseId,
    lease::{CommitRequest, InitReport, ObjectName, Orders, SegmentReport},
    problem::Problem,
};
use sea_orm::{ConnectionTrait, QueryFilter};
use serde_json::json;

use super::{
    Misfit, Sorted, Target, again, init, inspect, is_sha256, known, sort_rows, store,
    votes::{self, Disagreement},
};
use crate::{
    app::App,
    auth::{AgentAuth, HolderAuth},
    blob::BlobKey,
    clock::Instant,
    db::{WriteTx, Writes},
    entity::{job, lease, rendition, task},
    error::{ApiError, Body},
    jobs::{self, store::Stage},
    lease::{
        TaskKind,
        hold::{held, hold, orders},
        http as lease_http, spec,
        store::{self as lease_store, View},
    },
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
/// back in `refused`. The server looks into a sample of what was uploaded; an agent whose objects are not what it says is
/// refused with `malformed_segment`, set aside, and loses all its leases.
#[utoipa::path(post, path = "/v1/leases/{id}/commit", operation_id = "commit_segments", tag = "leases", security(("bearer" = [])),
    params(("id" = LeaseId, Path)), request_body = CommitRequest, responses(
    (status = 200, description = "Accepted; what to do from now on", body = Orders),
    (status = 409, description = "The lease is lost: stop at once", body = Problem),
    (status = 422, description = "What does not fit, and why", body = Problem),
))]
pub async fn commit(
    State(app): State<App>,
    HolderAuth(auth): HolderAuth,
    Path(id): Path<LeaseId>,
    Body(request): Body<CommitRequest>,
) -> Result<Json<Orders>, ApiError> {
    check_size(&request)?;
    // Storage is asked before the transaction: no lock is held while a disk or a network answers.
    let view = held(&app.db.reader, &id, &auth).await?;
    check_uploaded(&app, &view.lease, &view.task, &request).await?;
    if let Some(lie) = inspect::find_lie(&app, (&view.lease, &view.task), &request.inits, &request.segments).await? {
        return Err(inspect::set_aside(&app, &auth, (&view.lease, &view.task), lie).await?);
    }
    let now = app.clock.now();
    let orders = match at_once(&app, &view, &request, now).await? {
        Some(orders) => orders,
        None => commit_locked(&app, (&id, &auth), &view, &request, now).await?,
    };
    app.wake.events();
    Ok(Json(orders))
}

/// Most commits bring the next rows of a task that nobody else touches meanwhile: they are written on the condition that all
/// is as it was seen, without a transaction that holds locks from one trip to the database to the next. Nothing is written
/// when anything is out of the ordinary: then whoever has the locks says what.
async fn at_once(app: &App, view: &View, request: &CommitRequest, now: Instant) -> Result<Option<Orders>, ApiError> {
    let View { lease, task, stage } = view;
    if !spec::kind_of(task)?.makes_segments() || may_become_playable(task, stage) || lease.expires_at_ms < now.ms() {
        return Ok(None);
    }
    let renditions = known::renditions_of(app, task, stage.epochs).await?;
    if renditions.iter().any(|rendition| rendition.init.is_none()) || !init::are_pinned(&renditions, &request.inits)? {
        return Ok(None);
    }
    let Ok(sorted) = sort(app, &app.db.reader, task, &renditions, &request.segments).await else { return Ok(None) };
    if sorted.accepted.is_empty() || !sorted.repeated.is_empty() {
        return Ok(None);
    }
    let (mut writes, db) = (Writes::default(), &app.db.reader);
    let (cursor, last) = reached(task, &sorted);
    writes.add_condition(db, &store::advance(task, lease, cursor, last));
    let renewal = lease_store::renewal(lease, now + app.config.lease.lifetime);
    writes.add_condition(db, &renewal.filter(lease_store::is_in_time(now)));
    add_rows(db, &mut writes, (lease, task), &renditions, &sorted, now)?;
    if !app.db.write_at_once(writes).await? {
        return Ok(None);
    }
    let answer = Orders { cursor, last, refused: sorted.refused, ..orders(app, task) };
    app.known_leases.keep(View {
        task: task::Model { cursor: cursor.cast_signed(), last: last.cast_signed(), ..task.clone() },
        lease: lease::Model { expires_at_ms: (now + app.config.lease.lifetime).ms(), ..lease.clone() },
        stage: stage.clone(),
    });
    Ok(Some(answer))
}

/// Whether this may be the commit from which on a player could start: that takes two rows at the front, so it is one of the
/// first rows' pictures, or of sound.
fn may_become_playable(task: &task::Model, stage: &Stage) -> bool {
    stage.playable_at_ms.is_none()
        && (task.kind == TaskKind::Audio.as_str() || task.first.cast_unsigned() < jobs::playable::ENOUGH_SEGMENTS)
}

async fn commit_locked(
    app: &App,
    (id, auth): (&LeaseId, &AgentAuth),
    seen: &View,
    request: &CommitRequest,
    now: Instant,
) -> Result<Orders, ApiError> {
    // Jobs are locked before tasks: it must be known by now whether this may be the commit that makes the job playable.
    let may_become_playable = may_become_playable(&seen.task, &seen.stage);
    let Opened { tx, lease, task, renditions, job } =
        open(app, (id, &seen.task.job_id), auth, (&request.inits, may_become_playable), now).await?;
    let mut unpinned = None;
    if let Some(job) = job {
        for init in &request.inits {
            init::check_plausible(&task, init)?;
        }
        let build = lease_store::build_of_agent(&tx.tx, &lease.agent_id).await?;
        if let Some(other) = Disagreement::find(&renditions, &request.inits, job.build.as_deref(), &build)? {
            votes::take(&tx.tx, &lease, &task, &other, now).await?;
            tx.commit().await?;
            app.wake.work();
            app.wake.events();
            votes::count(app, &task, &other.rendition.name, now).await?;
            return Err(other.refusal());
        }
        unpinned = job.build.is_none().then_some((job, build));
    }
    let sorted = sort(app, &tx.tx, &task, &renditions, &request.segments).await?;
    check_repeats(&tx.tx, &lease, &renditions, &sorted).await?;
    let (cursor, last) = reached(&task, &sorted);
    let mut writes = Writes::default();
    writes.add_query(&tx.tx, &lease_store::renewal(&lease, now + app.config.lease.lifetime));
    if !sorted.accepted.is_empty() {
        for rendition in &renditions {
            let init = request.inits.iter().find(|init| init.rendition == rendition.name);
            init::take(&tx.tx, &lease, &task, rendition, init).await?;
        }
        writes.add_query(&tx.tx, &store::advance(&task, &lease, cursor, last));
        add_rows(&tx.tx, &mut writes, (&lease, &task), &renditions, &sorted, now)?;
    }
    writes.carry_out(&tx.tx).await?;
    if let Some((job, build)) = unpinned.filter(|(_, build)| !sorted.accepted.is_empty() && !build.is_empty()) {
        again::pin_build(&tx.tx, &job, Some(&build)).await?;
    }
    if may_become_playable && !sorted.accepted.is_empty() {
        jobs::store::update_playable(app, &tx.tx, &task.job_id, now).await?;
    }
    tx.commit().await?;
    Ok(Orders { cursor, last, refused: sorted.refused, ..orders(app, &task) })
}

/// A held lease, and what its commit is about, locked.
struct Opened {
    tx: WriteTx,
    lease: lease::Model,
    task: task::Model,
    renditions: Vec<rendition::Model>,
    /// When an init segment is not the pinned one: it is to be pinned, or refused, and that is done by one at a time.
    job: Option<job::Model>,
}

async fn open(
    app: &App,
    (id, job): (&LeaseId, &str),
    auth: &AgentAuth,
    (inits, changes_job): (&[InitReport], bool),
    now: Instant,
) -> Result<Opened, ApiError> {
    if !changes_job {
        let tx = app.db.write().await?;
        let (lease, task) = hold(&tx.tx, id, auth, now).await?;
        let renditions = store::renditions_of_task(&tx.tx, &task).await?;
        if init::are_pinned(&renditions, inits)? {
            return Ok(Opened { tx, lease, task, renditions, job: None });
        }
    }
    let tx = app.db.write().await?;
    let job = jobs::store::lock(&tx.tx, job).await?;
    let (lease, task) = hold(&tx.tx, id, auth, now).await?;
    let renditions = store::renditions_of_task(&tx.tx, &task).await?;
    let is_pinned = init::are_pinned(&renditions, inits)?;
    Ok(Opened { tx, lease, task, renditions, job: (!is_pinned).then_some(job) })
}

/// Cursor and end of the task after this commit: a span to the end goes on for as long as there is film.
fn reached(task: &task::Model, sorted: &Sorted<'_>) -> (u32, u32) {
    let rows = u32::try_from(sorted.accepted.len()).unwrap_or(u32::MAX);
    let cursor = task.cursor.cast_unsigned().saturating_add(rows);
    (cursor, cursor.max(task.last.cast_unsigned()))
}

/// As the description says; more in one call would hold the database for too long.
const MOST_SEGMENTS: usize = 1024;
const MOST_INITS: usize = 32;

fn check_size(request: &CommitRequest) -> Result<(), ApiError> {
    if (1..=MOST_SEGMENTS).contains(&request.segments.len()) && request.inits.len() <= MOST_INITS {
        return Ok(());
    }
    Err(ApiError::unfit(
        "bad_commit",
        format!("A commit has 1 to {MOST_SEGMENTS} segments and at most {MOST_INITS} init segments."),
    ))
}

async fn sort<'a>(
    app: &App,
    db: &impl ConnectionTrait,
    task: &task::Model,
    renditions: &[rendition::Model],
    reports: &'a [SegmentReport],
) -> Result<Sorted<'a>, ApiError> {
    let kind = spec::kind_of(task)?;
    if !kind.makes_segments() {
        return Err(Misfit::NoSegments.into());
    }
    let planned = jobs::planned::of(app, &task.job_id).await?;
    let names: Vec<String> = renditions.iter().map(|rendition| rendition.name.clone()).collect();
    let target = Target {
        kind,
        renditions: &names,
        first: task.first.cast_unsigned(),
        cursor: task.cursor.cast_unsigned(),
        last: task.last.cast_unsigned(),
        open_end: task.to_end || kind == TaskKind::Audio,
        // Only where the film may end can a row be anything but full.
        frames_before: if task.to_end { store::frames_before_cursor(db, task, renditions).await? } else { None },
        grid: planned.plan.grid,
    };
    Ok(sort_rows(&target, reports)?)
}

/// A bucket takes tens of milliseconds for each answer, and a commit may name a hundred objects.
const LOOKS_AT_ONCE: usize = 16;

/// Every object that the commit names must be in storage, with the length and the hash it says.
async fn check_uploaded(app: &App, lease: &lease::Model, task: &task::Model, request: &CommitRequest) -> Result<(), ApiError> {
    let segments = request
        .segments
        .iter()
        .map(|s| (ObjectName::Segment { rendition: s.rendition.clone(), index: s.index }, s.attempt, s.bytes, &s.sha256));
    let inits =
        request.inits.iter().map(|i| (ObjectName::Init { rendition: i.rendition.clone() }, i.attempt, i.bytes, &i.sha256));
    let looks = stream::iter(segments.chain(inits).map(Ok));
    looks
        .try_for_each_concurrent(LOOKS_AT_ONCE, async |(name, attempt, bytes, sha256)| {
            let key = lease_http::object_key(lease, task, &name, attempt)?;
            // What is no hash at all is refused for that, when the rows are looked at.
            if !is_sha256(sha256) || app.blobs.holds(&key, bytes, sha256).await.map_err(ApiError::internal)? {
                return Ok(());
            }
            Err(ApiError::unfit(
                "not_uploaded",
                format!("Storage does not hold {name} with {bytes} bytes and the SHA-256 {sha256}."),
            )
            .hint("Upload it before committing it."))
        })
        .await
}

/// What this lease committed before must be the same. Rows that another holder of the task committed are another matter: it was
/// faster, and two encodes need not give the same bytes.
async fn check_repeats(
    db: &impl ConnectionTrait,
    lease: &lease::Model,
    renditions: &[rendition::Model],
    sorted: &Sorted<'_>,
) -> Result<(), ApiError> {
    for rendition in renditions {
        let repeated = || sorted.repeated.iter().filter(|report| report.rendition == rendition.name);
        let (Some(first), Some(last)) = (repeated().map(|r| r.index).min(), repeated().map(|r| r.index).max()) else { continue };
        let committed = store::hashes_between(db, rendition, first, last).await?;
        let differs = |report: &SegmentReport| {
            committed.get(&report.index).is_some_and(|(sha256, by)| *sha256 != report.sha256 && *by == lease.id)
        };
        if let Some(other) = repeated().find(|report| differs(report)) {
            return Err(ApiError::unfit(
                "conflict",
                format!("Segment {} of {} was committed before, with other bytes.", other.index, other.rendition),
            ));
        }
    }
    Ok(())
}

/// The accepted rows, and the event that tells of them.
fn add_rows(
    db: &impl ConnectionTrait,
    writes: &mut Writes,
    (lease, task): (&lease::Model, &task::Model),
    renditions: &[rendition::Model],
    sorted: &Sorted<'_>,
    now: Instant,
) -> Result<(), ApiError> {
    let mut rows = Vec::with_capacity(sorted.accepted.len() * renditions.len());
    for report in sorted.accepted.iter().flatten() {
        let Some(rendition) = renditions.iter().find(|rendition| rendition.name == report.rendition) else { continue };
        let name = ObjectName::Segment { rendition: report.rendition.clone(), index: report.index };
        let key: BlobKey = lease_http::object_key(lease, task, &name, report.attempt)?;
        rows.push(store::segment_row(rendition, report, key.as_str(), &lease.id, now));
    }
    // Each was compared with what storage holds, so the sum is one of real files.
    let bytes: u64 = sorted.accepted.iter().flatten().map(|report| report.bytes).sum();
    let event = json!({
        "lease": lease.id, "task": task.id, "agent": lease.agent_id, "kind": task.kind, "first": task.cursor,
        "last": reached(task, sorted).0, "bytes": bytes,
    });
    writes.add_query(db, &store::segments(rows)).add_query(db, &notify::event(&task.job_id, "segments.committed", event, now));
    Ok(())
}
