//! Jobs: make, read, list, cancel, retry, delete.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use offpeak_api::{
    ids::{JobId, SourceId},
    job::{CreateJob, Job, JobList, JobSource, JobState, ListJobs, SourceState},
    problem::Problem,
    webhook::WebhookEvent,
};
use offpeak_outbound::AllowList;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{JobEvent, check_request, parse_states, progress, store, tasks};
use crate::{
    app::App,
    auth::{
        TeamAuth,
        may::{JobsRead, JobsWrite, May},
    },
    blob::BlobKey,
    entity::job,
    error::{ApiError, Body},
    lease::{NO_DEADLINE_MS, TaskKind, queue},
    notify, page, profile, upload,
    webhooks::outbox,
};

/// Make a job
///
/// One source through one profile. The source is a finished upload, or a URL to fetch from.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", security(("bearer" = ["jobs:write"])), request_body = CreateJob, responses(
    (status = 201, description = "The job, queued", body = Job),
    (status = 404, description = "No such upload", body = Problem),
    (status = 409, description = "The upload is not finished, or its bytes are gone", body = Problem),
    (status = 422, description = "Something in the request does not fit, such as an unknown profile", body = Problem),
))]
pub async fn create_job(
    State(app): State<App>,
    auth: May<JobsWrite>,
    Body(request): Body<CreateJob>,
) -> Result<Response, ApiError> {
    check_request(&request)?;
    let now = app.clock.now();
    let profile = profile::store::find(&app.db.reader, &auth.team_id, &request.profile).await?;
    let tx = app.db.write().await?;
    let (source, kind) = match &request.source {
        JobSource::Upload(id) => (ready_source(&tx.tx, &auth, id).await?, TaskKind::Probe),
        JobSource::Url(url) => {
            let url = check_url(url, &app.config.outbound_allow)?;
            let expires = now + app.config.upload_kept_for;
            (upload::store::create_fetch_source(&tx.tx, &auth.team_id, &url, now, expires).await?, TaskKind::Fetch)
        }
    };
    let row = job::Model {
        id: JobId::new().to_string(),
        team_id: auth.team_id.to_string(),
        source_id: source.to_string(),
        profile_name: profile.name.clone(),
        profile: serde_json::to_value(&profile)?,
        state: JobState::Queued.as_str().to_owned(),
        priority: i32::from(request.priority),
        deadline_ms: request.deadline.map_or(NO_DEADLINE_MS, |deadline| deadline.timestamp_millis()),
        build: None,
        metadata: serde_json::to_value(&request.metadata)?,
        facts: None,
        plan: None,
        warnings: json!([]),
        error: None,
        end_frame: None,
        estimated_work: None,
        progress: 0.0,
        created_at_ms: now.ms(),
        started_at_ms: None,
        playable_at_ms: None,
        ended_at_ms: None,
        film_seconds: None,
        rendition_seconds: None,
        one_machine_seconds: None,
    };
    store::insert(&tx.tx, row.clone()).await?;
    tasks::insert(&tx.tx, &row, vec![tasks::NewTask::plain(kind)], now).await?;
    notify::record(&tx.tx, &row.id, "job.created", json!({ "profile": row.profile_name }), now).await?;
    tx.commit().await?;
    app.wake.work();
    app.wake.events();
    tracing::info!(job.id = row.id, source.id = %source, profile = profile.name, "created job");
    let location = HeaderValue::try_from(format!("/v1/jobs/{}", row.id)).map_err(ApiError::internal)?;
    let job = one(&app, row).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(job)).into_response())
}

/// Asked in the transaction that makes the job: a source that a job uses is not deleted from then on.
async fn ready_source(tx: &impl ConnectionTrait, auth: &TeamAuth, id: &SourceId) -> Result<SourceId, ApiError> {
    let source = upload::store::lock_source(tx, &auth.team_id, id).await?;
    match upload::store::state_of(&source)? {
        SourceState::Ready => Ok(id.clone()),
        SourceState::Uploading => Err(ApiError::conflict(
            "upload_unfinished",
            format!("The upload {id} is not finished: {} bytes have arrived.", source.received),
        )
        .hint("Finish it with PATCH /v1/uploads/{id}, then make the job.")),
        SourceState::Deleted => {
            Err(ApiError::conflict("source_deleted", format!("The bytes of {id} are gone.")).hint("Upload the file again."))
        }
    }
}

/// An address that is refused whoever looks its name up is refused here; the rest is for the engine that fetches it.
fn check_url(text: &str, allow: &AllowList) -> Result<String, ApiError> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.filter(|url| url.as_str().len() <= 4096).ok_or_else(|| {
        ApiError::unfit("bad_url", format!("{text:?} is not an http or https address."))
            .hint("Give the address of the file itself, such as https://example.com/film.mp4.")
    })?;
    offpeak_outbound::check_url(&url, allow).map_err(|refused| ApiError::unfit(refused.code(), refused.to_string()))?;
    Ok(url.into())
}

async fn one(app: &App, row: job::Model) -> Result<Job, ApiError> {
    progress::show(app, vec![row]).await?.pop().ok_or_else(|| ApiError::internal("a job got lost on its way out"))
}

/// Read a job
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", security(("bearer" = ["jobs:read"])), params(("id" = JobId, Path)), responses(
    (status = 200, description = "The job", body = Job),
    (status = 404, description = "No such job", body = Problem),
))]
pub async fn get_job(State(app): State<App>, auth: May<JobsRead>, Path(id): Path<JobId>) -> Result<Json<Job>, ApiError> {
    let row = store::find(&app.db.reader, &auth.team_id, &id).await?;
    Ok(Json(one(&app, row).await?))
}

