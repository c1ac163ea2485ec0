//! For tests: an HTTP server that serves objects with ranges, fails as told, takes PUTs and remembers what was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use offpeak_api::work::StoredObject;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::task::{ProgressCell, TaskContext, TaskEnd};

/// How one request is answered instead of properly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Status(u16),
    /// The connection breaks after so many bytes of the body.
    CutAfter(usize),
    /// A redirect.
    To(String),
}

#[derive(Debug, Default)]
struct Held {
    objects: BTreeMap<String, Bytes>,
    etags: BTreeMap<String, String>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    /// No `Content-Length`, no ranges.
    plain: bool,
    requests: Vec<(Method, String, Option<String>)>,
}

/// A running server; ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Origin {
    pub address: SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl Origin {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let held = Arc::new(Mutex::new(Held::default()));
        let router = Router::new().fallback(answer).with_state(held.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, held }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no test panics while it holds this")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves `bytes` at `path`, with an ETag that changes with every call.
    pub fn put(&self, path: &str, bytes: impl Into<Bytes>) -> StoredObject {
        let bytes = bytes.into();
        let object = StoredObject { url: path.to_owned(), bytes: bytes.len() as u64, sha256: crate::file::sha256_hex(&bytes) };
        let mut held = self.held();
        let version = held.etags.get(path).map_or(0, String::len);
        held.etags.insert(path.to_owned(), format!("\"{}\"", "v".repeat(version)));
        held.objects.insert(path.to_owned(), bytes);
        object
    }

    pub fn get(&self, path: &str) -> Option<Bytes> {
        self.held().objects.get(path).cloned()
    }

    /// The next requests for `path` meet these faults, in order.
    pub fn fail(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.held().faults.entry(path.to_owned()).or_default().extend(faults);
    }

    /// From now on answers carry no length and ranges are ignored.
    pub fn make_plain(&self) {
        self.held().plain = true;
    }

    /// Method, path and `Range` of every request so far.
    pub fn requests(&self) -> Vec<(Method, String, Option<String>)> {
        self.held().requests.clone()
    }

    pub fn context(&self) -> TaskContext {
        let server = url::Url::parse(&self.url("/")).expect("an address");
        let end = TaskEnd { last: 0, to_end: false };
        let http = crate::testing::http();
        TaskContext {
            tools: crate::testing::tools(),
            desk: http.desk.clone(),
            http,
            server,
            source: watch::channel(None).1,
            end: watch::channel(end).1,
            stop: CancellationToken::new(),
            progress: ProgressCell::default(),
        }
    }
}

async fn answer(State(held): State<Arc<Mutex<Held>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let if_range = request.headers().get(header::IF_RANGE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let method = request.method().clone();
    let fault = {
        let mut held = held.lock().expect("no test panics while it holds this");
        held.requests.push((method.clone(), path.clone(), range.clone()));
        held.faults.get_mut(&path).and_then(VecDeque::pop_front)
    };
    match &fault {
        Some(Fault::Status(status)) => return StatusCode::from_u16(*status).expect("a status").into_response(),
        Some(Fault::To(url)) => return (StatusCode::FOUND, [(header::LOCATION, url.clone())]).into_response(),
        Some(Fault::CutAfter(_)) | None => {}
    }
    if method == Method::PUT {
        let declared = request.headers().get(header::CONTENT_LENGTH).cloned();
        let Ok(bytes) = axum::body::to_bytes(request.into_body(), usize::MAX).await else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        if declared.and_then(|value| value.to_str().ok()?.parse().ok()) != Some(bytes.len()) {
            return StatusCode::LENGTH_REQUIRED.into_response();
        }
        held.lock().expect("no test panics while it holds this").objects.insert(path, bytes);
        return StatusCode::OK.into_response();
    }
    let held = held.lock().expect("no test panics while it holds this");
    let Some(bytes) = held.objects.get(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let etag = held.etags.get(&path).cloned().unwrap_or_default();
    let plain = held.plain;
    let range = range.filter(|_| !plain && if_range.is_none_or(|wanted| wanted == etag));
    let range = range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (status, from, to) = match range {
        Some((from, to)) => {
            let from: usize = from.parse().expect("a range begins with a number");
            let to = to.parse().map_or(bytes.len(), |last: usize| (last + 1).min(bytes.len()));
            if from >= bytes.len() {
                return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            }
            (StatusCode::PARTIAL_CONTENT, from, to)
        }
        None => (StatusCode::OK, 0, bytes.len()),
    };
    let mut response = Response::builder().status(status);
    if !plain {
        response = response.header(header::CONTENT_LENGTH, to - from).header(header::ETAG, etag);
        response = response.header(header::ACCEPT_RANGES, "bytes");
    }
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(header::CONTENT_RANGE, format!("bytes {from}-{}/{}", to - 1, bytes.len()));
    }
    let mut pieces: Vec<Result<Bytes, std::io::Error>> =
        (from..to).step_by(8192).map(|at| Ok(bytes.slice(at..(at + 8192).min(to)))).collect();
    if let Some(Fault::CutAfter(length)) = fault {
        pieces = vec![Ok(bytes.slice(from..(from + length).min(to))), Err(std::io::Error::other("cut, as the test wants"))];
    }
    // One piece at a time, with a turn for the socket in between: else a cut would swallow what came before it.
    let pieces = stream::iter(pieces).then(|piece| async {
        if piece.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        piece
    });
    response.body(Body::from_stream(pieces)).expect("a well-formed answer")
}
