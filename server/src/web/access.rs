//! The page for logging in and for the links by which people come in: plain files in the binary, whether or not the other
//! pages were built.

use axum::{
    Router,
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use super::headers::{content_type, secure};

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = || async { file("page.html", include_str!("access/page.html")) };
    let mark = || async { file("mark.svg", include_str!("../../../web-dashboard/src/styles/mark.svg")) };
    Router::new()
        .route("/login", get(page))
        .route("/setup", get(page))
        .route("/invitation", get(page))
        .route("/reset", get(page))
        .route("/access/page.css", get(|| async { file("page.css", include_str!("access/page.css")) }))
        .route("/access/mark.svg", get(mark))
        // Browsers ask for it by themselves at addresses that are no page of ours, such as a playlist or the API's description.
        .route("/favicon.ico", get(mark))
        .route("/access/page.js", get(|| async { file("page.js", include_str!("access/page.js")) }))
}

fn file(name: &str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(name));
    // The address of a page may hold a code, and the files are small.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secure(headers);
    response
}
