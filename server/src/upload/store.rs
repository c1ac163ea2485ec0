//! SQL of sources.

use offpeak_api::{
    ids::{AgentId, SourceId, TeamId},
    job::SourceState,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    sea_query::Expr,
};

use crate::{
    clock::Instant,
    entity::{job, lease, source, task},
    error::ApiError,
    lease::{LeaseState, TaskKind},
};

fn not_found(id: &SourceId) -> ApiError {
    ApiError::not_found("source_not_found", format!("There is no source {id}."))
}

pub async fn get(db: &impl ConnectionTrait, id: &SourceId) -> Result<source::Model, ApiError> {
    source::Entity::find_by_id(id.to_string()).one(db).await?.ok_or_else(|| not_found(id))
}

/// A source of this team.
pub async fn find_source(db: &impl ConnectionTrait, team: &TeamId, id: &SourceId) -> Result<source::Model, ApiError> {
    let row = source::Entity::find_by_id(id.to_string()).filter(source::Column::TeamId.eq(team.as_str())).one(db).await?;
    row.ok_or_else(|| not_found(id))
}

/// A source that this agent is fetching under an active lease.
pub async fn find_fetched_by(db: &impl ConnectionTrait, agent: &AgentId, id: &SourceId) -> Result<source::Model, ApiError> {
    let lease = lease::Entity::find()
        .join(
            JoinType::InnerJoin,
            lease::Entity::belongs_to(task::Entity).from(lease::Column::TaskId).to(task::Column::Id).into(),
        )
        .join(JoinType::InnerJoin, lease::Entity::belongs_to(job::Entity).from(lease::Column::JobId).to(job::Column::Id).into())
        .filter(lease::Column::AgentId.eq(agent.as_str()))
        .filter(lease::Column::State.eq(LeaseState::Active.as_str()))
        .filter(task::Column::Kind.eq(TaskKind::Fetch.as_str()))
        .filter(job::Column::SourceId.eq(id.as_str()))
        .limit(1)
        .one(db)
        .await?;
    match lease {
        Some(_) => get(db, id).await,
        None => Err(not_found(id)),
    }
}

pub fn state_of(row: &source::Model) -> Result<SourceState, ApiError> {
    Ok(serde_json::from_value(serde_json::Value::String(row.state.clone()))?)
}

/// A source whose bytes an agent will bring from `url`.
pub async fn create_fetch_source(
    tx: &impl ConnectionTrait,
    team: &TeamId,
    url: &str,
    now: Instant,
    expires: Instant,
) -> Result<SourceId, ApiError> {
    insert(tx, team, None, None, Some(url), now, expires).await
}

pub async fn insert(
    tx: &impl ConnectionTrait,
    team: &TeamId,
    length: Option<u64>,
    filename: Option<String>,
    url: Option<&str>,
    now: Instant,
    expires: Instant,
) -> Result<SourceId, ApiError> {
    let id = SourceId::new();
    let row = source::ActiveModel {
        id: Set(id.to_string()),
        team_id: Set(team.to_string()),
        state: Set("uploading".to_owned()),
        filename: Set(filename),
        url: Set(url.map(str::to_owned)),
        length: Set(length.map(u64::cast_signed)),
        received: Set(0),
        hash_state: Set(None),
        sha256: Set(None),
        metadata: Set(None),
        created_at_ms: Set(now.ms()),
        expires_at_ms: Set(expires.ms()),
    };
    row.insert(tx).await?;
    Ok(id)
}

/// Notes what has arrived, if nobody else did meanwhile.
pub async fn set_received(
    tx: &impl ConnectionTrait,
    before: &source::Model,
    received: u64,
    hash_state: Vec<u8>,
    length: Option<u64>,
) -> Result<bool, ApiError> {
    let done = source::Entity::update_many()
        .col_expr(source::Column::Received, Expr::value(received.cast_signed()))
        .col_expr(source::Column::HashState, Expr::value(hash_state))
        .col_expr(source::Column::Length, Expr::value(length.map(u64::cast_signed)))
        .filter(source::Column::Id.eq(before.id.as_str()))
        .filter(source::Column::Received.eq(before.received))
        .exec(tx)
        .await?;
    Ok(done.rows_affected > 0)
}

/// All bytes are there.
pub async fn set_ready(tx: &impl ConnectionTrait, id: &str, sha256: String, expires: Instant) -> Result<(), ApiError> {
    let row = source::ActiveModel {
        id: Set(id.to_owned()),
        state: Set("ready".to_owned()),
        sha256: Set(Some(sha256)),
        hash_state: Set(None),
        expires_at_ms: Set(expires.ms()),
        ..Default::default()
    };
    source::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Nothing has arrived (any more).
pub async fn reset(tx: &impl ConnectionTrait, id: &SourceId) -> Result<(), ApiError> {
    let row = source::ActiveModel {
        id: Set(id.to_string()),
        received: Set(0),
        hash_state: Set(None),
        length: Set(None),
        ..Default::default()
    };
    source::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}
