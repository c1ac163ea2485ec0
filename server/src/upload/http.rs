//! Handlers of uploads (tus 1.0) and of the sources that come of them.

use axum::{
    Json,
    body::{Body, HttpBody},
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use offpeak_api::{
    ids::SourceId,
    job::{Source, SourceState},
    problem::Problem,
};

use super::{
    append::{Piece, append, gone},
    partial, remove_source, settle,
    store::{self, NewSource},
    tus,
};
use crate::{
    app::App,
    auth::{
        Caller, TeamAuth,
        may::{May, OrAgent, SourcesRead, UploadsWrite},
    },
    blob::{Storage, intake::Chunks, storage_error},
    clock::Instant,
    entity::source,
    error::ApiError,
};

/// Every answer of the protocol says its version, refusals too.
fn answer(result: Result<Response, ApiError>) -> Response {
    let mut response = result.into_response();
    tus::set(response.headers_mut(), "tus-resumable", tus::VERSION);
    if response.status() == StatusCode::PRECONDITION_FAILED {
        tus::set(response.headers_mut(), "tus-version", tus::VERSION);
    }
    response
}

/// An upload's address: another kind of id is as unknown as none.
pub(super) fn parse_id(id: &str) -> Result<SourceId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("source_not_found", format!("There is no source or upload {id:?}.")))
}

/// The row, for those who may append to it: the team's program, or the agent that fetches it.
async fn find_for(app: &App, caller: &Caller, id: &SourceId) -> Result<source::Model, ApiError> {
    match caller {
        Caller::Team(team) => store::find_source(&app.db.reader, &team.team_id, id).await,
        Caller::Agent(agent) => store::find_fetched(&app.db.reader, &agent.agent_id, id).await,
    }
}

/// Where an upload stands, as headers.
fn describe(headers: &mut HeaderMap, row: &source::Model) {
    tus::set(headers, "upload-offset", &row.received.to_string());
    if row.sha256.is_none() {
        tus::set(headers, "upload-expires", &tus::http_date(Instant(row.expires_at_ms)));
    }
}

/// What this server can do (tus)
#[utoipa::path(options, path = "/v1/uploads", operation_id = "upload_options", tag = "uploads", responses(
    (status = 204, description = "Versions, extensions, limits, as headers"),
))]
pub async fn options(State(app): State<App>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    tus::set(headers, "tus-version", tus::VERSION);
    tus::set(headers, "tus-extension", tus::EXTENSIONS);
    tus::set(headers, "tus-max-size", &app.config.max_source_bytes.to_string());
    tus::set(headers, "tus-checksum-algorithm", tus::CHECKSUM_ALGORITHMS);
    answer(Ok(response))
}

/// Begin an upload (tus)
///
/// Its first piece may come along as the body. The id at the end of `Location` names the source.
#[utoipa::path(post, path = "/v1/uploads", operation_id = "create_upload", tag = "uploads", security(("bearer" = ["uploads:write"])), params(
    ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
    ("Upload-Length" = Option<i64>, Header, description = "Bytes of the whole file", minimum = 0),
    ("Upload-Defer-Length" = Option<u8>, Header, description = "1 when the length becomes known later", minimum = 1, maximum = 1),
    ("Upload-Metadata" = Option<String>, Header, description = "Pairs of a key and a base 64 value; `filename` is kept with the source",
        pattern = "^[A-Za-z0-9_-]+ [A-Za-z0-9+/]+={0,2}(,[A-Za-z0-9_-]+ [A-Za-z0-9+/]+={0,2})*$", max_length = 8192),
    ("Upload-Checksum" = Option<String>, Header, description = "`sha256` or `sha1` and the body's hash in base 64", pattern = "^(sha1 [A-Za-z0-9+/]{27}=|sha256 [A-Za-z0-9+/]{43}=)$"),
), request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"), responses(
    (status = 201, description = "The upload is at `Location`"),
    (status = 400, description = "A header does not read", body = Problem),
    (status = 408, description = "The first piece did not arrive whole", body = Problem),
    (status = 412, description = "Another version of tus", body = Problem),
    (status = 413, description = "The file is larger than this server takes", body = Problem),
    (status = 460, description = "The body does not have the hash that Upload-Checksum says", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    auth: Result<May<UploadsWrite>, ApiError>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(create_upload(&app, auth.map(May::team), &headers, body).await)
}

