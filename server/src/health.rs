//! Is this server alive, and can it work?

use axum::{extract::State, http::StatusCode};
use offpeak_api::problem::Problem;
use sea_orm::ConnectionTrait;

use crate::{app::App, error::ApiError};

/// The process answers
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "health", responses((status = 200, description = "Alive", body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The server can work
///
/// Its database answers, and its storage takes bytes.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "health", responses(
    (status = 200, description = "Ready", body = String),
    (status = 503, description = "Not ready, and why", body = Problem),
))]
pub async fn readyz(State(app): State<App>) -> Result<&'static str, ApiError> {
    let not_ready = |what: &str, cause: String| {
        tracing::warn!(cause, "{what}");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", what)
    };
    app.db
        .reader
        .execute_unprepared("SELECT 1")
        .await
        .map_err(|error| not_ready("The database does not answer.", error.to_string()))?;
    app.blobs.check().await.map_err(|error| not_ready("Storage does not take bytes.", error.to_string()))?;
    Ok("ready\n")
}
