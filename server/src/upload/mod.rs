//! Sources: how they arrive, how long they stay.
//!
//! In: bytes, in pieces, over the tus protocol, from a team's program or from the agent that fetches a URL. Out: a source that
//! is ready, with its SHA-256. What must hold:
//! - the row says how many bytes are safe in storage, never more, and carries the hash's inner state after just that many: so
//!   any server can go on after a crash, and a file longer than its row is cut back;
//! - one request at a time appends: to a file by a lock that dies with its process, to a bucket by being the first to note
//!   progress;
//! - a source that a job still needs is never deleted.

mod append;
pub mod direct;
pub mod http;
mod partial;
mod parts;
mod sink;
pub mod store;
#[cfg(test)]
mod tests;
pub mod tus;

use offpeak_api::{
    ids::{SourceId, TeamId},
    job::SourceState,
};
use sha2::Digest;

use self::parts::{begun_anew, multipart_of, tails_of};
use crate::{
    app::App,
    auth::hex,
    blob::{BlobKey, Storage, blocking, storage_error},
    clock::Instant,
    entity::source,
    error::ApiError,
};

/// Sources looked at in one go, so that a tick stays short.
const EXPIRED_PER_TICK: u64 = 100;

/// Deletes a source's bytes; its row stays and says so.
///
/// # Errors
/// 404 for another team's, 409 `source_in_use` while a job that is not over uses it.
pub async fn remove_source(app: &App, team: &TeamId, id: &SourceId) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    store::lock_source(&tx.tx, team, id).await?;
    if store::has_unfinished_job(&tx.tx, id).await? {
        return Err(ApiError::conflict("source_in_use", format!("A job that is not over uses {id}."))
            .hint("Cancel the job first, or wait for its end."));
    }
    store::mark_deleted(&tx.tx, id).await?;
    tx.commit().await?;
    delete_bytes(app, id).await?;
    tracing::info!(source.id = %id, "deleted source");
    Ok(())
}

async fn delete_bytes(app: &App, id: &SourceId) -> Result<(), ApiError> {
    match app.blobs.storage() {
        Storage::Folder(folder) => {
            let (folder, id) = (folder.clone(), id.clone());
            blocking(move || folder.delete_upload(&id)).await.map_err(|e| storage_error(&e))?;
        }
        Storage::Bucket(_) => give_up_arrivals(app).await?,
    }
    app.blobs.delete(&BlobKey::source(id)).await.map_err(|e| storage_error(&e))
}

