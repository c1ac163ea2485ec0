//! A bad network: forwards connections to a server and cuts each of them after so many bytes from the client.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// Forwards until it is dropped.
pub struct Cutter {
    pub address: Url,
    cuts: Arc<AtomicUsize>,
    forwarded: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Cutter {
    /// Every connection through `address` is cut after `bytes` from the client.
    pub async fn start(server: &Url, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let target = format!("{}:{}", server.host_str().expect("a host"), server.port().expect("a port"));
        let (cuts, forwarded) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (Arc::clone(&cuts), Arc::clone(&forwarded));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, (cuts, forwarded)) = (target.clone(), counts.clone());
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(target).await
                        && forward(client, server, bytes, &forwarded).await
                    {
                        cuts.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Self { address: Url::parse(&format!("http://127.0.0.1:{port}/")).expect("an address"), cuts, forwarded, task }
    }

    /// Connections that were cut so far.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }

    /// Bytes that clients got through, all connections together.
    pub fn forwarded(&self) -> u64 {
        self.forwarded.load(Ordering::Relaxed)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// True when the connection was cut, false when one side ended it.
async fn forward(client: TcpStream, server: TcpStream, limit: u64, forwarded: &AtomicU64) -> bool {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = vec![0; 16 << 10];
        let mut left = limit;
        loop {
            let Ok(read @ 1..) = from_client.read(&mut buffer).await else { return false };
            let passed = (read as u64).min(left);
            if to_server.write_all(&buffer[..passed as usize]).await.is_err() {
                return false;
            }
            forwarded.fetch_add(passed, Ordering::Relaxed);
            left -= passed;
            if left == 0 {
                return true;
            }
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        cut = up => cut,
        _ended = down => false,
    }
}