async fn create_upload(
    app: &App,
    auth: Result<TeamAuth, ApiError>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let auth = auth?;
    tus::check_version(headers)?;
    let length = tus::creation_length(headers)?;
    let metadata = tus::metadata(headers)?;
    let with_piece = has_piece(headers);
    let checksum = tus::checksum(headers)?.filter(|_| with_piece);
    if let Some(length) = length.filter(|length| *length > app.config.max_source_bytes) {
        let limit = app.config.max_source_bytes;
        let problem = ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "source_too_large",
            format!("This server takes sources of up to {limit} bytes; this one has {length}."),
        );
        return Ok(([("tus-max-size", limit.to_string())], problem).into_response());
    }
    let now = app.clock.now();
    let new = NewSource {
        team: &auth.team_id,
        length,
        filename: metadata.filename.as_deref(),
        metadata: metadata.raw.as_deref(),
        url: None,
    };
    let tx = app.db.write().await?;
    let mut row = store::insert(&tx.tx, new, now, now + app.config.upload_kept_for).await?;
    tx.commit().await?;
    let id = parse_id(&row.id)?;
    tracing::info!(source.id = %id, length, "began upload");
    if with_piece || length == Some(0) {
        let (announced, chunks) =
            if with_piece { (body.size_hint().exact(), Chunks::new(body)) } else { (Some(0), Chunks::empty()) };
        let piece = Piece { id: id.clone(), sender: Caller::Team(auth.clone()), offset: 0, length: None, announced, checksum };
        match append(app.clone(), piece, chunks).await {
            Ok(after) => row = after,
            Err(error) => {
                // The client gets no `Location`, so nobody could go on with this upload.
                remove_source(app, &auth.team_id, &id).await?;
                return Err(error);
            }
        }
    }
    let mut response = (StatusCode::CREATED, [(LOCATION, format!("/v1/uploads/{id}"))]).into_response();
    describe(response.headers_mut(), &row);
    Ok(response)
}

pub fn has_piece(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(tus::PIECE.as_bytes()))
}

/// Ask how much has arrived (tus)
#[utoipa::path(head, path = "/v1/uploads/{id}", operation_id = "get_upload_offset", tag = "uploads", security(("bearer" = ["uploads:write"])), params(
    ("id" = SourceId, Path),
    ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
), responses(
    (status = 200, description = "`Upload-Offset` says how many bytes are safe"),
    (status = 404, description = "No such upload"),
    (status = 410, description = "The upload has expired or was deleted"),
    (status = 412, description = "Another version of tus"),
))]
pub async fn head(
    State(app): State<App>,
    caller: Result<OrAgent<UploadsWrite>, ApiError>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(ask_offset(&app, caller.map(OrAgent::caller), &id, &headers).await)
}