/// List jobs
///
/// Youngest first, in pages.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", security(("bearer" = ["jobs:read"])), params(ListJobs), responses(
    (status = 200, description = "A page of jobs", body = JobList),
    (status = 422, description = "A filter does not fit", body = Problem),
))]
pub async fn list_jobs(
    State(app): State<App>,
    auth: May<JobsRead>,
    query: Result<Query<ListJobs>, QueryRejection>,
) -> Result<Json<JobList>, ApiError> {
    let query = page::query(query)?;
    if query.profile.as_ref().is_some_and(|name| !profile::is_name(name)) {
        return Err(ApiError::unfit("bad_filter", "`profile` is the name of a profile."));
    }
    if query.search.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > 200 || text.contains('\0')) {
        return Err(ApiError::unfit("bad_filter", "`search` is a text of 1 to 200 characters."));
    }
    let states = parse_states(query.state.as_deref())?;
    let limit = page::limit(query.limit)?;
    page::check_cursor::<JobId>(query.cursor.as_deref())?;
    let (rows, more) = store::list(&app.db.reader, &auth.team_id, &query, &states, u64::from(limit)).await?;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok(Json(JobList { jobs: progress::show(&app, rows).await?, next_cursor }))
}

/// Cancel a job
///
/// Its machines stop within one heartbeat, and what it had made is removed.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", security(("bearer" = ["jobs:write"])), params(("id" = JobId, Path)), responses(
    (status = 200, description = "The job, cancelled", body = Job),
    (status = 404, description = "No such job", body = Problem),
    (status = 409, description = "The job is over", body = Problem),
))]
pub async fn cancel_job(State(app): State<App>, auth: May<JobsWrite>, Path(id): Path<JobId>) -> Result<Json<Job>, ApiError> {
    let now = app.clock.now();
    store::find(&app.db.reader, &auth.team_id, &id).await?;
    let tx = app.db.write().await?;
    let row = store::lock(&tx.tx, id.as_str()).await?;
    match store::state_of(&row)? {
        JobState::Cancelled => {}
        JobState::Completed | JobState::Failed => {
            return Err(ApiError::conflict("job_over", format!("This job is {}; there is nothing to cancel.", row.state))
                .hint("DELETE removes a job that is over, with its outputs."));
        }
        JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing => {
            store::end(&tx.tx, &row, JobEvent::Cancel, now).await?;
            store::delete_results(&tx.tx, &id).await?;
            notify::record(&tx.tx, id.as_str(), "job.cancelled", json!({}), now).await?;
            outbox::job(&app, &tx.tx, id.as_str(), WebhookEvent::JobCancelled, now).await?;
        }
    }
    tx.commit().await?;
    app.blobs.delete_prefix(&BlobKey::job_folder(&id)).await.map_err(ApiError::internal)?;
    app.wake.events();
    app.wake.work();
    let row = store::find(&app.db.reader, &auth.team_id, &id).await?;
    Ok(Json(one(&app, row).await?))
}

/// Retry a failed job
///
/// Only what is missing is done again.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", tag = "jobs", security(("bearer" = ["jobs:write"])), params(("id" = JobId, Path)), responses(
    (status = 200, description = "The job, at work again", body = Job),
    (status = 404, description = "No such job", body = Problem),
    (status = 409, description = "The job did not fail, or its source is gone", body = Problem),
))]
pub async fn retry_job(State(app): State<App>, auth: May<JobsWrite>, Path(id): Path<JobId>) -> Result<Json<Job>, ApiError> {
    let now = app.clock.now();
    let tx = app.db.write().await?;
    store::find(&tx.tx, &auth.team_id, &id).await?;
    let row = store::lock(&tx.tx, id.as_str()).await?;
    if store::state_of(&row)? != JobState::Failed {
        return Err(ApiError::conflict("job_not_failed", format!("This job is {}; only failed jobs can be retried.", row.state)));
    }
    let source: SourceId = row.source_id.parse().map_err(ApiError::internal)?;
    let source = upload::store::lock(&tx.tx, &source).await?;
    match upload::store::state_of(&source)? {
        SourceState::Deleted => {
            return Err(ApiError::conflict("source_deleted", "The bytes of this job's source are gone.").hint("Submit it again."));
        }
        SourceState::Ready | SourceState::Uploading => {}
    }
    store::reopen(&tx.tx, &row).await?;
    notify::record(&tx.tx, id.as_str(), "job.retried", json!({}), now).await?;
    tx.commit().await?;
    app.wake.events();
    app.wake.work();
    let row = store::find(&app.db.reader, &auth.team_id, &id).await?;
    Ok(Json(one(&app, row).await?))
}

/// Delete a job
///
/// With all that it made. A job that is at work is cancelled first. Its source stays.
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "jobs", security(("bearer" = ["jobs:write"])), params(("id" = JobId, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such job", body = Problem),
))]
pub async fn delete_job(State(app): State<App>, auth: May<JobsWrite>, Path(id): Path<JobId>) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    store::find(&tx.tx, &auth.team_id, &id).await?;
    store::lock(&tx.tx, id.as_str()).await?;
    queue::remove_job(&tx.tx, id.as_str()).await?;
    store::delete(&tx.tx, &id, app.clock.now()).await?;
    tx.commit().await?;
    app.blobs.delete_prefix(&BlobKey::job_folder(&id)).await.map_err(ApiError::internal)?;
    app.wake.events();
    tracing::info!(job.id = %id, "deleted job");
    Ok(StatusCode::NO_CONTENT)
}
