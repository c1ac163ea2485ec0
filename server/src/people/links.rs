//! Links by which people come in: the first administrator's, invitations, new passwords. Each is good once.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use offpeak_api::{
    ids::{InvitationId, PersonId, TeamId},
    people::{CreatedLink, Invitation, InvitationList, Invite, LinkKind, Role, UseLink},
    problem::Problem,
};
use sea_orm::ConnectionTrait;

use super::{
    INVITATION_LIFETIME, LINK_LIFETIME, check_email, check_password,
    http::{disabled, logged_in, not_from_elsewhere},
    sessions,
    store::{self, NewLink, NewPerson},
};
use crate::{
    agents::check_name,
    app::App,
    auth::may::{Admin, OnFarm},
    clock::Instant,
    config::Config,
    entity::{link, person},
    error::{ApiError, Body},
    teams,
};

/// More are not waited for.
const MOST_INVITATIONS: u64 = 500;

/// The address that a person opens.
pub fn address(config: &Config, kind: LinkKind, code: &str) -> Result<String, ApiError> {
    let path = format!("/{}?code={code}", kind.as_str());
    config.public_url.join(&path).map(String::from).map_err(ApiError::internal)
}

fn wire(row: link::Model) -> Result<Invitation, ApiError> {
    Ok(Invitation {
        role: role_of(&row)?,
        teams: teams_of(&row)?,
        id: row.id.parse().map_err(ApiError::internal)?,
        email: row.email.ok_or_else(|| ApiError::internal("an invitation without an email"))?,
        created_at: Instant(row.created_at_ms).to_utc(),
        expires_at: Instant(row.expires_at_ms).to_utc(),
    })
}

fn role_of(row: &link::Model) -> Result<Role, ApiError> {
    row.role.as_deref().and_then(Role::parse).ok_or_else(|| ApiError::internal("an invitation without a role"))
}

fn teams_of(row: &link::Model) -> Result<Vec<TeamId>, ApiError> {
    let ids = row.team_ids.as_deref().unwrap_or_default().split_whitespace();
    ids.map(|id| id.parse().map_err(ApiError::internal)).collect()
}

/// List invitations
///
/// Those that can still be used, without their links.
#[utoipa::path(get, path = "/v1/invitations", tag = "access", security(("bearer" = ["admin"])), responses(
    (status = 200, description = "The invitations", body = InvitationList),
))]
pub async fn list_invitations(State(app): State<App>, _auth: OnFarm<Admin>) -> Result<Json<InvitationList>, ApiError> {
    let rows = store::invitations(&app.db.reader, app.clock.now()).await?;
    Ok(Json(InvitationList { invitations: rows.into_iter().map(wire).collect::<Result<_, _>>()? }))
}

/// Invite a person
///
/// Makes a link, good once and for a week, which is told this once: send it to them. An earlier one for the same email is good
/// for nothing any more.
#[utoipa::path(post, path = "/v1/invitations", tag = "access", security(("bearer" = ["admin"])), request_body = Invite,
    responses(
    (status = 201, description = "The link", body = CreatedLink),
    (status = 404, description = "No such team", body = Problem),
    (status = 409, description = "They have an account already, or there are too many invitations", body = Problem),
    (status = 422, description = "The email does not read", body = Problem),
))]
pub async fn invite(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Body(request): Body<Invite>,
) -> Result<(StatusCode, Json<CreatedLink>), ApiError> {
    let email = check_email(&request.email)?;
    let now = app.clock.now();
    let tx = app.db.write().await?;
    if store::find_by_email(&tx.tx, &email).await?.is_some() {
        return Err(store::person_exists(&email));
    }
    if store::count_invitations(&tx.tx, now).await? >= MOST_INVITATIONS {
        return Err(ApiError::conflict("too_many_invitations", format!("{MOST_INVITATIONS} invitations are open."))
            .hint("Delete some: GET /v1/invitations lists them."));
    }
    for team in &request.teams {
        teams::store::get(&tx.tx, team).await?;
    }
    let new = NewLink::Invitation { email: &email, role: request.role, teams: &request.teams };
    let (row, code) = store::create_link(&tx.tx, new, now, now + INVITATION_LIFETIME).await?;
    tx.commit().await?;
    tracing::info!(invitation.id = row.id, role = request.role.as_str(), by = ?auth.by, "invited a person");
    let url = address(&app.config, LinkKind::Invitation, &code)?;
    let expires_at = Instant(row.expires_at_ms).to_utc();
    Ok((StatusCode::CREATED, Json(CreatedLink { kind: LinkKind::Invitation, email, url, expires_at })))
}

/// Take an invitation back
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "access", security(("bearer" = ["admin"])),
    params(("id" = InvitationId, Path)), responses(
    (status = 204, description = "Its link is good for nothing any more"),
    (status = 404, description = "No such invitation", body = Problem),
))]
pub async fn delete_invitation(
    State(app): State<App>,
    _auth: OnFarm<Admin>,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    let gone = store::delete_invitation(&tx.tx, &id).await?;
    tx.commit().await?;
    if gone { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::not_found("invitation_not_found", format!("There is no {id}."))) }
}

/// Make a link that sets a new password
///
/// Good once and for a day, and told this once: send it to the person. Until it is used, the old password stays.
#[utoipa::path(post, path = "/v1/people/{id}/reset", tag = "access", security(("bearer" = ["admin"])),
    params(("id" = PersonId, Path)), responses(
    (status = 201, description = "The link", body = CreatedLink),
    (status = 404, description = "No such person", body = Problem),
))]
pub async fn reset_person(
    State(app): State<App>,
    auth: OnFarm<Admin>,
    Path(id): Path<PersonId>,
) -> Result<(StatusCode, Json<CreatedLink>), ApiError> {
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let person = store::get(&tx.tx, &id).await?;
    let (row, code) = store::create_link(&tx.tx, NewLink::Reset { person: &id }, now, now + LINK_LIFETIME).await?;
    tx.commit().await?;
    tracing::info!(person.id = %id, by = ?auth.by, "made a link for a new password");
    let url = address(&app.config, LinkKind::Reset, &code)?;
    let expires_at = Instant(row.expires_at_ms).to_utc();
    Ok((StatusCode::CREATED, Json(CreatedLink { kind: LinkKind::Reset, email: person.email, url, expires_at })))
}