async fn ask_offset(app: &App, caller: Result<Caller, ApiError>, id: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let caller = caller?;
    tus::check_version(headers)?;
    let id = parse_id(id)?;
    let mut row = find_for(app, &caller, &id).await?;
    if store::state_of(&row)? == SourceState::Uploading {
        if let Storage::Folder(folder) = app.blobs.storage() {
            partial::wait_idle(folder, &id).await.map_err(|e| storage_error(&e))?;
        }
        row = settle(app, store::get(&app.db.reader, &id).await?).await?;
    }
    check_alive(app, &row)?;
    let mut response = (StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response();
    let headers = response.headers_mut();
    describe(headers, &row);
    match row.length {
        Some(length) => tus::set(headers, "upload-length", &length.to_string()),
        None => tus::set(headers, "upload-defer-length", "1"),
    }
    if let Some(metadata) = &row.metadata {
        tus::set(headers, "upload-metadata", metadata);
    }
    Ok(response)
}

fn check_alive(app: &App, row: &source::Model) -> Result<(), ApiError> {
    let expired = match store::state_of(row)? {
        SourceState::Uploading => row.expires_at_ms <= app.clock.now().ms(),
        SourceState::Ready => false,
        SourceState::Deleted => true,
    };
    if expired { Err(gone(&row.id)) } else { Ok(()) }
}

/// Append a piece (tus)
///
/// What arrives before a connection breaks is kept, unless the piece carries `Upload-Checksum`.
#[utoipa::path(patch, path = "/v1/uploads/{id}", operation_id = "append_upload", tag = "uploads", security(("bearer" = ["uploads:write"])), params(
    ("id" = SourceId, Path),
    ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
    ("Upload-Offset" = i64, Header, description = "How many bytes have arrived", minimum = 0),
    ("Upload-Length" = Option<i64>, Header, description = "Bytes of the whole file, when it was begun without", minimum = 0),
    ("Upload-Checksum" = Option<String>, Header, description = "`sha256` or `sha1` and the piece's hash in base 64", pattern = "^(sha1 [A-Za-z0-9+/]{27}=|sha256 [A-Za-z0-9+/]{43}=)$"),
), request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"), responses(
    (status = 204, description = "Kept; `Upload-Offset` says how many bytes are safe now"),
    (status = 400, description = "A header does not read", body = Problem),
    (status = 404, description = "No such upload", body = Problem),
    (status = 408, description = "The piece did not arrive whole", body = Problem),
    (status = 409, description = "Another number of bytes has arrived", body = Problem),
    (status = 410, description = "The upload has expired or was deleted", body = Problem),
    (status = 412, description = "Another version of tus", body = Problem),
    (status = 413, description = "More than the whole file", body = Problem),
    (status = 415, description = "Not `application/offset+octet-stream`", body = Problem),
    (status = 423, description = "Another request is appending", body = Problem),
    (status = 460, description = "The piece does not have the hash that Upload-Checksum says", body = Problem),
    (status = 507, description = "Storage is full", body = Problem),
))]
pub async fn patch(
    State(app): State<App>,
    caller: Result<OrAgent<UploadsWrite>, ApiError>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(append_piece(&app, caller.map(OrAgent::caller), &id, &headers, body).await)
}

async fn append_piece(
    app: &App,
    caller: Result<Caller, ApiError>,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let caller = caller?;
    tus::check_version(headers)?;
    let id = parse_id(id)?;
    check_alive(app, &find_for(app, &caller, &id).await?)?;
    if !has_piece(headers) {
        let detail = format!("A piece is sent as {}.", tus::PIECE);
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_content_type", detail));
    }
    let offset = tus::bytes(headers, "upload-offset")?.ok_or_else(|| {
        ApiError::bad_request("bad_tus_header", "Upload-Offset is missing.").hint("Ask for the offset with HEAD.")
    })?;
    let piece = Piece {
        id,
        sender: caller,
        offset,
        length: tus::bytes(headers, "upload-length")?,
        announced: body.size_hint().exact(),
        checksum: tus::checksum(headers)?,
    };
    let row = append(app.clone(), piece, Chunks::new(body)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    describe(response.headers_mut(), &row);
    Ok(response)
}

/// Give an upload up (tus)
///
/// Its bytes are deleted, whether all have arrived or not.
#[utoipa::path(delete, path = "/v1/uploads/{id}", operation_id = "delete_upload", tag = "uploads", security(("bearer" = ["uploads:write"])), params(
    ("id" = SourceId, Path),
    ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such upload", body = Problem),
    (status = 409, description = "A job that is not over uses it", body = Problem),
    (status = 410, description = "The upload has expired or was deleted", body = Problem),
    (status = 412, description = "Another version of tus", body = Problem),
))]
pub async fn terminate(
    State(app): State<App>,
    auth: Result<May<UploadsWrite>, ApiError>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(terminate_upload(&app, auth.map(May::team), &id, &headers).await)
}

