//! Entity tags on what is read (RFC 9110, section 8.8.3): who has an answer already is told so in a few bytes.
//!
//! The tag is a hash of the answer, so that it cannot be forgotten when something is added to one. That saves sending and
//! reading it, not making it.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{auth::hex, error::ApiError};

/// Kept by the caller only, and asked for each time.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("private, no-cache");
const BY_CALLER: HeaderValue = HeaderValue::from_static("authorization, cookie");

/// What the caller has already.
#[derive(Debug)]
pub struct Known(Vec<HeaderValue>);

impl Known {
    /// Nothing for calls that do not read.
    pub fn of(request: &Request) -> Option<Self> {
        let reads = request.method() == Method::GET;
        reads.then(|| Self(request.headers().get_all(IF_NONE_MATCH).iter().cloned().collect()))
    }

    fn has(&self, tag: &str) -> bool {
        let texts = self.0.iter().filter_map(|value| value.to_str().ok());
        let mut tags = texts.flat_map(|text| text.split(',')).map(str::trim);
        tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    }

    /// Adds a tag to a document; 304 when the caller has it. Streams and pages pass as they are.
    pub async fn tag(self, response: Response) -> Response {
        if response.status() != StatusCode::OK || !is_json(response.headers()) {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        // It lies in memory whole: a handler has just made it.
        let bytes = match to_bytes(body, usize::MAX).await {
            Ok(bytes) => bytes,
            Err(error) => return ApiError::internal(format!("an answer cannot be read: {error}")).into_response(),
        };
        let tag = format!("\"{}\"", hex(&Sha256::digest(&bytes)[..16]));
        parts.headers.entry(CACHE_CONTROL).or_insert(ASK_EACH_TIME);
        parts.headers.insert(VARY, BY_CALLER);
        if let Ok(value) = HeaderValue::try_from(&tag) {
            parts.headers.insert(ETAG, value);
        }
        if !self.has(&tag) {
            return Response::from_parts(parts, Body::from(bytes));
        }
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(CONTENT_LENGTH);
        Response::from_parts(parts, Body::empty())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists() {
        let known = |values: &[&'static str]| Known(values.iter().map(|value| HeaderValue::from_static(value)).collect());
        assert!(known(&["\"a\""]).has("\"a\""));
        assert!(known(&["\"b\", W/\"a\""]).has("\"a\""));
        assert!(known(&["\"b\"", "\"a\""]).has("\"a\""));
        assert!(known(&["*"]).has("\"a\""));
        assert!(!known(&["\"ab\"", "a"]).has("\"a\""));
        assert!(!known(&[]).has("\"a\""));
    }
}
