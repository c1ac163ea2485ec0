//! One error type for all handlers: a status, a stable code, a sentence and what to do, sent as RFC 9457 problems.

mod misfit;

use std::time::Duration;

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use offpeak_api::problem::{Misfit, PROBLEM_JSON, Problem};
use serde::de::DeserializeOwned;

use crate::front;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct ApiError {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
    pub hint: Option<String>,
    /// When it is worth asking again; sent as `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The part of the body that it is about, as a pointer in a fragment.
    pub pointer: Option<String>,
}

/// These are about parameters in the address, which pointers do not reach.
const OF_THE_ADDRESS: [&str; 4] = ["bad_cursor", "bad_filter", "bad_limit", "bad_range"];

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), hint: None, retry_after: None, pointer: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// The request is well formed but does not fit. Of a field, the sentence names it in backticks before anything else.
    pub fn unfit(code: &'static str, detail: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
        let pointer = if OF_THE_ADDRESS.contains(&code) { None } else { misfit::pointer_of(&error.detail) };
        Self { pointer, ..error }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A fault of the server: logged here, once, and told without details.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed at this request; its log says why.")
            .hint("Try again in a moment.")
    }

    pub fn to_problem(&self) -> Problem {
        Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
            errors: self.pointer.iter().map(|pointer| Misfit { pointer: pointer.clone(), detail: self.detail.clone() }).collect(),
            request_id: front::request_id::current(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.to_problem())).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, and not too early.
            response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs_f64().ceil() as u64).into());
        }
        response
    }
}

impl From<sea_orm::DbErr> for ApiError {
    fn from(error: sea_orm::DbErr) -> Self {
        if crate::db::may_work_again(&error) {
            tracing::warn!(%error, "the database was too busy for a request");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The database was too busy; nothing was changed.")
                .hint("Try again in a moment.");
        }
        Self::internal(format!("database: {error}"))
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(format!("a stored document does not read: {error}"))
    }
}

/// `axum::Json` for requests, all of which are objects; refusals are problems.
#[derive(Debug, Clone, Copy, Default)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            let detail = "The body of this request is JSON, and its content type says otherwise, or nothing.";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail)
                .hint("Send the header `Content-Type: application/json`."));
        }
        let bytes = front::whole::whole(request).await?;
        // An array would be read as an object's values in order, which nobody means and everybody may get wrong.
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(ApiError::unfit("invalid_body", "The body is an array; it has to be an object.").hint(SHAPES));
        }
        let read = Json::<T>::from_bytes(&bytes).map_err(|rejection| {
            let pointer = misfit::place_in::<T>(&bytes);
            ApiError { pointer, ..rejection.into() }
        });
        Ok(Self(read?.0))
    }
}

const SHAPES: &str = "See /docs for the shape of this request.";

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let (code, hint) = match &rejection {
            JsonRejection::JsonSyntaxError(_) => ("invalid_json", "The body is not JSON; check quotes, commas and braces."),
            _ => ("invalid_body", SHAPES),
        };
        Self::new(rejection.status(), code, rejection.body_text()).hint(hint)
    }
}
