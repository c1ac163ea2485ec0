//! Enrolment, and the list of agents.

use axum::{Json, extract::State, http::StatusCode};
use offpeak_api::{
    job::{Agent, AgentList},
    lease::{EnrolRequest, EnrolResponse},
    problem::Problem,
};

use super::store;
use crate::{
    app::App,
    auth::{self, TeamAuth},
    clock::Instant,
    error::{ApiError, Body},
};

/// Enrol an agent
///
/// The code comes from `offpeak-server token enrol`. The answer's token is shown once.
#[utoipa::path(post, path = "/v1/agents/enrol", tag = "agents", request_body = EnrolRequest, responses(
    (status = 201, description = "The agent and its token", body = EnrolResponse),
    (status = 403, description = "The code is unknown, used up or too old", body = Problem),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn enrol(
    State(app): State<App>,
    Body(request): Body<EnrolRequest>,
) -> Result<(StatusCode, Json<EnrolResponse>), ApiError> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        return Err(ApiError::unfit("bad_name", "`name` has 1 to 120 characters."));
    }
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let team = auth::store::use_enrolment_code(&tx.tx, &request.code, now).await?.ok_or_else(|| {
        ApiError::new(StatusCode::FORBIDDEN, "bad_enrolment_code", "This enrolment code is unknown, used up or too old.")
            .hint("Make a new one with `offpeak-server token enrol`.")
    })?;
    let (agent_id, token) = auth::store::create_agent(&tx.tx, &team, name, now).await?;
    tx.commit().await?;
    tracing::info!(agent.id = %agent_id, name, "enrolled agent");
    Ok((StatusCode::CREATED, Json(EnrolResponse { agent_id, token })))
}

/// List agents
#[utoipa::path(get, path = "/v1/agents", tag = "agents", security(("bearer" = [])), responses(
    (status = 200, description = "The agents that enrolled, youngest first", body = AgentList),
))]
pub async fn list_agents(State(app): State<App>, auth: TeamAuth) -> Result<Json<AgentList>, ApiError> {
    let rows = store::list(&app.db.reader, &auth.team_id).await?;
    let working = store::at_work(&app.db.reader).await?;
    let agents = rows
        .into_iter()
        .map(|row| {
            Ok(Agent {
                working: working.contains(&row.id),
                id: row.id.parse().map_err(ApiError::internal)?,
                name: row.name,
                last_seen_at: Some(Instant(row.last_seen_at_ms).to_utc()),
                capabilities: row.capabilities.map(serde_json::from_value).transpose()?,
            })
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(Json(AgentList { agents }))
}
