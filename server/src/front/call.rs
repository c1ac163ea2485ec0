//! What surrounds every call, whoever makes it: its id, its span in the log, the headers of its answer, and a problem in place
//! of whatever else went wrong.
//!
//! One layer for all of it. Each layer boxes what is inside it and keeps a little of the request beside it, for as long as the
//! call takes, and thousands of agents wait in one server.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::request_id::{self, CURRENT, X_REQUEST_ID};
use crate::{error::ApiError, web};

/// The outermost layer.
pub async fn every_call(State(is_secure): State<bool>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id::name(request.headers_mut());
    let kind = web::AnswerKind::of(request.uri().path());
    let span = span_of(&request);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match CURRENT.scope(id.clone(), answer.instrument(span.clone())).await {
        Ok(response) if is_plain_refusal(&response) => CURRENT.scope(id.clone(), as_problem(response)).await,
        Ok(response) if is_bare(&response) => CURRENT.sync_scope(id.clone(), || no_such_address().into_response()),
        Ok(response) => response,
        Err(_) => CURRENT.sync_scope(id.clone(), || ApiError::internal("a handler panicked").into_response()),
    };
    web::answer_headers(response.headers_mut(), kind, is_secure);
    response.headers_mut().insert(X_REQUEST_ID, id);
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), after = ?began.elapsed(), "answered"));
    response
}

/// The path only: queries hold the signatures of storage addresses. At the level of what handlers log, so that each line of
/// the log says which request it belongs to; agents' calls under a lease are many and costly to slow down, and say it when the
/// log is more talkative.
fn span_of(request: &Request) -> Span {
    let path = request.uri().path();
    let id = || request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    if path.starts_with("/v1/leases") {
        return tracing::debug_span!("request", request.id = id(), method = %request.method(), path);
    }
    tracing::info_span!("request", request.id = id(), method = %request.method(), path)
}

/// Extractors of the framework refuse bad paths and queries in plain text: everything that a client sees is a problem.
fn is_plain_refusal(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    response.status().is_client_error() && content_type.is_some_and(|value| value.starts_with("text/plain"))
}

/// Nothing but a status: the reference at `/docs` knows no such file of its own.
fn is_bare(response: &Response) -> bool {
    response.status() == StatusCode::NOT_FOUND && !response.headers().contains_key(header::CONTENT_TYPE)
}

pub fn no_such_address() -> ApiError {
    ApiError::not_found("no_such_address", "Nothing is at this address.").hint("See /docs.")
}

async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let text = axum::body::to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    ApiError::new(status, "bad_request", String::from_utf8_lossy(&text)).into_response()
}
