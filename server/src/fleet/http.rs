//! The fleet now, and as it was.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use offpeak_api::{
    agent::{AgentState, HistoryRange},
    fleet::{FleetFigures, FleetHistory, FleetQuery},
    problem::Problem,
};

use super::{WITHIN_SECONDS, backlog_seconds, machines_wanted, store};
use crate::{
    agents::history,
    app::App,
    auth::may::{FleetRead, OnFarm},
    error::ApiError,
};

/// Samples in one answer: a minute each of one day, or fewer of more.
const MOST_SAMPLES: i64 = 24 * 60;

/// Read the fleet's figures
///
/// Machines by state, speed, what waits, and for an autoscaler how many machines are wanted.
#[utoipa::path(get, path = "/v1/fleet", operation_id = "get_fleet", tag = "fleet", security(("bearer" = ["jobs:read"]), ("bearer" = ["agents:read"])), params(FleetQuery), responses(
    (status = 200, description = "The whole fleet, machines and jobs of all teams", body = FleetFigures),
    (status = 422, description = "`within_seconds` does not fit", body = Problem),
))]
pub async fn fleet(
    State(app): State<App>,
    _auth: OnFarm<FleetRead>,
    query: Result<Query<FleetQuery>, QueryRejection>,
) -> Result<Json<FleetFigures>, ApiError> {
    let within_seconds = query
        .ok()
        .map(|Query(query)| query.within_seconds.unwrap_or(WITHIN_SECONDS))
        .filter(|seconds| (60..=86_400).contains(seconds))
        .ok_or_else(|| ApiError::unfit("bad_filter", "`within_seconds` is 60 to 86400."))?;
    let at = app.clock.now();
    let now = store::now(&app.db.reader, at).await?;
    let measured = store::machine_speed(&app.db.reader, at - history::DAY).await?;
    // A farm that has just begun has no samples yet.
    let machine_work_per_second =
        measured.or_else(|| (now.speed.encoding > 0).then(|| now.speed.work_per_second / now.speed.encoding as f64));
    let work = now.queue.work + now.leased_work;
    Ok(Json(FleetFigures {
        at: at.to_utc(),
        online: now.machines.iter().filter(|(state, _)| **state != AgentState::Offline).map(|(_, count)| count).sum(),
        machines: now.machines,
        available: now.available,
        speed: now.speed,
        queue: now.queue,
        leased_work: now.leased_work,
        machine_work_per_second,
        backlog_seconds: backlog_seconds(work, now.speed.work_per_second),
        machines_wanted: machines_wanted(work, machine_work_per_second, within_seconds),
        within_seconds,
    }))
}

/// Read the fleet's history
///
/// A sample a minute, kept for 31 days; of a range longer than a day, as many as a day has minutes.
#[utoipa::path(get, path = "/v1/fleet/history", operation_id = "get_fleet_history", tag = "fleet", security(("bearer" = ["jobs:read"]), ("bearer" = ["agents:read"])), params(HistoryRange), responses(
    (status = 200, description = "Samples, oldest first", body = FleetHistory),
    (status = 422, description = "The range does not fit", body = Problem),
))]
pub async fn fleet_history(
    State(app): State<App>,
    _auth: OnFarm<FleetRead>,
    query: Result<Query<HistoryRange>, QueryRejection>,
) -> Result<Json<FleetHistory>, ApiError> {
    let (from, to) = history::range(query, app.clock.now())?;
    let minutes = to.since(from).as_secs().cast_signed() / 60;
    let step = (minutes + MOST_SAMPLES - 1) / MOST_SAMPLES;
    Ok(Json(FleetHistory { samples: store::samples(&app.db.reader, from, to, step.max(1)).await? }))
}
