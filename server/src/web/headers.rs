//! Headers that go out with pages: what browsers may do with them and how long they may keep them.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS},
};

/// The pages load nothing but their own files. Media Source Extensions play from a `blob:` address that the page makes.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What an answer is that is no page of ours: nothing that a browser should show as one, or let another site frame.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The reference at `/docs`: its script writes styles of its own, and its icons are `data:` addresses.
const REFERENCE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A browser that opens a film by itself makes a page around it, with a style of its own.
const MEDIA: &str = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";
/// Two years, as browsers' own lists ask for.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// What browsers may do with an answer, by the path that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    Api,
    Reference,
    Media,
    Other,
}

impl AnswerKind {
    pub fn of(path: &str) -> Self {
        if path.starts_with("/v1/") {
            Self::Api
        } else if path == "/docs" || path.starts_with("/docs/") {
            Self::Reference
        } else if path.starts_with("/media/") {
            Self::Media
        } else {
            Self::Other
        }
    }

    fn policy(self) -> &'static str {
        match self {
            Self::Api | Self::Other => NO_PAGE,
            Self::Reference => REFERENCE,
            Self::Media => MEDIA,
        }
    }
}

/// Adds what every answer of the server is sent with, unless its handler said otherwise.
pub fn answer_headers(headers: &mut HeaderMap, kind: AnswerKind, is_secure: bool) {
    let usual: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, kind.policy()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("x-frame-options"), "DENY"),
    ];
    for (name, value) in usual {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if kind == AnswerKind::Api {
        // What one person was told is kept for nobody else; entity tags still save the way.
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    }
    if is_secure {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(ONLY_TLS);
    }
}

/// Names of assets hold a hash of their content, so what a name means never changes.
pub const CACHE_FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Pages name the assets of one build: ask each time, which an entity tag makes cheap.
pub const CACHE_BUT_ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// Adds what every file of the web pages is sent with.
pub fn secure(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 5] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // An address of a watch page is what lets people watch: it is not told to other sites.
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The content type of a file of the pages, by its ending.
pub fn content_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json" | "map") => "application/json",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_handler_said_stays_and_tls_is_asked_for_where_it_is() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer_headers(&mut headers, AnswerKind::of("/v1/session"), true);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[STRICT_TRANSPORT_SECURITY], "max-age=63072000");
        assert_eq!(headers[CONTENT_SECURITY_POLICY], NO_PAGE);

        let mut plain = HeaderMap::new();
        answer_headers(&mut plain, AnswerKind::of("/v1/jobs"), false);
        assert!(!plain.contains_key(STRICT_TRANSPORT_SECURITY));
        assert_eq!(plain[CACHE_CONTROL], "private, no-cache");
    }
}
