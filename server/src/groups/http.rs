//! Groups, and their policies.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderName, StatusCode, header::LOCATION},
};
use offpeak_api::{
    fleet::{Group, GroupList, NameGroup},
    ids::{GroupId, TeamId},
    page::PageQuery,
    policy::Policy,
    problem::Problem,
};
use serde_json::json;

use super::{MOST_GROUPS, parse_policy, store};
use crate::{
    agents::check_name,
    app::App,
    auth::{
        TeamAuth,
        may::{AgentsRead, AgentsWrite, OnFarm},
    },
    clock::Instant,
    entity::agent_group,
    error::{ApiError, Body},
    page,
};

fn wire(row: agent_group::Model, team: &TeamId, agents: i64) -> Result<Group, ApiError> {
    Ok(Group {
        is_default: row.id == GroupId::default_of(team).as_str(),
        id: row.id.parse().map_err(ApiError::internal)?,
        name: row.name,
        agents: agents.cast_unsigned(),
        policy: serde_json::from_value(row.policy)?,
        created_at: Instant(row.created_at_ms).to_utc(),
    })
}

async fn one(app: &App, auth: &TeamAuth, id: &GroupId) -> Result<Json<Group>, ApiError> {
    let row = store::find(&app.db.reader, &auth.team_id, id).await?;
    let sizes = store::sizes(&app.db.reader, &auth.team_id).await?;
    let agents = sizes.get(&row.id).copied().unwrap_or_default();
    Ok(Json(wire(row, &auth.team_id, agents)?))
}

/// List groups
///
/// In pages.
#[utoipa::path(get, path = "/v1/groups", tag = "fleet", security(("bearer" = ["agents:read"])), params(PageQuery), responses(
    (status = 200, description = "A page of all groups", body = GroupList),
    (status = 422, description = "The page does not fit", body = Problem),
))]
pub async fn list_groups(
    State(app): State<App>,
    auth: OnFarm<AgentsRead>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<GroupList>, ApiError> {
    let asked = page::query(query)?;
    let rows = store::list(&app.db.reader, &auth.team_id).await?;
    let sizes = store::sizes(&app.db.reader, &auth.team_id).await?;
    let groups = rows
        .into_iter()
        .map(|row| {
            let agents = sizes.get(&row.id).copied().unwrap_or_default();
            wire(row, &auth.team_id, agents)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (groups, next_cursor) =
        page::cut(groups, |group: &Group| format!("{}{}", u8::from(!group.is_default), group.name), &asked)?;
    Ok(Json(GroupList { groups, next_cursor }))
}

/// Make a group
///
/// With the default policy; PUT /v1/policies/{group} changes that, and PATCH /v1/agents/{id} moves agents into it.
#[utoipa::path(post, path = "/v1/groups", tag = "fleet", security(("bearer" = ["agents:write"])), request_body = NameGroup, responses(
    (status = 201, description = "The group, empty", body = Group),
    (status = 409, description = "Another group has that name, or there are too many", body = Problem),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn create_group(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Body(request): Body<NameGroup>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Group>), ApiError> {
    let row = agent_group::Model {
        id: GroupId::new().to_string(),
        team_id: auth.team_id.to_string(),
        name: check_name(&request.name)?.to_owned(),
        policy: json!({}),
        created_at_ms: app.clock.now().ms(),
    };
    let tx = app.db.write().await?;
    if store::count(&tx.tx, &auth.team_id).await? >= MOST_GROUPS {
        return Err(ApiError::conflict("too_many_groups", format!("A team has at most {MOST_GROUPS} groups.")));
    }
    store::insert(&tx.tx, row.clone()).await?;
    tx.commit().await?;
    let location = format!("/v1/groups/{}", row.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(wire(row, &auth.team_id, 0)?)))
}

/// Read a group
#[utoipa::path(get, path = "/v1/groups/{id}", tag = "fleet", security(("bearer" = ["agents:read"])), params(("id" = GroupId, Path)), responses(
    (status = 200, description = "The group", body = Group),
    (status = 404, description = "No such group", body = Problem),
))]
pub async fn get_group(
    State(app): State<App>,
    auth: OnFarm<AgentsRead>,
    Path(id): Path<GroupId>,
) -> Result<Json<Group>, ApiError> {
    one(&app, &auth, &id).await
}

/// Rename a group
#[utoipa::path(patch, path = "/v1/groups/{id}", tag = "fleet", security(("bearer" = ["agents:write"])), params(("id" = GroupId, Path)),
    request_body = NameGroup, responses(
    (status = 200, description = "The group", body = Group),
    (status = 404, description = "No such group", body = Problem),
    (status = 409, description = "Another group has that name", body = Problem),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn rename_group(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<GroupId>,
    Body(request): Body<NameGroup>,
) -> Result<Json<Group>, ApiError> {
    let name = check_name(&request.name)?;
    let tx = app.db.write().await?;
    let row = store::find(&tx.tx, &auth.team_id, &id).await?;
    store::rename(&tx.tx, &row.id, name).await?;
    tx.commit().await?;
    one(&app, &auth, &id).await
}

/// Delete a group
///
/// Its agents go to the default group, which itself cannot be deleted.
#[utoipa::path(delete, path = "/v1/groups/{id}", tag = "fleet", security(("bearer" = ["agents:write"])), params(("id" = GroupId, Path)),
    responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such group", body = Problem),
    (status = 409, description = "It is the default group", body = Problem),
))]
pub async fn delete_group(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<GroupId>,
) -> Result<StatusCode, ApiError> {
    let heir = GroupId::default_of(&auth.team_id);
    let tx = app.db.write().await?;
    let row = store::find(&tx.tx, &auth.team_id, &id).await?;
    if id == heir {
        return Err(ApiError::conflict("default_group", "The default group cannot be deleted: agents join it when they enrol."));
    }
    store::delete(&tx.tx, &row.id, &heir).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a group's policy
#[utoipa::path(get, path = "/v1/policies/{group}", tag = "fleet", security(("bearer" = ["agents:read"])), params(("group" = GroupId, Path)),
    responses(
    (status = 200, description = "The policy, with every field", body = Policy),
    (status = 404, description = "No such group", body = Problem),
))]
pub async fn get_policy(
    State(app): State<App>,
    auth: OnFarm<AgentsRead>,
    Path(id): Path<GroupId>,
) -> Result<Json<Policy>, ApiError> {
    one(&app, &auth, &id).await.map(|Json(group)| Json(group.policy))
}

/// Replace a group's policy
///
/// Fields that are left out get their defaults. Engines learn of it within a minute.
#[utoipa::path(put, path = "/v1/policies/{group}", tag = "fleet", security(("bearer" = ["agents:write"])), params(("group" = GroupId, Path)),
    request_body = Policy, responses(
    (status = 200, description = "The policy, with every field", body = Policy),
    (status = 404, description = "No such group", body = Problem),
    (status = 422, description = "A field is unknown or out of range", body = Problem),
))]
pub async fn put_policy(
    State(app): State<App>,
    auth: OnFarm<AgentsWrite>,
    Path(id): Path<GroupId>,
    Body(document): Body<serde_json::Value>,
) -> Result<Json<Policy>, ApiError> {
    let policy = parse_policy(&document)?;
    let tx = app.db.write().await?;
    let row = store::find(&tx.tx, &auth.team_id, &id).await?;
    store::set_policy(&tx.tx, &row.id, &policy).await?;
    tx.commit().await?;
    Ok(Json(policy))
}
