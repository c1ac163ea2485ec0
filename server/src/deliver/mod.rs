//! Delivery: playlists, manifests, segments and files, for anyone who knows the job's unguessable id.
//!
//! `/media/{job}/X` is the blob `jobs/{job}/X`. Segments never change and are cached for ever. Playlists and manifests are
//! made on request while a job runs, and written to storage when it completes, so that a CDN can sit on it.

pub mod http;
pub mod store;

use offpeak_api::ids::JobId;

use crate::{
    app::App,
    blob::{BlobKey, storage_error},
    error::ApiError,
    package::{self, PackageError, Presentation},
};

pub const MULTIVARIANT: &str = "multivariant.m3u8";
pub const MPD: &str = "manifest.mpd";

/// A playlist or manifest by its name in `/media/{job}/`; 404 for a name that is none.
pub fn manifest(presentation: &Presentation, name: &str) -> Result<String, ApiError> {
    let made = match name {
        MULTIVARIANT => package::multivariant(presentation),
        MPD => package::mpd(presentation),
        _ => package::media_playlist(presentation, name.strip_suffix(".m3u8").unwrap_or(name)),
    };
    made.map_err(|error| match error {
        PackageError::NoSuchRendition(_) => ApiError::not_found("no_such_media", format!("This job has no {name}.")),
        PackageError::Hls(_) | PackageError::Dash(_) => ApiError::internal(error),
    })
}

/// Writes every playlist and the manifest of a job that is complete to storage.
pub async fn write_manifests(app: &App, job: &JobId) -> Result<(), ApiError> {
    let presentation = store::load_presentation(&app.db.reader, job).await?;
    let media = presentation.renditions.iter().map(|rendition| format!("{}.m3u8", rendition.id));
    // The multivariant playlist and the manifest last: what they name is there before they are.
    for name in media.chain([MULTIVARIANT.to_owned(), MPD.to_owned()]) {
        let key = manifest_key(job, &name)?;
        let text = manifest(&presentation, &name)?;
        app.blobs.put_small(&key, text.into_bytes()).await.map_err(|e| storage_error(&e))?;
    }
    Ok(())
}

fn manifest_key(job: &JobId, name: &str) -> Result<BlobKey, ApiError> {
    format!("jobs/{job}/{name}").parse().map_err(|_| ApiError::not_found("no_such_media", format!("This job has no {name}.")))
}

/// What players take a file of this name for, below the job's folder: `{prefix}/{rendition}/{index}.m4s` and so on.
pub fn content_type(path: &str) -> &'static str {
    let sound = path.rsplit('/').nth(1).is_some_and(|folder| folder.starts_with("aac-"));
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("mpd") => "application/dash+xml",
        // No type is registered for segments of sound; players take them by what the playlist says.
        Some("m4s" | "mp4") if sound => "audio/mp4",
        Some("m4s") => "video/iso.segment",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
