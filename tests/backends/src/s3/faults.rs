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

/// Faults to come. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    refuse_put: Arc<AtomicUsize>,
    refuse_post: Arc<AtomicUsize>,
    slow_down: Arc<AtomicUsize>,
    lose_answer: Arc<AtomicUsize>,
}

impl Faults {
    /// The next so many PUTs are answered 403, which nobody tries again by himself.
    pub fn refuse_puts(&self, puts: usize) {
        self.refuse_put.store(puts, Ordering::SeqCst);
    }

    /// As [`Faults::refuse_puts`], for POSTs: beginning and completing uploads, deleting in batches.
    pub fn refuse_posts(&self, posts: usize) {
        self.refuse_post.store(posts, Ordering::SeqCst);
    }

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
        let all = [&self.refuse_put, &self.refuse_post, &self.slow_down, &self.lose_answer];
        all.iter().map(|count| count.load(Ordering::SeqCst)).sum()
    }
}

fn take_one(from: &AtomicUsize) -> bool {
    from.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

pub(super) async fn inject(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let is_put = request.method() == Method::PUT;
    let refuse = match *request.method() {
        Method::PUT => &faults.refuse_put,
        Method::POST => &faults.refuse_post,
        _ => return next.run(request).await,
    };
    if take_one(refuse) {
        return error(StatusCode::FORBIDDEN, "AccessDenied");
    }
    if is_put && take_one(&faults.slow_down) {
        return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    let answer = next.run(request).await;
    if is_put && answer.status().is_success() && take_one(&faults.lose_answer) {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    answer
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>As the test wanted.</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
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
