//! Bringing a source in: resumable uploads.

pub mod http;
pub mod store;

use offpeak_api::ids::SourceId;

use crate::{app::App, clock::Instant, error::ApiError};

/// What an earlier holder of a fetch brought is thrown away.
pub async fn reset_fetch_source(app: &App, id: &SourceId) -> Result<(), ApiError> {
    app.blobs.delete_upload(id).await.map_err(ApiError::internal)?;
    let tx = app.db.write().await?;
    store::reset(&tx.tx, id).await?;
    tx.commit().await.map_err(ApiError::from)
}

/// Nothing expires yet.
pub async fn expire(_app: &App, _now: Instant) -> Result<(), ApiError> {
    Ok(())
}
