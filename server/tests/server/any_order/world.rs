//! Four agents, two teams with a job each, and a server whose clock stands still until a step moves it.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use offpeak_api::{
    job::Job,
    lease::{
        CommitRequest, CompleteRequest, Heartbeat, HolderState, Lease, Orders, Progress, ReleaseRequest, SegmentReport,
        TaskResult,
    },
    media::ticks_per_frame,
    profile::{FileContainer, FileProfile},
    work::Work,
};
use offpeak_server::{
    auth::{hex, random_name},
    lease::LeaseState,
    router, tick,
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::{
    Drawn, Step,
    film::{ENDS, FRAMES_PER_ROW, Film, grid_of, init, renditions_of, rows_of},
};
use crate::{
    harness::{Agent, Server, facts},
    invariants::{Broken, Picture},
};

const SECONDS_PER_ROW: u64 = 2;

pub struct World {
    server: Server,
    router: Router,
    agents: Vec<String>,
    jobs: Vec<Film>,
    held: Vec<Held>,
    calls: Vec<Call>,
    picture: Picture,
}

/// What an agent knows of a lease it got.
struct Held {
    token: String,
    lease: Lease,
    prefix: String,
    film: usize,
    orders: Orders,
    /// The end of what was committed under this lease, in frames.
    committed_to: Option<u64>,
}

#[derive(Clone)]
struct Call {
    token: String,
    path: String,
    body: Value,
    /// The lease that it is under.
    under: Option<usize>,
}

impl World {
    /// Everything that happens, and then an agent that does what is left.
    pub async fn run(ends: [usize; 2], steps: &[Drawn]) -> Result<(), Broken> {
        let mut world = Self::begin(ends).await;
        for (n, (step, delayed)) in steps.iter().enumerate() {
            world.step(step, *delayed).await.map_err(|why| format!("after step {n}, {step:?}: {why}"))?;
        }
        world.finish().await.map_err(|why| format!("in the end: {why}"))
    }

    async fn begin(ends: [usize; 2]) -> Self {
        let server = Server::start().await;
        let router = router::router(server.app.clone());
        let file = FileProfile { name: "film.mp4".into(), container: FileContainer::Mp4, height: None };
        let mut jobs = Vec::new();
        for (n, end) in ends.into_iter().enumerate() {
            let of_team = server.for_new_team(&format!("team {n}"), 1.0 + 2.0 * n as f64).await;
            let files = if n == 0 { vec![] } else { vec![file.clone()] };
            let profile = Server::profile_of_spans(8.0, files);
            of_team.put_profile(&profile).await;
            let request = json!({ "source": { "upload": of_team.source().await }, "profile": profile.name });
            let job: Job = of_team.post("/v1/jobs", request).await.ok();
            let (planned_seconds, more) = ENDS[end];
            let frames = ((planned_seconds * 25.0) as u64).checked_add_signed(more).unwrap();
            jobs.push(Film { id: job.id.to_string(), token: of_team.token, planned_seconds, frames, shown: 0.0 });
        }
        let mut agents = Vec::new();
        for name in ["one", "two", "three", "four"] {
            agents.push(Agent::enrol(&server, name).await.token);
        }
        let picture = Picture::take(&server.app).await;
        Self { server, router, agents, jobs, held: vec![], calls: vec![], picture }
    }

    async fn step(&mut self, step: &Step, delayed: bool) -> Result<(), Broken> {
        let call = match *step {
            Step::Ask { agent } => Some(ask(&self.agents[agent])),
            Step::Beat { lease, suspended, quarter_rows, seconds_per_row } => {
                self.nth_held(lease).map(|n| self.beat(n, suspended, quarter_rows, seconds_per_row))
            }
            Step::Commit { lease, back, rows } => match self.nth_held(lease) {
                Some(n) => self.commit(n, back, rows).await,
                None => None,
            },
            Step::Complete { lease } => match self.nth_held(lease) {
                Some(n) => Some(self.complete(n).await),
                None => None,
            },
            Step::Release { lease } => {
                let body = ReleaseRequest { reason: serde_json::from_value(json!("user_returned")).unwrap() };
                self.nth_held(lease).map(|n| self.under(n, "release", body))
            }
            Step::Fail { lease, source } => {
                let blame = if source { "source" } else { "agent" };
                let body = json!({ "code": "broken", "message": "It broke.", "blame": blame });
                self.nth_held(lease).map(|n| self.under(n, "fail", body))
            }
            Step::Again { call } => self.calls.iter().rev().nth(call % self.calls.len().max(1)).cloned(),
            Step::Wait { seconds } => {
                self.server.clock.advance(Duration::from_secs(seconds));
                None
            }
            Step::Tick => {
                tick::tick(&self.server.app).await.map_err(|error| format!("the tick failed: {error:?}"))?;
                None
            }
            Step::Cancel { job } => Some(self.of_job(job, "cancel")),
            Step::Retry { job } => Some(self.of_job(job, "retry")),
        };
        if let Some(call) = call {
            let is_again = matches!(step, Step::Again { .. });
            if !is_again {
                self.calls.push(call.clone());
            }
            if !delayed || is_again {
                self.send(call).await?;
                return Ok(());
            }
        }
        self.look(None).await
    }

    /// The youngest leases count from 0: old ones are of less interest.
    fn nth_held(&self, n: usize) -> Option<usize> {
        (!self.held.is_empty()).then(|| self.held.len() - 1 - n % self.held.len())
    }

    fn under(&self, n: usize, what: &str, body: impl Serialize) -> Call {
        let held = &self.held[n];
        let path = format!("/v1/leases/{}/{what}", held.lease.id);
        Call { token: held.token.clone(), path, body: serde_json::to_value(body).unwrap(), under: Some(n) }
    }

    fn of_job(&self, n: usize, what: &str) -> Call {
        let film = &self.jobs[n];
        Call { token: film.token.clone(), path: format!("/v1/jobs/{}/{what}", film.id), body: json!({}), under: None }
    }

    fn beat(&self, n: usize, suspended: bool, quarter_rows: u64, seconds_per_row: u32) -> Call {
        let beyond = u64::from(self.held[n].orders.cursor.saturating_sub(rows_of(&self.held[n].lease).map_or(0, |rows| rows.1)));
        let progress = Progress {
            frames: beyond * FRAMES_PER_ROW + quarter_rows * FRAMES_PER_ROW / 4,
            frames_per_second: FRAMES_PER_ROW as f64 / f64::from(seconds_per_row),
            ..Progress::default()
        };
        let state = if suspended { HolderState::Suspended } else { HolderState::Encoding };
        self.under(n, "heartbeat", Heartbeat { state, reason: None, progress })
    }

    /// What an engine with this lease has encoded of the rows from `back` before its cursor on, uploaded.
    async fn commit(&self, n: usize, back: u32, count: u32) -> Option<Call> {
        let held = &self.held[n];
        let film = &self.jobs[held.film];
        let (first, _) = rows_of(&held.lease)?;
        if held.orders.to_end && held.committed_to >= Some(film.frames) {
            return None;
        }
        let from = Ord::max(first, held.orders.cursor.saturating_sub(back));
        let mut request = CommitRequest { segments: vec![], inits: vec![] };
        for rendition in renditions_of(&held.lease) {
            let (bytes, sha256) = self.upload(held, &format!("{rendition}/init.mp4"), "init").await;
            request.inits.push(init(&held.lease, &rendition, bytes, sha256));
            for index in from..from + count {
                let Some(frames) = film.frames_of(&held.lease.work, index, held.orders.to_end) else { break };
                let name = format!("{rendition}/{index}.m4s");
                let (bytes, sha256) = self.upload(held, &name, held.lease.id.as_str()).await;
                let tick = grid_of(&held.lease).map_or(1, |grid| ticks_per_frame(grid.rate));
                request.segments.push(SegmentReport {
                    rendition: rendition.clone(),
                    index,
                    attempt: 0,
                    frames,
                    start_ticks: u64::from(index) * FRAMES_PER_ROW * tick,
                    duration_ticks: u64::from(frames) * tick,
                    bytes,
                    sha256,
                });
                if u64::from(index) * FRAMES_PER_ROW + u64::from(frames) >= film.frames {
                    break;
                }
            }
        }
        (!request.segments.is_empty()).then(|| self.under(n, "commit", request))
    }

    async fn upload(&self, held: &Held, name: &str, seed: &str) -> (u64, String) {
        let data = format!("{seed} {name}").into_bytes();
        let key = format!("jobs/{}/{}-0/{name}", held.lease.job, held.prefix).parse().unwrap();
        let (bytes, sha256) = (data.len() as u64, hex(&Sha256::digest(&data)));
        self.server.app.blobs.put_small(&key, data).await.unwrap();
        (bytes, sha256)
    }

    /// The end of the task, as its holder sees it; premature when rows are missing.
    async fn complete(&self, n: usize) -> Call {
        let held = &self.held[n];
        let film = &self.jobs[held.film];
        let warnings = vec![];
        let result = match &held.lease.work {
            Work::Probe(_) => TaskResult::Probe { facts: Box::new(facts(film.planned_seconds, true)) },
            Work::Fetch(_) => TaskResult::Fetch {},
            Work::Audio(_) => TaskResult::Audio { segments: film.sound_rows(), warnings },
            Work::File(work) => {
                let (bytes, sha256) = self.upload(held, &work.name, "film").await;
                TaskResult::File { attempt: 0, bytes, sha256 }
            }
            Work::Encode(_) => {
                // An engine that looked for the source's end knows it; one that committed up to it says what that came to.
                let cursor_frame = u64::from(held.orders.cursor) * FRAMES_PER_ROW;
                let is_at_end = film.frames <= cursor_frame || held.committed_to >= Some(film.frames);
                let end = held.committed_to.filter(|_| is_at_end).unwrap_or(film.frames);
                let end_frame = (held.orders.to_end || film.frames <= cursor_frame && !self.is_whole(n)).then_some(end);
                TaskResult::Encode { end_frame, warnings }
            }
        };
        self.under(n, "complete", CompleteRequest { result })
    }

    fn is_whole(&self, n: usize) -> bool {
        self.held[n].orders.cursor >= self.held[n].orders.last
    }

    /// Sends a call and looks at everything after it. The answer, unless something is wrong.
    async fn send(&mut self, call: Call) -> Result<(StatusCode, Value), Broken> {
        let was_active = call.under.map(|n| {
            let lease = self.picture.leases.get(self.held[n].lease.id.as_str());
            lease.is_some_and(|lease| lease.state == LeaseState::Active.as_str())
        });
        let (status, body) = self.request("POST", &call.token, &call.path, Some(&call.body)).await;
        let is_known = matches!(status.as_u16(), 200 | 201 | 204 | 403 | 409 | 422);
        if !is_known {
            return Err(format!("{} answered {status}: {body}", call.path));
        }
        let committed = call.path.ends_with("/commit") && status == 200;
        if committed && was_active != Some(true) {
            return Err(format!("{} was accepted under a lease that is not active", call.path));
        }
        let by = call.under.filter(|_| committed).map(|n| self.held[n].lease.id.to_string());
        self.look(by.as_deref()).await?;
        if status == 201 {
            self.got(call.token.clone(), serde_json::from_value(body.clone()).unwrap());
        } else if let (Some(n), 200, false) = (call.under, status.as_u16(), call.path.ends_with("/fail")) {
            let orders: Orders = serde_json::from_value(body.clone()).unwrap();
            if committed {
                self.note_committed(n, &call.body, &orders);
            }
            self.held[n].orders = orders;
        }
        Ok((status, body))
    }

    fn note_committed(&mut self, n: usize, request: &Value, orders: &Orders) {
        let request: CommitRequest = serde_json::from_value(request.clone()).unwrap();
        let counts = request.segments.iter().filter(|segment| segment.index < orders.cursor);
        let end = counts.map(|segment| u64::from(segment.index) * FRAMES_PER_ROW + u64::from(segment.frames)).max();
        self.held[n].committed_to = self.held[n].committed_to.max(end);
    }

    fn got(&mut self, token: String, lease: Lease) {
        if self.held.iter().any(|held| held.lease.id == lease.id) {
            return;
        }
        let prefix = self.picture.leases[lease.id.as_str()].prefix.clone();
        let film = self.jobs.iter().position(|film| film.id == lease.job.as_str()).unwrap();
        let (cursor, last, to_end) = match &lease.work {
            Work::Encode(work) => (work.rows.cursor, work.rows.last, work.to_end),
            Work::Audio(work) => (work.rows.cursor, work.rows.last, true),
            Work::Fetch(_) | Work::Probe(_) | Work::File(_) => (0, 0, false),
        };
        let orders = Orders { cursor, last, to_end, ..serde_json::from_value(FIRST_ORDERS.parse().unwrap()).unwrap() };
        self.held.push(Held { token, lease, prefix, film, orders, committed_to: None });
    }

    /// Compares what is with what was. `committed_by` is the only lease that new segments may be of.
    async fn look(&mut self, committed_by: Option<&str>) -> Result<(), Broken> {
        let now = Picture::take(&self.server.app).await;
        now.check_after(&self.picture)?;
        let known: std::collections::HashSet<&str> = self.picture.segments.iter().map(|row| row.storage_key.as_str()).collect();
        for new in now.segments.iter().filter(|row| !known.contains(row.storage_key.as_str())) {
            if committed_by != Some(new.lease_id.as_str()) {
                return Err(format!("{} appeared out of turn", new.storage_key));
            }
        }
        let is_news =
            now.segments.len() != self.picture.segments.len() || now.tasks != self.picture.tasks || now.jobs != self.picture.jobs;
        self.picture = now;
        for n in (0..self.jobs.len()).filter(|_| is_news) {
            let (token, path) = (self.jobs[n].token.clone(), format!("/v1/jobs/{}", self.jobs[n].id));
            let (status, body) = self.request("GET", &token, &path, None).await;
            let shown = body["progress"]["fraction"].as_f64().ok_or_else(|| format!("{path} answered {status}: {body}"))?;
            if shown < self.jobs[n].shown {
                return Err(format!("the progress of {path} went from {} back to {shown}", self.jobs[n].shown));
            }
            self.jobs[n].shown = shown;
        }
        Ok(())
    }

    async fn request(&self, method: &str, token: &str, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// One more agent, in good health, does what is left; the others are gone.
    async fn finish(&mut self) -> Result<(), Broken> {
        for n in 0..self.jobs.len() {
            if self.picture.jobs[&self.jobs[n].id].state == "failed" {
                let retry = self.of_job(n, "retry");
                self.send(retry).await?;
            }
        }
        let token = Agent::enrol(&self.server, "healthy").await.token;
        let mut idle = 0;
        while idle < 3 {
            let (status, body) = self.send(ask(&token)).await?;
            if status == 201 {
                idle = 0;
                let n = self.held.iter().position(|held| Some(held.lease.id.as_str()) == body["id"].as_str()).unwrap();
                self.work(n).await?;
            } else {
                idle += 1;
                // In small steps: after a long silence the server takes itself for the one that was away, and waits.
                for _ in 0..4 {
                    self.server.clock.advance(Duration::from_secs(10));
                    tick::tick(&self.server.app).await.map_err(|error| format!("the tick failed: {error:?}"))?;
                }
                self.look(None).await?;
            }
        }
        for film in &self.jobs {
            let job = &self.picture.jobs[&film.id];
            if !["completed", "cancelled"].contains(&job.state.as_str()) {
                return Err(format!("{} is stuck in {}, error {:?}", job.id, job.state, job.error));
            }
        }
        Ok(())
    }

    /// Does a leased task to its end, as an engine does.
    async fn work(&mut self, n: usize) -> Result<(), Broken> {
        self.server.clock.advance(Duration::from_secs(SECONDS_PER_ROW));
        while let Some(call) = self.commit(n, 0, 2).await {
            let goes_on = matches!(self.held[n].lease.work, Work::Audio(_)) || self.held[n].orders.to_end;
            if !goes_on && self.is_whole(n) {
                break;
            }
            let cursor = self.held[n].orders.cursor;
            let (status, body) = self.send(call).await?;
            if status == 200 && self.held[n].orders.cursor == cursor {
                break;
            }
            if status != 200 {
                return Err(format!("an honest commit was answered {status}: {body}"));
            }
        }
        let call = self.complete(n).await;
        let (status, body) = self.send(call.clone()).await?;
        if status != 200 {
            return Err(format!("an honest {} with {} was answered {status}: {body}", call.path, call.body));
        }
        Ok(())
    }
}

const FIRST_ORDERS: &str = r#"{ "action": "continue", "cursor": 0, "last": 0, "to_end": false, "expires_in_seconds": 30 }"#;

fn ask(token: &str) -> Call {
    let body = serde_json::to_value(Agent::request(&random_name(12), 0)).unwrap();
    Call { token: token.to_owned(), path: "/v1/leases".to_owned(), body, under: None }
}
