//! Sixteen agents, programs that submit, cancel and retry, and the tick, all at the same time over HTTP: no request breaks, no
//! lock is waited for in a circle, and afterwards everything that must hold holds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use offpeak_api::{
    job::{Job, JobList},
    lease::{CommitRequest, CompleteRequest, InitReport, Lease, SegmentReport, TaskResult},
    media::{ticks_per_frame, video_timescale},
    work::Work,
};
use offpeak_server::{
    auth::{hex, random_name},
    entity::lease,
    tick,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    harness::{Agent, Answer, Server, facts},
    invariants::Picture,
};

const AGENTS: u64 = 16;
/// Each holds on to this many leases in a row, whatever becomes of them.
const ASKS: u32 = 25;
const FILM_SECONDS: f64 = 20.0;

/// A seed that `OFFPEAK_SEED` may set. (What the agents draw is the same then; when they come to it is not.)
fn seed() -> u64 {
    std::env::var("OFFPEAK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random)
}

/// What all share.
struct Crowd {
    server: Server,
    /// Requests that the database refused for now: they are repeated.
    put_off: AtomicU32,
    is_over: AtomicBool,
}

impl Crowd {
    /// A call, repeated as long as the server says that it may work the next time.
    async fn call(&self, token: &str, path: &str, body: impl Serialize) -> Answer {
        let body = serde_json::to_value(body).unwrap();
        loop {
            let answer = self.server.call(token, Method::POST, path, Some(body.clone())).await;
            if answer.status != 503 {
                let is_known = matches!(answer.status.as_u16(), 200 | 201 | 204 | 403 | 409 | 422);
                assert!(is_known, "{path} answered {}", answer.status);
                return answer;
            }
            self.put_off.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn under(&self, agent: &Agent, lease: &Lease, what: &str, body: impl Serialize) -> Answer {
        self.call(&agent.token, &format!("/v1/leases/{}/{what}", lease.id), body).await
    }

    /// Puts what the rows consist of into storage, whoever has the lease by now.
    async fn rows(&self, lease: &Lease, rows: std::ops::Range<u32>) -> CommitRequest {
        let row = lease::Entity::find_by_id(lease.id.to_string()).one(&self.server.app.db.reader).await.unwrap();
        let prefix = row.unwrap().prefix;
        let put = async |name: String| {
            let data = format!("{} {name}", lease.id).into_bytes();
            let key = format!("jobs/{}/{prefix}-0/{name}", lease.job).parse().unwrap();
            let stored = (data.len() as u64, hex(&Sha256::digest(&data)));
            // Its folder may be swept away meanwhile, with the job: then what is put there is of no interest.
            if let Err(error) = self.server.app.blobs.put_small(&key, data).await {
                assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
            }
            stored
        };
        let (renditions, grid, is_sound) = match &lease.work {
            Work::Encode(work) => (work.renditions.iter().map(|made| made.id.clone()).collect(), work.grid, false),
            Work::Audio(work) => (vec![work.rendition.clone()], work.grid, true),
            other => panic!("{other:?} has no rows"),
        };
        let mut request = CommitRequest { segments: vec![], inits: vec![] };
        for rendition in renditions {
            let (bytes, sha256) = put(format!("{rendition}/init.mp4")).await;
            request.inits.push(InitReport {
                rendition: rendition.clone(),
                attempt: 0,
                bytes,
                sha256,
                fingerprint: "same build".into(),
                codecs: if is_sound { "mp4a.40.2" } else { "avc1.64001e" }.into(),
                timescale: if is_sound { 48_000 } else { video_timescale(grid.rate) },
                media_time: 0,
            });
            for index in rows.clone() {
                let (bytes, sha256) = put(format!("{rendition}/{index}.m4s")).await;
                let (tick, frames) = (ticks_per_frame(grid.rate), grid.frames_per_segment);
                request.segments.push(SegmentReport {
                    rendition: rendition.clone(),
                    index,
                    attempt: 0,
                    frames,
                    start_ticks: grid.first_frame(index) * tick,
                    duration_ticks: u64::from(frames) * tick,
                    bytes,
                    sha256,
                });
            }
        }
        request
    }

    /// Asks, and works at what it gets: to the end, or up to some moment at which it gives back or goes away.
    async fn agent(&self, agent: &Agent, random: &mut StdRng) {
        for _ in 0..ASKS {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let wait_seconds = random.random_range(0..2);
            let answer = self.call(&agent.token, "/v1/leases", Agent::request(&random_name(12), wait_seconds)).await;
            if answer.status == 201 {
                let leaves = random.random_bool(0.3);
                self.work(agent, &answer.ok(), leaves, random).await;
            }
        }
    }

    async fn work(&self, agent: &Agent, lease: &Lease, leaves: bool, random: &mut StdRng) {
        let warnings = vec![];
        let result = match &lease.work {
            Work::Probe(_) if !leaves => TaskResult::Probe { facts: Box::new(facts(FILM_SECONDS, true)) },
            Work::Encode(work) => {
                let last = self.commit_rows(agent, lease, work.rows.cursor, work.rows.last).await;
                TaskResult::Encode { end_frame: work.to_end.then(|| work.grid.first_frame(last)), warnings }
            }
            Work::Audio(work) => {
                let segments = self.commit_rows(agent, lease, work.rows.cursor, work.rows.last).await;
                TaskResult::Audio { segments, warnings }
            }
            Work::Probe(_) | Work::Fetch(_) | Work::File(_) => TaskResult::Fetch {},
        };
        if leaves {
            let state = if random.random_bool(0.5) { "suspended" } else { "encoding" };
            self.under(agent, lease, "heartbeat", json!({ "state": state })).await;
            if random.random_bool(0.5) {
                self.under(agent, lease, "release", json!({ "reason": "shutdown" })).await;
            }
            return;
        }
        self.under(agent, lease, "complete", CompleteRequest { result }).await;
    }

    /// Row by row, until all are there or the lease is lost. Returns the row after the last.
    async fn commit_rows(&self, agent: &Agent, lease: &Lease, cursor: u32, mut last: u32) -> u32 {
        let mut row = cursor;
        while row < last {
            let request = self.rows(lease, row..row + 1).await;
            let answer = self.under(agent, lease, "commit", request).await;
            if answer.status != 200 {
                break;
            }
            last = answer.ok::<offpeak_api::lease::Orders>().last;
            row += 1;
        }
        last
    }

    /// Submits films, and changes its mind.
    async fn program(&self, random: &mut StdRng) {
        let mut jobs: Vec<String> = Vec::new();
        for _ in 0..12 {
            let request = json!({ "source": { "upload": self.server.source().await }, "profile": "small" });
            jobs.push(self.call(&self.server.token, "/v1/jobs", request).await.ok::<Job>().id.to_string());
            tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
            if random.random_bool(0.3) {
                let job = &jobs[random.random_range(0..jobs.len())];
                self.call(&self.server.token, &format!("/v1/jobs/{job}/cancel"), json!({})).await;
            }
        }
    }

    /// A second of the clock every fiftieth of one: what agents left behind expires while others are at work.
    async fn time(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            for _ in 0..5 {
                self.server.clock.advance(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if let Err(error) = tick::tick(&self.server.app).await {
                assert_eq!(error.status, 503, "the tick failed: {error:?}");
                self.put_off.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_agents_and_their_programs_get_into_nobodys_way() {
    let seed = seed();
    println!("OFFPEAK_SEED={seed}");
    let server = Server::start().await;
    server.small_profile(vec![]).await;
    let crowd = Arc::new(Crowd { server, put_off: AtomicU32::new(0), is_over: AtomicBool::new(false) });
    let mut agents = Vec::new();
    for n in 0..AGENTS {
        let (crowd, mut random) = (Arc::clone(&crowd), StdRng::seed_from_u64(seed ^ n));
        agents.push(tokio::spawn(async move {
            let agent = Agent::enrol(&crowd.server, &format!("desk {n}")).await;
            crowd.agent(&agent, &mut random).await;
        }));
    }
    let mut programs = Vec::new();
    for n in AGENTS..AGENTS + 2 {
        let (crowd, mut random) = (Arc::clone(&crowd), StdRng::seed_from_u64(seed ^ n));
        programs.push(tokio::spawn(async move { crowd.program(&mut random).await }));
    }
    let timer = tokio::spawn({
        let crowd = Arc::clone(&crowd);
        async move { crowd.time().await }
    });
    for task in programs.into_iter().chain(agents) {
        task.await.unwrap();
    }
    crowd.is_over.store(true, Ordering::Relaxed);
    timer.await.unwrap();
    let after_all = Picture::take(&crowd.server.app).await;
    let put_off = crowd.put_off.load(Ordering::Relaxed);
    println!("{} leases, {} segments; {put_off} requests were put off", after_all.leases.len(), after_all.segments.len());
    after_all.check().unwrap();
    assert_eq!(put_off, 0, "deadlocks, or locks that were held for too long");

    // Everybody has gone home. One agent does what is left.
    let (server, last) = (&crowd.server, Agent::enrol(&crowd.server, "last").await);
    let mut idle = 0;
    while idle < 3 {
        match last.lease(server).await {
            Some(lease) if matches!(lease.work, Work::Probe(_)) => {
                let facts = Box::new(facts(FILM_SECONDS, true));
                last.complete(server, &lease.id, TaskResult::Probe { facts }).await.ok::<serde_json::Value>();
                idle = 0;
            }
            Some(lease) => {
                last.do_task(server, &lease).await;
                idle = 0;
            }
            None => {
                for _ in 0..4 {
                    server.clock.advance(Duration::from_secs(10));
                    tick::tick(&server.app).await.unwrap();
                }
                idle += 1;
            }
        }
    }
    Picture::take(&server.app).await.check().unwrap();
    let jobs = server.get("/v1/jobs").await.ok::<JobList>().jobs;
    let states: Vec<&str> = jobs.iter().map(|job| job.state.as_str()).collect();
    println!("{states:?}");
    assert!(states.iter().all(|state| ["completed", "cancelled"].contains(state)), "{states:?}");
}
