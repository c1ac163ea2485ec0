//! What an engine does with every span: lease, commit, complete, over HTTP.

use std::time::{Duration, Instant};

use anyhow::Result;
use offpeak_api::lease::Orders;

use super::{agent, http::Client, side::Side, slice::Worker};

/// The parts of a turn, in their order.
pub const PARTS: [&str; 4] = ["lease", "commit", "complete", "side"];

pub struct CycleWorker {
    pub http: Client,
    pub side: Side,
    pub sha256: String,
}

impl Worker for CycleWorker {
    async fn turn(&mut self) -> Result<Vec<Duration>> {
        let began = Instant::now();
        let lease = agent::lease(&mut self.http).await?;
        let leased = began.elapsed();
        let span = agent::span(&lease)?;
        let commit = agent::commit(span, &self.sha256, false)?;
        let segment = &commit.segments[0];
        self.side.store(lease.job.as_str(), lease.id.as_str(), &segment.rendition, &format!("{}.m4s", segment.index)).await?;
        let stored = began.elapsed();
        self.http.post(&format!("/v1/leases/{}/commit", lease.id), &commit).await?.read::<Orders>()?;
        let committed = began.elapsed();
        self.http.post(&format!("/v1/leases/{}/complete", lease.id), &agent::completion(span)).await?.read::<Orders>()?;
        Ok(vec![leased, committed - stored, began.elapsed() - committed, stored - leased])
    }
}
