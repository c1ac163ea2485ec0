//! Teams: list, make, change, delete; who belongs to them.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use offpeak_api::{
    access::Scope,
    ids::{PersonId, TeamId},
    people::Role,
    problem::Problem,
    team::{ChangeTeam, CreateTeam, Member, MemberList, Team, TeamList},
};

use super::{USUAL_WEIGHT, check_weight, not_found, store};
use crate::{
    agents::check_name,
    app::App,
    auth::{
        Who,
        may::{Admin, OnFarm, TeamsRead},
    },
    clock::Instant,
    entity::team,
    error::{ApiError, Body},
    people,
};

fn wire(row: team::Model) -> Result<Team, ApiError> {
    Ok(Team {
        id: row.id.parse().map_err(ApiError::internal)?,
        name: row.name,
        weight: row.weight,
        created_at: Instant(row.created_at_ms).to_utc(),
    })
}

/// List teams
///
/// For a program its own, for a member theirs, for operators and administrators all.
#[utoipa::path(get, path = "/v1/teams", tag = "access",
    security(("bearer" = ["jobs:read"]), ("bearer" = ["agents:read"]), ("bearer" = ["tokens:write"])), responses(
    (status = 200, description = "The teams", body = TeamList),
))]
pub async fn list_teams(State(app): State<App>, auth: OnFarm<TeamsRead>) -> Result<Json<TeamList>, ApiError> {
    let db = &app.db.reader;
    let rows = match &auth.by {
        Who::Token { .. } if auth.scopes.has(Scope::Admin) => store::list(db).await?,
        Who::Token { team, .. } => store::list_of(db, std::slice::from_ref(team)).await?,
        Who::Person { role: Role::Admin | Role::Operator, .. } => store::list(db).await?,
        Who::Person { id, role: Role::Member } => store::list_of(db, &store::of_person(db, id).await?).await?,
    };
    Ok(Json(TeamList { teams: rows.into_iter().map(wire).collect::<Result<_, _>>()? }))
}

/// Make a team
#[utoipa::path(post, path = "/v1/teams", tag = "access", security(("bearer" = ["admin"])), request_body = CreateTeam, responses(
    (status = 201, description = "The team", body = Team),
    (status = 409, description = "Another team has that name", body = Problem),
    (status = 422, description = "The name or the weight does not fit", body = Problem),
))]
pub async fn create_team(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Body(request): Body<CreateTeam>,
) -> Result<(StatusCode, Json<Team>), ApiError> {
    let row = team::Model {
        id: TeamId::new().to_string(),
        name: check_name(&request.name)?.to_owned(),
        weight: check_weight(request.weight.unwrap_or(USUAL_WEIGHT))?,
        created_at_ms: app.clock.now().ms(),
    };
    let tx = app.db.write().await?;
    store::insert(&tx.tx, row.clone()).await?;
    tx.commit().await?;
    tracing::info!(team.id = row.id, name = row.name, by = ?auth.by, "created team");
    Ok((StatusCode::CREATED, Json(wire(row)?)))
}

/// Rename a team, or change its weight
#[utoipa::path(patch, path = "/v1/teams/{id}", tag = "access", security(("bearer" = ["admin"])), params(("id" = TeamId, Path)),
    request_body = ChangeTeam, responses(
    (status = 200, description = "The team", body = Team),
    (status = 404, description = "No such team", body = Problem),
    (status = 409, description = "Another team has that name", body = Problem),
    (status = 422, description = "The name or the weight does not fit", body = Problem),
))]
pub async fn change_team(
    State(app): State<App>,
    _auth: OnFarm<Admin>,
    Path(id): Path<TeamId>,
    Body(change): Body<ChangeTeam>,
) -> Result<Json<Team>, ApiError> {
    let name = change.name.as_deref().map(check_name).transpose()?;
    let weight = change.weight.map(check_weight).transpose()?;
    let tx = app.db.write().await?;
    let row = store::get(&tx.tx, &id).await?;
    store::change(&tx.tx, &id, name.unwrap_or(&row.name), weight.unwrap_or(row.weight)).await?;
    tx.commit().await?;
    Ok(Json(wire(store::get(&app.db.reader, &id).await?)?))
}

