//! Sessions and people: log in and out, who is there, what they may do.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use offpeak_api::{
    ids::{PersonId, SessionId},
    people::{ChangePassword, ChangePerson, ChangeSelf, LogOut, Login, OpenSessionList, Person, PersonList, Role, Session},
    problem::Problem,
};

use super::{
    LONGEST_PASSWORD, SESSION_LIFETIME, check_password,
    peer::Peer,
    sessions, store,
    throttle::{self, Subjects},
    wire,
};
use crate::{
    agents::check_name,
    app::App,
    auth::{
        may::{Admin, OnFarm},
        person::{self as auth_person, PersonAuth},
    },
    clock::Instant,
    entity::person,
    error::{ApiError, Body},
};

/// The answer to whoever has logged in: who they are, and the cookie.
pub(super) async fn logged_in(app: &App, row: person::Model, secret: &str, expires: Instant) -> Result<Response, ApiError> {
    let session = told(app, row, expires).await?;
    let cookie = auth_person::cookie(&app.config.public_url, Some(secret), SESSION_LIFETIME.as_secs());
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, secret_header(&cookie)?)], Json(session)).into_response())
}

async fn told(app: &App, row: person::Model, expires: Instant) -> Result<Session, ApiError> {
    let person = wire::one(&app.db.reader, row).await?;
    Ok(Session { person, expires_at: expires.to_utc(), server_version: env!("CARGO_PKG_VERSION").to_owned() })
}

fn secret_header(cookie: &str) -> Result<HeaderValue, ApiError> {
    let mut value = HeaderValue::try_from(cookie).map_err(ApiError::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Browsers always say where a request comes from; nobody is logged in by a page of another site.
pub(super) fn not_from_elsewhere(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let told = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if told { auth_person::check_origin(headers, &app.config.public_url) } else { Ok(()) }
}

/// Log in
///
/// The answer sets a cookie, which only this server's pages can use. After ten attempts within a quarter of an hour the account
/// has to wait, whoever tries.
#[utoipa::path(post, path = "/v1/session", tag = "access", request_body = Login, responses(
    (status = 201, description = "Logged in; the cookie is in `Set-Cookie`", body = Session),
    (status = 401, description = "There is no such account, or it has another password", body = Problem),
    (status = 403, description = "The request came from another site, or the account is disabled", body = Problem),
    (status = 429, description = "Too many attempts; `Retry-After` says when to try again", body = Problem),
))]
pub async fn log_in(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Body(request): Body<Login>,
) -> Result<Response, ApiError> {
    not_from_elsewhere(&app, &headers)?;
    let email = request.email.trim().to_lowercase();
    let subjects = Subjects::of(&email, peer);
    throttle::attempt(&app.db, &subjects, app.clock.now()).await?;
    // Not every text can be asked for, and nobody has such an email or password.
    let is_text = super::check_email(&email).is_ok() && request.password.len() <= LONGEST_PASSWORD;
    let row = if is_text { store::find_by_email(&app.db.reader, &email).await? } else { None };
    let kept = row.as_ref().map(|row| row.password_hash.clone());
    let is_right = app.passwords.verify(request.password.get(..LONGEST_PASSWORD).unwrap_or(&request.password), kept).await?;
    let Some(row) = row.filter(|_| is_right) else {
        tracing::info!(peer = ?peer, "refused a login");
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "bad_credentials",
            "This email and password do not belong together.",
        )
        .hint("An administrator can make a link that sets a new password."));
    };
    if row.disabled {
        return Err(disabled());
    }
    throttle::succeeded(&app.db, &subjects).await?;
    let now = app.clock.now();
    let id: PersonId = row.id.parse().map_err(ApiError::internal)?;
    let tx = app.db.write().await?;
    let (secret, expires) = sessions::begin(&tx.tx, &id, &headers, now).await?;
    tx.commit().await?;
    tracing::info!(person.id = %id, peer = ?peer, "logged in");
    logged_in(&app, row, &secret, expires).await
}

