//! Handlers of the web pages.

use axum::{
    Router,
    extract::Path,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{
    Dist,
    headers::{CACHE_BUT_ASK, CACHE_FOREVER, content_type, secure},
};

/// What to read when the server was compiled before the pages were built. It needs nothing that might be missing too.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Offpeak</title>\
    <h1>The web page is not built</h1>\
    <p>The server works; its pages are missing from this build. \
    Run <code>make demo</code> or <code>cargo xtask setup</code>, then build and start the server again.</p>\
    <p>Streams are at <code>/media/{job}/multivariant.m3u8</code>, the API is described at <a href=\"/docs\">/docs</a>.</p></html>";

/// First segments of the dashboard's addresses, as its own router has them (a test of the dashboard compares the two).
const AREAS: &str = include_str!("../../../web-dashboard/src/app/areas.json");

/// The routes of the web pages: `/`, the dashboard's areas, `/watch/{job}` and `/assets/…`. They need no state, so they fit
/// any router.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let pages =
        Router::new().route("/", get(index_page)).route("/watch/{job}", get(watch_page)).route("/assets/{*path}", get(asset));
    // The dashboard finds out from the address by itself what to show.
    areas().into_iter().fold(pages, |pages, area| {
        pages.route(&format!("/{area}"), get(index_page)).route(&format!("/{area}/{{*rest}}"), get(index_page))
    })
}

fn areas() -> Vec<String> {
    serde_json::from_str(AREAS).unwrap_or_default()
}

async fn index_page(request: HeaderMap) -> Response {
    page("index.html", Dist::get("index.html"), &request)
}

/// The same page for every job: it looks the job up by itself and says so when there is none.
async fn watch_page(request: HeaderMap) -> Response {
    page("watch.html", Dist::get("watch.html"), &request)
}

async fn asset(Path(path): Path<String>, request: HeaderMap) -> Response {
    asset_as_asked::<Dist>(&path, &request)
}

/// What the build makes of a file beside it, and what browsers call that, the smallest first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The file, as small as the client can read it.
fn asset_as_asked<Files: RustEmbed>(path: &str, request: &HeaderMap) -> Response {
    let packed = ENCODINGS.iter().filter(|(encoding, _)| accepts(request, encoding));
    let mut packed = packed.filter_map(|(encoding, end)| Some((*encoding, find_asset::<Files>(&format!("{path}{end}"))?)));
    let (encoding, file) =
        packed.next().map_or_else(|| (None, find_asset::<Files>(path)), |(encoding, file)| (Some(encoding), Some(file)));
    let mut response = asset_answer(path, file, request);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether a client says that it reads an encoding (RFC 9110, section 12.5.3). Without a word about it, it does not.
fn accepts(request: &HeaderMap, encoding: &str) -> bool {
    let told = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    told.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f64>().ok()).unwrap_or(1.0);
        name.trim().eq_ignore_ascii_case(encoding) && weight > 0.0
    })
}

fn page(name: &str, file: Option<EmbeddedFile>, request: &HeaderMap) -> Response {
    match file {
        Some(file) => send(name, file, CACHE_BUT_ASK, request),
        None => {
            let mut response = (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response();
            response.headers_mut().insert(CONTENT_TYPE, content_type("page.html"));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            secure(response.headers_mut());
            response
        }
    }
}

/// Debug builds read from disk, where `..` would lead out of the assets.
fn find_asset<Files: RustEmbed>(path: &str) -> Option<EmbeddedFile> {
    let leads_out = path.split(['/', '\\']).any(|part| part == "..");
    if leads_out { None } else { Files::get(&format!("assets/{path}")) }
}

fn asset_answer(path: &str, file: Option<EmbeddedFile>, request: &HeaderMap) -> Response {
    match file {
        Some(file) => send(path, file, CACHE_FOREVER, request),
        None => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "There is no such file in this build of the pages.\n")
            .into_response(),
    }
}

/// Sends a file, or 304 when the client has it.
fn send(name: &str, file: EmbeddedFile, caching: HeaderValue, request: &HeaderMap) -> Response {
    let tag = entity_tag(&file.metadata.sha256_hash());
    let known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| candidate.trim().trim_start_matches("W/") == tag);
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_owned().into_response() };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(name));
    headers.insert(CACHE_CONTROL, caching);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    secure(headers);
    response
}

