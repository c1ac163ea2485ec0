//! What an agent says of itself: what it is doing, and that it can encode again.

use axum::{Json, extract::State};
use offpeak_api::{
    agent::{AgentOrders, ProofReport, StateReport},
    plain,
    problem::Problem,
};
use serde_json::json;

use super::{
    history::Known,
    standing::{AgentStanding, StandingEvent, StandingNow},
    store,
};
use crate::{
    app::App,
    auth::AgentAuth,
    clock::Instant,
    error::{ApiError, Body},
    groups,
    lease::limits,
};

const LONGEST_REASON: usize = 300;
const LONGEST_CODE: usize = 64;

/// Say what this agent is doing
///
/// At every change of state, and otherwise once a minute: who is silent for 90 seconds counts as offline. The answer brings
/// the policy of the agent's group, and how the agent stands.
#[utoipa::path(post, path = "/v1/agents/me/state", operation_id = "report_agent_state", tag = "agents", security(("bearer" = [])), request_body = StateReport, responses(
    (status = 200, description = "Noted; the policy and standing from now on", body = AgentOrders),
    (status = 401, description = "The agent was revoked, or its token is not known", body = Problem),
))]
pub async fn report_state(
    State(app): State<App>,
    auth: AgentAuth,
    Body(report): Body<StateReport>,
) -> Result<Json<AgentOrders>, ApiError> {
    let report = StateReport {
        state: report.state,
        code: report.code.map(|code| plain::short(&code, LONGEST_CODE)),
        reason: report.reason.map(|reason| plain::short(&reason, LONGEST_REASON)),
    };
    let now = app.clock.now();
    let row = store::get(&app.db.reader, auth.agent_id.as_str()).await?;
    let tx = app.db.write().await?;
    match Known::of(&row) {
        Some(known) if known.goes_on(report.state, now) => store::still_in_state(&tx.tx, &row, &report, now).await?,
        known => store::enter_state(&tx.tx, &row, known, &report, now).await?,
    }
    tx.commit().await?;
    orders(&app, &row.group_id, &StandingNow::of(&row)?, now).await
}

/// Prove that this agent can encode
///
/// An agent that its failures set aside tests its encoders after the wait that it was told, and says here what they proved.
#[utoipa::path(post, path = "/v1/agents/me/proof", operation_id = "prove_agent", tag = "agents", security(("bearer" = [])), request_body = ProofReport, responses(
    (status = 200, description = "Taken: unless a person is draining it, the agent gets work again", body = AgentOrders),
    (status = 403, description = "Too early, or a person set it aside; `Retry-After` says when to ask again", body = Problem),
    (status = 422, description = "Nothing was proved", body = Problem),
))]
pub async fn prove(
    State(app): State<App>,
    auth: AgentAuth,
    Body(report): Body<ProofReport>,
) -> Result<Json<AgentOrders>, ApiError> {
    let capabilities = limits::check_capabilities(&report.capabilities)?;
    if capabilities.encoders.is_empty() {
        return Err(ApiError::unfit("nothing_proved", "`capabilities` names no encoder that a test encode proved.")
            .hint("Look at the engine's log for why its test encodes fail."));
    }
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let row = store::get_for_change(&tx.tx, auth.agent_id.as_str()).await?;
    let before = StandingNow::of(&row)?;
    before.may_prove(now)?;
    let standing = before.standing.after(StandingEvent::Prove).unwrap_or(before.standing);
    let after = if standing == before.standing { before } else { StandingNow { standing, reason: None, prove_after: None } };
    store::set_capabilities(&tx.tx, &row.id, serde_json::to_value(&capabilities)?, now).await?;
    if standing == AgentStanding::Active && row.standing != standing.wire().as_str() {
        store::set_standing(&tx.tx, &row.id, &after).await?;
        // How often it was set aside is kept until a task succeeds: a test encode that succeeds proves less than that.
        store::set_failed_jobs(&tx.tx, &row.id, "", row.times_set_aside).await?;
        store::record(&tx.tx, &row.id, "agent.proved", json!({ "encoders": capabilities.encoders }), now).await?;
        tracing::info!(agent.id = row.id, "agent proved itself and gets work again");
    }
    tx.commit().await?;
    orders(&app, &row.group_id, &after, now).await
}

async fn orders(app: &App, group: &str, now_stands: &StandingNow, now: Instant) -> Result<Json<AgentOrders>, ApiError> {
    Ok(Json(AgentOrders {
        policy: groups::store::policy_of(&app.db.reader, group).await?,
        standing: now_stands.standing.wire(),
        standing_reason: now_stands.reason.clone(),
        prove_after_seconds: now_stands.prove_after_seconds(now),
    }))
}
