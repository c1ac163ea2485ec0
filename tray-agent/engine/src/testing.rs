//! For tests of steps that read a source: the bundled programs, clips made with them, and a server that hands them out.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use offpeak_api::work::SourceAddress;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    desk::Desk,
    http::Http,
    sandbox::{Sandbox, Walls},
    task::{ProgressCell, TaskContext, TaskEnd, Tools},
};

/// The bundled programs: where the environment says, else where `cargo xtask setup` puts them.
pub fn tools() -> Tools {
    let program = |variable: &str, name: &str| {
        let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.offpeak/bin").join(name);
        let path = std::env::var_os(variable).map_or_else(installed, PathBuf::from);
        assert!(path.exists(), "{} is missing: run `cargo xtask setup`, or set {variable}", path.display());
        path
    };
    Tools {
        ffmpeg: program("OFFPEAK_FFMPEG", "offpeak-ffmpeg"),
        ffprobe: program("OFFPEAK_FFPROBE", "offpeak-ffprobe"),
        threads: 2,
        sandbox: sandbox(),
    }
}

/// All walls, whatever the machine: a test of the engine is one of the box.
pub fn sandbox() -> Sandbox {
    Sandbox::of(Walls::ALL, 0, None)
}

/// Runs ffmpeg with `arguments` (separated by blanks) in `folder` and returns what it printed.
pub fn ffmpeg_in(folder: &Path, arguments: &str) -> String {
    let output = std::process::Command::new(tools().ffmpeg)
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"])
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("ffmpeg runs");
    assert!(output.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("ffmpeg prints text")
}

/// How a source's server behaves.
#[derive(Debug, Clone, Copy)]
pub enum Delivery {
    Whole,
    /// Every connection breaks after so many bytes.
    CutEvery(usize),
    /// So many requests are answered, each cut after so many bytes; then the source is gone.
    GoneAfter {
        requests: usize,
        bytes: usize,
    },
}

#[derive(Clone)]
struct Served {
    data: Bytes,
    delivery: Delivery,
    requests: Arc<AtomicUsize>,
}

/// Serves `data` until the test ends.
pub async fn serve(data: impl Into<Bytes>, delivery: Delivery) -> SourceAddress {
    let data = data.into();
    let bytes = data.len() as u64;
    let served = Served { data, delivery, requests: Arc::default() };
    let router = Router::new().route("/source", get(answer)).with_state(served);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    SourceAddress { url: format!("http://{address}/source"), bytes, expires_in_seconds: 3600 }
}

async fn answer(State(served): State<Served>, headers: HeaderMap) -> Response {
    let number = served.requests.fetch_add(1, Ordering::Relaxed);
    let limit = match served.delivery {
        Delivery::Whole => usize::MAX,
        Delivery::CutEvery(bytes) => bytes,
        Delivery::GoneAfter { requests, .. } if number >= requests => return StatusCode::NOT_FOUND.into_response(),
        Delivery::GoneAfter { bytes, .. } => bytes,
    };
    let range = headers.get(header::RANGE).expect("the engine asks for ranges").to_str().expect("text");
    let (first, last) = range.strip_prefix("bytes=").and_then(|text| text.split_once('-')).expect("a range");
    let (first, last): (usize, usize) = (first.parse().expect("a number"), last.parse().expect("a number"));
    let data = served.data.slice(first..=last);
    let cut = data.len() > limit;
    let length = data.len();
    let sent = data.slice(..length.min(limit));
    let body = Body::from_stream(async_stream::stream! {
        yield Ok(sent);
        if cut {
            // The server writes what it has when the body makes it wait, and drops it when the body fails.
            tokio::task::yield_now().await;
            yield Err(std::io::Error::other("cut"));
        }
    });
    let total = served.data.len();
    let headers = [
        (header::CONTENT_RANGE, format!("bytes {first}-{last}/{total}")),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ETAG, "\"v1\"".to_owned()),
    ];
    (StatusCode::PARTIAL_CONTENT, headers, body).into_response()
}

/// A task's context, and the sender that can lower its end.
pub fn context(source: SourceAddress, end: TaskEnd) -> (TaskContext, watch::Sender<TaskEnd>) {
    let (_, source) = watch::channel(Some(source));
    let (orders, end) = watch::channel(end);
    let desk = Desk::default();
    let context = TaskContext {
        tools: tools(),
        http: Http::new(reqwest::Client::new(), None, desk.clone()),
        server: server(),
        source,
        end,
        stop: CancellationToken::new(),
        progress: ProgressCell::default(),
        desk,
    };
    (context, orders)
}

pub fn http() -> Http {
    Http::new(reqwest::Client::new(), None, Desk::default())
}

pub fn server() -> Url {
    Url::parse("http://127.0.0.1:9/").expect("an address")
}
