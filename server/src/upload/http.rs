//! Uploads (tus 1.0) and sources over HTTP.

use std::io::Seek;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use offpeak_api::{ids::SourceId, job::Source};
use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use super::store;
use crate::{
    app::App,
    auth::{Caller, TeamAuth, hex},
    blob::intake::{Chunks, Intake, Written},
    clock::Instant,
    entity::source,
    error::ApiError,
};

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn tus(status: StatusCode, headers: &[(&'static str, String)]) -> Response {
    let mut response = status.into_response();
    response.headers_mut().insert("tus-resumable", HeaderValue::from_static("1.0.0"));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

/// What uploads can do
#[utoipa::path(options, path = "/v1/uploads", tag = "uploads", responses((status = 204, description = "In headers")))]
pub async fn options() -> Response {
    tus(StatusCode::NO_CONTENT, &[("tus-version", "1.0.0".into()), ("tus-extension", "creation,creation-with-upload".into())])
}

/// Begin an upload
#[utoipa::path(post, path = "/v1/uploads", tag = "uploads", security(("bearer" = [])), responses((status = 201, description = "Begun")))]
pub async fn create(State(app): State<App>, auth: TeamAuth, headers: HeaderMap, body: Body) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let length = number(&headers, "upload-length");
    let tx = app.db.write().await?;
    let id = store::insert(&tx.tx, &auth.team_id, length, None, None, now, now + app.config.upload_kept_for).await?;
    tx.commit().await?;
    let row = store::get(&app.db.reader, &id).await?;
    let offset = append(&app, row, &headers, body).await?;
    Ok(tus(StatusCode::CREATED, &[("location", format!("/v1/uploads/{id}")), ("upload-offset", offset.to_string())]))
}

async fn find(app: &App, caller: &Caller, id: &SourceId) -> Result<source::Model, ApiError> {
    match caller {
        Caller::Team(team) => store::find_source(&app.db.reader, &team.team_id, id).await,
        Caller::Agent(agent) => store::find_fetched_by(&app.db.reader, &agent.agent_id, id).await,
    }
}

/// How far an upload is
#[utoipa::path(head, path = "/v1/uploads/{id}", tag = "uploads", security(("bearer" = [])), params(("id" = SourceId, Path)), responses((status = 200, description = "In headers")))]
pub async fn head(State(app): State<App>, caller: Caller, Path(id): Path<SourceId>) -> Result<Response, ApiError> {
    let row = find(&app, &caller, &id).await?;
    let mut headers = vec![("upload-offset", row.received.to_string()), ("cache-control", "no-store".to_owned())];
    headers.push(row.length.map_or(("upload-defer-length", "1".to_owned()), |length| ("upload-length", length.to_string())));
    Ok(tus(StatusCode::OK, &headers))
}

/// Append to an upload
#[utoipa::path(patch, path = "/v1/uploads/{id}", tag = "uploads", security(("bearer" = [])), params(("id" = SourceId, Path)), responses((status = 204, description = "Appended")))]
pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SourceId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let row = find(&app, &caller, &id).await?;
    if number(&headers, "upload-offset") != Some(row.received.cast_unsigned()) {
        return Err(ApiError::conflict("wrong_offset", format!("The upload is at {}.", row.received)));
    }
    let offset = append(&app, row, &headers, body).await?;
    Ok(tus(StatusCode::NO_CONTENT, &[("upload-offset", offset.to_string())]))
}

async fn append(app: &App, row: source::Model, headers: &HeaderMap, body: Body) -> Result<u64, ApiError> {
    let id: SourceId = row.id.parse().map_err(ApiError::internal)?;
    let path = app.blobs.upload_path(&id);
    let received = row.received.cast_unsigned();
    let file = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::options().create(true).truncate(false).write(true).open(path)?;
        file.set_len(received)?;
        file.seek(std::io::SeekFrom::End(0))?;
        Ok::<_, std::io::Error>(file)
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)?;
    let sha256 = match &row.hash_state {
        Some(state) => {
            let state = SerializedState::<Sha256>::try_from(state.as_slice()).map_err(ApiError::internal)?;
            Sha256::deserialize(&state).map_err(|_| ApiError::internal("a hash state does not read"))?
        }
        None => Sha256::new(),
    };
    let mut intake = Intake::new(Written { file, sha256, checksum: None });
    let (mut chunks, mut offset) = (Chunks::new(body), received);
    while let Ok(Some(chunk)) = chunks.next().await {
        offset += chunk.len() as u64;
        intake.push(chunk).await.map_err(ApiError::internal)?;
    }
    let sha256 = intake.sync().await.map_err(ApiError::internal)?;
    let length = number(headers, "upload-length").or(row.length.map(i64::cast_unsigned));
    let tx = app.db.write().await?;
    if !store::set_received(&tx.tx, &row, offset, sha256.serialize().to_vec(), length).await? {
        return Err(ApiError::conflict("wrong_offset", "Somebody else appended meanwhile."));
    }
    if length == Some(offset) {
        app.blobs.publish_upload(&id).map_err(ApiError::internal)?;
        store::set_ready(&tx.tx, &row.id, hex(&sha256.finalize()), app.clock.now() + app.config.source_kept_for).await?;
    }
    tx.commit().await?;
    Ok(offset)
}

/// Give an upload up
#[utoipa::path(delete, path = "/v1/uploads/{id}", tag = "uploads", security(("bearer" = [])), params(("id" = SourceId, Path)), responses((status = 204, description = "Gone")))]
pub async fn terminate(State(app): State<App>, auth: TeamAuth, Path(id): Path<SourceId>) -> Result<Response, ApiError> {
    store::find_source(&app.db.reader, &auth.team_id, &id).await?;
    app.blobs.delete_upload(&id).await.map_err(ApiError::internal)?;
    Ok(tus(StatusCode::NO_CONTENT, &[]))
}

/// Read a source
#[utoipa::path(get, path = "/v1/sources/{id}", tag = "uploads", security(("bearer" = [])), params(("id" = SourceId, Path)), responses((status = 200, description = "The source", body = Source)))]
pub async fn get_source(State(app): State<App>, auth: TeamAuth, Path(id): Path<SourceId>) -> Result<Json<Source>, ApiError> {
    let row = store::find_source(&app.db.reader, &auth.team_id, &id).await?;
    Ok(Json(Source {
        id,
        state: store::state_of(&row)?,
        filename: row.filename,
        bytes: row.length.map(i64::cast_unsigned),
        received_bytes: row.received.cast_unsigned(),
        sha256: row.sha256,
        created_at: Instant(row.created_at_ms).to_utc(),
        expires_at: Instant(row.expires_at_ms).to_utc(),
    }))
}
