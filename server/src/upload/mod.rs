//! Sources: how they arrive, how long they stay.
//!
//! In: bytes, in pieces, over the tus protocol, from a team's program or from the agent that fetches a URL. Out: a source that
//! is ready, with its SHA-256. What must hold:
//! - the row says how many bytes are safe on disk, never more, and carries the hash's inner state after just that many: so any
//!   server can go on after a crash, and a file longer than its row is cut back;
//! - one request at a time appends, by a lock on the file that dies with its process;
//! - a source that a job still needs is never deleted.

mod append;
pub mod http;
mod partial;
pub mod store;
#[cfg(test)]
mod tests;
mod tus;

use offpeak_api::ids::{SourceId, TeamId};

use crate::{
    app::App,
    blob::{BlobKey, storage_error},
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
    store::find_source(&tx.tx, team, id).await?;
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
    app.blobs.delete_upload(id).await.map_err(|e| storage_error(&e))?;
    app.blobs.delete(&BlobKey::source(id)).await.map_err(|e| storage_error(&e))
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
    let left = app.blobs.uploads().await.map_err(|e| storage_error(&e))?;
    if left.is_empty() {
        return Ok(());
    }
    // A file whose upload ended otherwise, such as one that was deleted just as a piece of it arrived.
    let arriving = store::uploading_among(&app.db.reader, &left).await?;
    for id in left.iter().filter(|id| !arriving.contains(&id.to_string())) {
        app.blobs.delete_upload(id).await.map_err(|e| storage_error(&e))?;
    }
    Ok(())
}

async fn expire_one(app: &App, id: &SourceId, now: Instant) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    let row = store::get(&tx.tx, id).await?;
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
