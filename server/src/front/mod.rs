//! What every call passes before its handler ([`call`]): it gets a name for the logs ([`request_id`]), and calls of programs and
//! people also a limit on how many there may be ([`rate`]), answers that are sent once only ([`etag`]), and creation that can be
//! repeated ([`idempotency`]).
//!
//! Agents' calls under a lease pass none of the latter: they are what the server is there for, and each costs as little as it can.

pub mod call;
pub mod etag;
pub mod idempotency;
pub mod rate;
pub mod request_id;
pub mod whole;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{app::App, auth::person, people::peer::Peer};

/// The layer of all routes but those of agents, players and supervisors.
pub async fn of_programs(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    person::team_into_header(&mut parts);
    let Ok(Peer(address)) = Peer::from_request_parts(&mut parts, &app).await;
    let session = person::secret_of(&parts.headers, &app.config.public_url);
    let quota = app.rates.take(&rate::who(&parts.headers, session, address), app.clock.now());
    // Whoever makes tokens up is known by their address after all.
    let stranger = rate::stranger(address);
    let request = Request::from_parts(parts, body);
    let mut response = match &quota {
        Some(quota) if quota.is_used_up() => quota.refusal().into_response(),
        Some(_) | None => answer(&app, request, next).await,
    };
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(refused) = app.rates.take(&stranger, app.clock.now()).filter(rate::Quota::is_used_up)
    {
        response = refused.refusal().into_response();
    }
    if let Some(quota) = quota {
        quota.tell(response.headers_mut());
    }
    response
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    match idempotency::key_of(&request) {
        Ok(Some(key)) => return idempotency::once(app, key, request, next).await,
        Ok(None) => {}
        Err(refusal) => return refusal.into_response(),
    }
    let known = etag::Known::of(&request);
    let response = next.run(request).await;
    match known {
        Some(known) => known.tag(response).await,
        None => response,
    }
}
