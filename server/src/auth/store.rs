//! SQL of tokens and teams.

use std::time::Duration;

use offpeak_api::ids::{AgentId, TeamId, TokenId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr,
};

use super::{AgentAuth, Caller, TeamAuth, TokenKind, hash_secret, new_secret};
use crate::{
    clock::Instant,
    entity::{agent, team, token},
    error::ApiError,
};

/// The caller whose token has this hash.
pub async fn find_caller(db: &impl ConnectionTrait, hash: &str, now: Instant) -> Result<Option<Caller>, ApiError> {
    let Some(row) = token::Entity::find().filter(token::Column::Hash.eq(hash)).one(db).await? else { return Ok(None) };
    if row.expires_at_ms.is_some_and(|expiry| expiry <= now.ms()) {
        return Ok(None);
    }
    let team_id: TeamId = row.team_id.parse().map_err(ApiError::internal)?;
    Ok(match (row.kind.as_str(), row.agent_id) {
        ("program", _) => Some(Caller::Team(TeamAuth { team_id })),
        ("agent", Some(agent)) => {
            Some(Caller::Agent(AgentAuth { agent_id: agent.parse().map_err(ApiError::internal)?, team_id }))
        }
        _ => None,
    })
}

/// The first team, made when there is none: everything belongs to it until teams can be managed.
pub async fn default_team(db: &impl ConnectionTrait, now: Instant) -> Result<TeamId, ApiError> {
    use sea_orm::{QueryOrder, QuerySelect};
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
    };
    row.insert(db).await?;
    let new = NewToken { team, kind: TokenKind::Agent, name, agent: Some(&id), uses: None, lifetime: None };
    let secret = create_token(db, new, now).await?;
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
