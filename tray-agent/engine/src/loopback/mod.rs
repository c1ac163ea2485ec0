//! A small HTTP server on 127.0.0.1 that is all ffmpeg gets to see of the world.
//!
//! In: the source's signed address (kept fresh by the lease loop). Out: an address to read the source from, by ranges,
//! and addresses to PUT outputs to, whose bytes arrive on channels. What must hold: addresses cannot be guessed, little
//! is read ahead of what ffmpeg asked for, and a source that could not be read is remembered as such
//! ([`Loopback::check`]), because to ffmpeg it looks like a source that ended; no output is longer than it may be.
//!
//! Where programs have a network of their own ([`Sandbox::has_own_network`]), nothing listens on this machine: each brings a
//! listener with it that is bound inside ([`Loopback::admit`]). Elsewhere one port of 127.0.0.1 serves all of them, and only
//! connections that one of them holds.
//!
//! ```text
//! let loopback = Loopback::start(&ctx.tools.sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await?;
//! run(loopback.source_url());                        // ffmpeg or ffprobe, any number of requests
//! let (url, mut sink) = loopback.sink(4, 1 << 20);   // `-method PUT url`, one request of at most so many bytes
//! while let Some(event) = sink.recv().await { … }
//! loopback.check()?;                                 // after every run
//! ```

