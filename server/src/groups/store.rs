//! SQL of groups.

use offpeak_api::{
    ids::{GroupId, TeamId},
    policy::Policy,
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use serde_json::json;

use crate::{clock::Instant, entity::agent_group, error::ApiError};

/// The policy of a group; the default one if the group is just being deleted.
pub async fn policy_of(db: &impl ConnectionTrait, group: &str) -> Result<Policy, ApiError> {
    let row = agent_group::Entity::find_by_id(group.to_owned()).one(db).await?;
    Ok(row.map(|row| serde_json::from_value(row.policy)).transpose()?.unwrap_or_default())
}

/// The group that a team's agents join; made when it is missing.
pub async fn default_group(tx: &impl ConnectionTrait, team: &TeamId, now: Instant) -> Result<GroupId, ApiError> {
    let id = GroupId::default_of(team);
    let row = agent_group::ActiveModel {
        id: Set(id.to_string()),
        team_id: Set(team.to_string()),
        name: Set("default".to_owned()),
        policy: Set(json!({})),
        created_at_ms: Set(now.ms()),
    };
    agent_group::Entity::insert(row)
        .on_conflict(OnConflict::column(agent_group::Column::Id).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(id)
}
