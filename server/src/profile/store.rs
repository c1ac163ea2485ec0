//! SQL of profiles.

use offpeak_api::{ids::TeamId, profile::Profile};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict};

use super::{built_in, is_name};
use crate::{clock::Instant, entity::profile, error::ApiError};

/// A profile by name: one that comes with Offpeak, or one of this team.
pub async fn find(db: &impl ConnectionTrait, team: &TeamId, name: &str) -> Result<Profile, ApiError> {
    if let Some(profile) = built_in().into_iter().find(|profile| profile.name == name) {
        return Ok(profile);
    }
    // Not every text can be asked for: PostgreSQL refuses some.
    let row = match is_name(name) {
        true => profile::Entity::find_by_id((team.to_string(), name.to_owned())).one(db).await?,
        false => None,
    };
    let row = row.ok_or_else(|| {
        ApiError::unfit("unknown_profile", format!("There is no profile {name:?}.")).hint("GET /v1/profiles lists them.")
    })?;
    Ok(serde_json::from_value(row.document)?)
}

/// The profiles that this team made, by name.
pub async fn list(db: &impl ConnectionTrait, team: &TeamId) -> Result<Vec<Profile>, ApiError> {
    let rows = profile::Entity::find()
        .filter(profile::Column::TeamId.eq(team.as_str()))
        .order_by_asc(profile::Column::Name)
        .all(db)
        .await?;
    rows.into_iter().map(|row| Ok(serde_json::from_value(row.document)?)).collect()
}

/// Makes or replaces a team's profile. Jobs keep the profile that they were made with.
pub async fn put(tx: &impl ConnectionTrait, team: &TeamId, profile: &Profile, now: Instant) -> Result<(), ApiError> {
    let row = profile::ActiveModel {
        team_id: Set(team.to_string()),
        name: Set(profile.name.clone()),
        document: Set(serde_json::to_value(profile)?),
        created_at_ms: Set(now.ms()),
    };
    profile::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([profile::Column::TeamId, profile::Column::Name])
                .update_column(profile::Column::Document)
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// True when there was one to delete.
pub async fn delete(tx: &impl ConnectionTrait, team: &TeamId, name: &str) -> Result<bool, ApiError> {
    if !is_name(name) {
        return Ok(false);
    }
    let done = profile::Entity::delete_by_id((team.to_string(), name.to_owned())).exec(tx).await?;
    Ok(done.rows_affected > 0)
}