/// A strong entity tag from the first 16 bytes of the content's SHA-256: as short as cannot collide by accident.
fn entity_tag(sha256: &[u8; 32]) -> String {
    let hex: String = sha256.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, header::CONTENT_SECURITY_POLICY},
    };
    use tower::ServiceExt;

    use super::*;

    /// Stands for a build of the pages, so that these tests need no npm.
    #[derive(RustEmbed)]
    #[folder = "src/web/sample"]
    struct Sample;

    fn header<'r>(response: &'r Response, name: &str) -> &'r str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_page_is_revalidated_and_locked_down() {
        let first = page("watch.html", Sample::get("watch.html"), &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(header(&first, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&first, "cache-control"), "no-cache");
        assert_eq!(header(&first, "x-content-type-options"), "nosniff");
        assert!(!header(&first, CONTENT_SECURITY_POLICY.as_str()).contains("unsafe"));

        let tag = header(&first, "etag").to_owned();
        assert!(text(first).await.contains("<title>Sample</title>"));
        for (sent, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            let request = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(&sent).unwrap())]);
            let again = page("watch.html", Sample::get("watch.html"), &request);
            assert_eq!(again.status(), status, "{sent}");
            assert_eq!(text(again).await.is_empty(), status == StatusCode::NOT_MODIFIED, "{sent}");
        }
    }

    #[tokio::test]
    async fn assets_are_kept_forever_and_missing_ones_are_not() {
        let script = asset_answer("sample-4f2a.js", find_asset::<Sample>("sample-4f2a.js"), &HeaderMap::new());
        assert_eq!(script.status(), StatusCode::OK);
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");

        assert_eq!(header(&script, "content-encoding"), "");

        for path in ["gone-0000.js", "../watch.html", "../../mod.rs"] {
            let missing = asset_answer(path, find_asset::<Sample>(path), &HeaderMap::new());
            assert_eq!(missing.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(header(&missing, "cache-control"), "no-store");
        }
    }

    #[tokio::test]
    async fn assets_are_sent_as_small_as_the_client_can_read_them() {
        for (accepted, sent) in [
            ("gzip, deflate, br, zstd", "gzip"), // The sample has no other.
            ("gzip;q=0.5", "gzip"),
            ("GZIP", "gzip"),
            ("gzip;q=0, identity", ""),
            ("deflate", ""),
            ("", ""),
        ] {
            let request = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap())]);
            let script = asset_as_asked::<Sample>("sample-4f2a.js", &request);
            assert_eq!((script.status(), header(&script, "content-encoding")), (StatusCode::OK, sent), "{accepted}");
            assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8", "{accepted}");
            assert_eq!(header(&script, "vary"), "accept-encoding", "{accepted}");
            let bytes = to_bytes(script.into_body(), usize::MAX).await.unwrap();
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), sent == "gzip", "{accepted}: what it says, it is");
        }
        let gone = asset_as_asked::<Sample>("gone-0000.js", &HeaderMap::new());
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_server_without_pages_says_what_to_do() {
        let response = page("index.html", None, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert!(text(response).await.contains("cargo xtask setup"));
    }

    #[tokio::test]
    async fn the_addresses_lead_to_the_pages() {
        let is_built = Dist::get("index.html").is_some();
        let page = if is_built { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        for (address, status) in [
            ("/", page),
            ("/jobs", page),
            ("/jobs/job_01J8ZC5V2M0N6QW3T7RX9KPEHD", page),
            ("/machines/enrol?from=mail", page),
            ("/watch/job_01J8ZC5V2M0N6QW3T7RX9KPEHD", page),
            ("/nowhere", StatusCode::NOT_FOUND),
            ("/assets/gone-0000.js", StatusCode::NOT_FOUND),
            ("/assets/%2e%2e/index.html", StatusCode::NOT_FOUND),
            ("/watch", StatusCode::NOT_FOUND),
        ] {
            let request = Request::get(address).body(Body::empty()).unwrap();
            assert_eq!(router::<()>().oneshot(request).await.unwrap().status(), status, "{address}");
        }
    }

    #[test]
    fn the_areas_of_the_dashboard_read() {
        let areas = areas();
        assert!(areas.len() > 5, "{areas:?}");
        assert!(areas.iter().all(|area| area.bytes().all(|byte| byte.is_ascii_lowercase())), "{areas:?}");
    }

    #[test]
    fn every_kind_of_file_that_the_build_makes_has_a_type() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b-1.css", "text/css; charset=utf-8"),
            ("mark-1.svg", "image/svg+xml"),
            ("noending", "application/octet-stream"),
        ] {
            assert_eq!(content_type(path), expected, "{path}");
        }
    }
}
