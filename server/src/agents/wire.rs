//! Agents as clients see them: rows, and what they hold.

use std::collections::{BTreeMap, HashMap};

use offpeak_api::{
    agent::{Agent, AgentDetail, AgentEvent, AgentFailure, AgentHistory, AgentHour, AgentLease},
    ids::AgentId,
    lease::HolderState,
};
use sea_orm::ConnectionTrait;

use super::{
    held::{self, Held, Speed},
    history::{self, Hours},
    standing::{AgentStanding, StandingNow},
    store,
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

const FAILURES_SHOWN: u64 = 20;
const EVENTS_SHOWN: u64 = 50;

/// One agent with all that is known of it.
pub async fn detail(db: &impl ConnectionTrait, id: &AgentId, row: agent::Model, now: Instant) -> Result<AgentDetail, ApiError> {
    let holds = held::held(db, Some(std::slice::from_ref(&row.id))).await?;
    let failures = store::failures(db, id, FAILURES_SHOWN).await?.into_iter().map(|row| {
        Ok::<_, ApiError>(AgentFailure {
            at: Instant(row.at_ms).to_utc(),
            job: row.job_id.parse().map_err(ApiError::internal)?,
            task: row.task_id.parse().map_err(ApiError::internal)?,
            code: row.code,
            message: row.message,
            log_tail: serde_json::from_value(row.log_tail)?,
        })
    });
    let events = store::events(db, id, EVENTS_SHOWN).await?.into_iter();
    Ok(AgentDetail {
        enrolled_at: Instant(row.created_at_ms).to_utc(),
        jobs_failed_in_a_row: row.failed_jobs.split_whitespace().count() as u32,
        prove_after_seconds: StandingNow::of(&row)?.prove_after_seconds(now),
        leases: holds.iter().map(lease).collect::<Result<_, _>>()?,
        failures: failures.collect::<Result<_, _>>()?,
        events: events.map(|row| AgentEvent { kind: row.kind, at: Instant(row.at_ms).to_utc(), data: row.data }).collect(),
        agent: agent(&holds, row, now)?,
    })
}

fn lease(held: &Held) -> Result<AgentLease, ApiError> {
    let row = &held.row;
    Ok(AgentLease {
        id: row.lease_id.parse().map_err(ApiError::internal)?,
        job: row.job_id.parse().map_err(ApiError::internal)?,
        task: row.task_id.parse().map_err(ApiError::internal)?,
        kind: row.kind.clone(),
        first: row.first.cast_unsigned(),
        cursor: row.cursor.cast_unsigned(),
        last: row.last.cast_unsigned(),
        state: if row.holder_state == "suspended" { HolderState::Suspended } else { HolderState::Encoding },
        frames_per_second: held.speed.frames_per_second,
        real_time_speed: held.speed.real_time,
        granted_at: Instant(row.created_at_ms).to_utc(),
        expires_at: Instant(row.expires_at_ms).to_utc(),
    })
}

/// Hours, oldest first.
pub fn history(hours: Hours) -> AgentHistory {
    let mut by_hour: BTreeMap<i64, AgentHour> = BTreeMap::new();
    for ((hour, state), ms) in hours {
        let entry =
            by_hour.entry(hour).or_insert_with(|| AgentHour { hour: Instant(hour).to_utc(), milliseconds: BTreeMap::new() });
        entry.milliseconds.insert(state, ms.cast_unsigned());
    }
    AgentHistory { hours: by_hour.into_values().collect() }
}