pub(super) fn disabled() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "person_disabled", "This account was disabled.").hint("Ask an administrator.")
}

/// Read who is logged in
#[utoipa::path(get, path = "/v1/session", tag = "access", security(("session" = [])), responses(
    (status = 200, description = "The person, their teams, and until when", body = Session),
))]
pub async fn get_session(State(app): State<App>, auth: PersonAuth) -> Result<Json<Session>, ApiError> {
    let row = store::get(&app.db.reader, &auth.person_id).await?;
    Ok(Json(told(&app, row, auth.expires_at).await?))
}

/// Change one's own name
#[utoipa::path(patch, path = "/v1/session", tag = "access", security(("session" = [])), request_body = ChangeSelf, responses(
    (status = 200, description = "Who is logged in, as they are called now", body = Session),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn change_self(
    State(app): State<App>,
    auth: PersonAuth,
    Body(change): Body<ChangeSelf>,
) -> Result<Json<Session>, ApiError> {
    let name = change.name.as_deref().map(check_name).transpose()?;
    let tx = app.db.write().await?;
    let mut row = store::get(&tx.tx, &auth.person_id).await?;
    if let Some(name) = name {
        row.name = name.to_owned();
        store::update(&tx.tx, &row).await?;
    }
    tx.commit().await?;
    tracing::info!(person.id = %auth.person_id, "changed their own name");
    Ok(Json(told(&app, row, auth.expires_at).await?))
}

/// List one's own sessions
#[utoipa::path(get, path = "/v1/sessions", tag = "access", security(("session" = [])), responses(
    (status = 200, description = "Where this person is logged in", body = OpenSessionList),
))]
pub async fn list_sessions(State(app): State<App>, auth: PersonAuth) -> Result<Json<OpenSessionList>, ApiError> {
    let sessions = sessions::open(&app.db.reader, &auth.person_id, &auth.session, app.clock.now()).await?;
    Ok(Json(OpenSessionList { sessions }))
}

/// End one of one's own sessions
///
/// Whoever uses it has to log in again. The one that asks may be ended too.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "access", security(("session" = [])), params(("id" = SessionId, Path)), responses(
    (status = 204, description = "Ended"),
    (status = 404, description = "There is no such session of this person", body = Problem),
))]
pub async fn end_session(State(app): State<App>, auth: PersonAuth, Path(id): Path<SessionId>) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    let ended = sessions::end_one(&tx.tx, &auth.person_id, &id).await?;
    tx.commit().await?;
    if !ended {
        return Err(ApiError::not_found("session_not_found", format!("You have no session {id}."))
            .hint("It has ended, or it is somebody else's. GET /v1/sessions lists yours."));
    }
    tracing::info!(person.id = %auth.person_id, session.id = %id, "ended a session");
    Ok(StatusCode::NO_CONTENT)
}

/// Log out
///
/// Here, or everywhere.
#[utoipa::path(delete, path = "/v1/session", tag = "access", security(("session" = [])), params(LogOut), responses(
    (status = 204, description = "Logged out; the cookie is taken back"),
))]
pub async fn log_out(State(app): State<App>, auth: PersonAuth, Query(query): Query<LogOut>) -> Result<Response, ApiError> {
    let tx = app.db.write().await?;
    match query.everywhere.unwrap_or_default() {
        true => sessions::end_all(&tx.tx, &auth.person_id, None).await?,
        false => sessions::end(&tx.tx, &auth.session).await?,
    }
    tx.commit().await?;
    let cookie = auth_person::cookie(&app.config.public_url, None, 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, secret_header(&cookie)?)]).into_response())
}

