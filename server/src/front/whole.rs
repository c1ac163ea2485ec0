//! A body that is taken in whole before anything is done with it: not more than the route takes, and not for ever. (Uploads and
//! objects are taken in as they come; there only silence has a limit.)

use std::time::Duration;

use axum::{
    RequestExt,
    body::{Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};

use crate::error::ApiError;

/// Most bodies come with the head of their request.
const PATIENCE: Duration = Duration::from_secs(30);
/// A large one may take longer, on a line that is slow but works.
const SLOWEST_BYTES_PER_SECOND: u64 = 16 << 10;

/// The whole body. What says beforehand that it is too large is refused before any of it has come.
pub async fn whole(request: Request) -> Result<Bytes, ApiError> {
    let bytes = declared(request.headers()).unwrap_or(0);
    take(request, PATIENCE + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND)).await
}

async fn take(request: Request, within: Duration) -> Result<Bytes, ApiError> {
    let declared = declared(request.headers());
    let request = request.with_limited_body();
    let most = request.body().size_hint().upper();
    if declared.zip(most).is_some_and(|(declared, most)| declared > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(within, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
        Ok(Err(rejection)) => Err(ApiError::new(rejection.status(), "bad_request", rejection.body_text())),
        Err(_) => {
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body of this request did not arrive in time.")
                .hint("Send it again; with `Content-Length`, a larger one may take longer."))
        }
    }
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than this address takes.")
        .hint("Send less at once; docs/api.md has the limits.")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(600);

    fn endless() -> Body {
        Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let refusal = take(Request::new(endless()), Duration::from_millis(10)).await.unwrap_err();
        assert_eq!((refusal.status, refusal.code), (StatusCode::REQUEST_TIMEOUT, "body_too_slow"));
        assert_eq!(take(Request::new(Body::from("{}")), LONG).await.unwrap(), "{}");
    }

    #[tokio::test]
    async fn what_is_said_to_be_too_large_is_refused_before_it_comes() {
        let request = |bytes: u64| Request::builder().header("content-length", bytes).body(endless()).unwrap();
        let refusal = take(request(1 << 30), LONG).await.unwrap_err();
        assert_eq!((refusal.status, refusal.code), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
        // The framework's own limit, where a route names none, is two mebibytes.
        assert_eq!(take(request(2 << 20), Duration::from_millis(10)).await.unwrap_err().code, "body_too_slow");
        let unsaid = Body::from(vec![0; (2 << 20) + 1]);
        assert_eq!(take(Request::new(unsaid), LONG).await.unwrap_err().code, "body_too_large");
    }
}
