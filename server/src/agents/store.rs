//! SQL of agents.

use offpeak_api::{
    agent::{AgentState, Standing, StateReport},
    ids::{AgentId, GroupId, TeamId},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func, LikeExpr, OnConflict},
};

use super::{
    history::{Hours, Known},
    standing::{StandingNow, by_as_str},
};
use crate::{
    clock::Instant,
    entity::{agent, agent_event, agent_hour, failure},
    error::ApiError,
    finish::failure::AGENT_GONE_AFTER,
};

/// Which agents to list.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// All, when empty.
    pub states: Vec<AgentState>,
    /// All but revoked ones, when empty.
    pub standings: Vec<Standing>,
    pub group: Option<GroupId>,
    pub name: Option<String>,
    /// The id before the page.
    pub after: Option<String>,
    pub limit: u32,
}

/// A page of a team's agents, youngest first, and whether more follow.
pub async fn list(
    db: &impl ConnectionTrait,
    team: &TeamId,
    wanted: &Wanted,
    now: Instant,
) -> Result<(Vec<agent::Model>, bool), ApiError> {
    let mut select = agent::Entity::find().filter(agent::Column::TeamId.eq(team.as_str()));
    if !wanted.states.is_empty() {
        select = select.filter(is_shown_in(&wanted.states, now));
    }
    select = match wanted.standings.is_empty() {
        true => select.filter(agent::Column::Standing.ne(Standing::Revoked.as_str())),
        false => select.filter(agent::Column::Standing.is_in(wanted.standings.iter().map(|standing| standing.as_str()))),
    };
    if let Some(group) = &wanted.group {
        select = select.filter(agent::Column::GroupId.eq(group.as_str()));
    }
    if let Some(part) = &wanted.name {
        let pattern = part.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let pattern = LikeExpr::new(format!("%{pattern}%")).escape('!');
        select = select.filter(Func::lower(Expr::col(agent::Column::Name)).like(pattern));
    }
    if let Some(after) = &wanted.after {
        select = select.filter(agent::Column::Id.lt(after.as_str()));
    }
    let limit = u64::from(wanted.limit);
    let mut rows = select.order_by_desc(agent::Column::Id).limit(limit + 1).all(db).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(wanted.limit as usize);
    Ok((rows, more))
}

/// As `history::shown` has it: who is not heard of is offline, whatever it said last.
fn is_shown_in(states: &[AgentState], now: Instant) -> Condition {
    let gone = (now - AGENT_GONE_AFTER).ms();
    let said = Condition::all()
        .add(agent::Column::State.is_in(states.iter().map(|state| state.as_str())))
        .add(agent::Column::LastSeenAtMs.gte(gone));
    match states.contains(&AgentState::Offline) {
        true => Condition::any().add(said).add(agent::Column::LastSeenAtMs.lt(gone)),
        false => said,
    }
}

pub async fn get(db: &impl ConnectionTrait, id: &str) -> Result<agent::Model, ApiError> {
    agent::Entity::find_by_id(id.to_owned()).one(db).await?.ok_or_else(|| not_found(id))
}

/// The row, which nobody else changes until this transaction ends.
pub async fn get_for_change(tx: &impl ConnectionTrait, id: &str) -> Result<agent::Model, ApiError> {
    agent::Entity::find_by_id(id.to_owned()).lock_exclusive().one(tx).await?.ok_or_else(|| not_found(id))
}

pub fn not_found(id: &str) -> ApiError {
    ApiError::not_found("agent_not_found", format!("There is no agent {id}."))
}

/// An agent of this team.
pub async fn find(db: &impl ConnectionTrait, team: &TeamId, id: &AgentId) -> Result<agent::Model, ApiError> {
    get(db, id.as_str()).await.and_then(|row| of_team(row, team))
}

/// An agent of this team, which nobody else changes until this transaction ends.
pub async fn find_for_change(tx: &impl ConnectionTrait, team: &TeamId, id: &AgentId) -> Result<agent::Model, ApiError> {
    get_for_change(tx, id.as_str()).await.and_then(|row| of_team(row, team))
}

