//! Agents as clients see them: rows, and what they hold.

use std::collections::HashMap;

use offpeak_api::agent::Agent;
use sea_orm::ConnectionTrait;

use super::{
    held::{self, Held, Speed},
    history,
    standing::AgentStanding,
};
use crate::{clock::Instant, entity::agent, error::ApiError};

/// These agents. Three queries for any number.
pub async fn agents(db: &impl ConnectionTrait, rows: Vec<agent::Model>, now: Instant) -> Result<Vec<Agent>, ApiError> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut of_agent: HashMap<String, Vec<Held>> = HashMap::new();
    if !ids.is_empty() {
        for held in held::held(db, Some(&ids)).await? {
            of_agent.entry(held.row.agent_id.clone()).or_default().push(held);
        }
    }
    rows.into_iter().map(|row| agent(&of_agent.remove(&row.id).unwrap_or_default(), row, now)).collect()
}

/// One agent, with what it holds.
pub fn agent(holds: &[Held], row: agent::Model, now: Instant) -> Result<Agent, ApiError> {
    let (state, since) = history::shown(&row, now);
    let standing = AgentStanding::parse(&row.standing, row.set_aside_by.as_deref())?;
    let speed: Speed = holds.iter().map(|held| held.speed).sum();
    // What it said while it was there says nothing of its absence.
    let said = |text: Option<String>| text.filter(|_| state.as_str() == row.state);
    Ok(Agent {
        state_code: said(row.state_code),
        state_reason: said(row.state_reason),
        id: row.id.parse().map_err(ApiError::internal)?,
        name: row.name,
        group: row.group_id.parse().map_err(ApiError::internal)?,
        state,
        state_since: since.to_utc(),
        standing: standing.wire(),
        standing_reason: row.standing_reason,
        set_aside_by: standing.set_aside_by(),
        last_seen_at: Some(Instant(row.last_seen_at_ms).to_utc()),
        working: !holds.is_empty(),
        frames_per_second: speed.frames_per_second,
        real_time_speed: speed.real_time,
        capabilities: row.capabilities.map(serde_json::from_value).transpose()?,
    })
}