fn bad_link() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "bad_link", "This link is unknown, used or too old.")
        .hint("Ask an administrator for a new one; at the server's own terminal: `offpeak-server people reset EMAIL`.")
}

/// Use a link
///
/// With the code of an address that somebody was given: makes the account or sets the password, and logs them in.
#[utoipa::path(post, path = "/v1/links", tag = "access", request_body = UseLink, responses(
    (status = 201, description = "Logged in; the cookie is in `Set-Cookie`", body = offpeak_api::people::Session),
    (status = 403, description = "The link is unknown, used or too old, or the account is disabled", body = Problem),
    (status = 409, description = "The email has an account already", body = Problem),
    (status = 422, description = "The email or the name does not fit, or the password is too easy to guess", body = Problem),
))]
pub async fn use_link(State(app): State<App>, headers: HeaderMap, Body(request): Body<UseLink>) -> Result<Response, ApiError> {
    not_from_elsewhere(&app, &headers)?;
    let now = app.clock.now();
    let link = store::find_link(&app.db.reader, &request.code, now).await?.ok_or_else(bad_link)?;
    let kind = LinkKind::parse(&link.kind).ok_or_else(bad_link)?;
    let email = match (kind, &link.email, &link.person_id) {
        (LinkKind::Setup, ..) => check_email(request.email.as_deref().unwrap_or_default())?,
        (LinkKind::Invitation, Some(email), _) => email.clone(),
        (LinkKind::Reset, _, Some(id)) => store::get(&app.db.reader, &id.parse().map_err(ApiError::internal)?).await?.email,
        (LinkKind::Invitation | LinkKind::Reset, ..) => return Err(bad_link()),
    };
    check_password(&request.password, &email)?;
    let name = request.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&email);
    let name = check_name(name)?;
    let hash = app.passwords.hash(&request.password).await?;
    let tx = app.db.write().await?;
    if kind == LinkKind::Setup {
        store::lock_setups(&tx.tx).await?;
    }
    // Whoever is second finds that it is gone.
    if !store::take_link(&tx.tx, &link).await? {
        return Err(bad_link());
    }
    let person = match kind {
        LinkKind::Setup => first_admin(&app, &tx.tx, &email, name, hash, now).await?,
        LinkKind::Invitation => {
            // Teams that were deleted since then are passed over.
            let asked = teams_of(&link)?;
            let teams: Vec<TeamId> = teams::store::list_of(&tx.tx, &asked)
                .await?
                .into_iter()
                .map(|row| row.id.parse().map_err(ApiError::internal))
                .collect::<Result<_, _>>()?;
            let new = NewPerson { email: &email, name, role: role_of(&link)?, password_hash: hash, teams: &teams };
            store::insert(&tx.tx, new, now).await?
        }
        LinkKind::Reset => {
            let id: PersonId = link.person_id.as_deref().unwrap_or_default().parse().map_err(ApiError::internal)?;
            let row = store::get(&tx.tx, &id).await?;
            if row.disabled {
                return Err(disabled());
            }
            store::set_password(&tx.tx, &row, hash).await?;
            sessions::end_all(&tx.tx, &id, None).await?;
            row
        }
    };
    let id: PersonId = person.id.parse().map_err(ApiError::internal)?;
    let (secret, expires) = sessions::begin(&tx.tx, &id, &headers, now).await?;
    tx.commit().await?;
    tracing::info!(person.id = person.id, kind = kind.as_str(), "a link was used");
    logged_in(&app, person, &secret, expires).await
}

/// The one who sets the server up. Where somebody is there already, this is no way in.
async fn first_admin(
    app: &App,
    tx: &impl ConnectionTrait,
    email: &str,
    name: &str,
    password_hash: String,
    now: Instant,
) -> Result<person::Model, ApiError> {
    // Two who use two set-up links at once: the second waits for the first to have deleted all of them, and finds somebody.
    store::forget_setups(tx).await?;
    if store::anybody(tx).await? {
        return Err(bad_link());
    }
    let new = NewPerson { email, name, role: Role::Admin, password_hash, teams: std::slice::from_ref(&app.farm) };
    store::insert(tx, new, now).await
}

/// A link for the first administrator, while there is nobody yet.
pub async fn setup_link(app: &App) -> Result<Option<String>, ApiError> {
    if store::anybody(&app.db.reader).await? {
        return Ok(None);
    }
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let (_, code) = store::create_link(&tx.tx, NewLink::Setup, now, now + LINK_LIFETIME).await?;
    tx.commit().await?;
    address(&app.config, LinkKind::Setup, &code).map(Some)
}

/// A link for somebody who locked themselves out.
pub async fn reset_link(app: &App, email: &str) -> Result<String, ApiError> {
    let email = check_email(email)?;
    let row = store::find_by_email(&app.db.reader, &email).await?.ok_or_else(|| super::not_found(&email))?;
    if row.disabled {
        return Err(disabled());
    }
    let id: PersonId = row.id.parse().map_err(ApiError::internal)?;
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let (_, code) = store::create_link(&tx.tx, NewLink::Reset { person: &id }, now, now + LINK_LIFETIME).await?;
    tx.commit().await?;
    address(&app.config, LinkKind::Reset, &code)
}
