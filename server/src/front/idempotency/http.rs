//! The layer: looks the key up, runs the handler out of the connection's reach, keeps the answer.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::{HELD_FOR, KEPT_FOR, Kept, LARGEST_KEPT, Seen, holds_secret, parse_key, store};
use crate::{
    app::App,
    auth::{TeamAuth, hex, may, random_name},
    db,
    error::ApiError,
    front::{
        request_id::{self, X_REQUEST_ID},
        whole::whole,
    },
    upload,
};

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long a repeat should wait for the first request to be done.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Headers that belong to the answer and not to the connection.
const KEPT_HEADERS: [HeaderName; 5] = [
    CONTENT_TYPE,
    LOCATION,
    HeaderName::from_static("tus-resumable"),
    HeaderName::from_static("upload-offset"),
    HeaderName::from_static("upload-expires"),
];
/// Headers that say what is to be made.
const TELLING_HEADERS: [HeaderName; 5] = [
    CONTENT_TYPE,
    HeaderName::from_static("upload-length"),
    HeaderName::from_static("upload-defer-length"),
    HeaderName::from_static("upload-metadata"),
    HeaderName::from_static("upload-checksum"),
];

/// The key of a request that makes something.
pub fn key_of(request: &Request) -> Result<Option<String>, ApiError> {
    // Passwords come with these, and not even a hash of one is kept: logging in twice does no harm, and links work once by themselves.
    if ["/v1/session", "/v1/links"].iter().any(|of_people| request.uri().path().starts_with(of_people)) {
        return Ok(None);
    }
    // With that header a POST stands for another method, whose repeats are told apart by the protocol itself.
    if request.method() != Method::POST || request.headers().contains_key("x-http-method-override") {
        return Ok(None);
    }
    parse_key(request.headers())
}

