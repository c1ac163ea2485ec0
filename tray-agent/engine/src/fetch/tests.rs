//! Fetches over real connections, from a server that fails as told into one that speaks tus.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::patch,
};
use offpeak_api::{ids::SourceId, lease::Blame, work::Fetch};

use super::{
    origin::{Fault, Origin},
    *,
};
use crate::{desk::Allowed, http::Http};

/// The upload that a fetch fills.
#[derive(Debug, Default)]
struct Stored {
    bytes: Vec<u8>,
    length: Option<usize>,
    /// So many PATCH requests are stored in half and then answered with 503.
    breakdowns: usize,
}

type Shared = Arc<Mutex<Stored>>;

fn number(headers: &HeaderMap, name: &str) -> Option<usize> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

async fn offset(State(stored): State<Shared>) -> (StatusCode, [(&'static str, String); 1]) {
    let stored = stored.lock().expect("not poisoned");
    (StatusCode::OK, [("upload-offset", stored.bytes.len().to_string())])
}

async fn append(State(stored): State<Shared>, headers: HeaderMap, body: Bytes) -> (StatusCode, [(&'static str, String); 1]) {
    let mut stored = stored.lock().expect("not poisoned");
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    assert!(is("tus-resumable", "1.0.0") && is("authorization", "Bearer secret"));
    assert!(is("content-type", "application/offset+octet-stream"));
    let here = |stored: &Stored| [("upload-offset", stored.bytes.len().to_string())];
    if number(&headers, "upload-offset") != Some(stored.bytes.len()) {
        return (StatusCode::CONFLICT, here(&stored));
    }
    if let Some(length) = number(&headers, "upload-length") {
        assert!(stored.length.is_none_or(|known| known == length), "the length may not change");
        stored.length = Some(length);
    }
    if stored.breakdowns > 0 {
        stored.breakdowns -= 1;
        stored.bytes.extend_from_slice(&body[..body.len() / 2]);
        return (StatusCode::SERVICE_UNAVAILABLE, here(&stored));
    }
    stored.bytes.extend_from_slice(&body);
    (StatusCode::NO_CONTENT, here(&stored))
}

struct Farm {
    stored: Shared,
    ctx: TaskContext,
}

/// A server with an empty upload.
async fn farm(origin: &Origin) -> Farm {
    let stored = Shared::default();
    let router = Router::new()
        .route("/v1/uploads/{id}", patch(append).head(offset))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(stored.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = url::Url::parse(&format!("http://{address}/")).expect("an address");
    Farm { stored, ctx: TaskContext { server, ..origin.context() } }
}

impl Farm {
    async fn fetch(&self, url: &str, max_bytes: u64) -> Result<(), TaskError> {
        self.fetch_allowing(&["127.0.0.1"], url, max_bytes).await
    }

    async fn fetch_allowing(&self, allow: &[&str], url: &str, max_bytes: u64) -> Result<(), TaskError> {
        let allow = allow.iter().map(ToString::to_string).collect();
        let work = Fetch { url: url.to_owned(), source: SourceId::new(), max_bytes, allow };
        fetch(&self.ctx, &work, "secret").await
    }

    /// Asserts that the upload is complete and equal to `bytes`.
    fn holds(&self, bytes: &[u8]) {
        let stored = self.stored.lock().expect("not poisoned");
        assert_eq!(stored.length, Some(bytes.len()), "the length was told");
        assert!(stored.bytes == bytes, "{} bytes arrived", stored.bytes.len());
    }
}

fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u8).collect()
}

#[tokio::test]
async fn files_arrive_whole() {
    for (length, plain) in
        [(0, false), (1, false), (PIECE_BYTES, false), (2 * PIECE_BYTES + 77, false), (PIECE_BYTES + 5, true), (0, true)]
    {
        let origin = Origin::start().await;
        let bytes = noise(length);
        origin.put("/film.mp4", bytes.clone());
        if plain {
            origin.make_plain();
        }
        let farm = farm(&origin).await;
        farm.fetch(&origin.url("/film.mp4"), 100 << 20).await.expect("a fetch");
        farm.holds(&bytes);
        assert_eq!(farm.ctx.progress.get().bytes, length as u64);
    }
}

#[tokio::test]
async fn broken_connections_and_servers_are_mended() {
    let origin = Origin::start().await;
    let bytes = noise(3 * PIECE_BYTES);
    origin.put("/film.mp4", bytes.clone());
    let first = Fault::To(origin.url("/elsewhere"));
    origin.put("/elsewhere", bytes.clone());
    origin.fail("/film.mp4", [Fault::Status(503), first.clone(), first.clone(), first]);
    origin.fail("/elsewhere", [Fault::CutAfter(PIECE_BYTES + 1000), Fault::Status(500)]);
    let farm = farm(&origin).await;
    farm.stored.lock().expect("not poisoned").breakdowns = 2;
    farm.fetch(&origin.url("/film.mp4"), 100 << 20).await.expect("a fetch");
    farm.holds(&bytes);
    let ranges: Vec<String> = origin.requests().into_iter().filter_map(|(_, _, range)| range).collect();
    assert!(!ranges.is_empty() && ranges.iter().all(|range| range.starts_with("bytes=") && range.ends_with('-')), "{ranges:?}");
}

#[tokio::test]
async fn what_the_address_does_wrong_is_said() {
    let refused = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let cases: Vec<(&str, Vec<Fault>, Option<String>, &str)> = vec![
        ("missing", vec![Fault::Status(404)], None, "no file behind it"),
        ("forbidden", vec![Fault::Status(403)], None, "without logging in"),
        ("broken", vec![Fault::Status(503); 4], None, "503"),
        ("short", vec![Fault::CutAfter(100), Fault::CutAfter(0), Fault::CutAfter(0), Fault::CutAfter(0)], None, "broke"),
        ("too big", vec![], None, "limit of 5000 bytes"),
        ("loop", vec![Fault::To("/film.mp4".to_owned()); 7], None, "final address"),
        ("refused", vec![], Some(format!("http://{refused}/film.mp4")), "refuses connections"),
        ("unknown host", vec![], Some("http://nowhere.invalid/film.mp4".to_owned()), "spelling"),
        ("scheme", vec![], Some("ftp://example.org/film.mp4".to_owned()), "https:"),
        ("file", vec![], Some("file:///etc/passwd".to_owned()), "https:"),
        ("nonsense", vec![], Some("film.mp4".to_owned()), "Correct it"),
    ];
    let checks = cases.into_iter().map(|(what, faults, url, expected)| async move {
        let origin = Origin::start().await;
        origin.put("/film.mp4", noise(10_000));
        origin.fail("/film.mp4", faults);
        let max_bytes = if what == "too big" { 5000 } else { 1 << 20 };
        let url = url.unwrap_or_else(|| format!("{}?key=hidden", origin.url("/film.mp4")));
        match farm(&origin).await.fetch(&url, max_bytes).await {
            Err(TaskError::Failed(failure)) => {
                assert_eq!((failure.code, failure.blame), ("fetch_failed", Blame::Source), "{what}: {}", failure.message);
                assert!(failure.message.contains(expected), "{what}: {}", failure.message);
                assert!(!failure.message.contains("hidden"), "{what}: {}", failure.message);
            }
            other => panic!("{what}: {other:?}"),
        }
    });
    futures_util::future::join_all(checks).await;
}

#[tokio::test]
async fn a_server_without_tls_at_an_https_address_is_said() {
    let origin = Origin::start().await;
    origin.put("/film.mp4", noise(10));
    let url = origin.url("/film.mp4").replace("http:", "https:");
    match farm(&origin).await.fetch(&url, 1000).await {
        Err(TaskError::Failed(failure)) => {
            assert_eq!((failure.code, failure.blame), ("fetch_failed", Blame::Source));
            assert!(failure.message.contains("secure connection"), "{}", failure.message);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn too_big_is_noticed_even_when_the_server_hides_the_length() {
    let origin = Origin::start().await;
    origin.put("/film.mp4", noise(100_000));
    origin.make_plain();
    match farm(&origin).await.fetch(&origin.url("/film.mp4"), 50_000).await {
        Err(TaskError::Failed(failure)) => assert!(failure.message.contains("limit of 50000"), "{}", failure.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_versions_of_a_file_are_never_mixed() {
    // The file changes between a broken connection and the next.
    let origin = Origin::start().await;
    origin.put("/film.mp4", noise(100_000));
    origin.fail("/film.mp4", [Fault::CutAfter(50_000)]);
    let at_farm = farm(&origin).await;
    let url = origin.url("/film.mp4");
    let changed = async {
        while origin.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        origin.put("/film.mp4", vec![0; 100_000]);
    };
    let (fetched, ()) = tokio::join!(at_farm.fetch(&url, 1 << 20), changed);
    match fetched {
        Err(TaskError::Failed(failure)) => {
            assert_eq!((failure.code, failure.blame), ("fetch_cannot_resume", Blame::Agent), "{}", failure.message);
        }
        other => panic!("{other:?}"),
    }

    // Another engine fetched half of it under an earlier lease.
    let half = farm(&origin).await;
    half.stored.lock().expect("not poisoned").bytes = noise(10);
    match half.fetch(&origin.url("/film.mp4"), 1 << 20).await {
        Err(TaskError::Failed(failure)) => assert_eq!((failure.code, failure.blame), ("fetch_cannot_resume", Blame::Agent)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_fetch_stops_when_told() {
    let origin = Origin::start().await;
    origin.put("/film.mp4", noise(10));
    let farm = farm(&origin).await;
    farm.ctx.stop.cancel();
    assert!(matches!(farm.fetch(&origin.url("/film.mp4"), 1000).await, Err(TaskError::Stopped)));
}

/// Names as a stranger's name server has them: the first question gets one answer, later ones another.
struct Rebinding(std::sync::atomic::AtomicUsize, [std::net::IpAddr; 2]);

impl Lookup for Rebinding {
    fn addresses(
        &self,
        _name: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<std::net::SocketAddr>>> + Send>> {
        let asked = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let ip = self.1[asked.min(1)];
        Box::pin(async move { Ok(vec![std::net::SocketAddr::new(ip, 0)]) })
    }
}

#[tokio::test]
async fn what_is_not_public_is_fetched_only_where_the_office_allows_it() {
    let origin = Origin::start().await;
    let bytes = noise(10_000);
    origin.put("/film.mp4", bytes.clone());
    let port = origin.address.port();
    for (allow, address) in [
        (vec![], origin.url("/film.mp4")),
        (vec!["10.0.0.0/8", "media.office.lan"], origin.url("/film.mp4")),
        (vec![], format!("http://localhost:{port}/film.mp4")),
        (vec![], format!("http://2130706433:{port}/film.mp4")),
        (vec![], format!("http://0177.0.0.1:{port}/film.mp4")),
        (vec!["127.0.0.1"], format!("http://[::ffff:127.0.0.1]:{port}/film.mp4")),
        (vec![], format!("http://user:pass@127.0.0.1:{port}/film.mp4")),
        (vec![], "http://169.254.169.254/latest/meta-data/".to_owned()),
    ] {
        match farm(&origin).await.fetch_allowing(&allow, &address, 1 << 20).await {
            Err(TaskError::Failed(failure)) => {
                assert_eq!((failure.code, failure.blame), ("fetch_failed", Blame::Source), "{address}");
                assert!(failure.message.contains("OFFPEAK_OUTBOUND_ALLOW"), "{address}: {}", failure.message);
                assert!(!failure.message.contains("pass"), "{}", failure.message);
            }
            other => panic!("{address}: {other:?}"),
        }
    }
    assert_eq!(origin.requests().len(), 0, "nothing was asked");
    let allowed = farm(&origin).await;
    allowed.fetch_allowing(&["127.0.0.0/8"], &origin.url("/film.mp4"), 1 << 20).await.expect("an allowed network");
    allowed.holds(&bytes);

    // An allowed place that sends on to one that is not.
    let inside = Origin::start().await;
    inside.put("/secret", noise(10));
    origin.fail("/film.mp4", [Fault::To(inside.url("/secret").replace("127.0.0.1", "127.0.0.2"))]);
    let sent_on = farm(&origin).await.fetch_allowing(&["127.0.0.1"], &origin.url("/film.mp4"), 1 << 20).await;
    assert!(matches!(&sent_on, Err(TaskError::Failed(failure)) if failure.message.contains("127.0.0.2")), "{sent_on:?}");
    assert_eq!(inside.requests().len(), 0);
}

#[tokio::test]
async fn a_name_that_leads_home_after_the_first_look_is_not_followed() {
    let origin = Origin::start().await;
    origin.put("/film.mp4", noise(10_000));
    // The connection to the first address breaks, and the next try asks again.
    origin.fail("/film.mp4", [Fault::CutAfter(100)]);
    let lookup = Rebinding(Default::default(), ["127.0.0.1".parse().expect("an address"), "127.0.0.2".parse().expect("another")]);
    let farm = farm(&origin).await;
    let url = format!("http://films.example:{}/film.mp4", origin.address.port());
    let work = Fetch { url, source: SourceId::new(), max_bytes: 1 << 20, allow: vec!["127.0.0.1".to_owned()] };
    let fetched = fetch_by(&farm.ctx, &work, "secret", Arc::new(lookup)).await;
    assert!(matches!(&fetched, Err(TaskError::Failed(failure)) if failure.message.contains("127.0.0.2")), "{fetched:?}");
    assert_eq!(origin.requests().len(), 1);
}

fn stands_still() -> Allowed {
    Allowed::Suspended { reason: "somebody types".to_owned() }
}

/// Lets so much through, has somebody come to the desk, and waits until nothing is on its way any more.
async fn come_after(farm: &Farm, bytes: u64) -> usize {
    let until = Instant::now() + Duration::from_secs(60);
    while farm.ctx.progress.get().bytes < bytes {
        assert!(Instant::now() < until, "the fetch does not begin");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    farm.ctx.desk.set(stands_still());
    let arrived = || farm.stored.lock().expect("not poisoned").bytes.len();
    loop {
        let before = arrived();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if arrived() == before {
            return before;
        }
        assert!(Instant::now() < until, "the fetch goes on beside somebody");
    }
}

/// Slow enough to be met in the middle: four seconds for what these tests fetch.
async fn slow_farm(origin: &Origin, length: usize) -> Farm {
    let mut farm = farm(origin).await;
    // Each byte is paid for twice, on its way in and on its way out.
    farm.ctx.http = Http::new(reqwest::Client::new(), Some(length as u64 / 2), farm.ctx.desk.clone());
    farm
}

#[tokio::test]
async fn a_fetch_stands_still_for_whoever_comes_and_goes_on() {
    let origin = Origin::start().await;
    let bytes = noise(6 * PIECE_BYTES);
    origin.put("/film.mp4", bytes.clone());
    let farm = slow_farm(&origin, bytes.len()).await;
    let somebody = async {
        let before = come_after(&farm, PIECE_BYTES as u64).await;
        assert!(before < bytes.len());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(farm.stored.lock().expect("not poisoned").bytes.len(), before, "it stands still");
        farm.ctx.desk.set(Allowed::Work);
    };
    let url = origin.url("/film.mp4");
    let (fetched, ()) = tokio::join!(farm.fetch(&url, 100 << 20), somebody);
    fetched.expect("a fetch");
    farm.holds(&bytes);
}

#[tokio::test]
async fn nobody_is_blamed_for_a_server_that_hung_up_meanwhile() {
    let origin = Origin::start().await;
    let length = 6 * PIECE_BYTES;
    origin.put("/film.mp4", noise(length));
    // Without ranges, there is no going on from there.
    origin.make_plain();
    origin.fail("/film.mp4", [Fault::CutAfter(4 * PIECE_BYTES)]);
    let farm = slow_farm(&origin, length).await;
    let somebody = async {
        come_after(&farm, PIECE_BYTES as u64).await;
        farm.ctx.desk.set(Allowed::Work);
    };
    let url = origin.url("/film.mp4");
    let (fetched, ()) = tokio::join!(farm.fetch(&url, 100 << 20), somebody);
    assert!(matches!(fetched, Err(TaskError::Disturbed(_))), "{fetched:?}");
}
