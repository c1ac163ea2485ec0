//! Media over HTTP: public, cacheable, open to players on any site.

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use offpeak_api::{ids::JobId, job::JobState, problem::Problem};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    manifest, manifest_key,
    playback::{self, Signed, Way},
    store,
};
use crate::{
    app::App,
    auth::hex,
    blob::{
        BlobKey, Bucket, Storage, blocking,
        bucket::{PLAYER_ADDRESS_KEPT, Reading},
        content_type,
        send::send,
        storage_error,
    },
    error::ApiError,
    jobs,
};

/// Keys are written once, so their bytes never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Players ask again after about half a segment; a shared cache may answer many of them with one request.
const WHILE_RUNNING: &str = "public, max-age=1";
/// Final, but replaced if a rendition starts again under a new epoch.
const WHEN_COMPLETE: &str = "public, max-age=60";

#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Present, with or without a value: save as a file instead of playing.
    download: Option<String>,
    /// Of a signed address, as the signature.
    expires: Option<i64>,
    signature: Option<String>,
}

/// Play media
///
/// `multivariant.m3u8` (HLS), `manifest.mpd` (DASH), `{rendition}.m3u8`, and what they name. Public by the unguessable id,
/// or by a signed address if the profile says `"access": "signed"`; what playlists name is then signed as they are.
/// Ranges, entity tags and requests from other origins are answered. `?download` suggests a file name. Where storage is a
/// bucket, segments and files are answered with a redirect to it, or to the CDN on it.
#[utoipa::path(get, path = "/media/{job}/{*path}", tag = "delivery", params(
    ("job" = JobId, Path), ("path" = String, Path, description = "What to play, such as `multivariant.m3u8`"),
    ("expires" = Option<i64>, Query, description = "Of a signed address: when it expires, in milliseconds since 1970"),
    ("signature" = Option<String>, Query, description = "Of a signed address: HMAC-SHA256 over the job and the expiry"),
), responses(
    (status = 200, description = "The playlist, manifest, segment or file", content_type = "application/octet-stream", body = Vec<u8>),
    (status = 206, description = "The range that was asked for", content_type = "application/octet-stream", body = Vec<u8>),
    (status = 304, description = "The client has it"),
    (status = 307, description = "It is at `Location`, in the bucket or on the CDN"),
    (status = 403, description = "The job plays only from signed addresses, and this is none, or has expired", body = Problem),
    (status = 404, description = "No such job or media, or not playable yet", body = Problem),
    (status = 410, description = "The job failed or was cancelled", body = Problem),
    (status = 412, description = "`If-Match` names another version", body = Problem),
    (status = 416, description = "The range lies behind the end", body = Problem),
))]
pub async fn get_media(
    State(app): State<App>,
    Path((job, path)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let signed = Signed { expires: wanted.expires, signature: wanted.signature };
    let name = path.rsplit('/').next().unwrap_or("media");
    let asked = Asked {
        reading: if method == Method::HEAD { Reading::Head } else { Reading::Get },
        headers: &headers,
        save_as: wanted.download.is_some().then_some(name),
        signed: &signed,
    };
    let mut response = media(&app, &job, &path, &asked).await.unwrap_or_else(IntoResponse::into_response);
    if asked.save_as.is_some()
        && response.status().is_success()
        && let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\""))
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    open_to_all(response)
}

/// Ask whether a page of another origin may play media
#[utoipa::path(options, path = "/media/{job}/{*path}", tag = "delivery", params(
    ("job" = String, Path, description = "Anything"), ("path" = String, Path, description = "Anything"),
), responses((status = 204, description = "It may")))]
pub async fn media_preflight() -> Response {
    let mut response = open_to_all(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Range, If-Match, If-None-Match, If-Range"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

fn open_to_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    // Pages that isolate themselves from other origins may embed media all the same.
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Length, Content-Range, Accept-Ranges, ETag, Retry-After"),
    );
    response
}

/// What a player wants of an object.
struct Asked<'a> {
    reading: Reading,
    headers: &'a HeaderMap,
    /// The file name to save it under, instead of playing it.
    save_as: Option<&'a str>,
    signed: &'a Signed,
}

