//! SQL of tokens and teams.

use std::time::Duration;

use offpeak_api::{
    agent::AgentState,
    ids::{AgentId, GroupId, TeamId, TokenId},
    webhook::WebhookEvent,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};

use serde_json::json;

use super::{AgentAuth, Caller, TeamAuth, TokenKind, Who, hash_secret, new_secret, scopes::Scopes};
use crate::{
    agents::{
        self,
        standing::{AgentStanding, StandingNow},
    },
    clock::Instant,
    db::Db,
    entity::{agent, setting, team, token},
    error::ApiError,
    groups, webhooks,
};

/// What a token's row, and its agent's, say.
#[derive(Debug, FromQueryResult)]
struct Known {
    id: String,
    kind: String,
    team_id: String,
    agent_id: Option<String>,
    expires_at_ms: Option<i64>,
    scopes: Option<String>,
    last_used_at_ms: Option<i64>,
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
        .columns([token::Column::Id, token::Column::Scopes, token::Column::LastUsedAtMs])
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
        ("program", _, _) => {
            let id = known.id.parse().map_err(ApiError::internal)?;
            let by = Who::Token { id, team: team_id.clone(), last_used_at: known.last_used_at_ms.map(Instant) };
            Some(Caller::Team(TeamAuth { team_id, scopes: Scopes::of_text(known.scopes.as_deref().unwrap_or_default()), by }))
        }
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

/// The team that the farm itself is filed under: the first one, made when there is none. Agents and groups bear its id; which
/// it is says a setting that the first server writes, so that servers which start together agree.
pub async fn default_team(db: &impl ConnectionTrait, now: Instant) -> Result<TeamId, ApiError> {
    let known = match setting::Entity::find_by_id(FARM.to_owned()).one(db).await? {
        Some(known) => known,
        None => {
            let oldest = team::Entity::find().order_by_asc(team::Column::CreatedAtMs).limit(1).one(db).await?;
            let id = oldest.map_or_else(|| TeamId::new().to_string(), |team| team.id);
            let fresh = setting::ActiveModel { name: Set(FARM.to_owned()), value: Set(id) };
            setting::Entity::insert(fresh)
                .on_conflict(OnConflict::column(setting::Column::Name).do_nothing().to_owned())
                .exec_without_returning(db)
                .await?;
            let known = setting::Entity::find_by_id(FARM.to_owned()).one(db).await?;
            known.ok_or_else(|| ApiError::internal("the farm's team vanished"))?
        }
    };
    let id: TeamId = known.value.parse().map_err(ApiError::internal)?;
    let row = team::ActiveModel {
        id: Set(id.to_string()),
        name: Set("default".to_owned()),
        weight: Set(1.0),
        created_at_ms: Set(now.ms()),
    };
    let made = team::Entity::insert(row)
        .on_conflict(OnConflict::column(team::Column::Id).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    if made > 0 {
        groups::store::default_group(db, &id, now).await?;
    }
    Ok(id)
}

const FARM: &str = "farm_team";

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

/// What only some tokens have.
#[derive(Debug, Clone, Default)]
pub struct TokenExtras<'a> {
    /// Of a program's; when absent, all but those that concern people.
    pub scopes: Option<&'a Scopes>,
    /// Of an enrolment code: the group that machines join.
    pub group: Option<&'a GroupId>,
}

/// Makes a token and returns its secret, which is kept nowhere.
pub async fn create_token(db: &impl ConnectionTrait, new: NewToken<'_>, now: Instant) -> Result<String, ApiError> {
    create_token_with(db, new, TokenExtras::default(), now).await.map(|(_, secret)| secret)
}

/// As [`create_token`]; the row, too.
pub async fn create_token_with(
    db: &impl ConnectionTrait,
    new: NewToken<'_>,
    extras: TokenExtras<'_>,
    now: Instant,
) -> Result<(token::Model, String), ApiError> {
    let secret = new_secret(new.kind);
    let scopes = match new.kind {
        TokenKind::Program => Some(extras.scopes.map_or_else(|| Scopes::of_programs().to_text(), Scopes::to_text)),
        TokenKind::Agent | TokenKind::Enrol => None,
    };
    let row = token::Model {
        id: TokenId::new().to_string(),
        team_id: new.team.to_string(),
        kind: new.kind.as_str().to_owned(),
        name: new.name.to_owned(),
        hash: hash_secret(&secret),
        agent_id: new.agent.map(ToString::to_string),
        uses_left: new.uses.and_then(|uses| i32::try_from(uses).ok()),
        expires_at_ms: new.lifetime.map(|lifetime| (now + lifetime).ms()),
        created_at_ms: now.ms(),
        scopes,
        last_used_at_ms: None,
        group_id: extras.group.map(ToString::to_string),
    };
    token::Entity::insert(row.clone().into_active_model()).exec_without_returning(db).await?;
    Ok((row, secret))
}

/// Notes that a token was used, never an earlier time over a later one.
pub async fn note_use(db: &Db, id: &TokenId, now: Instant) -> Result<(), ApiError> {
    let tx = db.write().await?;
    token::Entity::update_many()
        .col_expr(token::Column::LastUsedAtMs, Expr::value(now.ms()))
        .filter(token::Column::Id.eq(id.as_str()))
        .filter(token::Column::LastUsedAtMs.is_null().or(token::Column::LastUsedAtMs.lt(now.ms())))
        .exec(&tx.tx)
        .await?;
    tx.commit().await.map_err(ApiError::from)
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

/// Where an enrolment code leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrols {
    pub team: TeamId,
    pub group: Option<GroupId>,
}

/// Takes one use of an enrolment code; where it leads, or nothing when it is not good (any more).
pub async fn use_enrolment_code(db: &impl ConnectionTrait, code: &str, now: Instant) -> Result<Option<Enrols>, ApiError> {
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
    let group = row.group_id.map(|group| group.parse()).transpose().map_err(ApiError::internal)?;
    Ok(Some(Enrols { team: row.team_id.parse().map_err(ApiError::internal)?, group }))
}
