//! What people do with an agent: rename, move, drain, set aside, resume, revoke.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use offpeak_api::{
    agent::{Agent, ChangeAgent, ChangeStanding, SetAsideBy},
    ids::AgentId,
    problem::Problem,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{
    check_name,
    standing::{AgentStanding, StandingEvent, StandingNow},
    store, wire,
};
use crate::{
    app::App,
    auth::{
        AgentAuth, TeamAuth,
        may::{AgentsWrite, OnFarm},
    },
    entity::agent,
    error::{ApiError, Body},
    finish, groups,
};

const LONGEST_REASON: usize = 200;

/// Rename an agent, or move it to another group
#[utoipa::path(patch, path = "/v1/agents/{id}", tag = "agents", security(("bearer" = ["agents:write"])), params(("id" = AgentId, Path)),
    request_body = ChangeAgent, responses(
    (status = 200, description = "The agent; its engine learns of a new policy within a minute", body = Agent),
    (status = 404, description = "No such agent, or no such group", body = Problem),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn change_agent(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<AgentId>,
    Body(change): Body<ChangeAgent>,
) -> Result<Json<Agent>, ApiError> {
    let name = change.name.as_deref().map(check_name).transpose()?;
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let row = store::find(&tx.tx, &auth.team_id, &id).await?;
    if let Some(name) = name.filter(|name| *name != row.name) {
        store::rename(&tx.tx, &row.id, name).await?;
        store::record(&tx.tx, &row.id, "agent.renamed", json!({ "from": row.name, "to": name }), now).await?;
    }
    if let Some(group) = change.group.filter(|group| group.as_str() != row.group_id) {
        groups::store::find(&tx.tx, &auth.team_id, &group).await?;
        store::move_to(&tx.tx, &row.id, &group).await?;
        store::record(&tx.tx, &row.id, "agent.moved", json!({ "from": row.group_id, "to": group }), now).await?;
    }
    tx.commit().await?;
    one(&app, &auth, &id).await
}

/// Drain an agent
///
/// It ends what it holds and gets nothing more, until somebody resumes it.
#[utoipa::path(post, path = "/v1/agents/{id}/drain", tag = "agents", security(("bearer" = ["agents:write"])), params(("id" = AgentId, Path)),
    request_body = ChangeStanding, responses(
    (status = 200, description = "The agent, draining", body = Agent),
    (status = 404, description = "No such agent", body = Problem),
    (status = 409, description = "The agent was revoked", body = Problem),
    (status = 422, description = "The reason is too long", body = Problem),
))]
pub async fn drain_agent(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<AgentId>,
    Body(change): Body<ChangeStanding>,
) -> Result<Json<Agent>, ApiError> {
    change_standing(&app, &auth, &id, StandingEvent::Drain, change.reason).await?;
    one(&app, &auth, &id).await
}

/// Set an agent aside
///
/// What it holds is taken away at once, and it gets nothing more, until somebody resumes it.
#[utoipa::path(post, path = "/v1/agents/{id}/set-aside", tag = "agents", security(("bearer" = ["agents:write"])),
    params(("id" = AgentId, Path)), request_body = ChangeStanding, responses(
    (status = 200, description = "The agent, set aside", body = Agent),
    (status = 404, description = "No such agent", body = Problem),
    (status = 409, description = "The agent was revoked", body = Problem),
    (status = 422, description = "The reason is too long", body = Problem),
))]
pub async fn set_agent_aside(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<AgentId>,
    Body(change): Body<ChangeStanding>,
) -> Result<Json<Agent>, ApiError> {
    change_standing(&app, &auth, &id, StandingEvent::SetAside, change.reason).await?;
    take_away(&app, &auth, id.clone(), "set_aside").await?;
    one(&app, &auth, &id).await
}

