//! Profiles: list, read, make, delete.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use offpeak_api::{
    page::PageQuery,
    problem::Problem,
    profile::{Profile, ProfileEntry, ProfileList},
};

use super::{built_in, check, store};
use crate::{
    app::App,
    auth::may::{JobsRead, JobsWrite, May},
    error::{ApiError, Body},
    page,
};

fn is_built_in(name: &str) -> bool {
    built_in().iter().any(|profile| profile.name == name)
}

/// List profiles
///
/// In pages.
#[utoipa::path(get, path = "/v1/profiles", tag = "profiles", security(("bearer" = ["jobs:read"])), params(PageQuery), responses(
    (status = 200, description = "Those that come with Offpeak first, then the team's own", body = ProfileList),
    (status = 422, description = "The page does not fit", body = Problem),
))]
pub async fn list_profiles(
    State(app): State<App>,
    auth: May<JobsRead>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<ProfileList>, ApiError> {
    let asked = page::query(query)?;
    let own = store::list(&app.db.reader, &auth.team_id).await?;
    let entry = |built_in: bool| move |profile| ProfileEntry { built_in, profile };
    let profiles = built_in().into_iter().map(entry(true)).chain(own.into_iter().map(entry(false))).collect();
    let (profiles, next_cursor) =
        page::cut(profiles, |entry: &ProfileEntry| format!("{}{}", u8::from(!entry.built_in), entry.profile.name), &asked)?;
    Ok(Json(ProfileList { profiles, next_cursor }))
}

/// Read a profile
#[utoipa::path(get, path = "/v1/profiles/{name}", tag = "profiles", security(("bearer" = ["jobs:read"])), params(("name" = String, Path)), responses(
    (status = 200, description = "The profile", body = ProfileEntry),
    (status = 404, description = "No such profile", body = Problem),
))]
pub async fn get_profile(
    State(app): State<App>,
    auth: May<JobsRead>,
    Path(name): Path<String>,
) -> Result<Json<ProfileEntry>, ApiError> {
    let profile = store::find(&app.db.reader, &auth.team_id, &name)
        .await
        .map_err(|error| ApiError { status: StatusCode::NOT_FOUND, ..error })?;
    Ok(Json(ProfileEntry { built_in: is_built_in(&name), profile }))
}

/// Make or replace a profile
///
/// Jobs keep the profile that they were made with.
#[utoipa::path(put, path = "/v1/profiles/{name}", tag = "profiles", security(("bearer" = ["jobs:write"])), params(("name" = String, Path)),
    request_body = Profile, responses(
    (status = 200, description = "The profile, as kept", body = ProfileEntry),
    (status = 409, description = "A profile that comes with Offpeak cannot be changed", body = Problem),
    (status = 422, description = "The profile cannot work", body = Problem),
))]
pub async fn put_profile(
    State(app): State<App>,
    auth: May<JobsWrite>,
    Path(name): Path<String>,
    Body(profile): Body<Profile>,
) -> Result<Json<ProfileEntry>, ApiError> {
    if profile.name != name {
        return Err(ApiError::unfit("bad_profile", "`name` is not the name in the address."));
    }
    check(&profile)?;
    if is_built_in(&name) {
        return Err(fixed(&name));
    }
    let tx = app.db.write().await?;
    store::put(&tx.tx, &auth.team_id, &profile, app.clock.now()).await?;
    tx.commit().await?;
    Ok(Json(ProfileEntry { built_in: false, profile }))
}

fn fixed(name: &str) -> ApiError {
    ApiError::conflict("profile_built_in", format!("{name} comes with Offpeak and cannot be changed."))
        .hint("Copy it under another name and change that.")
}

/// Delete a profile
#[utoipa::path(delete, path = "/v1/profiles/{name}", tag = "profiles", security(("bearer" = ["jobs:write"])), params(("name" = String, Path)), responses(
    (status = 204, description = "Gone; jobs made with it are not affected"),
    (status = 404, description = "No such profile", body = Problem),
    (status = 409, description = "A profile that comes with Offpeak cannot be deleted", body = Problem),
))]
pub async fn delete_profile(
    State(app): State<App>,
    auth: May<JobsWrite>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    if is_built_in(&name) {
        return Err(fixed(&name));
    }
    let tx = app.db.write().await?;
    let gone = store::delete(&tx.tx, &auth.team_id, &name).await?;
    tx.commit().await?;
    if !gone {
        return Err(ApiError::not_found("unknown_profile", format!("There is no profile {name:?}.")));
    }
    Ok(StatusCode::NO_CONTENT)
}