async fn terminate_upload(
    app: &App,
    auth: Result<TeamAuth, ApiError>,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let auth = auth?;
    tus::check_version(headers)?;
    let id = parse_id(id)?;
    check_alive(app, &store::find_source(&app.db.reader, &auth.team_id, &id).await?)?;
    remove_source(app, &auth.team_id, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// PATCH, HEAD or DELETE for clients that can only POST (tus)
///
/// Does what the header `X-HTTP-Method-Override` says.
#[utoipa::path(post, path = "/v1/uploads/{id}", operation_id = "override_upload_method", tag = "uploads", security(("bearer" = ["uploads:write"])), params(
    ("id" = SourceId, Path),
    ("X-HTTP-Method-Override" = String, Header, description = "PATCH, HEAD or DELETE", pattern = "^(PATCH|HEAD|DELETE)$"),
    ("Tus-Resumable" = String, Header, description = "1.0.0", pattern = "^1\\.0\\.0$"),
    ("Upload-Offset" = Option<i64>, Header, description = "How many bytes have arrived", minimum = 0),
), request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"), responses(
    (status = 200, description = "As HEAD"),
    (status = 204, description = "As PATCH or DELETE"),
    (status = 400, description = "A header does not read", body = Problem),
    (status = 404, description = "No such upload", body = Problem),
    (status = 408, description = "The piece did not arrive whole", body = Problem),
    (status = 409, description = "Another number of bytes has arrived, or a job that is not over uses it", body = Problem),
    (status = 410, description = "The upload has expired or was deleted", body = Problem),
    (status = 412, description = "Another version of tus", body = Problem),
    (status = 413, description = "More than the whole file", body = Problem),
    (status = 415, description = "Not `application/offset+octet-stream`", body = Problem),
    (status = 423, description = "Another request is appending", body = Problem),
    (status = 460, description = "The piece does not have the hash that Upload-Checksum says", body = Problem),
    (status = 507, description = "Storage is full", body = Problem),
    (status = 405, description = "No such method, or no such header", body = Problem),
))]
pub async fn overridden(
    State(app): State<App>,
    caller: Result<OrAgent<UploadsWrite>, ApiError>,
    team: Result<May<UploadsWrite>, ApiError>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let method = headers.get("x-http-method-override").and_then(|value| value.to_str().ok()).unwrap_or_default();
    answer(match method {
        "PATCH" => append_piece(&app, caller.map(OrAgent::caller), &id, &headers, body).await,
        "HEAD" => ask_offset(&app, caller.map(OrAgent::caller), &id, &headers).await,
        "DELETE" => terminate_upload(&app, team.map(May::team), &id, &headers).await,
        other => Err(ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("An upload does not answer POST, and X-HTTP-Method-Override is {other:?}."),
        )),
    })
}

pub(super) fn to_wire(row: source::Model) -> Result<Source, ApiError> {
    Ok(Source {
        id: row.id.parse().map_err(ApiError::internal)?,
        state: store::state_of(&row)?,
        bytes: row.length.map(i64::cast_unsigned),
        received_bytes: row.received.cast_unsigned(),
        created_at: Instant(row.created_at_ms).to_utc(),
        expires_at: Instant(row.expires_at_ms).to_utc(),
        filename: row.filename,
        sha256: row.sha256,
    })
}

/// Read a source
///
/// The id is that of its upload.
#[utoipa::path(get, path = "/v1/sources/{id}", tag = "uploads", security(("bearer" = ["jobs:read"]), ("bearer" = ["uploads:write"])), params(("id" = SourceId, Path)), responses(
    (status = 200, description = "The source", body = Source),
    (status = 404, description = "No such source", body = Problem),
))]
pub async fn get_source(
    State(app): State<App>,
    auth: May<SourcesRead>,
    Path(id): Path<String>,
) -> Result<Json<Source>, ApiError> {
    let row = store::find_source(&app.db.reader, &auth.team_id, &parse_id(&id)?).await?;
    Ok(Json(to_wire(row)?))
}

/// Delete a source's bytes
///
/// What its jobs made stays.
#[utoipa::path(delete, path = "/v1/sources/{id}", tag = "uploads", security(("bearer" = ["uploads:write"])), params(("id" = SourceId, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such source", body = Problem),
    (status = 409, description = "A job that is not over uses it", body = Problem),
))]
pub async fn delete_source(
    State(app): State<App>,
    auth: May<UploadsWrite>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    remove_source(&app, &auth.team_id, &parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
