//! Enrolment, and the list of agents.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use offpeak_api::{
    agent::{AgentDetail, AgentHistory, AgentList, AgentState, HistoryRange, ListAgents, Standing},
    ids::AgentId,
    lease::{EnrolRequest, EnrolResponse},
    problem::Problem,
};

use super::{
    check_name,
    history::{self, Known},
    store::{self, Wanted},
    wire,
};
use crate::{
    app::App,
    auth::{
        self,
        may::{AgentsRead, OnFarm},
    },
    error::{ApiError, Body},
    groups, page,
};

/// Enrol an agent
///
/// The code comes from POST /v1/enrolment-codes or `offpeak-server token enrol`. The answer's token is shown once.
#[utoipa::path(post, path = "/v1/agents/enrol", operation_id = "enrol_agent", tag = "agents", request_body = EnrolRequest, responses(
    (status = 201, description = "The agent and its token", body = EnrolResponse),
    (status = 403, description = "The code is unknown, used up or too old", body = Problem),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn enrol(
    State(app): State<App>,
    Body(request): Body<EnrolRequest>,
) -> Result<(StatusCode, Json<EnrolResponse>), ApiError> {
    let name = check_name(&request.name)?;
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let enrols = auth::store::use_enrolment_code(&tx.tx, &request.code, now).await?.ok_or_else(|| {
        ApiError::new(StatusCode::FORBIDDEN, "bad_enrolment_code", "This enrolment code is unknown, used up or too old.")
            .hint("Make a new one: `offpeak enrol-code`, or `offpeak-server token enrol`.")
    })?;
    let (agent_id, token) = auth::store::create_agent(&tx.tx, &enrols.team, name, now).await?;
    if let Some(group) = enrols.group {
        // One that was deleted meanwhile leaves the machine in the default group.
        match groups::store::find(&tx.tx, &enrols.team, &group).await {
            Ok(_) => store::move_to(&tx.tx, agent_id.as_str(), &group).await?,
            Err(gone) if gone.status == StatusCode::NOT_FOUND => {}
            Err(error) => return Err(error),
        }
    }
    tx.commit().await?;
    tracing::info!(agent.id = %agent_id, name, "enrolled agent");
    Ok((StatusCode::CREATED, Json(EnrolResponse { agent_id, token })))
}

/// List agents
///
/// Youngest first, in pages. Revoked ones are left out unless `standing` asks for them.
#[utoipa::path(get, path = "/v1/agents", tag = "agents", security(("bearer" = ["agents:read"])), params(ListAgents), responses(
    (status = 200, description = "A page of agents", body = AgentList),
    (status = 422, description = "A filter does not fit", body = Problem),
))]
pub async fn list_agents(
    State(app): State<App>,
    auth: OnFarm<AgentsRead>,
    query: Result<Query<ListAgents>, QueryRejection>,
) -> Result<Json<AgentList>, ApiError> {
    let query = page::query(query)?;
    let wanted = Wanted {
        states: parse_all(query.state.as_deref(), "state", AgentState::parse)?,
        standings: parse_all(query.standing.as_deref(), "standing", Standing::parse)?,
        group: query.group,
        name: query.name.filter(|name| !name.is_empty()),
        after: query.cursor,
        limit: page::limit(query.limit)?,
    };
    page::check_cursor::<AgentId>(wanted.after.as_deref())?;
    if wanted.name.as_ref().is_some_and(|name| name.chars().any(char::is_control)) {
        return Err(ApiError::unfit("bad_filter", "`name` is a part of a name."));
    }
    let now = app.clock.now();
    let (rows, more) = store::list(&app.db.reader, &auth.team_id, &wanted, now).await?;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok(Json(AgentList { agents: wire::agents(&app.db.reader, rows, now).await?, next_cursor }))
}

/// Read an agent
///
/// With what it holds, what it failed lately, and what happened to it.
#[utoipa::path(get, path = "/v1/agents/{id}", tag = "agents", security(("bearer" = ["agents:read"])), params(("id" = AgentId, Path)), responses(
    (status = 200, description = "The agent", body = AgentDetail),
    (status = 404, description = "No such agent", body = Problem),
))]
pub async fn get_agent(
    State(app): State<App>,
    auth: OnFarm<AgentsRead>,
    Path(id): Path<AgentId>,
) -> Result<Json<AgentDetail>, ApiError> {
    let now = app.clock.now();
    let row = store::find(&app.db.reader, &auth.team_id, &id).await?;
    Ok(Json(wire::detail(&app.db.reader, &id, row, now).await?))
}

/// Read an agent's history
///
/// How long it was in which state, hour by hour, as far back as 31 days.
#[utoipa::path(get, path = "/v1/agents/{id}/history", operation_id = "get_agent_history", tag = "agents", security(("bearer" = ["agents:read"])),
    params(("id" = AgentId, Path), HistoryRange), responses(
    (status = 200, description = "Its hours", body = AgentHistory),
    (status = 404, description = "No such agent", body = Problem),
    (status = 422, description = "The range does not fit", body = Problem),
))]
pub async fn agent_history(
    State(app): State<App>,
    auth: OnFarm<AgentsRead>,
    Path(id): Path<AgentId>,
    query: Result<Query<HistoryRange>, QueryRejection>,
) -> Result<Json<AgentHistory>, ApiError> {
    let now = app.clock.now();
    let (from, to) = history::range(query, now)?;
    let row = store::find(&app.db.reader, &auth.team_id, &id).await?;
    let from = history::hour_of(from);
    let mut hours = store::hours(&app.db.reader, &id, from, to).await?;
    for (key, ms) in Known::of(&row).map(|known| known.uncounted(now)).unwrap_or_default() {
        if (from.ms()..to.ms()).contains(&key.0) {
            *hours.entry(key).or_default() += ms;
        }
    }
    Ok(Json(wire::history(hours)))
}

/// Words separated by commas.
fn parse_all<T>(text: Option<&str>, field: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, ApiError> {
    let words = text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| parse(word).ok_or_else(|| ApiError::unfit("bad_filter", format!("There is no {field} {word:?}.")))).collect()
}
