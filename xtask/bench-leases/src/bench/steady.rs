//! Cycles per second with a queue of a given length, against what the machine allows at the same time: slices of each take
//! turns, so that a machine that slows down slows all of them.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use offpeak_server::lease::rules::classes;

use super::{
    agent,
    batch::BatchWorker,
    beats::BeatWorker,
    child::Child,
    cycle::{self, CycleWorker},
    fill::Fill,
    http::Client,
    noop::NoopWorker,
    place::Place,
    prototype::Callers,
    raw::RawWorker,
    report,
    side::SideWorker,
    slice::{self, Slice, Worker},
};

/// Turns in one go with a short queue, so that filling it up is not most of the time.
const FEWEST_TURNS: u64 = 2000;

/// Workers that claim in batches, and tasks that they claim at most in one slice.
const BATCHERS: usize = 8;
const BATCHED_TASKS: u64 = 50_000;

pub struct Steady<'a> {
    pub place: &'a Place,
    pub noop: &'a Child,
    pub callers: &'a Callers,
    pub seconds: f64,
    pub rounds: usize,
}

/// Slices of one kind, put together; and the rate of each.
#[derive(Default)]
struct Kind {
    all: Slice,
    rates: Vec<f64>,
}

impl Kind {
    fn add(&mut self, slice: Slice) {
        self.rates.push(slice.per_second());
        self.all.add(slice);
    }

    fn rate(&self) -> f64 {
        report::median(&self.rates)
    }
}

pub const COLUMNS: [&str; 13] = [
    "ready",
    "clients",
    "cycles/s",
    "p50 / p99 ms",
    "lease",
    "commit",
    "complete",
    "server CPU ms",
    "raw/s",
    "noop/s",
    "side/s",
    "of yardstick",
    "with side",
];

