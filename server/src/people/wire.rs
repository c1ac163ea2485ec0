//! People as clients see them.

use std::collections::HashMap;

use offpeak_api::people::{Person, TeamName};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::store;
use crate::{
    clock::Instant,
    entity::{membership, person, team},
    error::ApiError,
};

/// These people. Two queries for any number.
pub async fn people(db: &impl ConnectionTrait, rows: Vec<person::Model>) -> Result<Vec<Person>, ApiError> {
    let ids = rows.iter().map(|row| row.id.as_str());
    let memberships = membership::Entity::find().filter(membership::Column::PersonId.is_in(ids)).all(db).await?;
    let ids = memberships.iter().map(|row| row.team_id.as_str());
    let teams = team::Entity::find().filter(team::Column::Id.is_in(ids)).all(db).await?;
    let names: HashMap<&str, &str> = teams.iter().map(|row| (row.id.as_str(), row.name.as_str())).collect();
    rows.into_iter()
        .map(|row| {
            let of_person = memberships.iter().filter(|membership| membership.person_id == row.id);
            let mut teams = of_person
                .filter_map(|membership| Some((&membership.team_id, names.get(membership.team_id.as_str())?)))
                .map(|(id, name)| Ok(TeamName { id: id.parse().map_err(ApiError::internal)?, name: (*name).to_owned() }))
                .collect::<Result<Vec<_>, ApiError>>()?;
            teams.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(Person {
                role: store::role_of(&row)?,
                id: row.id.parse().map_err(ApiError::internal)?,
                email: row.email,
                name: row.name,
                disabled: row.disabled,
                teams,
                created_at: Instant(row.created_at_ms).to_utc(),
                last_seen_at: row.last_seen_at_ms.map(|at| Instant(at).to_utc()),
            })
        })
        .collect()
}

pub async fn one(db: &impl ConnectionTrait, row: person::Model) -> Result<Person, ApiError> {
    people(db, vec![row]).await?.pop().ok_or_else(|| ApiError::internal("a person got lost on their way out"))
}
