//! SQL of groups.

use std::collections::{HashMap, HashSet};

use offpeak_api::{
    agent::Standing,
    ids::{GroupId, TeamId},
    policy::Policy,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    SqlErr,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use crate::{
    clock::Instant,
    entity::{agent, agent_group},
    error::ApiError,
};

/// The groups of a team, by name.
pub async fn list(db: &impl ConnectionTrait, team: &TeamId) -> Result<Vec<agent_group::Model>, ApiError> {
    Ok(agent_group::Entity::find()
        .filter(agent_group::Column::TeamId.eq(team.as_str()))
        .order_by_asc(agent_group::Column::Name)
        .all(db)
        .await?)
}

pub async fn count(db: &impl ConnectionTrait, team: &TeamId) -> Result<u64, ApiError> {
    Ok(agent_group::Entity::find().filter(agent_group::Column::TeamId.eq(team.as_str())).count(db).await?)
}

/// How many agents are in each group of a team, revoked ones left out.
pub async fn sizes(db: &impl ConnectionTrait, team: &TeamId) -> Result<HashMap<String, i64>, ApiError> {
    let rows: Vec<(String, i64)> = agent::Entity::find()
        .select_only()
        .column(agent::Column::GroupId)
        .column_as(agent::Column::Id.count(), "agents")
        .filter(agent::Column::TeamId.eq(team.as_str()))
        .filter(agent::Column::Standing.ne(Standing::Revoked.as_str()))
        .group_by(agent::Column::GroupId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// A group of this team.
pub async fn find(db: &impl ConnectionTrait, team: &TeamId, id: &GroupId) -> Result<agent_group::Model, ApiError> {
    agent_group::Entity::find_by_id(id.to_string())
        .filter(agent_group::Column::TeamId.eq(team.as_str()))
        .one(db)
        .await?
        .ok_or_else(|| {
            ApiError::not_found("group_not_found", format!("There is no group {id}.")).hint("GET /v1/groups lists them.")
        })
}

pub async fn insert(tx: &impl ConnectionTrait, row: agent_group::Model) -> Result<(), ApiError> {
    let name = row.name.clone();
    let done = agent_group::Entity::insert(row.into_active_model()).exec_without_returning(tx).await;
    done.map(|_| ()).map_err(|error| name_taken(error, &name))
}

pub async fn rename(tx: &impl ConnectionTrait, id: &str, name: &str) -> Result<(), ApiError> {
    let row = agent_group::ActiveModel { id: Set(id.to_owned()), name: Set(name.to_owned()), ..Default::default() };
    let done = agent_group::Entity::update(row).exec_without_returning(tx).await;
    done.map(|_| ()).map_err(|error| name_taken(error, name))
}

fn name_taken(error: DbErr, name: &str) -> ApiError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            ApiError::conflict("name_taken", format!("There is a group {name:?} already.")).hint("Choose another name.")
        }
        Some(_) | None => error.into(),
    }
}

pub async fn set_policy(tx: &impl ConnectionTrait, id: &str, policy: &Policy) -> Result<(), ApiError> {
    let policy = Set(serde_json::to_value(policy)?);
    let row = agent_group::ActiveModel { id: Set(id.to_owned()), policy, ..Default::default() };
    agent_group::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Deletes a group; its agents go to another.
pub async fn delete(tx: &impl ConnectionTrait, id: &str, heir: &GroupId) -> Result<(), ApiError> {
    agent::Entity::update_many()
        .col_expr(agent::Column::GroupId, Expr::value(heir.as_str()))
        .filter(agent::Column::GroupId.eq(id))
        .exec(tx)
        .await?;
    agent_group::Entity::delete_by_id(id.to_owned()).exec(tx).await?;
    Ok(())
}

/// The policy of a group; the default one if the group is just being deleted.
pub async fn policy_of(db: &impl ConnectionTrait, group: &str) -> Result<Policy, ApiError> {
    let row = agent_group::Entity::find_by_id(group.to_owned()).one(db).await?;
    Ok(row.map(|row| serde_json::from_value(row.policy)).transpose()?.unwrap_or_default())
}

/// The groups whose agents work only with ffmpeg walled off in full.
pub async fn ids_of_boxed(db: &impl ConnectionTrait) -> Result<HashSet<String>, ApiError> {
    let mut ids = HashSet::new();
    for row in agent_group::Entity::find().all(db).await? {
        if serde_json::from_value::<Policy>(row.policy)?.require_sandbox {
            ids.insert(row.id);
        }
    }
    Ok(ids)
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