fn of_team(row: agent::Model, team: &TeamId) -> Result<agent::Model, ApiError> {
    if row.team_id == team.as_str() { Ok(row) } else { Err(not_found(&row.id)) }
}

pub async fn rename(tx: &impl ConnectionTrait, id: &str, name: &str) -> Result<(), ApiError> {
    update(tx, id, agent::ActiveModel { name: Set(name.to_owned()), ..Default::default() }).await
}

pub async fn move_to(tx: &impl ConnectionTrait, id: &str, group: &GroupId) -> Result<(), ApiError> {
    update(tx, id, agent::ActiveModel { group_id: Set(group.to_string()), ..Default::default() }).await
}

/// Writes a few columns of an agent.
async fn update(tx: &impl ConnectionTrait, id: &str, change: agent::ActiveModel) -> Result<(), ApiError> {
    let row = agent::ActiveModel { id: Set(id.to_owned()), ..change };
    agent::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn set_standing(tx: &impl ConnectionTrait, id: &str, to: &StandingNow) -> Result<(), ApiError> {
    let change = agent::ActiveModel {
        standing: Set(to.standing.wire().as_str().to_owned()),
        standing_reason: Set(to.reason.clone()),
        set_aside_by: Set(to.standing.set_aside_by().map(|by| by_as_str(by).to_owned())),
        prove_after_ms: Set(to.prove_after.map(Instant::ms)),
        ..Default::default()
    };
    update(tx, id, change).await
}

/// The jobs that an agent failed in a row, and how often it was set aside for such.
pub async fn set_failed_jobs(tx: &impl ConnectionTrait, id: &str, jobs: &str, times_set_aside: i32) -> Result<(), ApiError> {
    let change =
        agent::ActiveModel { failed_jobs: Set(jobs.to_owned()), times_set_aside: Set(times_set_aside), ..Default::default() };
    update(tx, id, change).await
}

/// The processes of its engine that asked last.
pub async fn set_instances(tx: &impl ConnectionTrait, id: &str, instances: &str) -> Result<(), ApiError> {
    update(tx, id, agent::ActiveModel { instances: Set(instances.to_owned()), ..Default::default() }).await
}

pub async fn set_capabilities(
    tx: &impl ConnectionTrait,
    id: &str,
    capabilities: serde_json::Value,
    now: Instant,
) -> Result<(), ApiError> {
    let change =
        agent::ActiveModel { capabilities: Set(Some(capabilities)), last_seen_at_ms: Set(now.ms()), ..Default::default() };
    update(tx, id, change).await
}

/// Notes something that happened to an agent.
pub async fn record(
    tx: &impl ConnectionTrait,
    agent: &str,
    kind: &str,
    data: serde_json::Value,
    now: Instant,
) -> Result<(), ApiError> {
    let row = agent_event::ActiveModel {
        agent_id: Set(agent.to_owned()),
        kind: Set(kind.to_owned()),
        data: Set(data),
        at_ms: Set(now.ms()),
        ..Default::default()
    };
    row.insert(tx).await?;
    Ok(())
}

/// The agent says the same again.
pub async fn still_in_state(
    tx: &impl ConnectionTrait,
    row: &agent::Model,
    report: &StateReport,
    now: Instant,
) -> Result<(), ApiError> {
    let change = agent::ActiveModel {
        state_code: Set(report.code.clone()),
        state_reason: Set(report.reason.clone()),
        reported_at_ms: Set(now.ms()),
        last_seen_at_ms: Set(now.ms()),
        ..Default::default()
    };
    update(tx, &row.id, change).await
}

/// Counts the time that passed since `row` was read as its state and, after 90 s of silence, as offline; then the state is
/// the reported one. When two reports come at once, one of them counts.
pub async fn enter_state(
    tx: &impl ConnectionTrait,
    row: &agent::Model,
    known: Option<Known>,
    report: &StateReport,
    now: Instant,
) -> Result<(), ApiError> {
    let since = match known {
        Some(known) if known.is_unbroken(report.state, now) => row.state_since_ms,
        Some(_) | None => now.ms(),
    };
    let done = agent::Entity::update_many()
        .col_expr(agent::Column::State, Expr::value(report.state.as_str()))
        .col_expr(agent::Column::StateCode, Expr::value(report.code.clone()))
        .col_expr(agent::Column::StateReason, Expr::value(report.reason.clone()))
        .col_expr(agent::Column::StateSinceMs, Expr::value(since))
        .col_expr(agent::Column::ReportedAtMs, Expr::value(now.ms()))
        .col_expr(agent::Column::CountedUntilMs, Expr::value(now.ms()))
        .col_expr(agent::Column::LastSeenAtMs, Expr::value(now.ms()))
        .filter(agent::Column::Id.eq(row.id.as_str()))
        .filter(agent::Column::CountedUntilMs.eq(row.counted_until_ms))
        .exec(tx)
        .await?;
    if done.rows_affected > 0 {
        add_hours(tx, &row.id, known.map(|known| known.uncounted(now)).unwrap_or_default()).await?;
    }
    Ok(())
}

async fn add_hours(tx: &impl ConnectionTrait, agent: &str, hours: Hours) -> Result<(), ApiError> {
    if hours.is_empty() {
        return Ok(());
    }
    let rows = hours.into_iter().map(|((hour_ms, state), ms)| agent_hour::ActiveModel {
        agent_id: Set(agent.to_owned()),
        hour_ms: Set(hour_ms),
        state: Set(state.as_str().to_owned()),
        ms: Set(ms),
    });
    let sum = Expr::col((agent_hour::Entity, agent_hour::Column::Ms)).add(Expr::cust("excluded.ms"));
    agent_hour::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::columns([agent_hour::Column::AgentId, agent_hour::Column::HourMs, agent_hour::Column::State])
                .value(agent_hour::Column::Ms, sum)
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The last failures of an agent, youngest first.
pub async fn failures(db: &impl ConnectionTrait, agent: &AgentId, limit: u64) -> Result<Vec<failure::Model>, ApiError> {
    Ok(failure::Entity::find()
        .filter(failure::Column::AgentId.eq(agent.as_str()))
        .order_by_desc(failure::Column::Id)
        .limit(limit)
        .all(db)
        .await?)
}

/// What happened to an agent last, youngest first.
pub async fn events(db: &impl ConnectionTrait, agent: &AgentId, limit: u64) -> Result<Vec<agent_event::Model>, ApiError> {
    Ok(agent_event::Entity::find()
        .filter(agent_event::Column::AgentId.eq(agent.as_str()))
        .order_by_desc(agent_event::Column::Id)
        .limit(limit)
        .all(db)
        .await?)
}

/// Deletes hours and events from before that time.
pub async fn forget(tx: &impl ConnectionTrait, before: Instant) -> Result<(), ApiError> {
    agent_hour::Entity::delete_many().filter(agent_hour::Column::HourMs.lt(before.ms())).exec(tx).await?;
    agent_event::Entity::delete_many().filter(agent_event::Column::AtMs.lt(before.ms())).exec(tx).await?;
    Ok(())
}

/// The hours of an agent in `[from, to)`.
pub async fn hours(db: &impl ConnectionTrait, agent: &AgentId, from: Instant, to: Instant) -> Result<Hours, ApiError> {
    let rows = agent_hour::Entity::find()
        .filter(agent_hour::Column::AgentId.eq(agent.as_str()))
        .filter(agent_hour::Column::HourMs.gte(from.ms()))
        .filter(agent_hour::Column::HourMs.lt(to.ms()))
        .order_by_asc(agent_hour::Column::HourMs)
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some(((row.hour_ms, AgentState::parse(&row.state)?), row.ms))).collect())
}
