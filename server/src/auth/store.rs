//! SQL of tokens and teams.

use std::time::Duration;

use offpeak_api::{
    agent::AgentState,
    ids::{AgentId, TeamId, TokenId},
    webhook::WebhookEvent,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType,
    QueryFilter, QuerySelect, sea_query::Expr,
};

use serde_json::json;

use super::{AgentAuth, Caller, TeamAuth, TokenKind, hash_secret, new_secret};
use crate::{
    agents::{
        self,
        standing::{AgentStanding, StandingNow},
    },
    clock::Instant,
    entity::{agent, team, token},
    error::ApiError,
    groups, webhooks,
};

/// What a token's row, and its agent's, say.
#[derive(Debug, FromQueryResult)]
struct Known {
    kind: String,
    team_id: String,
    agent_id: Option<String>,
    expires_at_ms: Option<i64>,
    standing: Option<String>,
    standing_reason: Option<String>,
    set_aside_by: Option<String>,
    prove_after_ms: Option<i64>,
    failed_jobs: Option<String>,
    times_set_aside: Option<i32>,
    instances: Option<String>,
}

/// The caller whose token has this hash.
pub async fn find_caller(db: &impl ConnectionTrait, hash: &str, now: Instant) -> Result<Option<Caller>, ApiError> {
    let agent_of_token = token::Entity::belongs_to(agent::Entity).from(token::Column::AgentId).to(agent::Column::Id);
    // One look for both: this stands before every call.
    let known = token::Entity::find()
        .select_only()
        .columns([token::Column::Kind, token::Column::TeamId, token::Column::AgentId, token::Column::ExpiresAtMs])
        .columns([agent::Column::Standing, agent::Column::StandingReason, agent::Column::SetAsideBy])
        .columns([agent::Column::ProveAfterMs, agent::Column::FailedJobs, agent::Column::TimesSetAside])
        .column(agent::Column::Instances)
        .join(JoinType::LeftJoin, agent_of_token.into())
        .filter(token::Column::Hash.eq(hash))
        .into_model::<Known>()
        .one(db)
        .await?;
    let Some(known) = known.filter(|known| known.expires_at_ms.is_none_or(|expiry| expiry > now.ms())) else { return Ok(None) };
    let team_id: TeamId = known.team_id.parse().map_err(ApiError::internal)?;
    Ok(match (known.kind.as_str(), known.agent_id, known.standing) {
        ("program", _, _) => Some(Caller::Team(TeamAuth { team_id })),
        ("agent", Some(agent), Some(standing)) => Some(Caller::Agent(AgentAuth {
            agent_id: agent.parse().map_err(ApiError::internal)?,
            team_id,
            standing: StandingNow {
                standing: AgentStanding::parse(&standing, known.set_aside_by.as_deref())?,
                reason: known.standing_reason,
                prove_after: known.prove_after_ms.map(Instant),
            },
            has_failed: known.failed_jobs.is_some_and(|jobs| !jobs.is_empty()) || known.times_set_aside.is_some_and(|n| n > 0),
            instances: known.instances.unwrap_or_default(),
        })),
        _ => None,
    })
}

/// The first team, made when there is none: everything belongs to it until teams can be managed.
pub async fn default_team(db: &impl ConnectionTrait, now: Instant) -> Result<TeamId, ApiError> {
    use sea_orm::QueryOrder;
    if let Some(row) = team::Entity::find().order_by_asc(team::Column::Id).limit(1).one(db).await? {
        return row.id.parse().map_err(ApiError::internal);
    }
    let id = TeamId::new();
    let row = team::ActiveModel {
        id: Set(id.to_string()),
        name: Set("default".to_owned()),
        weight: Set(1.0),
        created_at_ms: Set(now.ms()),
    };
    row.insert(db).await?;
    groups::store::default_group(db, &id, now).await?;
    Ok(id)
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub team: &'a TeamId,
    pub kind: TokenKind,
    pub name: &'a str,
    pub agent: Option<&'a AgentId>,
    pub uses: Option<u32>,
    pub lifetime: Option<Duration>,
}

/// Makes a token and returns its secret, which is kept nowhere.
pub async fn create_token(db: &impl ConnectionTrait, new: NewToken<'_>, now: Instant) -> Result<String, ApiError> {
    let secret = new_secret(new.kind);
    let row = token::ActiveModel {
        id: Set(TokenId::new().to_string()),
        team_id: Set(new.team.to_string()),
        kind: Set(new.kind.as_str().to_owned()),
        name: Set(new.name.to_owned()),
        hash: Set(hash_secret(&secret)),
        agent_id: Set(new.agent.map(ToString::to_string)),
        uses_left: Set(new.uses.and_then(|uses| i32::try_from(uses).ok())),
        expires_at_ms: Set(new.lifetime.map(|lifetime| (now + lifetime).ms())),
        created_at_ms: Set(now.ms()),
    };
    row.insert(db).await?;
    Ok(secret)
}

/// Makes an agent of that name, with a token of its own.
pub async fn create_agent(
    db: &impl ConnectionTrait,
    team: &TeamId,
    name: &str,
    now: Instant,
) -> Result<(AgentId, String), ApiError> {
    let id = AgentId::new();
    let group = groups::store::default_group(db, team, now).await?;
    let row = agent::ActiveModel {
        id: Set(id.to_string()),
        team_id: Set(team.to_string()),
        name: Set(name.to_owned()),
        capabilities: Set(None),
        created_at_ms: Set(now.ms()),
        last_seen_at_ms: Set(now.ms()),
        standing: Set("active".to_owned()),
        standing_reason: Set(None),
        work_per_second: Set(None),
        group_id: Set(group.to_string()),
        state: Set(AgentState::Waiting.as_str().to_owned()),
        state_code: Set(None),
        state_reason: Set(None),
        state_since_ms: Set(now.ms()),
        reported_at_ms: Set(0),
        counted_until_ms: Set(0),
        set_aside_by: Set(None),
        prove_after_ms: Set(None),
        failed_jobs: Set(String::new()),
        times_set_aside: Set(0),
        instances: Set(String::new()),
    };
    row.insert(db).await?;
    agents::store::record(db, id.as_str(), "agent.enrolled", json!({ "name": name }), now).await?;
    let new = NewToken { team, kind: TokenKind::Agent, name, agent: Some(&id), uses: None, lifetime: None };
    let secret = create_token(db, new, now).await?;
    webhooks::outbox::agent(db, id.as_str(), WebhookEvent::AgentEnrolled, now).await?;
    Ok((id, secret))
}

/// Takes one use of an enrolment code; the team that it enrols into, or nothing when it is not good (any more).
pub async fn use_enrolment_code(db: &impl ConnectionTrait, code: &str, now: Instant) -> Result<Option<TeamId>, ApiError> {
    let row = token::Entity::find()
        .filter(token::Column::Hash.eq(hash_secret(code)))
        .filter(token::Column::Kind.eq(TokenKind::Enrol.as_str()))
        .one(db)
        .await?;
    let Some(row) = row.filter(|row| row.expires_at_ms.is_none_or(|expiry| expiry > now.ms())) else { return Ok(None) };
    let taken = token::Entity::update_many()
        .col_expr(token::Column::UsesLeft, Expr::col(token::Column::UsesLeft).sub(1))
        .filter(token::Column::Id.eq(row.id))
        .filter(token::Column::UsesLeft.gt(0))
        .exec(db)
        .await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    Ok(Some(row.team_id.parse().map_err(ApiError::internal)?))
}