/// Tells the bucket of uploads of which nothing more comes, and removes what it has of them.
async fn give_up_arrivals(app: &App) -> Result<(), ApiError> {
    let Storage::Bucket(bucket) = app.blobs.storage() else { return Ok(()) };
    for row in store::given_up_arrivals(&app.db.reader, EXPIRED_PER_TICK).await? {
        let id: SourceId = row.source_id.parse().map_err(ApiError::internal)?;
        if let Some(upload) = multipart_of(&row, &id) {
            bucket.abort_multipart(&upload).await.map_err(|e| storage_error(&e))?;
        }
        bucket.delete_prefix(&tails_of(&row, &id)).await.map_err(|e| storage_error(&e))?;
        let tx = app.db.write().await?;
        store::forget_arrival(&tx.tx, row.id).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Makes a source ready whose bytes are all safe in a bucket, should the server that took the last of them have died before
/// it came to that. Any other row comes back as it is.
async fn settle(app: &App, row: source::Model) -> Result<source::Model, ApiError> {
    let all_there = row.length == Some(row.received) && store::state_of(&row)? == SourceState::Uploading;
    let (Storage::Bucket(bucket), true) = (app.blobs.storage(), all_there) else { return Ok(row) };
    let id: SourceId = row.id.parse().map_err(ApiError::internal)?;
    let Some(arrival) = store::arrival_of(&app.db.reader, &id).await?.filter(|arrival| !arrival.direct) else { return Ok(row) };
    let length = row.received.cast_unsigned();
    if let Some(upload) = multipart_of(&arrival, &id) {
        parts::publish(bucket, &upload, length, arrival.part_bytes.cast_unsigned()).await?;
    } else if app.blobs.stat(&BlobKey::source(&id)).await.map_err(|e| storage_error(&e))? != Some(length) {
        // Nothing has arrived yet of an empty source, whose length is all that is known.
        return Ok(row);
    }
    let sha256 = partial::thaw(row.hash_state.as_deref())
        .ok_or_else(|| ApiError::internal(format!("the hash state of {id} is damaged")))?;
    let expires = app.clock.now() + app.config.source_kept_for;
    let ready = store::Ready { from: length, length, sha256: Some(&hex(&sha256.finalize())), expires };
    let tx = app.db.write().await?;
    store::note_ready(&tx.tx, &id, ready).await?;
    tx.commit().await?;
    tidy(app, &id).await;
    store::get(&app.db.reader, &id).await
}

/// Removes the tails of a source that has become an object. One that stays costs a few megabytes and harms nobody.
async fn tidy(app: &App, id: &SourceId) {
    let Storage::Bucket(bucket) = app.blobs.storage() else { return };
    if let Err(error) = bucket.delete_prefix(&BlobKey::upload_folder(id)).await {
        tracing::warn!(source.id = %id, %error, "the ends of pieces were not removed from storage");
    }
}

/// A source that is fetched begins again from nothing: another agent may find another file at the address.
pub async fn reset_fetch_source(app: &App, id: &SourceId) -> Result<(), ApiError> {
    let expires = app.clock.now() + app.config.upload_kept_for;
    let tx = app.db.write().await?;
    store::reset(&tx.tx, id, expires).await?;
    tx.commit().await.map_err(ApiError::from)
}

/// Gives up unfinished uploads, and sources that nobody used for long. No job that is not over loses its source.
pub async fn expire(app: &App, now: Instant) -> Result<(), ApiError> {
    for row in store::expired(&app.db.reader, now, EXPIRED_PER_TICK).await? {
        let id: SourceId = row.id.parse().map_err(ApiError::internal)?;
        expire_one(app, &id, now).await?;
    }
    let folder = match app.blobs.storage() {
        Storage::Folder(folder) => folder.clone(),
        Storage::Bucket(_) => return give_up_arrivals(app).await,
    };
    let looking = folder.clone();
    let left = blocking(move || looking.uploads()).await.map_err(|e| storage_error(&e))?;
    if left.is_empty() {
        return Ok(());
    }
    // A file whose upload ended otherwise, such as one that was deleted just as a piece of it arrived.
    let arriving = store::uploading_among(&app.db.reader, &left).await?;
    let orphans = left.into_iter().filter(|id| !arriving.contains(&id.to_string())).collect::<Vec<_>>();
    let delete_all = move || orphans.iter().try_for_each(|id| folder.delete_upload(id));
    blocking(delete_all).await.map_err(|e| storage_error(&e))
}

async fn expire_one(app: &App, id: &SourceId, now: Instant) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    let row = store::lock(&tx.tx, id).await?;
    if row.expires_at_ms > now.ms() {
        return Ok(());
    }
    if let Some(later) = kept_until(app, &tx.tx, &row, now).await? {
        store::set_expiry(&tx.tx, id, later).await?;
        return tx.commit().await.map_err(ApiError::from);
    }
    store::mark_deleted(&tx.tx, id).await?;
    tx.commit().await?;
    delete_bytes(app, id).await?;
    tracing::info!(source.id = %id, state = row.state, bytes = row.received, "source expired");
    Ok(())
}

/// A later expiry, for a source that is in use or was used lately.
async fn kept_until(
    app: &App,
    db: &impl sea_orm::ConnectionTrait,
    row: &source::Model,
    now: Instant,
) -> Result<Option<Instant>, ApiError> {
    let id: SourceId = row.id.parse().map_err(ApiError::internal)?;
    if store::has_unfinished_job(db, &id).await? {
        return Ok(Some(now + app.config.source_kept_for));
    }
    let last_used = store::last_job_end(db, &id).await?;
    Ok(last_used.map(|used| used + app.config.source_kept_for).filter(|until| *until > now))
}
