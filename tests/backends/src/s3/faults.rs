//! What a store does on a bad day, and what browsers need of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Faults to come, for PUTs. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    slow_down: Arc<AtomicUsize>,
    lose_answer: Arc<AtomicUsize>,
}

impl Faults {
    /// The next so many PUTs are answered 503 `SlowDown`.
    pub fn slow_down(&self, puts: usize) {
        self.slow_down.store(puts, Ordering::SeqCst);
    }

    /// The next so many PUTs are done, and answered as by a proxy that lost the answer: 504.
    pub fn lose_answers(&self, puts: usize) {
        self.lose_answer.store(puts, Ordering::SeqCst);
    }

    /// Faults that have not happened yet.
    pub fn left(&self) -> usize {
        self.slow_down.load(Ordering::SeqCst) + self.lose_answer.load(Ordering::SeqCst)
    }
}

fn take_one(from: &AtomicUsize) -> bool {
    from.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

pub(super) async fn inject(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    if request.method() != Method::PUT {
        return next.run(request).await;
    }
    if take_one(&faults.slow_down) {
        let body =
            "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/xml")], body).into_response();
    }
    let answer = next.run(request).await;
    if answer.status().is_success() && take_one(&faults.lose_answer) {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    answer
}

/// A bucket whose CORS rules let every page read and upload, as the guide says.
pub(super) async fn cross_origin(request: Request, next: Next) -> Response {
    let mut answer = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Content-Length, Content-Range"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