/// Resume an agent
///
/// One that was drained or set aside, by a person or by its failures, gets work again.
#[utoipa::path(post, path = "/v1/agents/{id}/resume", tag = "agents", security(("bearer" = ["agents:write"])), params(("id" = AgentId, Path)),
    responses(
    (status = 200, description = "The agent, active", body = Agent),
    (status = 404, description = "No such agent", body = Problem),
    (status = 409, description = "The agent was revoked", body = Problem),
))]
pub async fn resume_agent(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<AgentId>,
) -> Result<Json<Agent>, ApiError> {
    change_standing(&app, &auth, &id, StandingEvent::Resume, None).await?;
    app.wake.work();
    one(&app, &auth, &id).await
}

/// Revoke an agent
///
/// For good: its token is good for nothing any more, and what it holds is taken away at once. It can still be read, for what
/// jobs say of it. The machine comes back only by enrolling again.
#[utoipa::path(delete, path = "/v1/agents/{id}", tag = "agents", security(("bearer" = ["agents:write"])), params(("id" = AgentId, Path)),
    responses(
    (status = 204, description = "Revoked, now or before"),
    (status = 404, description = "No such agent", body = Problem),
))]
pub async fn revoke_agent(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<AgentId>,
) -> Result<StatusCode, ApiError> {
    change_standing(&app, &auth, &id, StandingEvent::Revoke, None).await?;
    // Afterwards, so that nothing new is given meanwhile; and each time, so that a repeat does what was cut off.
    take_away(&app, &auth, id, "revoked").await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change_standing(
    app: &App,
    auth: &TeamAuth,
    id: &AgentId,
    event: StandingEvent,
    reason: Option<String>,
) -> Result<(), ApiError> {
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control)) {
        return Err(ApiError::unfit("bad_reason", format!("`reason` is one line of at most {LONGEST_REASON} characters.")));
    }
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let row = store::find_for_change(&tx.tx, &auth.team_id, id).await?;
    let before = StandingNow::of(&row)?.standing;
    let Some(standing) = before.after(event) else {
        return Err(ApiError::conflict("agent_revoked", format!("The agent {} was revoked, which is for good.", row.name))
            .hint("Enrol the machine again with a new code."));
    };
    let to = StandingNow { standing, reason, prove_after: None };
    if before != standing || row.standing_reason != to.reason {
        store::set_standing(&tx.tx, &row.id, &to).await?;
        note(&tx.tx, &row, &to, now).await?;
    }
    tx.commit().await?;
    app.known_agents.forget();
    Ok(())
}

async fn note(
    tx: &impl ConnectionTrait,
    row: &agent::Model,
    to: &StandingNow,
    now: crate::clock::Instant,
) -> Result<(), ApiError> {
    let kind = match to.standing {
        AgentStanding::Active => {
            store::set_failed_jobs(tx, &row.id, "", 0).await?;
            "agent.resumed"
        }
        AgentStanding::Draining => "agent.drained",
        AgentStanding::SetAside(SetAsideBy::Person | SetAsideBy::Failures | SetAsideBy::Distrust) => "agent.set_aside",
        AgentStanding::Revoked => "agent.revoked",
    };
    tracing::info!(agent.id = row.id, kind, reason = to.reason, "a person changed an agent's standing");
    store::record(tx, &row.id, kind, json!({ "reason": to.reason }), now).await
}

async fn take_away(app: &App, auth: &TeamAuth, agent_id: AgentId, why: &str) -> Result<(), ApiError> {
    let row = store::get(&app.db.reader, agent_id.as_str()).await?;
    let agent = AgentAuth {
        agent_id,
        team_id: auth.team_id.clone(),
        standing: StandingNow::of(&row)?,
        has_failed: false,
        instances: row.instances,
    };
    finish::take_away(app, &agent, why).await?;
    Ok(())
}

async fn one(app: &App, auth: &TeamAuth, id: &AgentId) -> Result<Json<Agent>, ApiError> {
    let row = store::find(&app.db.reader, &auth.team_id, id).await?;
    let mut agents = wire::agents(&app.db.reader, vec![row], app.clock.now()).await?;
    agents.pop().map(Json).ok_or_else(|| ApiError::internal("an agent got lost on its way out"))
}
