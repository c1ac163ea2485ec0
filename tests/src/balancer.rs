//! What stands before several servers: requests go to them in turn, one by one, and past a server that is down.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use futures_util::TryStreamExt;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// A request that was passed on.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Its place among the servers.
    pub server: usize,
    /// Method and path.
    pub line: String,
    /// `Authorization`, as it came.
    pub who: String,
    /// Of the answer; none while the server has not begun one, or when it died over it.
    pub status: Option<StatusCode>,
}

#[derive(Debug)]
struct Shared {
    servers: Vec<SocketAddr>,
    turn: AtomicUsize,
    http: reqwest::Client,
    passed: Mutex<Vec<Passed>>,
}

/// Stops when dropped.
#[derive(Debug)]
pub struct Balancer {
    pub address: Url,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Balancer {
    /// Listens on a free port before these servers, which need not be there yet.
    pub async fn start(servers: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}/", listener.local_addr().expect("an address")).parse().expect("an address");
        // A kept connection to a server that has died would lose a request that another server could answer.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        let shared = Arc::new(Shared { servers, turn: AtomicUsize::new(0), http, passed: Mutex::default() });
        let router = Router::new().fallback(pass).with_state(shared.clone());
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serving goes on until aborted");
        });
        Self { address, shared, serving }
    }

    /// All requests that were passed on, the oldest first.
    pub fn passed(&self) -> Vec<Passed> {
        self.shared.passed().clone()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn passed(&self) -> MutexGuard<'_, Vec<Passed>> {
        self.passed.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The next server in turn that takes connections.
    async fn next(&self) -> Option<usize> {
        for _ in &self.servers {
            let server = self.turn.fetch_add(1, Ordering::Relaxed) % self.servers.len();
            if TcpStream::connect(self.servers[server]).await.is_ok() {
                return Some(server);
            }
        }
        None
    }

    async fn send(&self, method: &Method, target: &str, headers: &HeaderMap, body: reqwest::Body) -> Option<Response> {
        let server = self.next().await?;
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let path = target.split('?').next().unwrap_or_default();
        let place = {
            let mut passed = self.passed();
            passed.push(Passed { server, line: format!("{method} {path}"), who: text(header::AUTHORIZATION), status: None });
            passed.len() - 1
        };
        let url = format!("http://{}{target}", self.servers[server]);
        let answer = self.http.request(method.clone(), url).headers(headers.clone()).body(body).send().await.ok()?;
        self.passed()[place].status = Some(answer.status());
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status();
        *response.headers_mut() = from_end_to_end(answer.headers());
        *response.body_mut() = Body::from_stream(answer.bytes_stream());
        Some(response)
    }
}

/// Asks a second server when the first dies over a request that changes nothing, as balancers do.
async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let headers = from_end_to_end(&head.headers);
    let answer = if head.method.is_safe() {
        match shared.send(&head.method, target, &headers, reqwest::Body::default()).await {
            Some(answer) => Some(answer),
            None => shared.send(&head.method, target, &headers, reqwest::Body::default()).await,
        }
    } else {
        let body = reqwest::Body::wrap_stream(body.into_data_stream().map_err(std::io::Error::other));
        shared.send(&head.method, target, &headers, body).await
    };
    answer.unwrap_or_else(|| {
        let mut response = Response::new(Body::from("The server behind this address died."));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    })
}

/// Without what belongs to one connection only.
fn from_end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::EXPECT] {
        headers.remove(name);
    }
    headers
}
