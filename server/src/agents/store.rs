//! SQL of agents.

use std::collections::HashSet;

use offpeak_api::ids::TeamId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    entity::{agent, lease},
    error::ApiError,
    lease::LeaseState,
};

/// The agents of a team, youngest first.
pub async fn list(db: &impl ConnectionTrait, team: &TeamId) -> Result<Vec<agent::Model>, ApiError> {
    Ok(agent::Entity::find().filter(agent::Column::TeamId.eq(team.as_str())).order_by_desc(agent::Column::Id).all(db).await?)
}

/// Ids of the agents that hold a lease.
pub async fn at_work(db: &impl ConnectionTrait) -> Result<HashSet<String>, ApiError> {
    let active = lease::Entity::find().filter(lease::Column::State.eq(LeaseState::Active.as_str())).all(db).await?;
    Ok(active.into_iter().map(|lease| lease.agent_id).collect())
}
