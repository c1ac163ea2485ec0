//! Heartbeats: the call that a fleet makes most often.

use std::time::{Duration, Instant};

use anyhow::Result;
use offpeak_api::{
    ids::LeaseId,
    lease::{Heartbeat, HolderState, Orders, Progress, ReleaseReason, ReleaseRequest},
};

use super::{agent, http::Client, place::Place, slice::Worker};

/// An engine that holds a lease.
pub struct BeatWorker {
    http: Client,
    lease: LeaseId,
    frames: u64,
}

impl BeatWorker {
    pub async fn start(place: &Place, token: &str) -> Result<Self> {
        let mut http = Client::connect(place.server.address, token).await?;
        let lease = agent::lease(&mut http).await?.id;
        Ok(Self { http, lease, frames: 0 })
    }

    /// Gives the task back.
    pub async fn end(mut self) -> Result<()> {
        let released = ReleaseRequest { reason: ReleaseReason::Shutdown };
        self.http.post(&format!("/v1/leases/{}/release", self.lease), &released).await?.read::<Orders>().map(|_| ())
    }
}

impl Worker for BeatWorker {
    async fn turn(&mut self) -> Result<Vec<Duration>> {
        let began = Instant::now();
        self.frames += 25;
        let progress = Progress { frames: self.frames, frames_per_second: 25.0, bytes: 0, total_bytes: None };
        let beat = Heartbeat { state: HolderState::Encoding, reason: None, progress };
        self.http.post(&format!("/v1/leases/{}/heartbeat", self.lease), &beat).await?.read::<Orders>()?;
        Ok(vec![began.elapsed()])
    }
}