/// Change one's password
///
/// All other sessions of this person end.
#[utoipa::path(put, path = "/v1/session/password", tag = "access", security(("session" = [])), request_body = ChangePassword,
    responses(
    (status = 204, description = "Changed"),
    (status = 403, description = "`current` is not the password", body = Problem),
    (status = 422, description = "The new password is too easy to guess", body = Problem),
    (status = 429, description = "Too many attempts; `Retry-After` says when to try again", body = Problem),
))]
pub async fn change_password(
    State(app): State<App>,
    auth: PersonAuth,
    Body(request): Body<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let row = store::get(&app.db.reader, &auth.person_id).await?;
    check_password(&request.new, &row.email)?;
    // A session that somebody left open must not be a way to guess.
    throttle::attempt(&app.db, &Subjects::of(&row.email, None), app.clock.now()).await?;
    let current = request.current.get(..LONGEST_PASSWORD).unwrap_or(&request.current);
    if !app.passwords.verify(current, Some(row.password_hash.clone())).await? {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_password", "`current` is not your password."));
    }
    let hash = app.passwords.hash(&request.new).await?;
    let tx = app.db.write().await?;
    store::set_password(&tx.tx, &row, hash).await?;
    sessions::end_all(&tx.tx, &auth.person_id, Some(&auth.session)).await?;
    tx.commit().await?;
    tracing::info!(person.id = row.id, "changed a password");
    Ok(StatusCode::NO_CONTENT)
}

/// List people
#[utoipa::path(get, path = "/v1/people", tag = "access", security(("bearer" = ["admin"])), responses(
    (status = 200, description = "Everybody with an account", body = PersonList),
))]
pub async fn list_people(State(app): State<App>, _auth: OnFarm<Admin>) -> Result<Json<PersonList>, ApiError> {
    let rows = store::list(&app.db.reader).await?;
    Ok(Json(PersonList { people: wire::people(&app.db.reader, rows).await? }))
}

/// Change a person
///
/// Their name, their role, and whether they may log in. Who is disabled is logged out at once.
#[utoipa::path(patch, path = "/v1/people/{id}", tag = "access", security(("bearer" = ["admin"])), params(("id" = PersonId, Path)),
    request_body = ChangePerson, responses(
    (status = 200, description = "The person", body = Person),
    (status = 404, description = "No such person", body = Problem),
    (status = 409, description = "Nobody else is an administrator", body = Problem),
    (status = 422, description = "The name does not fit", body = Problem),
))]
pub async fn change_person(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Path(id): Path<PersonId>,
    Body(change): Body<ChangePerson>,
) -> Result<Json<Person>, ApiError> {
    let name = change.name.as_deref().map(check_name).transpose()?;
    let tx = app.db.write().await?;
    let mut row = store::get(&tx.tx, &id).await?;
    let was_admin = store::role_of(&row)? == Role::Admin && !row.disabled;
    if let Some(name) = name {
        row.name = name.to_owned();
    }
    if let Some(role) = change.role {
        row.role = role.as_str().to_owned();
    }
    row.disabled = change.disabled.unwrap_or(row.disabled);
    let is_admin = store::role_of(&row)? == Role::Admin && !row.disabled;
    if was_admin && !is_admin {
        store::leave_an_admin(&tx.tx, id.as_str()).await?;
    }
    store::update(&tx.tx, &row).await?;
    if row.disabled {
        sessions::end_all(&tx.tx, &id, None).await?;
    }
    tx.commit().await?;
    tracing::info!(person.id = %id, role = row.role, disabled = row.disabled, by = ?auth.by, "changed person");
    Ok(Json(wire::one(&app.db.reader, row).await?))
}

/// Delete a person
///
/// With their sessions and memberships. What their teams own stays, tokens that they made too.
#[utoipa::path(delete, path = "/v1/people/{id}", tag = "access", security(("bearer" = ["admin"])), params(("id" = PersonId, Path)),
    responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such person", body = Problem),
    (status = 409, description = "Nobody else is an administrator", body = Problem),
))]
pub async fn delete_person(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Path(id): Path<PersonId>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    let row = store::get(&tx.tx, &id).await?;
    if store::role_of(&row)? == Role::Admin {
        store::leave_an_admin(&tx.tx, id.as_str()).await?;
    }
    store::delete(&tx.tx, &id).await?;
    tx.commit().await?;
    tracing::info!(person.id = %id, by = ?auth.by, "deleted person");
    Ok(StatusCode::NO_CONTENT)
}
