//! Connections: HTTP/1.1, or HTTP/2 where a TLS client asked for it.
//!
//! In: a listener and the router. Out: nothing, until the server is told to stop; then open requests may finish within a grace.
//! What must hold: a connection that waits for an answer costs as little memory as it can, for thousands of agents do nothing
//! else. (Guessing the protocol from the first bytes, as frameworks do, makes each buffer twice as large.)

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
    serve::Listener,
};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tower::Service as _;

use crate::{people::peer::CalledFrom, tls::Listening};

/// For how long a connection may bring no whole request head, idle ones included. More than the 90 s after which clients let go
/// of idle connections by themselves, so that no request is sent into one that is just being closed.
const HEAD_WITHIN: Duration = Duration::from_secs(120);

/// Answers until `stop` is done, and then for at most `grace` what is under way.
pub async fn serve(mut listening: Listening, router: Router, stop: impl Future<Output = ()>, grace: Duration) {
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, from) = tokio::select! {
            accepted = listening.accept() => accepted,
            () = &mut stop => break,
        };
        let service = answering(router.clone(), from);
        // Errors are of the connection, and its client's: the server goes on.
        if stream.speaks_http2() {
            let serving = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(logged(connections.watch(serving), from));
        } else {
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
