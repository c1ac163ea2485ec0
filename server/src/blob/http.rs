//! Handlers of signed addresses: the folder store's answer to S3's presigned requests.

use axum::{
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH},
    },
    response::{IntoResponse, Response},
};
use offpeak_api::problem::Problem;
use sha2::{Digest, Sha256};

use super::{
    Allows, BlobKey, Folder, Published, Refusal, SignedQuery, Storage, blocking,
    intake::{Chunks, Cut, Intake, Written},
    send::send,
    storage_error,
};
use crate::{app::App, auth::hex, error::ApiError};

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::BadSignature => "bad_signature",
            Refusal::Expired => "address_expired",
        };
        Self::new(StatusCode::FORBIDDEN, code, refusal.to_string()).hint("Ask the server for a fresh address.")
    }
}

/// The folder that these addresses lead into. A server whose objects are in a bucket signs addresses of the bucket instead.
fn folder(app: &App) -> Result<Folder, ApiError> {
    match app.blobs.storage() {
        Storage::Folder(folder) => Ok(folder.clone()),
        Storage::Bucket(_) => Err(Refusal::BadSignature.into()),
    }
}

/// Put an object at a signed address
///
/// With exactly the length and SHA-256 that the address is signed for. The address comes from `upload-urls`.
#[utoipa::path(put, path = "/blob/{*key}", tag = "storage", params(
    ("key" = String, Path, description = "The object's key"),
    ("expires" = i64, Query, description = "When the address expires, in milliseconds since 1970"),
    ("bytes" = u64, Query, description = "The object's length"),
    ("sha256" = String, Query, description = "The object's SHA-256 in lower-case hex"),
    ("signature" = String, Query, description = "HMAC-SHA256 over all of these"),
), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, description = "The key held these bytes already"),
    (status = 201, description = "Stored, synced"),
    (status = 403, description = "The address is not signed for this, or has expired", body = Problem),
    (status = 408, description = "The body did not arrive whole", body = Problem),
    (status = 409, description = "The key holds other bytes; keys are written once", body = Problem),
    (status = 422, description = "The body has another length or hash than signed", body = Problem),
    (status = 507, description = "Storage is full", body = Problem),
))]
pub async fn put_blob(
    State(app): State<App>,
    Path(key): Path<String>,
    query: Result<Query<SignedQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let folder = folder(&app)?;
    let key: BlobKey = key.parse().map_err(|_| Refusal::BadSignature)?;
    let Query(query) = query.map_err(|_| Refusal::BadSignature)?;
    let (Some(bytes), Some(sha256)) = (query.bytes, query.sha256.as_deref()) else { return Err(Refusal::BadSignature.into()) };
    app.blobs.signer().check(&key, Allows::Put { bytes, sha256 }, &query, app.clock.now())?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced != bytes) {
        return Err(wrong_length(bytes));
    }

    let receiving = folder.clone();
    let mut incoming = blocking(move || receiving.incoming()).await.map_err(|e| storage_error(&e))?;
    let file = incoming.take_file().map_err(|e| storage_error(&e))?;
    let found = receive(Chunks::new(body), Written { file, sha256: Sha256::new(), checksum: None }, bytes).await?;
    if found != sha256 {
        return Err(ApiError::unfit(
            "hash_mismatch",
            format!("The body's SHA-256 is {found}; the address is signed for {sha256}."),
        ));
    }
    let (published_as, sha256) = (key.clone(), found);
    let published = blocking(move || folder.publish(incoming, &published_as, bytes, &sha256)).await;
    match published.map_err(|e| storage_error(&e))? {
        Published::New => Ok(StatusCode::CREATED),
        Published::Same => Ok(StatusCode::OK),
        Published::Taken => {
            Err(ApiError::conflict("key_taken", format!("Other bytes are stored as {key}; keys are written once."))
                .hint("Upload under another `attempt`."))
        }
    }
}

fn wrong_length(bytes: u64) -> ApiError {
    ApiError::unfit("wrong_length", format!("The address is signed for {bytes} bytes, neither more nor fewer."))
}

/// Takes in a body of `bytes` bytes and syncs it; its SHA-256.
async fn receive(mut chunks: Chunks, written: Written, bytes: u64) -> Result<String, ApiError> {
    let mut intake = Intake::new(written);
    let mut received = 0;
    while let Some(chunk) = chunks.next().await.map_err(cut_short)? {
        received += chunk.len() as u64;
        if received > bytes {
            return Err(wrong_length(bytes));
        }
        intake.push(chunk).await.map_err(|e| storage_error(&e))?;
    }
    if received < bytes {
        return Err(wrong_length(bytes));
    }
    let sha256 = intake.sync().await.map_err(|e| storage_error(&e))?;
    Ok(hex(&sha256.finalize()))
}

fn cut_short(cut: Cut) -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_cut", format!("The body did not arrive whole: {cut}."))
        .hint("Send it again.")
}

/// Get an object from a signed address
///
/// Whole or in ranges; also answers HEAD. The address comes with a lease.
#[utoipa::path(get, path = "/blob/{*key}", tag = "storage", params(
    ("key" = String, Path, description = "The object's key"),
    ("expires" = i64, Query, description = "When the address expires, in milliseconds since 1970"),
    ("signature" = String, Query, description = "HMAC-SHA256 over key and expiry"),
), responses(
    (status = 200, description = "The object", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 206, description = "The range asked for", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 304, description = "`If-None-Match` names this very object"),
    (status = 403, description = "The address is not signed for this, or has expired", body = Problem),
    (status = 404, description = "Nothing is stored there", body = Problem),
    (status = 412, description = "`If-Match` names another version", body = Problem),
    (status = 416, description = "The range lies behind the object's end", body = Problem),
))]
pub async fn get_blob(
    State(app): State<App>,
    Path(key): Path<String>,
    query: Result<Query<SignedQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let folder = folder(&app)?;
    let key: BlobKey = key.parse().map_err(|_| Refusal::BadSignature)?;
    let Query(query) = query.map_err(|_| Refusal::BadSignature)?;
    app.blobs.signer().check(&key, Allows::Get, &query, app.clock.now())?;
    let wanted = key.clone();
    let blob = blocking(move || folder.read(&wanted)).await.map_err(|e| storage_error(&e))?;
    let blob = blob.ok_or_else(|| ApiError::not_found("blob_not_found", format!("Nothing is stored as {key}.")))?;
    let response = send(blob, &headers, "application/octet-stream").await?;
    // The address is a secret with an end: nothing on the way may keep what it leads to.
    Ok(([(CACHE_CONTROL, "private, no-store")], response).into_response())
}
