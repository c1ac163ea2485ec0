//! SQL of people and links.

use offpeak_api::{
    ids::{InvitationId, PersonId, TeamId},
    people::{LinkKind, Role},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, SqlErr, sea_query::Expr,
};

use super::{last_admin, not_found, throttle};
use crate::{
    auth::{hash_secret, random_name},
    clock::Instant,
    entity::{link, membership, person, session},
    error::ApiError,
    teams,
};

pub async fn get(db: &impl ConnectionTrait, id: &PersonId) -> Result<person::Model, ApiError> {
    person::Entity::find_by_id(id.to_string()).one(db).await?.ok_or_else(|| not_found(id.as_str()))
}

/// By an email in lower case.
pub async fn find_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<person::Model>, ApiError> {
    Ok(person::Entity::find().filter(person::Column::Email.eq(email)).one(db).await?)
}

/// Everybody, by email.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<person::Model>, ApiError> {
    Ok(person::Entity::find().order_by_asc(person::Column::Email).all(db).await?)
}

pub async fn anybody(db: &impl ConnectionTrait) -> Result<bool, ApiError> {
    Ok(person::Entity::find().limit(1).one(db).await?.is_some())
}

pub fn role_of(row: &person::Model) -> Result<Role, ApiError> {
    Role::parse(&row.role).ok_or_else(|| ApiError::internal(format!("{} has the role {:?}", row.id, row.role)))
}

/// A new person.
#[derive(Debug)]
pub struct NewPerson<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub role: Role,
    pub password_hash: String,
    pub teams: &'a [TeamId],
}

pub async fn insert(tx: &impl ConnectionTrait, new: NewPerson<'_>, now: Instant) -> Result<person::Model, ApiError> {
    let id = PersonId::new();
    let row = person::Model {
        id: id.to_string(),
        email: new.email.to_owned(),
        name: new.name.to_owned(),
        role: new.role.as_str().to_owned(),
        password_hash: new.password_hash,
        disabled: false,
        created_at_ms: now.ms(),
        last_seen_at_ms: None,
    };
    let done = person::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await;
    done.map_err(|error| email_taken(error, new.email))?;
    for team in new.teams {
        teams::store::add_member(tx, team, &id).await?;
    }
    Ok(row)
}

fn email_taken(error: DbErr, email: &str) -> ApiError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => person_exists(email),
        Some(_) | None => error.into(),
    }
}

pub fn person_exists(email: &str) -> ApiError {
    ApiError::conflict("person_exists", format!("{email} has an account here already."))
        .hint("POST /v1/people/{id}/reset makes a link for a new password.")
}

/// Writes name, role and whether they may log in.
pub async fn update(tx: &impl ConnectionTrait, row: &person::Model) -> Result<(), ApiError> {
    let change = person::ActiveModel {
        id: Set(row.id.clone()),
        name: Set(row.name.clone()),
        role: Set(row.role.clone()),
        disabled: Set(row.disabled),
        ..Default::default()
    };
    person::Entity::update(change).exec_without_returning(tx).await?;
    Ok(())
}

