//! Delivery: playlists, manifests, segments and files, for anyone who knows the job's unguessable id or, if its profile
//! says so, has a signed address (`playback.rs`).
//!
//! `/media/{job}/X` is the blob `jobs/{job}/X`. Segments never change and are cached for ever. Playlists and manifests are
//! made on request while a job runs, and written to storage when it completes, so that a CDN can sit on it.

pub mod http;
pub mod playback;
pub mod store;

use offpeak_api::{ids::JobId, profile::Access};

use crate::{
    app::App,
    blob::{BlobKey, storage_error},
    error::ApiError,
    jobs,
    package::{self, PackageError, Presentation},
};

pub const MULTIVARIANT: &str = "multivariant.m3u8";
pub const MPD: &str = "manifest.mpd";
/// Jobs whose manifests are written in one go, so that a tick stays short.
const WRITTEN_PER_TICK: u64 = 20;

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

/// Manifests into storage, as a job has completed. Delivery makes them on request until they are there.
pub async fn finish(app: &App, job: &JobId) {
    if let Err(error) = write_due(app, job).await {
        tracing::warn!(job.id = %job, %error, "manifests were not written to storage; the next tick tries again");
    }
}

/// Writes what a server that died, or a storage that failed, left to be written.
pub async fn write_all_due(app: &App) -> Result<(), ApiError> {
    for job in store::all_manifests_due(&app.db.reader, WRITTEN_PER_TICK).await? {
        finish(app, &job).await;
    }
    Ok(())
}

async fn write_due(app: &App, job: &JobId) -> Result<(), ApiError> {
    if jobs::store::exists(&app.db.reader, job).await? {
        // What names every segment must not lie where anybody could read it.
        match app.accesses.of(&app.db.reader, job).await? {
            Access::Public => write_manifests(app, job).await?,
            Access::Signed => {}
        }
    }
    if !jobs::store::exists(&app.db.reader, job).await? {
        // Deleted before or while they were written.
        app.blobs.delete_prefix(&BlobKey::job_folder(job)).await.map_err(|e| storage_error(&e))?;
    }
    let tx = app.db.write().await?;
    store::manifests_written(&tx.tx, job).await?;
    tx.commit().await.map_err(ApiError::from)
}

fn manifest_key(job: &JobId, name: &str) -> Result<BlobKey, ApiError> {
    format!("jobs/{job}/{name}").parse().map_err(|_| ApiError::not_found("no_such_media", format!("This job has no {name}.")))
}

#[cfg(test)]
mod tests;
