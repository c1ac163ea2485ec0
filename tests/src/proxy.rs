//! A bad network, on command: a TCP proxy between one client and the server, which also remembers what was asked of the server.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use crate::recorded::{Recorder, Request};

/// What the network is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// Every chunk, in both directions, is held back so long.
    Slow(Duration),
    /// Nothing moves, and nobody is told. What was sent meanwhile arrives when the weather changes.
    Still,
    /// Requests arrive, their answers do not, until the weather changes.
    Deaf,
    /// Connections are cut, and new ones are cut at once.
    Refused,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    weather: watch::Sender<Weather>,
    /// Counts the calls of [`Proxy::half_close`].
    half_closes: watch::Sender<u64>,
    requests: Mutex<VecDeque<Request>>,
}

/// Stops when dropped, and cuts its connections.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// Requests that are remembered: the last of them, which of a short film are all.
const REMEMBERED: usize = 1024;
const CHUNK_BYTES: usize = 64 << 10;

impl Proxy {
    /// Listens on a free port; every connection goes on to `server`.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            server,
            weather: watch::Sender::new(Weather::Fine),
            half_closes: watch::Sender::new(0),
            requests: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared, accepting }
    }

    pub fn set(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// Ends the direction from the server to the client on every connection that there is now; the other stays open.
    pub fn half_close(&self) {
        self.shared.half_closes.send_modify(|count| *count += 1);
    }

    /// The last requests that were passed on, the oldest first.
    pub fn remembered(&self) -> Vec<Request> {
        self.shared.requests().iter().cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Weather::Refused);
        self.accepting.abort();
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.requests.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn remember(&self, request: Request) {
        let mut requests = self.requests();
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.weather.borrow() == Weather::Refused {
            continue;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            // A server that is away looks to the client like a connection that breaks.
            let Ok(server) = TcpStream::connect(shared.server).await else { return };
            pass(client, server, &shared).await;
        });
    }
}

/// Passes both directions until either breaks or the weather cuts them.
async fn pass(client: TcpStream, server: TcpStream, shared: &Shared) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut weather = shared.weather.subscribe();
    tokio::select! {
        () = requests(from_client, to_server, shared) => {}
        () = answers(from_server, to_client, shared) => {}
        _ = weather.wait_for(|weather| *weather == Weather::Refused) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut weather = shared.weather.subscribe();
    let mut recorder = Recorder::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let Ok(read @ 1..) = from.read(&mut chunk).await else { return };
        bear(&mut weather, false).await;
        for request in recorder.read(&chunk[..read]) {
            shared.remember(request);
        }
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared) {
    let mut weather = shared.weather.subscribe();
    let mut half_closes = shared.half_closes.subscribe();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        tokio::select! {
            read = from.read(&mut chunk) => {
                let Ok(read @ 1..) = read else { return };
                bear(&mut weather, true).await;
                if to.write_all(&chunk[..read]).await.is_err() {
                    return;
                }
            }
            _ = half_closes.changed() => {
                // The client sees the end of its answers, and may go on sending.
                let _ = to.shutdown().await;
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Holds a chunk back for as long as the weather wants.
async fn bear(weather: &mut watch::Receiver<Weather>, is_answer: bool) {
    loop {
        let now = *weather.borrow_and_update();
        match now {
            Weather::Fine | Weather::Refused => return,
            Weather::Slow(by) => return tokio::time::sleep(by).await,
            Weather::Deaf if !is_answer => return,
            Weather::Still | Weather::Deaf => {
                if weather.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Sends a remembered request once more, straight to `server`; the status of the answer, if one came.
pub async fn replay(server: SocketAddr, request: &Request) -> Option<u16> {
    const LIMIT: Duration = Duration::from_secs(10);
    let ask = async {
        let mut stream = TcpStream::connect(server).await.ok()?;
        stream.write_all(&request.bytes).await.ok()?;
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).await.ok()?;
        std::str::from_utf8(&answer[..read]).ok()?.split(' ').nth(1)?.parse().ok()
    };
    tokio::time::timeout(LIMIT, ask).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Answers every connection's first chunk with `HTTP/1.1 200 OK` and counts them.
    async fn server() -> (SocketAddr, watch::Receiver<u32>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (count, counted) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut chunk = [0; 1024];
                if stream.read(&mut chunk).await.is_ok_and(|read| read > 0) {
                    count.send_modify(|count| *count += 1);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                }
            }
        });
        (address, counted)
    }

    const COMMIT: Bytes = Bytes::from_static(b"POST /v1/leases/lea_1/commit HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}");

    async fn ask(address: SocketAddr) -> Option<u16> {
        let request = Request { line: String::new(), bytes: COMMIT };
        tokio::time::timeout(Duration::from_millis(300), replay(address, &request)).await.ok().flatten()
    }

    #[tokio::test]
    async fn the_weather_is_as_told() {
        let (address, mut arrived) = server().await;
        let proxy = Proxy::start(address).await;
        assert_eq!(ask(proxy.address).await, Some(200));
        assert_eq!(*arrived.borrow_and_update(), 1);
        proxy.set(Weather::Refused);
        assert_eq!(ask(proxy.address).await, None);
        proxy.set(Weather::Still);
        assert_eq!(ask(proxy.address).await, None);
        assert_eq!(*arrived.borrow_and_update(), 1, "no request arrived");
        proxy.set(Weather::Deaf);
        assert_eq!(ask(proxy.address).await, None);
        // The one of before, held back until now, and this one.
        arrived.wait_for(|count| *count >= 2).await.expect("requests arrive, their answers do not");
        proxy.set(Weather::Fine);
        assert_eq!(ask(proxy.address).await, Some(200));
        let remembered = proxy.remembered();
        assert!(remembered.iter().all(|request| request.line == "POST /v1/leases/lea_1/commit" && request.bytes == COMMIT));
        assert!(remembered.len() >= 2);
    }

    #[tokio::test]
    async fn a_half_closed_connection_gets_no_answer() {
        let (address, arrived) = server().await;
        let proxy = Proxy::start(address).await;
        let mut stream = TcpStream::connect(proxy.address).await.expect("it listens");
        stream.write_all(b"half a request").await.expect("it is taken");
        let mut arrived = arrived;
        arrived.wait_for(|count| *count == 1).await.expect("it arrives");
        let mut answer = [0; 64];
        assert!(stream.read(&mut answer).await.expect("an answer") > 0);
        proxy.half_close();
        assert_eq!(stream.read(&mut answer).await.expect("an end"), 0);
        assert!(stream.write_all(b"the other half").await.is_ok());
    }
}