/// Delete a team
///
/// With its tokens and profiles, once it has no jobs, sources and members.
#[utoipa::path(delete, path = "/v1/teams/{id}", tag = "access", security(("bearer" = ["admin"])), params(("id" = TeamId, Path)),
    responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such team", body = Problem),
    (status = 409, description = "Something is the team's own still, or it is the first team", body = Problem),
))]
pub async fn delete_team(State(app): State<App>, auth: OnFarm<Admin>, Path(id): Path<TeamId>) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    let row = store::get(&tx.tx, &id).await?;
    if id == app.farm {
        return Err(ApiError::conflict(
            "first_team",
            "The first team cannot be deleted: the farm's machines are filed under it.",
        )
        .hint("Rename it instead."));
    }
    if let Some(what) = store::in_the_way(&tx.tx, &id).await? {
        return Err(ApiError::conflict("team_not_empty", format!("The team {} has {what}.", row.name))
            .hint("Delete its jobs and sources, and remove its members, first."));
    }
    store::delete(&tx.tx, &id).await?;
    tx.commit().await?;
    tracing::info!(team.id = %id, name = row.name, by = ?auth.by, "deleted team");
    Ok(StatusCode::NO_CONTENT)
}

/// List a team's members
#[utoipa::path(get, path = "/v1/teams/{id}/members", tag = "access", security(("bearer" = ["admin"])),
    params(("id" = TeamId, Path)), responses(
    (status = 200, description = "The members", body = MemberList),
    (status = 404, description = "No such team", body = Problem),
))]
pub async fn list_members(
    State(app): State<App>,
    _auth: OnFarm<Admin>,
    Path(id): Path<TeamId>,
) -> Result<Json<MemberList>, ApiError> {
    store::get(&app.db.reader, &id).await?;
    let rows = store::members(&app.db.reader, &id).await?;
    let members = rows.into_iter().map(|row| {
        Ok::<_, ApiError>(Member { person: row.person_id.parse().map_err(ApiError::internal)?, email: row.email, name: row.name })
    });
    Ok(Json(MemberList { members: members.collect::<Result<_, _>>()? }))
}

/// Add a person to a team
#[utoipa::path(put, path = "/v1/teams/{id}/members/{person}", tag = "access", security(("bearer" = ["admin"])),
    params(("id" = TeamId, Path), ("person" = PersonId, Path)), responses(
    (status = 204, description = "A member, now or before"),
    (status = 404, description = "No such team or person", body = Problem),
))]
pub async fn add_member(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Path((id, person)): Path<(TeamId, PersonId)>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    store::get(&tx.tx, &id).await?;
    people::store::get(&tx.tx, &person).await?;
    store::add_member(&tx.tx, &id, &person).await?;
    tx.commit().await?;
    tracing::info!(team.id = %id, person.id = %person, by = ?auth.by, "added member");
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a person from a team
#[utoipa::path(delete, path = "/v1/teams/{id}/members/{person}", tag = "access", security(("bearer" = ["admin"])),
    params(("id" = TeamId, Path), ("person" = PersonId, Path)), responses(
    (status = 204, description = "A member no more"),
    (status = 404, description = "No such team, or no such member", body = Problem),
))]
pub async fn remove_member(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Path((id, person)): Path<(TeamId, PersonId)>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    store::get(&tx.tx, &id).await?;
    if !store::remove_member(&tx.tx, &id, &person).await? {
        return Err(not_found(id.as_str()).hint("GET /v1/teams/{id}/members lists the members."));
    }
    tx.commit().await?;
    tracing::info!(team.id = %id, person.id = %person, by = ?auth.by, "removed member");
    Ok(StatusCode::NO_CONTENT)
}