async fn media(app: &App, job: &str, path: &str, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let job: JobId = job.parse().map_err(|_| ApiError::not_found("job_not_found", format!("There is no job {job:?}.")))?;
    let way = playback::way(app, &job, asked.signed).await?;
    if path.contains('/') {
        return stored(app, &job, path, &way, asked).await;
    }
    let row = jobs::store::get(&app.db.reader, job.as_str()).await?;
    let lifetime = match jobs::store::state_of(&row)? {
        // A player would wait for ever for the rest of what a failed job made.
        JobState::Failed => return Err(ApiError::new(StatusCode::GONE, "job_failed", "This video could not be encoded.")),
        JobState::Cancelled => return Err(ApiError::new(StatusCode::GONE, "job_cancelled", "This job was cancelled.")),
        JobState::Completed if way.is_signed() => WHEN_COMPLETE,
        JobState::Completed => {
            let key = manifest_key(&job, path)?;
            if let Some(there) = on_cdn(app, &key, &way, asked)
                && !store::manifests_due(&app.db.reader, &job).await?
            {
                return Ok(elsewhere(&there, WHEN_COMPLETE));
            }
            if let Some(found) = app.blobs.read_small(&key).await.map_err(|e| storage_error(&e))? {
                return Ok(cached(made(found, path, asked.headers), &way, WHEN_COMPLETE));
            }
            WHEN_COMPLETE
        }
        JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing => WHILE_RUNNING,
    };
    if row.playable_at_ms.is_none() {
        return Ok(not_playable_yet());
    }
    let mut presentation = store::load_presentation(&app.db.reader, &job).await?;
    way.sign(&mut presentation);
    Ok(cached(made(manifest(&presentation, path)?.into(), path, asked.headers), &way, lifetime))
}

/// A segment, an init segment or a file: below a lease's random prefix, so whoever names it was told.
async fn stored(app: &App, job: &JobId, path: &str, way: &Way, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let absent = || ApiError::not_found("no_such_media", format!("This job has no {path}."));
    let key: BlobKey = format!("jobs/{job}/{path}").parse().map_err(|_| absent())?;
    if let Some(there) = on_cdn(app, &key, way, asked) {
        return Ok(elsewhere(&there, FOR_EVER));
    }
    match app.blobs.storage() {
        Storage::Folder(folder) => {
            let folder = folder.clone();
            let found = blocking(move || folder.read(&key)).await.map_err(|e| storage_error(&e))?.ok_or_else(absent)?;
            Ok(cached(send(found, asked.headers, content_type(path)).await?, way, FOR_EVER))
        }
        Storage::Bucket(bucket) => in_bucket(bucket, &key, way, asked).await,
    }
}

/// Whether the object is there is for the bucket to say: asking first would cost as much as the answer.
async fn in_bucket(bucket: &Bucket, key: &BlobKey, way: &Way, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let there = bucket.player_address(key, asked.reading, asked.save_as).await.map_err(|e| storage_error(&e))?;
    let kept = if way.is_signed() { "private" } else { "public" };
    Ok(elsewhere(&there, &format!("{kept}, max-age={}", PLAYER_ADDRESS_KEPT.as_secs())))
}

/// The object's address on the CDN, if there is one. It plays but does not save: file names would need a signed request.
/// It knows nothing of signatures of ours either.
fn on_cdn(app: &App, key: &BlobKey, way: &Way, asked: &Asked<'_>) -> Option<String> {
    let base = app.config.media_url.as_ref().filter(|_| asked.save_as.is_none() && !way.is_signed())?;
    Some(format!("{base}{key}"))
}

/// 307 keeps HEAD a HEAD.
fn elsewhere(there: &str, lifetime: &str) -> Response {
    let headers = [(header::LOCATION, there), (header::CACHE_CONTROL, lifetime)];
    (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
}

fn cached(mut response: Response, way: &Way, lifetime: &'static str) -> Response {
    if (response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED)
        && let Ok(lifetime) = HeaderValue::try_from(way.caching(lifetime))
    {
        response.headers_mut().insert(header::CACHE_CONTROL, lifetime);
    }
    response
}

/// A playlist or manifest, made for this request or read from storage.
fn made(text: Bytes, name: &str, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex(&Sha256::digest(&text)[..12]));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    ([(header::ETAG, etag), (header::CONTENT_TYPE, content_type(name).to_owned())], text).into_response()
}

fn not_playable_yet() -> Response {
    let problem = ApiError::not_found("not_playable_yet", "This video is not playable yet; it is being encoded.")
        .hint("Ask again in a few seconds.");
    let mut response = problem.into_response();
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
