//! SQL of teams and their members.

use offpeak_api::ids::{PersonId, TeamId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, FromQueryResult, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr, sea_query::OnConflict,
};

use super::not_found;
use crate::{
    entity::{job, membership, person, profile, source, team, token},
    error::ApiError,
    upload,
};

pub async fn get(db: &impl ConnectionTrait, id: &TeamId) -> Result<team::Model, ApiError> {
    team::Entity::find_by_id(id.to_string()).one(db).await?.ok_or_else(|| not_found(id.as_str()))
}

/// The team of this id or name.
pub async fn find_called(db: &impl ConnectionTrait, called: &str) -> Result<TeamId, ApiError> {
    let row = team::Entity::find()
        .filter(team::Column::Id.eq(called).or(team::Column::Name.eq(called)))
        .one(db)
        .await?
        .ok_or_else(|| not_found(called))?;
    row.id.parse().map_err(ApiError::internal)
}

/// Every team, by name.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<team::Model>, ApiError> {
    Ok(team::Entity::find().order_by_asc(team::Column::Name).all(db).await?)
}

/// These teams, by name.
pub async fn list_of(db: &impl ConnectionTrait, ids: &[TeamId]) -> Result<Vec<team::Model>, ApiError> {
    let ids = ids.iter().map(TeamId::as_str);
    Ok(team::Entity::find().filter(team::Column::Id.is_in(ids)).order_by_asc(team::Column::Name).all(db).await?)
}

/// The teams of a person.
pub async fn of_person(db: &impl ConnectionTrait, person: &PersonId) -> Result<Vec<TeamId>, ApiError> {
    let rows = membership::Entity::find().filter(membership::Column::PersonId.eq(person.as_str())).all(db).await?;
    rows.into_iter().map(|row| row.team_id.parse().map_err(ApiError::internal)).collect()
}

pub async fn insert(tx: &impl ConnectionTrait, row: team::Model) -> Result<(), ApiError> {
    let name = row.name.clone();
    let done = team::Entity::insert(row.into_active_model()).exec_without_returning(tx).await;
    done.map(|_| ()).map_err(|error| name_taken(error, &name))
}

pub async fn change(tx: &impl ConnectionTrait, id: &TeamId, name: &str, weight: f64) -> Result<(), ApiError> {
    let row =
        team::ActiveModel { id: Set(id.to_string()), name: Set(name.to_owned()), weight: Set(weight), ..Default::default() };
    let done = team::Entity::update(row).exec_without_returning(tx).await;
    done.map(|_| ()).map_err(|error| name_taken(error, name))
}

fn name_taken(error: DbErr, name: &str) -> ApiError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            ApiError::conflict("name_taken", format!("There is a team {name:?} already.")).hint("Choose another name.")
        }
        Some(_) | None => error.into(),
    }
}

/// What keeps a team from being deleted: in words, if there is something.
pub async fn in_the_way(db: &impl ConnectionTrait, id: &TeamId) -> Result<Option<&'static str>, ApiError> {
    let jobs = job::Entity::find().filter(job::Column::TeamId.eq(id.as_str())).count(db).await?;
    let sources = source::Entity::find()
        .filter(source::Column::TeamId.eq(id.as_str()))
        .filter(source::Column::State.ne(upload::store::DELETED))
        .count(db)
        .await?;
    let members = membership::Entity::find().filter(membership::Column::TeamId.eq(id.as_str())).count(db).await?;
    Ok(if jobs > 0 {
        Some("jobs")
    } else if sources > 0 {
        Some("sources")
    } else if members > 0 {
        Some("members")
    } else {
        None
    })
}

/// Deletes a team with its tokens and profiles.
pub async fn delete(tx: &impl ConnectionTrait, id: &TeamId) -> Result<(), ApiError> {
    token::Entity::delete_many().filter(token::Column::TeamId.eq(id.as_str())).exec(tx).await?;
    profile::Entity::delete_many().filter(profile::Column::TeamId.eq(id.as_str())).exec(tx).await?;
    team::Entity::delete_by_id(id.to_string()).exec(tx).await?;
    Ok(())
}

/// A member as its row, and its person's, have it.
#[derive(Debug, FromQueryResult)]
pub struct MemberRow {
    pub person_id: String,
    pub email: String,
    pub name: String,
}

/// The members of a team, by email.
pub async fn members(db: &impl ConnectionTrait, id: &TeamId) -> Result<Vec<MemberRow>, ApiError> {
    let person_of = membership::Entity::belongs_to(person::Entity).from(membership::Column::PersonId).to(person::Column::Id);
    Ok(membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .columns([person::Column::Email, person::Column::Name])
        .join(JoinType::InnerJoin, person_of.into())
        .filter(membership::Column::TeamId.eq(id.as_str()))
        .order_by_asc(person::Column::Email)
        .into_model()
        .all(db)
        .await?)
}

/// A second time changes nothing.
pub async fn add_member(tx: &impl ConnectionTrait, team: &TeamId, person: &PersonId) -> Result<(), ApiError> {
    let row = membership::ActiveModel { team_id: Set(team.to_string()), person_id: Set(person.to_string()) };
    membership::Entity::insert(row)
        .on_conflict(OnConflict::columns([membership::Column::PersonId, membership::Column::TeamId]).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// True when the person was a member.
pub async fn remove_member(tx: &impl ConnectionTrait, team: &TeamId, person: &PersonId) -> Result<bool, ApiError> {
    let done = membership::Entity::delete_by_id((person.to_string(), team.to_string())).exec(tx).await?;
    Ok(done.rows_affected > 0)
}
