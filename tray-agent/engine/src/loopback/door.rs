//! Who gets in, where the port is one of this machine: every program of every user may knock there.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::Instant,
};
use tokio_util::task::AbortOnDropHandle;

use crate::sandbox;

/// A program may knock before the engine has noted that it started it.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Connections that are looked at in one moment; more are not accepted meanwhile.
const LOOKED_AT_ONCE: usize = 32;

/// The processes that may come in. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Guests(Arc<Mutex<BTreeSet<u32>>>);

impl Guests {
    /// The engine itself is always welcome.
    pub fn new() -> Self {
        let guests = Self::default();
        guests.lock().insert(std::process::id());
        guests
    }

    pub fn add(&self, process: u32) {
        self.lock().insert(process);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A listener that shows only connections of guests.
#[derive(Debug)]
pub(super) struct Door {
    let_in: mpsc::Receiver<(TcpStream, SocketAddr)>,
    address: SocketAddr,
    _doorman: AbortOnDropHandle<()>,
}

impl Door {
    pub fn new(listener: TcpListener, guests: Guests) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (open, let_in) = mpsc::channel(1);
        let doorman = AbortOnDropHandle::new(tokio::spawn(look(listener, address, guests, open)));
        Ok(Self { let_in, address, _doorman: doorman })
    }
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match self.let_in.recv().await {
            Some(guest) => guest,
            // The doorman lives as long as the door.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn look(mut listener: TcpListener, local: SocketAddr, guests: Guests, open: mpsc::Sender<(TcpStream, SocketAddr)>) {
    let places = Arc::new(Semaphore::new(LOOKED_AT_ONCE));
    loop {
        let (stream, peer) = Listener::accept(&mut listener).await;
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (guests, open) = (guests.clone(), open.clone());
        tokio::spawn(async move {
            let _place = place;
            if is_guest(peer, local, guests).await {
                let _ = open.send((stream, peer)).await;
            } else {
                tracing::warn!(%peer, "a program that the engine did not start knocked at its loopback, and was not let in");
            }
        });
    }
}

async fn is_guest(peer: SocketAddr, local: SocketAddr, guests: Guests) -> bool {
    let until = Instant::now() + PATIENCE;
    loop {
        let known = guests.lock().clone();
        // Files of /proc, or a table of the system: fast, but not for the threads of the runtime.
        let found = tokio::task::spawn_blocking(move || sandbox::is_peer(peer, local, &known)).await;
        if found.unwrap_or(false) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}