mod door;
mod sink;
mod source;

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
    serve::Listener,
};
use door::{Door, Guests};
use futures_util::TryStreamExt;
use offpeak_api::work::SourceAddress;
use tokio::{
    net::TcpSocket,
    sync::{mpsc, watch},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

pub use sink::SinkEvent;
use source::SourceProxy;

use crate::{
    http::Http,
    sandbox::{INNER_PORT, Sandbox},
    task::TaskError,
};

/// What the kernel holds ready for ffmpeg. ffmpeg reads ahead for as long as sockets accept, and drops it on every seek.
pub(crate) const SEND_BUFFER_BYTES: u32 = 128 << 10;

/// The server; dropping it closes all connections.
#[derive(Debug)]
pub struct Loopback {
    shared: Arc<Shared>,
    place: Place,
    source_token: String,
    running: DropGuard,
}

/// Where it listens.
#[derive(Debug)]
enum Place {
    /// In the network of each program that is admitted.
    Inside,
    /// On a port of this machine.
    Here { address: SocketAddr, guests: Guests },
}

#[derive(Debug)]
struct Shared {
    routes: Mutex<HashMap<String, Route>>,
    source: Arc<SourceProxy>,
    /// An output was longer than it may be: by how much at least.
    overlong: Mutex<Option<u64>>,
}

#[derive(Debug)]
enum Route {
    Source,
    /// Taken by the first PUT, which has at most so many bytes.
    Sink(mpsc::Sender<SinkEvent>, u64),
}

impl Shared {
    fn routes(&self) -> MutexGuard<'_, HashMap<String, Route>> {
        self.routes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Loopback {
    /// Starts serving: on a free port of this machine, unless programs have networks of their own.
    ///
    /// `server` resolves relative source addresses; `source` may change at any time, for a fresh address of the same bytes.
    ///
    /// # Errors
    /// `loopback` when no port can be opened.
    pub async fn start(
        sandbox: &Sandbox,
        http: &Http,
        server: &Url,
        source: watch::Receiver<Option<SourceAddress>>,
    ) -> Result<Self, TaskError> {
        let stop = CancellationToken::new();
        let source_token = new_token();
        let shared = Arc::new(Shared {
            routes: Mutex::new(HashMap::from([(source_token.clone(), Route::Source)])),
            source: Arc::new(SourceProxy::new(http.clone(), server.clone(), source, stop.clone())),
            overlong: Mutex::default(),
        });
        let place = if sandbox.has_own_network() {
            Place::Inside
        } else {
            let cannot = |error: io::Error| TaskError::agent("loopback", format!("cannot open a port on 127.0.0.1: {error}"));
            let socket = TcpSocket::new_v4().map_err(cannot)?;
            // Accepted connections inherit it from the listening socket.
            socket.set_send_buffer_size(SEND_BUFFER_BYTES).map_err(cannot)?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into()).map_err(cannot)?;
            let listener = socket.listen(64).map_err(cannot)?;
            let address = listener.local_addr().map_err(cannot)?;
            let guests = Guests::new();
            serve(Door::new(listener, guests.clone()).map_err(cannot)?, shared.clone(), stop.clone());
            Place::Here { address, guests }
        };
        Ok(Self { shared, place, source_token, running: stop.drop_guard() })
    }

    /// The port of this machine that it listens on, if it does.
    pub fn outer_port(&self) -> Option<u16> {
        match &self.place {
            Place::Inside => None,
            Place::Here { address, .. } => Some(address.port()),
        }
    }

    /// Lets a program in that was just started: by the listener that it brought, or by its number.
    ///
    /// # Errors
    /// When the listener is of no use.
    pub fn admit(&self, process: Option<u32>, listener: Option<TcpListener>) -> io::Result<()> {
        match (&self.place, listener) {
            (Place::Inside, Some(listener)) => {
                listener.set_nonblocking(true)?;
                let listener = tokio::net::TcpListener::from_std(listener)?;
                serve(listener, self.shared.clone(), self.running.token().clone());
            }
            (Place::Inside, None) => return Err(io::Error::other("the program has no network of its own")),
            (Place::Here { guests, .. }, _) => process.into_iter().for_each(|process| guests.add(process)),
        }
        Ok(())
    }

    /// Some bytes of the source, for the engine itself.
    pub async fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let Some(total) = self.shared.source.total() else { return Err(io::ErrorKind::NotFound.into()) };
        let chunks = self.shared.source.clone().stream(range, total);
        chunks
            .try_fold(Vec::new(), async |mut all, chunk| {
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await
    }

    /// Where to read the source; takes ranges and any number of requests.
    pub fn source_url(&self) -> String {
        self.url(&self.source_token)
    }

    /// A new address for one PUT of at most `limit` bytes, and the events of that PUT. `depth`: chunks that may wait before
    /// ffmpeg has to.
    pub fn sink(&self, depth: usize, limit: u64) -> (String, mpsc::Receiver<SinkEvent>) {
        let (events, received) = mpsc::channel(depth);
        let token = new_token();
        self.shared.routes().insert(token.clone(), Route::Sink(events, limit));
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

    /// Whether the source was delivered as asked, and no output was longer than it may be, so far.
    ///
    /// # Errors
    /// Why not: whatever ffmpeg made of it must not be believed. An output without end blames the source.
    pub fn check(&self) -> Result<(), TaskError> {
        if let Some(limit) = *self.shared.overlong.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            let message = format!(
                "Encoding the source made more than {} MB where far less was to be expected. It is damaged, or was made to fill \
                 disks: export it again.",
                limit / 1_000_000
            );
            return Err(TaskError::source("output_too_large", message));
        }
        match self.shared.source.failure() {
            None => Ok(()),
            Some(why) => Err(TaskError::agent("source_unreadable", why)),
        }
    }

    fn url(&self, token: &str) -> String {
        let port = self.outer_port().unwrap_or(INNER_PORT);
        format!("http://{}:{port}/{token}", Ipv4Addr::LOCALHOST)
    }
}

/// Answers on a listener until `stop`.
fn serve<L: Listener<Addr: std::fmt::Debug>>(listener: L, shared: Arc<Shared>, stop: CancellationToken) {
    let router = Router::new().route("/{token}", any(answer)).with_state(shared);
    tokio::spawn(async move {
        // Connections live in tasks of their own; their bodies watch `stop` too.
        let _ = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    });
}

/// 128 bits from the system's generator: not to be guessed by other programs on this machine.
fn new_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

async fn answer(State(shared): State<Arc<Shared>>, Path(token): Path<String>, request: Request) -> Response {
    enum Found {
        Source,
        Sink(mpsc::Sender<SinkEvent>, u64),
        Nothing,
    }
    let found = {
        let mut routes = shared.routes();
        match routes.get(&token) {
            Some(Route::Source) => Found::Source,
            Some(Route::Sink(..)) if request.method() == Method::PUT => match routes.remove(&token) {
                Some(Route::Sink(events, limit)) => Found::Sink(events, limit),
                Some(Route::Source) | None => Found::Nothing,
            },
            Some(Route::Sink(..)) | None => Found::Nothing,
        }
    };
    match found {
        Found::Source if request.method() == Method::GET || request.method() == Method::HEAD => shared.source.answer(&request),
        Found::Source => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        Found::Sink(events, limit) => sink::receive(events, limit, shared, request).await,
        Found::Nothing => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests;
