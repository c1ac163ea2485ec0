//! Uploads that go past the server: it signs addresses for the parts of a file, and makes a source of them at the end.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderName, StatusCode, header::LOCATION},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use offpeak_api::{
    ids::SourceId,
    job::{Source, SourceState},
    lease::UploadUrls,
    problem::Problem,
    upload::{BeginDirectUpload, DirectUpload, ListParts, PartsRequest, SentPart, SentParts},
};

use super::{
    append::{gone, too_long},
    http::{parse_id, to_wire},
    parts::{multipart_of, part_bytes, publish},
    store::{self, NewSource, Ready},
    tus::clean_filename,
};
use crate::{
    app::App,
    auth::{
        TeamAuth, hex,
        may::{May, UploadsWrite},
    },
    blob::{
        BlobKey, Bucket, Storage,
        bucket::{Multipart, composite_sha256},
        storage_error,
    },
    clock::Instant,
    commit::is_sha256,
    entity::{arrival, source},
    error::{ApiError, Body},
    lease::ADDRESS_LIFETIME,
};

/// As the description says: signing so many takes a few milliseconds.
const MOST_PARTS_AT_ONCE: usize = 1000;

fn bucket(app: &App) -> Result<&Bucket, ApiError> {
    match app.blobs.storage() {
        Storage::Bucket(bucket) => Ok(bucket),
        Storage::Folder(_) => {
            Err(ApiError::conflict("no_direct_uploads", "This server keeps its objects in a folder: all uploads go through it.")
                .hint("Upload with tus, to /v1/uploads."))
        }
    }
}

/// An upload whose parts are arriving.
struct Arriving<'a> {
    bucket: &'a Bucket,
    source: source::Model,
    row: arrival::Model,
    upload: Multipart,
}

impl Arriving<'_> {
    fn length(&self) -> u64 {
        self.source.length.unwrap_or_default().cast_unsigned()
    }

    fn part_bytes(&self) -> u64 {
        self.row.part_bytes.cast_unsigned()
    }

    /// The size of a part; nothing for a number that the file does not have.
    fn bytes_of(&self, number: u32) -> Option<u64> {
        let start = u64::from(number.checked_sub(1)?) * self.part_bytes();
        self.length().checked_sub(start).filter(|left| *left > 0).map(|left| left.min(self.part_bytes()))
    }
}

async fn arriving<'a>(app: &'a App, auth: &TeamAuth, id: &SourceId) -> Result<Arriving<'a>, ApiError> {
    let bucket = bucket(app)?;
    let source = store::find_source(&app.db.reader, &auth.team_id, id).await?;
    match store::state_of(&source)? {
        SourceState::Uploading if source.expires_at_ms > app.clock.now().ms() => {}
        SourceState::Uploading | SourceState::Deleted => return Err(gone(id.as_str())),
        SourceState::Ready => return Err(ApiError::conflict("upload_complete", format!("{id} is complete."))),
    }
    let row = store::arrival_of(&app.db.reader, id).await?.filter(|row| row.direct);
    let found = row.and_then(|row| Some((multipart_of(&row, id)?, row)));
    let (upload, row) = found.ok_or_else(|| {
        ApiError::conflict("no_direct_upload", format!("{id} was begun with tus.")).hint("Go on with PATCH /v1/uploads/{id}.")
    })?;
    Ok(Arriving { bucket, source, row, upload })
}

/// Begin an upload straight into the bucket
///
/// For servers whose storage is a bucket; others answer 409 `no_direct_uploads`. The parts then go to addresses of their own.
#[utoipa::path(post, path = "/v1/uploads/direct", operation_id = "begin_direct_upload", tag = "uploads", security(("bearer" = ["uploads:write"])), request_body = BeginDirectUpload, responses(
    (status = 201, description = "The upload, and how to cut the file", body = DirectUpload),
    (status = 409, description = "This server takes uploads only through itself", body = Problem),
    (status = 413, description = "The file is larger than this server takes", body = Problem),
    (status = 422, description = "An empty file", body = Problem),
))]
pub async fn begin(
    State(app): State<App>,
    auth: May<UploadsWrite>,
    Body(request): Body<BeginDirectUpload>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<DirectUpload>), ApiError> {
    let bucket = bucket(&app)?;
    let bytes = request.bytes;
    if bytes > app.config.max_source_bytes {
        return Err(too_long(app.config.max_source_bytes));
    }
    if bytes == 0 {
        return Err(ApiError::unfit("empty_upload", "An empty file has no parts."));
    }
    let filename = request.filename.as_deref().and_then(clean_filename);
    let new = NewSource { team: &auth.team_id, length: Some(bytes), filename: filename.as_deref(), metadata: None, url: None };
    let now = app.clock.now();
    let expires = now + app.config.upload_kept_for;
    let tx = app.db.write().await?;
    let row = store::insert(&tx.tx, new, now, expires).await?;
    let id = parse_id(&row.id)?;
    let arrival = store::begin_arrival(&tx.tx, &id, None, part_bytes(Some(bytes)), true).await?;
    tx.commit().await?;
    // The bucket is told between two transactions: should this server die just then, nobody has heard of the upload, and the
    // bucket's own rule for unfinished ones removes it.
    let upload = bucket.begin_multipart(&BlobKey::source(&id)).await.map_err(|e| storage_error(&e))?;
    let tx = app.db.write().await?;
    store::note_multipart(&tx.tx, arrival.id, &upload.id).await?;
    tx.commit().await?;
    tracing::info!(source.id = %id, bytes, "began direct upload");
    let part_bytes = arrival.part_bytes.cast_unsigned();
    let parts = u32::try_from(bytes.div_ceil(part_bytes)).map_err(ApiError::internal)?;
    let expires_at = expires.to_utc();
    let location = format!("/v1/uploads/{id}");
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(DirectUpload { id, part_bytes, parts, expires_at })))
}

