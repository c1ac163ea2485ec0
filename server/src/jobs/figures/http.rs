//! Figures over jobs.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use offpeak_api::{agent::HistoryRange, figures::JobFigures, problem::Problem};

use super::store;
use crate::{
    agents::history,
    app::App,
    auth::may::{JobsRead, May},
    error::ApiError,
};

/// Read figures over jobs
///
/// How many of the team's jobs are under way, how many ended within a range, and how much film they made.
#[utoipa::path(get, path = "/v1/jobs/figures", tag = "jobs", security(("bearer" = ["jobs:read"])), params(HistoryRange), responses(
    (status = 200, description = "Counts and sums", body = JobFigures),
    (status = 422, description = "The range does not fit", body = Problem),
))]
pub async fn get_job_figures(
    State(app): State<App>,
    auth: May<JobsRead>,
    query: Result<Query<HistoryRange>, QueryRejection>,
) -> Result<Json<JobFigures>, ApiError> {
    let (from, to) = history::range(query, app.clock.now())?;
    Ok(Json(store::figures(&app.db.reader, &auth.team_id, from, to).await?))
}
