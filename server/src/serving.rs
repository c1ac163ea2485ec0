//! Connections: HTTP/1.1, or HTTP/2 where a TLS client asked for it.
//!
//! In: a listener and the router. Out: nothing, until the server is told to stop; then open requests may finish within a grace.
//! What must hold: a connection that waits for an answer costs as little memory as it can, for thousands of agents do nothing
//! else. (Guessing the protocol from the first bytes, as frameworks do, makes each buffer twice as large.)

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header::HOST},
    response::Response,
    serve::Listener,
};
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::sync::watch;
use tower::Service as _;

use crate::{people::peer::CalledFrom, tls::Listening};

/// For how long a connection may bring no whole request head, idle ones included. More than the 90 s after which clients let go
/// of idle connections by themselves, so that no request is sent into one that is just being closed.
const HEAD_WITHIN: Duration = Duration::from_secs(120);
/// HTTP/2 only, where answers can go on for hours: who sends nothing for this long is asked whether they are there,
const PING_AFTER: Duration = Duration::from_secs(60);
/// and has this long to answer. On a slow line much may be on its way before the question.
const PONG_WITHIN: Duration = Duration::from_secs(120);

/// Answers until `stop` is done, and then for at most `grace` what is under way.
pub async fn serve(mut listening: Listening, router: Router, stop: impl Future<Output = ()>, grace: Duration) {
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, from) = tokio::select! {
            accepted = listening.accept() => accepted,
            () = &mut stop => break,
        };
        // Errors are of the connection, and its client's: the server goes on.
        if stream.speaks_http2() {
            let calls = Calls::default();
            let serving = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING_AFTER)
                .keep_alive_timeout(PONG_WITHIN)
                .serve_connection(TokioIo::new(stream), counting(router.clone(), from, calls.clone()));
            tokio::spawn(logged(until_idle(connections.watch(serving), calls, HEAD_WITHIN), from));
        } else {
            let service = answering(router.clone(), from);
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
            tokio::spawn(logged(connections.watch(http.serve_connection(TokioIo::new(stream), service)), from));
        }
    }
    drop(listening);
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(grace) => tracing::info!("long polls and streams were cut off; their clients come back by themselves"),
    }
}

async fn logged(serving: impl Future<Output = Result<(), hyper::Error>>, from: SocketAddr) {
    if let Err(error) = serving.await {
        tracing::debug!(%from, %error, "a connection ended early");
    }
}

/// The router, for the calls of one connection.
fn answering(
    router: Router,
    from: SocketAddr,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(CalledFrom(from)));
        router.clone().call(request)
    })
}

/// As [`answering`], and each call counts until the last of its answer is handed over.
fn counting(
    router: Router,
    from: SocketAddr,
    calls: Calls,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    let service = answering(router, from);
    service_fn(move |mut request: Request<Incoming>| {
        // HTTP/2 says beside the headers which host is asked for.
        let host = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        if let Some(host) = host {
            request.headers_mut().insert(HOST, host);
        }
        let under_way = calls.begin();
        let answer = service.call(request);
        async move { answer.await.map(|response| response.map(|body| Body::new(Counted { body, _under_way: under_way }))) }
    })
}

/// Serves a connection until it ends, or nothing was asked of it for so long: HTTP/2 has no limit of its own for that, neither
/// for the first bytes nor for a request of which only a part comes.
async fn until_idle(
    serving: impl Future<Output = Result<(), hyper::Error>>,
    calls: Calls,
    limit: Duration,
) -> Result<(), hyper::Error> {
    tokio::select! {
        ended = serving => ended,
        () = calls.idle_for(limit) => Ok(()),
    }
}

/// How many calls of one connection are under way.
#[derive(Debug, Clone, Default)]
struct Calls(Arc<watch::Sender<usize>>);

impl Calls {
    fn begin(&self) -> UnderWay {
        self.0.send_modify(|calls| *calls += 1);
        UnderWay(self.clone())
    }

    /// Waits until none was under way for `limit`.
    async fn idle_for(&self, limit: Duration) {
        let mut calls = self.0.subscribe();
        loop {
            let is_idle = *calls.borrow_and_update() == 0;
            let changed = calls.changed();
            if !is_idle {
                // It can only fail when the sender is gone, which is here.
                let _ = changed.await;
            } else if tokio::time::timeout(limit, changed).await.is_err() {
                return;
            }
        }
    }
}

#[derive(Debug)]
struct UnderWay(Calls);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|calls| *calls -= 1);
    }
}

/// The body of an answer, whose call is under way until it is dropped.
struct Counted {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use axum::{http::HeaderMap, routing::get};
    use http_body_util::BodyExt;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
        sync::Notify,
        time::timeout,
    };

    use super::*;

    /// For what happens at once, on a machine that is busy.
    const SOON: Duration = Duration::from_secs(60);
    const BRIEFLY: Duration = Duration::from_millis(20);

    /// One connection of HTTP/2; what comes back is the client's end.
    fn serve_one(router: Router, calls: &Calls, limit: Duration) -> DuplexStream {
        let (client, server) = tokio::io::duplex(1 << 16);
        let service = counting(router, SocketAddr::from(([127, 0, 0, 1], 1)), calls.clone());
        let serving =
            http2::Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).serve_connection(TokioIo::new(server), service);
        tokio::spawn(until_idle(serving, calls.clone(), limit));
        client
    }

    #[tokio::test]
    async fn who_asks_nothing_is_let_go() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let settings: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        // The head of a request of 100 bytes, of which one comes.
        let begun: [u8; 10] = [0, 0, 100, 1, 5, 0, 0, 0, 1, 0x82];
        for sent in
            [vec![], preface[..10].to_vec(), [&preface[..], &settings].concat(), [&preface[..], &settings, &begun].concat()]
        {
            let mut client = serve_one(Router::new(), &Calls::default(), BRIEFLY);
            // It may be over before all is written.
            let _ = client.write_all(&sent).await;
            let mut answer = Vec::new();
            let _ = timeout(SOON, client.read_to_end(&mut answer)).await.expect("the server closes the connection");
        }
    }

    #[tokio::test]
    async fn a_call_counts_until_its_answer_is_over() {
        let (go_on, calls) = (Arc::new(Notify::new()), Calls::default());
        let wait = Arc::clone(&go_on);
        let slow = get(move |headers: HeaderMap| {
            let wait = Arc::clone(&wait);
            async move {
                wait.notified().await;
                headers.get(HOST).map(|host| host.to_str().unwrap().to_owned()).unwrap_or_default()
            }
        });
        let client = serve_one(Router::new().route("/", slow), &calls, SOON);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("http://offpeak.test/").body(Body::empty()).unwrap();
        let answer = tokio::spawn(async move { sender.send_request(request).await.unwrap() });

        let mut counted = calls.0.subscribe();
        timeout(SOON, counted.wait_for(|calls| *calls == 1)).await.unwrap().unwrap();
        assert!(timeout(BRIEFLY * 5, calls.idle_for(BRIEFLY)).await.is_err(), "a call that waits is not idle");
        go_on.notify_one();
        let body = timeout(SOON, answer).await.unwrap().unwrap().into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "offpeak.test", "the host is where HTTP/1.1 has it");
        timeout(SOON, counted.wait_for(|calls| *calls == 0)).await.unwrap().unwrap();
        timeout(SOON, calls.idle_for(BRIEFLY)).await.expect("nothing is under way any more");
    }
}