/// Get addresses for parts
///
/// PUT each part to its address, with the headers named there. Each is signed for one part, its length and its SHA-256.
#[utoipa::path(post, path = "/v1/uploads/{id}/parts", operation_id = "sign_parts", tag = "uploads", security(("bearer" = ["uploads:write"])), params(("id" = SourceId, Path)), request_body = PartsRequest, responses(
    (status = 200, description = "Addresses, in the order of the request", body = UploadUrls),
    (status = 404, description = "No such upload", body = Problem),
    (status = 409, description = "The upload is complete, or goes through the server", body = Problem),
    (status = 410, description = "The upload has expired or was deleted", body = Problem),
    (status = 422, description = "A part that the file does not have", body = Problem),
))]
pub async fn part_addresses(
    State(app): State<App>,
    auth: May<UploadsWrite>,
    Path(id): Path<String>,
    Body(request): Body<PartsRequest>,
) -> Result<Json<UploadUrls>, ApiError> {
    let id = parse_id(&id)?;
    let arriving = arriving(&app, &auth, &id).await?;
    if !(1..=MOST_PARTS_AT_ONCE).contains(&request.parts.len()) {
        return Err(ApiError::unfit("bad_parts", format!("`parts` has 1 to {MOST_PARTS_AT_ONCE} entries.")));
    }
    let mut addresses = Vec::with_capacity(request.parts.len());
    for part in &request.parts {
        let bytes = arriving.bytes_of(part.number).filter(|_| is_sha256(&part.sha256)).ok_or_else(|| {
            let count = arriving.length().div_ceil(arriving.part_bytes());
            ApiError::unfit("bad_parts", format!("Parts have numbers from 1 to {count}, and a SHA-256 in lower-case hex."))
        })?;
        let address = arriving.bucket.part_address(&arriving.upload, part.number, bytes, &part.sha256, ADDRESS_LIFETIME);
        addresses.push(address.await.map_err(|e| storage_error(&e))?);
    }
    let tx = app.db.write().await?;
    store::set_expiry(&tx.tx, &id, app.clock.now() + app.config.upload_kept_for).await?;
    tx.commit().await?;
    Ok(Json(UploadUrls { addresses }))
}

/// Ask which parts have arrived
#[utoipa::path(get, path = "/v1/uploads/{id}/parts", operation_id = "list_sent_parts", tag = "uploads", security(("bearer" = ["uploads:write"])), params(("id" = SourceId, Path), ListParts), responses(
    (status = 200, description = "A page of parts that the bucket has", body = SentParts),
    (status = 404, description = "No such upload", body = Problem),
    (status = 409, description = "The upload is complete, or goes through the server", body = Problem),
    (status = 410, description = "The upload has expired or was deleted", body = Problem),
))]
pub async fn sent_parts(
    State(app): State<App>,
    auth: May<UploadsWrite>,
    Path(id): Path<String>,
    Query(query): Query<ListParts>,
) -> Result<Json<SentParts>, ApiError> {
    let arriving = arriving(&app, &auth, &parse_id(&id)?).await?;
    let (parts, more) = arriving.bucket.parts_after(&arriving.upload, query.after).await.map_err(|e| storage_error(&e))?;
    let in_hex = |base64: &String| BASE64_STANDARD.decode(base64).ok().map(|bytes| hex(&bytes));
    let parts = parts.into_iter().map(|part| SentPart {
        number: part.number,
        bytes: part.bytes,
        sha256: part.sha256.as_ref().and_then(in_hex),
    });
    Ok(Json(SentParts { parts: parts.collect(), more }))
}

/// Complete an upload whose parts have all arrived
///
/// May be repeated. The source's `sha256` is then S3's composite one: the SHA-256 of the parts' SHA-256s, a dash, and how many
/// there are.
#[utoipa::path(post, path = "/v1/uploads/{id}/complete", operation_id = "complete_direct_upload", tag = "uploads", security(("bearer" = ["uploads:write"])), params(("id" = SourceId, Path)), responses(
    (status = 200, description = "The source, ready", body = Source),
    (status = 404, description = "No such upload", body = Problem),
    (status = 409, description = "A part is missing, or the upload goes through the server", body = Problem),
    (status = 410, description = "The upload has expired or was deleted", body = Problem),
))]
pub async fn complete(State(app): State<App>, auth: May<UploadsWrite>, Path(id): Path<String>) -> Result<Json<Source>, ApiError> {
    let id = parse_id(&id)?;
    let source = store::find_source(&app.db.reader, &auth.team_id, &id).await?;
    if store::state_of(&source)? == SourceState::Ready {
        return Ok(Json(to_wire(source)?));
    }
    let arriving = arriving(&app, &auth, &id).await?;
    let length = arriving.length();
    let parts = publish(arriving.bucket, &arriving.upload, length, arriving.part_bytes()).await?;
    let sha256 = composite_sha256(&parts).filter(|_| !parts.is_empty());
    let expires: Instant = app.clock.now() + app.config.source_kept_for;
    let tx = app.db.write().await?;
    let ready = store::note_ready(&tx.tx, &id, Ready { from: 0, length, sha256: sha256.as_deref(), expires }).await?;
    tx.commit().await?;
    let source = store::find_source(&app.db.reader, &auth.team_id, &id).await?;
    if !ready && store::state_of(&source)? == SourceState::Deleted {
        // Deleted while the bucket made it.
        super::delete_bytes(&app, &id).await?;
        return Err(gone(id.as_str()));
    }
    tracing::info!(source.id = %id, bytes = length, "source is ready");
    Ok(Json(to_wire(source)?))
}
