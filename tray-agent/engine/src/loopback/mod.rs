//! A small HTTP server on 127.0.0.1 that is all ffmpeg gets to see of the world.
//!
//! In: the source's signed address (kept fresh by the lease loop). Out: an address to read the source from, by ranges,
//! and addresses to PUT outputs to, whose bytes arrive on channels. What must hold: addresses cannot be guessed, little
//! is read ahead of what ffmpeg asked for, and a source that could not be read is remembered as such
//! ([`Loopback::check`]), because to ffmpeg it looks like a source that ended.
//!
//! ```text
//! let loopback = Loopback::start(&ctx.http, &ctx.server, ctx.source.clone()).await?;
//! run(loopback.source_url());                        // ffmpeg or ffprobe, any number of requests
//! let (url, mut sink) = loopback.sink(4);            // `-method PUT url`, one request
//! while let Some(event) = sink.recv().await { … }
//! loopback.check()?;                                 // after every run
//! ```

mod sink;
mod source;

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use offpeak_api::work::SourceAddress;
use tokio::{
    net::TcpSocket,
    sync::{mpsc, watch},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

pub use sink::SinkEvent;
use source::SourceProxy;

use crate::{http::Http, task::TaskError};

/// What the kernel holds ready for ffmpeg. ffmpeg reads ahead for as long as sockets accept, and drops it on every seek.
const SEND_BUFFER_BYTES: u32 = 128 << 10;

/// The server; dropping it closes all connections.
#[derive(Debug)]
pub struct Loopback {
    shared: Arc<Shared>,
    address: SocketAddr,
    source_token: String,
    _running: DropGuard,
}

#[derive(Debug)]
struct Shared {
    routes: Mutex<HashMap<String, Route>>,
    source: Arc<SourceProxy>,
}

#[derive(Debug)]
enum Route {
    Source,
    /// Taken by the first PUT.
    Sink(mpsc::Sender<SinkEvent>),
}

impl Shared {
    fn routes(&self) -> MutexGuard<'_, HashMap<String, Route>> {
        self.routes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Loopback {
    /// Starts serving on a free port.
    ///
    /// `server` resolves relative source addresses; `source` may change at any time, for a fresh address of the same bytes.
    ///
    /// # Errors
    /// `loopback` when no port can be opened.
    pub async fn start(http: &Http, server: &Url, source: watch::Receiver<Option<SourceAddress>>) -> Result<Self, TaskError> {
        let cannot = |error: io::Error| TaskError::agent("loopback", format!("cannot open a port on 127.0.0.1: {error}"));
        let socket = TcpSocket::new_v4().map_err(cannot)?;
        // Accepted connections inherit it from the listening socket.
        socket.set_send_buffer_size(SEND_BUFFER_BYTES).map_err(cannot)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).map_err(cannot)?;
        let listener = socket.listen(64).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;

        let stop = CancellationToken::new();
        let source_token = new_token();
        let shared = Arc::new(Shared {
            routes: Mutex::new(HashMap::from([(source_token.clone(), Route::Source)])),
            source: Arc::new(SourceProxy::new(http.clone(), server.clone(), source, stop.clone())),
        });
        let router = Router::new().route("/{token}", any(answer)).with_state(shared.clone());
        let stopped = stop.clone();
        tokio::spawn(async move {
            // Connections live in tasks of their own; their bodies watch `stop` too.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned()).await;
        });
        Ok(Self { shared, address, source_token, _running: stop.drop_guard() })
    }

    /// Where to read the source; takes ranges and any number of requests.
    pub fn source_url(&self) -> String {
        self.url(&self.source_token)
    }

    /// A new address for one PUT, and the events of that PUT. `depth`: chunks that may wait before ffmpeg has to.
    pub fn sink(&self, depth: usize) -> (String, mpsc::Receiver<SinkEvent>) {
        let (events, received) = mpsc::channel(depth);
        let token = new_token();
        self.shared.routes().insert(token.clone(), Route::Sink(events));
        (self.url(&token), received)
    }

    /// Closes the sinks that nobody has opened: whoever reads from them sees that nothing will come.
    pub fn close_unused_sinks(&self) {
        self.shared.routes().retain(|_, route| matches!(route, Route::Source));
    }

    /// Bytes of the source handed out so far.
    pub fn source_bytes(&self) -> u64 {
        self.shared.source.bytes_served()
    }

    /// Whether the source was delivered as asked, so far.
    ///
    /// # Errors
    /// Why it was not, blaming the agent: whatever ffmpeg made of it must not be believed.
    pub fn check(&self) -> Result<(), TaskError> {
        match self.shared.source.failure() {
            None => Ok(()),
            Some(why) => Err(TaskError::agent("source_unreadable", why)),
        }
    }

    fn url(&self, token: &str) -> String {
        format!("http://{}/{token}", self.address)
    }
}

/// 128 bits from the system's generator: not to be guessed by other programs on this machine.
fn new_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

async fn answer(State(shared): State<Arc<Shared>>, Path(token): Path<String>, request: Request) -> Response {
    enum Found {
        Source,
        Sink(mpsc::Sender<SinkEvent>),
        Nothing,
    }
    let found = {
        let mut routes = shared.routes();
        match routes.get(&token) {
            Some(Route::Source) => Found::Source,
            Some(Route::Sink(_)) if request.method() == Method::PUT => match routes.remove(&token) {
                Some(Route::Sink(events)) => Found::Sink(events),
                Some(Route::Source) | None => Found::Nothing,
            },
            Some(Route::Sink(_)) | None => Found::Nothing,
        }
    };
    match found {
        Found::Source if request.method() == Method::GET || request.method() == Method::HEAD => shared.source.answer(&request),
        Found::Source => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        Found::Sink(events) => sink::receive(events, request).await,
        Found::Nothing => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests;