/// Somebody stops being an administrator, or being here: only if another one is left. Administrators who go at the same time
/// wait for each other here.
pub async fn leave_an_admin(tx: &impl ConnectionTrait, but: &str) -> Result<(), ApiError> {
    let admins = person::Entity::find()
        .filter(person::Column::Role.eq(Role::Admin.as_str()))
        .filter(person::Column::Disabled.eq(false))
        .order_by_asc(person::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    if admins.iter().any(|admin| admin.id != but) { Ok(()) } else { Err(last_admin()) }
}

pub async fn set_password(tx: &impl ConnectionTrait, row: &person::Model, hash: String) -> Result<(), ApiError> {
    let change = person::ActiveModel { id: Set(row.id.clone()), password_hash: Set(hash), ..Default::default() };
    person::Entity::update(change).exec_without_returning(tx).await?;
    throttle::forgive(tx, &row.email).await
}

/// With their sessions, memberships and links.
pub async fn delete(tx: &impl ConnectionTrait, id: &PersonId) -> Result<(), ApiError> {
    session::Entity::delete_many().filter(session::Column::PersonId.eq(id.as_str())).exec(tx).await?;
    membership::Entity::delete_many().filter(membership::Column::PersonId.eq(id.as_str())).exec(tx).await?;
    link::Entity::delete_many().filter(link::Column::PersonId.eq(id.as_str())).exec(tx).await?;
    person::Entity::delete_by_id(id.to_string()).exec(tx).await?;
    Ok(())
}

/// What a new link is for.
#[derive(Debug)]
pub enum NewLink<'a> {
    Setup,
    Invitation { email: &'a str, role: Role, teams: &'a [TeamId] },
    Reset { person: &'a PersonId },
}

/// Makes a link; its row, and its code, which is kept nowhere. Earlier ones for the same person are good for nothing any more.
pub async fn create_link(
    tx: &impl ConnectionTrait,
    new: NewLink<'_>,
    now: Instant,
    expires: Instant,
) -> Result<(link::Model, String), ApiError> {
    let code = format!("ofl_{}", random_name(32));
    let mut row = link::Model {
        id: InvitationId::new().to_string(),
        kind: String::new(),
        hash: hash_secret(&code),
        person_id: None,
        email: None,
        role: None,
        team_ids: None,
        created_at_ms: now.ms(),
        expires_at_ms: expires.ms(),
    };
    let kind = match new {
        NewLink::Setup => LinkKind::Setup,
        NewLink::Invitation { email, role, teams } => {
            link::Entity::delete_many().filter(link::Column::Email.eq(email)).exec(tx).await?;
            row.email = Some(email.to_owned());
            row.role = Some(role.as_str().to_owned());
            row.team_ids = Some(teams.iter().map(TeamId::as_str).collect::<Vec<_>>().join(" "));
            LinkKind::Invitation
        }
        NewLink::Reset { person } => {
            link::Entity::delete_many().filter(link::Column::PersonId.eq(person.as_str())).exec(tx).await?;
            row.person_id = Some(person.to_string());
            LinkKind::Reset
        }
    };
    row.kind = kind.as_str().to_owned();
    link::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    Ok((row, code))
}

/// A link that is still good.
pub async fn find_link(db: &impl ConnectionTrait, code: &str, now: Instant) -> Result<Option<link::Model>, ApiError> {
    let found = link::Entity::find().filter(link::Column::Hash.eq(hash_secret(code))).one(db).await?;
    Ok(found.filter(|row| row.expires_at_ms > now.ms()))
}

/// True for the one who takes it.
pub async fn take_link(tx: &impl ConnectionTrait, row: &link::Model) -> Result<bool, ApiError> {
    Ok(link::Entity::delete_by_id(row.id.clone()).exec(tx).await?.rows_affected > 0)
}

/// All set-up links, in one order: two who use two of them at once would else each wait for the other's.
pub async fn lock_setups(tx: &impl ConnectionTrait) -> Result<(), ApiError> {
    let setups = link::Entity::find().filter(link::Column::Kind.eq(LinkKind::Setup.as_str())).order_by_asc(link::Column::Id);
    setups.lock_exclusive().all(tx).await?;
    Ok(())
}

pub async fn forget_setups(tx: &impl ConnectionTrait) -> Result<(), ApiError> {
    link::Entity::delete_many().filter(link::Column::Kind.eq(LinkKind::Setup.as_str())).exec(tx).await?;
    Ok(())
}

/// Invitations that can still be used, youngest first.
pub async fn invitations(db: &impl ConnectionTrait, now: Instant) -> Result<Vec<link::Model>, ApiError> {
    Ok(link::Entity::find()
        .filter(link::Column::Kind.eq(LinkKind::Invitation.as_str()))
        .filter(link::Column::ExpiresAtMs.gt(now.ms()))
        .order_by_desc(link::Column::Id)
        .all(db)
        .await?)
}

pub async fn count_invitations(db: &impl ConnectionTrait, now: Instant) -> Result<u64, ApiError> {
    Ok(link::Entity::find()
        .filter(link::Column::Kind.eq(LinkKind::Invitation.as_str()))
        .filter(link::Column::ExpiresAtMs.gt(now.ms()))
        .count(db)
        .await?)
}

/// True when there was one of this id to delete.
pub async fn delete_invitation(tx: &impl ConnectionTrait, id: &InvitationId) -> Result<bool, ApiError> {
    let done = link::Entity::delete_many()
        .filter(link::Column::Id.eq(id.as_str()))
        .filter(link::Column::Kind.eq(LinkKind::Invitation.as_str()))
        .exec(tx)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Notes that a person was here.
pub async fn note_seen(tx: &impl ConnectionTrait, id: &PersonId, now: Instant) -> Result<(), ApiError> {
    person::Entity::update_many()
        .col_expr(person::Column::LastSeenAtMs, Expr::value(now.ms()))
        .filter(person::Column::Id.eq(id.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes links and sessions that are over.
pub async fn forget_old(tx: &impl ConnectionTrait, now: Instant) -> Result<(), ApiError> {
    link::Entity::delete_many().filter(link::Column::ExpiresAtMs.lte(now.ms())).exec(tx).await?;
    session::Entity::delete_many().filter(session::Column::ExpiresAtMs.lte(now.ms())).exec(tx).await?;
    Ok(())
}