/// Carries the request out, unless one with its key was.
pub async fn once(app: &App, key: String, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Some(team) = may::team_of(&parts, app).await else {
        // Refused by the handler, which knows how.
        return next.run(Request::from_parts(parts, body)).await;
    };
    begin(app, &team, &key, Request::from_parts(parts, body), next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn begin(app: &App, team: &TeamAuth, key: &str, request: Request, next: Next) -> Result<Response, ApiError> {
    let route = format!("{} {}", request.method(), request.uri().path());
    let (request, fingerprint) = fingerprint(request).await?;
    // With what the caller may do: nobody is told an answer that they could not have got themselves.
    let scopes = team.scopes.to_text();
    let id = hash([team.team_id.as_str().as_bytes(), scopes.as_bytes(), route.as_bytes(), key.as_bytes()]);
    let attempt = store::Attempt { id, fingerprint, name: random_name(16) };
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let seen = store::take(&tx.tx, &attempt, now, now + HELD_FOR, now + KEPT_FOR).await?;
    tx.commit().await?;
    match seen {
        Seen::First => carry_out(app.clone(), attempt, request, next).await,
        Seen::Answered(kept) => kept.replay(),
        Seen::Reused => Err(ApiError::unfit(
            "idempotency_key_reused",
            "This `Idempotency-Key` came with another request in the last 24 hours.",
        )
        .hint("Make a new key for each thing that is to be made.")),
        Seen::InProgress | Seen::Abandoned => {
            Err(ApiError::conflict("idempotency_key_in_progress", "A request with this `Idempotency-Key` is being carried out.")
                .hint("Repeat it in a second: then its answer is there.")
                .retry_after(ASK_AGAIN))
        }
        Seen::Unanswered => Err(ApiError::conflict(
            "idempotency_answer_unknown",
            "The request with this `Idempotency-Key` was carried out, but its answer is not kept: it held a secret, or the \
             server stopped before it was written down.",
        )
        .hint("Look at what there is now; to make another, use another key.")),
    }
}

/// In a task of its own: a client that hangs up shall find its job made or not made, and the answer kept, when it repeats.
async fn carry_out(app: App, attempt: store::Attempt, request: Request, next: Next) -> Result<Response, ApiError> {
    let id = request.headers().get(X_REQUEST_ID).cloned();
    let work = async move {
        let mut answering = std::pin::pin!(db::along(store::mark(&attempt), next.run(request)));
        let mut renewal = tokio::time::interval(HELD_FOR / 3);
        renewal.tick().await;
        let response = loop {
            tokio::select! {
                response = &mut answering => break response,
                _ = renewal.tick() => hold_on(&app, &attempt).await,
            }
        };
        settle(&app, &attempt, response).await
    };
    tokio::spawn(request_id::carry(id, work).in_current_span()).await.map_err(ApiError::internal)?
}

/// An upload that comes along may take longer than a hold lasts.
async fn hold_on(app: &App, attempt: &store::Attempt) {
    let renewed = async {
        let tx = app.db.write().await?;
        store::renew(&tx.tx, attempt, app.clock.now() + HELD_FOR).await?;
        tx.commit().await.map_err(ApiError::from)
    };
    if let Err(error) = renewed.await {
        tracing::warn!(%error, "cannot renew the hold on an idempotency key");
    }
}

/// Keeps the answer, or gives the key back.
async fn settle(app: &App, attempt: &store::Attempt, response: Response) -> Result<Response, ApiError> {
    if !response.status().is_success() {
        let tx = app.db.write().await?;
        store::give_back(&tx.tx, attempt, app.clock.now()).await?;
        tx.commit().await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST_KEPT).await.map_err(ApiError::internal)?;
    let kept = Kept::of(parts.status, &parts.headers, &body);
    let tx = app.db.write().await?;
    match &kept {
        Some(kept) => store::keep(&tx.tx, attempt, kept).await?,
        None => store::renew(&tx.tx, attempt, app.clock.now()).await?,
    }
    tx.commit().await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

impl Kept {
    /// Nothing for answers that may not be kept.
    fn of(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Option<Self> {
        let body = std::str::from_utf8(body).ok().filter(|body| !holds_secret(body) && !body.contains('\0'))?;
        if headers.get(CACHE_CONTROL).is_some_and(|value| value.as_bytes().starts_with(b"no-store")) {
            return None;
        }
        let headers = KEPT_HEADERS.into_iter().filter_map(|name| {
            let value = headers.get(&name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        });
        Some(Self { status: status.as_u16(), headers: headers.collect(), body: body.to_owned() })
    }

    fn replay(self) -> Result<Response, ApiError> {
        let status = StatusCode::from_u16(self.status).map_err(ApiError::internal)?;
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.remove(CONTENT_TYPE);
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name).map_err(ApiError::internal)?;
            headers.insert(name, HeaderValue::try_from(value).map_err(ApiError::internal)?);
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }
}

/// What the request asks for. A piece of a file that comes along is not read for it: its length and hash are in headers.
async fn fingerprint(request: Request) -> Result<(Request, String), ApiError> {
    let mut told: Vec<Vec<u8>> = vec![request.uri().query().unwrap_or_default().into()];
    told.extend(
        TELLING_HEADERS.into_iter().map(|name| request.headers().get(name).map_or(vec![], |value| value.as_bytes().into())),
    );
    if upload::http::has_piece(request.headers()) {
        told.push(request.headers().get(CONTENT_LENGTH).map_or(vec![], |value| value.as_bytes().into()));
        return Ok((request, hash(told.iter().map(Vec::as_slice))));
    }
    let (parts, body) = request.into_parts();
    let bytes = whole(Request::from_parts(parts.clone(), body)).await?;
    told.push(bytes.to_vec());
    Ok((Request::from_parts(parts, Body::from(bytes)), hash(told.iter().map(Vec::as_slice))))
}

/// Lengths stand between the parts, so that no two lists hash alike.
fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_passwords() {
        let key_of = |path: &str| {
            let request = Request::post(path).header(IDEMPOTENCY_KEY, "k").body(Body::empty()).expect("a request");
            super::key_of(&request).expect("a good key")
        };
        for path in ["/v1/session", "/v1/session/password", "/v1/links"] {
            assert_eq!(key_of(path), None, "{path}");
        }
        assert_eq!(key_of("/v1/jobs").as_deref(), Some("k"));
    }
}