impl Steady<'_> {
    /// One line of the table.
    pub async fn cycles(&self, fill: &mut Fill, ready: u64, clients: usize) -> Result<()> {
        let mut cycles = self.cycle_workers(clients).await?;
        let mut raws = self.raw_workers(clients);
        let mut noops = Vec::new();
        for _ in 0..clients {
            noops.push(NoopWorker(Client::connect(self.noop.address, "none").await?));
        }
        let (mut cycle, mut raw, mut noop, mut side) = (Kind::default(), Kind::default(), Kind::default(), Kind::default());
        let mut cpu = Duration::ZERO;
        for _ in 0..self.rounds {
            let cpu_before = self.place.server.cpu()?;
            cycle.add(self.with_full_queue(fill, ready, &mut cycles).await?);
            cpu += self.place.server.cpu()? - cpu_before;
            raw.add(self.with_full_queue(fill, ready, &mut raws).await?);
            noop.add(slice::run(&mut noops, u64::MAX >> 1, Duration::from_secs_f64(self.seconds)).await?);
            let mut sides = self.side_workers(clients).await?;
            side.add(slice::run(&mut sides, u64::MAX >> 1, Duration::from_secs_f64(self.seconds)).await?);
        }
        ensure!(cycle.all.turns > 0 && raw.all.turns > 0, "not one cycle in {} s", self.seconds);
        let bare = report::yardstick(&[(1.0, raw.rate()), (3.0, noop.rate())]);
        let with_side = report::yardstick(&[(1.0, raw.rate()), (3.0, noop.rate()), (1.0, side.rate())]);
        let mut cells = vec![ready.to_string(), clients.to_string(), format!("{:.0}", cycle.rate())];
        cells.push(report::quantiles(&cycle.all.latencies));
        // The work beside the calls is no call.
        cells.extend(cycle.all.parts.iter().take(cycle::PARTS.len() - 1).map(|part| report::quantiles(part)));
        cells.push(format!("{:.2}", cpu.as_secs_f64() * 1e3 / cycle.all.turns as f64));
        cells.extend([&raw, &noop, &side].map(|kind| format!("{:.0}", kind.rate())));
        cells.extend([bare, with_side].map(|yardstick| format!("{:.0} %", 100.0 * cycle.rate() / yardstick)));
        report::row(&cells);
        Ok(())
    }

    /// One line: heartbeats, each a call of its own.
    pub async fn heartbeats(&self, fill: &mut Fill, clients: usize) -> Result<()> {
        fill.up_to(FEWEST_TURNS).await?;
        let mut workers = Vec::new();
        for token in self.callers.agents.iter().take(clients) {
            workers.push(BeatWorker::start(self.place, token).await?);
        }
        let mut beats = Kind::default();
        for _ in 0..self.rounds {
            beats.add(slice::run(&mut workers, u64::MAX >> 1, Duration::from_secs_f64(self.seconds)).await?);
        }
        report::row(&[clients.to_string(), format!("{:.0}", beats.rate()), report::quantiles(&beats.all.latencies)]);
        for worker in workers {
            worker.end().await?;
        }
        Ok(())
    }

    /// One line: tasks a second when so many are claimed in one transaction.
    pub async fn batches(&self, fill: &mut Fill, size: usize) -> Result<()> {
        let mut workers: Vec<_> = self.raw_workers(BATCHERS).into_iter().map(|raw| BatchWorker { raw, size }).collect();
        let mut batches = Kind::default();
        for _ in 0..self.rounds {
            fill.up_to(BATCHED_TASKS * 2).await?;
            let budget = BATCHED_TASKS / size as u64;
            batches.add(slice::run(&mut workers, budget, Duration::from_secs_f64(self.seconds)).await?);
        }
        let tasks = batches.rate() * size as f64;
        report::row(&[size.to_string(), format!("{tasks:.0}"), report::quantiles(&batches.all.latencies)]);
        Ok(())
    }

    /// Turns for as long as wanted, with never fewer than `ready` tasks waiting; filling up is not timed.
    async fn with_full_queue<W: Worker>(&self, fill: &mut Fill, ready: u64, workers: &mut Vec<W>) -> Result<Slice> {
        let mut all = Slice::default();
        while all.elapsed.as_secs_f64() < self.seconds {
            let left = self.seconds - all.elapsed.as_secs_f64();
            let expected = if all.turns > 0 { all.per_second() * left * 1.5 } else { self.seconds * 3000.0 };
            let budget = (expected as u64).clamp(FEWEST_TURNS.min(2 * ready), 2 * ready);
            fill.up_to(ready + budget).await?;
            all.add(slice::run(workers, budget, Duration::from_secs_f64(left)).await?);
        }
        Ok(all)
    }

    async fn cycle_workers(&self, clients: usize) -> Result<Vec<CycleWorker>> {
        let mut workers = Vec::new();
        for token in self.callers.agents.iter().take(clients) {
            let http = Client::connect(self.place.server.address, token).await?;
            workers.push(CycleWorker { http, side: self.place.side.clone(), sha256: agent::hash_of_segment() });
        }
        Ok(workers)
    }

    pub fn raw_workers(&self, clients: usize) -> Vec<RawWorker> {
        let capabilities = agent::request(String::new(), 0).capabilities;
        let worker = |n: usize| RawWorker {
            db: self.place.db.clone(),
            agent: self.callers.agent_ids[n % self.callers.agent_ids.len()].clone(),
            classes: classes::served_by(&capabilities),
            build: capabilities.ffmpeg.clone(),
            sha256: agent::hash_of_segment(),
        };
        (0..clients).map(worker).collect()
    }

    async fn side_workers(&self, clients: usize) -> Result<Vec<SideWorker>> {
        let leases = Arc::new(self.place.side.some_leases().await?);
        let worker = |n| SideWorker { side: self.place.side.clone(), leases: Arc::clone(&leases), next: n * 17 };
        Ok((0..clients).map(worker).collect())
    }
}
