//! Workers at work for a while, and what they measured.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

/// One client. A turn is what is counted; it tells how long each of its parts took.
pub trait Worker: Send + 'static {
    fn turn(&mut self) -> impl Future<Output = Result<Vec<Duration>>> + Send;
}

/// What was measured in one go, or in several that were put together.
#[derive(Debug, Default)]
pub struct Slice {
    pub turns: u64,
    pub elapsed: Duration,
    /// Of whole turns.
    pub latencies: Vec<Duration>,
    /// Of each part of a turn.
    pub parts: Vec<Vec<Duration>>,
}

impl Slice {
    pub fn per_second(&self) -> f64 {
        self.turns as f64 / self.elapsed.as_secs_f64()
    }

    pub fn add(&mut self, other: Slice) {
        self.turns += other.turns;
        self.elapsed += other.elapsed;
        self.latencies.extend(other.latencies);
        self.parts.resize(self.parts.len().max(other.parts.len()), Vec::new());
        for (mine, others) in self.parts.iter_mut().zip(other.parts) {
            mine.extend(others);
        }
    }
}

/// Lets all workers take turns until `budget` turns were begun or the time is up.
pub async fn run<W: Worker>(workers: &mut Vec<W>, budget: u64, at_most: Duration) -> Result<Slice> {
    let left = Arc::new(AtomicI64::new(i64::try_from(budget)?));
    let began = Instant::now();
    let mut running = JoinSet::new();
    for mut worker in workers.drain(..) {
        let left = Arc::clone(&left);
        running.spawn(async move {
            let mut mine = Slice::default();
            while began.elapsed() < at_most && left.fetch_sub(1, Ordering::Relaxed) > 0 {
                let turn_began = Instant::now();
                let parts = worker.turn().await?;
                mine.latencies.push(turn_began.elapsed());
                mine.parts.resize(parts.len(), Vec::new());
                for (all, part) in mine.parts.iter_mut().zip(parts) {
                    all.push(part);
                }
                mine.turns += 1;
            }
            anyhow::Ok((worker, mine))
        });
    }
    let mut all = Slice::default();
    while let Some(done) = running.join_next().await {
        let (worker, mine) = done??;
        workers.push(worker);
        all.add(mine);
    }
    all.elapsed = began.elapsed();
    Ok(all)
}
