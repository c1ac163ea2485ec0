//! A server that knows the lease protocol and nothing else: strict about what it is told, and out of order on command.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{post, put},
};
use offpeak_api::{
    agent::{AgentOrders, AgentState, ProofReport, Standing, StateReport},
    ids::{JobId, LeaseId, TaskId},
    lease::{
        Action, CommitRequest, CompleteRequest, FailRequest, Heartbeat, Lease, LeaseRequest, Orders, ReleaseRequest, TaskResult,
        UploadAddress, UploadUrls, UploadUrlsRequest,
    },
    policy::Policy,
    problem::Problem,
    work::Work,
};
use sha2::{Digest, Sha256};
use url::Url;

pub const TOKEN: &str = "the-agents-token";

/// A call that arrived, whatever was answered.
#[derive(Debug, Clone)]
pub enum Call {
    Ask(LeaseRequest),
    Heartbeat(Heartbeat),
    Urls,
    Put,
    Commit(CommitRequest),
    Complete(TaskResult),
    Release(ReleaseRequest),
    Fail(FailRequest),
}

#[derive(Debug, Default)]
pub struct Farm {
    pub calls: Vec<Call>,
    /// What a client did that a right one never does.
    pub complaints: Vec<String>,
    pub queue: VecDeque<Work>,
    /// Answers 503 to everything.
    pub down: bool,
    /// Answers 401 to everything.
    pub revoked: bool,
    /// Answers 403 with this code to who asks for work; `set_aside` ends with the second proof, or later
    /// if the agent has not said by then that it knows.
    pub refuse_work_with: Option<&'static str>,
    pub states: Vec<AgentState>,
    /// Codes that came with them.
    pub codes: Vec<String>,
    /// What the policy of the agent's group says.
    pub require_sandbox: bool,
    pub proofs: Vec<ProofReport>,
    /// Grants leases, but the answers get lost: so many.
    pub lost_answers: u32,
    /// PUTs that storage refuses: so many.
    pub refused_puts: u32,
    granted: HashMap<String, Lease>,
    leases: HashMap<LeaseId, Held>,
    objects: HashMap<String, Bytes>,
}

#[derive(Debug)]
struct Held {
    renditions: Vec<String>,
    cursor: u32,
    last: u32,
    to_end: bool,
    /// The code of the answer to whoever held it.
    lost: Option<&'static str>,
    ended: bool,
    stop: bool,
    /// Key by `(rendition, index)`; index `None` is the init segment.
    keys: HashMap<(String, Option<u32>, u32), String>,
    rows: BTreeMap<u32, Vec<String>>,
    has_inits: bool,
}

#[derive(Debug, Clone, Default)]
pub struct FakeServer(Arc<Mutex<Farm>>);

impl FakeServer {
    pub async fn start() -> (Self, Url) {
        let server = Self::default();
        let app = Router::new()
            .route("/v1/agents/me/state", post(state))
            .route("/v1/agents/me/proof", post(prove))
            .route("/v1/leases", post(ask))
            .route("/v1/leases/{id}/heartbeat", post(heartbeat))
            .route("/v1/leases/{id}/upload-urls", post(urls))
            .route("/v1/leases/{id}/commit", post(commit))
            .route("/v1/leases/{id}/complete", post(complete))
            .route("/v1/leases/{id}/release", post(release))
            .route("/v1/leases/{id}/fail", post(fail))
            .route("/blob/{*key}", put(store))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(axum::middleware::from_fn_with_state(server.clone(), gate))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (server, url)
    }

    pub fn farm(&self) -> MutexGuard<'_, Farm> {
        self.0.lock().unwrap()
    }

    /// Waits for a condition; a test that waits for more than ten seconds has failed.
    pub async fn until(&self, what: &str, condition: impl Fn(&Farm) -> bool) {
        let all = async {
            while !condition(&self.farm()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(10), all).await.is_err() {
            panic!("waited in vain until {what}; calls: {:#?}", self.farm().calls);
        }
    }
}

impl Farm {
    /// Rows that are committed under any lease, in the order of their indices.
    pub fn committed(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.leases.values().flat_map(|held| held.rows.keys().copied()).collect();
        rows.sort_unstable();
        rows
    }

    /// What the commit of a row named: the attempts of its renditions, in order.
    pub fn attempts(&self, row: u32) -> Vec<u32> {
        let commits = self.calls.iter().filter_map(|call| if let Call::Commit(request) = call { Some(request) } else { None });
        commits.flat_map(|request| &request.segments).filter(|s| s.index == row).map(|s| s.attempt).collect()
    }

    pub fn count(&self, which: impl Fn(&Call) -> bool) -> usize {
        self.calls.iter().filter(|call| which(call)).count()
    }

    pub fn asks(&self) -> Vec<String> {
        self.calls
            .iter()
            .filter_map(|c| if let Call::Ask(request) = c { Some(request.request_id.clone()) } else { None })
            .collect()
    }

    /// Of each ask: its id, and for how many seconds the machine is expected to be left alone.
    pub fn expectations(&self) -> Vec<(String, u64)> {
        let asks = self.calls.iter().filter_map(|call| if let Call::Ask(request) = call { Some(request) } else { None });
        asks.map(|request| (request.request_id.clone(), request.expected_idle_seconds.unwrap_or(0))).collect()
    }

    /// The processes that asked, as they call themselves.
    pub fn instances(&self) -> Vec<Option<String>> {
        self.calls
            .iter()
            .filter_map(|call| if let Call::Ask(request) = call { Some(request.instance.clone()) } else { None })
            .collect()
    }

    pub fn completed(&self) -> usize {
        self.count(|call| matches!(call, Call::Complete(..)))
    }

    /// Every lease is somebody else's from now on.
    pub fn lose_leases(&mut self) {
        self.leases.values_mut().for_each(|held| held.lost = Some("lease_lost"));
    }

    /// The second holder of every task has won.
    pub fn supersede_leases(&mut self) {
        self.leases.values_mut().for_each(|held| held.lost = Some("superseded"));
    }

    /// Every job is cancelled.
    pub fn order_stop(&mut self) {
        self.leases.values_mut().for_each(|held| held.stop = true);
    }

    /// A second holder commits the rows before `cursor`.
    pub fn commit_up_to(&mut self, cursor: u32) {
        for held in self.leases.values_mut() {
            (held.cursor, held.has_inits) = (cursor, true);
        }
    }

    /// Somebody takes the tail of every lease.
    pub fn steal_from(&mut self, last: u32) {
        for held in self.leases.values_mut() {
            (held.last, held.to_end) = (last, false);
        }
    }

    fn grant(&mut self, request: &LeaseRequest) -> Option<Lease> {
        if let Some(same) = self.granted.get(&request.request_id) {
            return Some(same.clone());
        }
        let work = self.queue.pop_front()?;
        let (renditions, rows, to_end) = match &work {
            Work::Encode(e) => (e.renditions.iter().map(|r| r.id.clone()).collect(), e.rows, e.to_end),
            Work::Audio(a) => (vec![a.rendition.clone()], a.rows, true),
            Work::Fetch(_) | Work::Probe(_) | Work::File(_) => {
                (Vec::new(), offpeak_api::work::Rows { first: 0, cursor: 0, last: 0 }, false)
            }
        };
        let id = LeaseId::new();
        let held = Held {
            renditions,
            cursor: rows.cursor,
            last: rows.last,
            to_end,
            lost: None,
            ended: false,
            stop: false,
            keys: HashMap::new(),
            rows: BTreeMap::new(),
            has_inits: false,
        };
        self.leases.insert(id.clone(), held);
        let lease =
            Lease { id, job: JobId::new(), task: TaskId::new(), expires_in_seconds: 30, heartbeat_every_seconds: 0, work };
        self.granted.insert(request.request_id.clone(), lease.clone());
        Some(lease)
    }

    fn held(&mut self, id: &LeaseId) -> Result<&mut Held, Lost> {
        match self.leases.get_mut(id) {
            Some(held) if held.lost.is_none() && !held.ended => Ok(held),
            Some(held) => Err(Lost(held.lost.unwrap_or("lease_lost"))),
            None => Err(Lost("lease_lost")),
        }
    }

    /// Everything that a commit must be, by the protocol.
    fn check(&self, id: &LeaseId, request: &CommitRequest) -> Vec<String> {
        let held = &self.leases[id];
        let mut complaints = Vec::new();
        let mut rows: BTreeMap<u32, HashSet<&str>> = BTreeMap::new();
        for s in &request.segments {
            if !rows.entry(s.index).or_default().insert(&s.rendition) {
                complaints.push(format!("{} {} twice in one commit", s.rendition, s.index));
            }
            let key = held.keys.get(&(s.rendition.clone(), Some(s.index), s.attempt));
            match key.and_then(|key| self.objects.get(key)) {
                Some(data) if hex(data) == s.sha256 && data.len() as u64 == s.bytes => {}
                Some(_) => complaints.push(format!("{} {} is not what was stored", s.rendition, s.index)),
                None => complaints.push(format!("{} {} is not stored", s.rendition, s.index)),
            }
        }
        for (expected, (index, renditions)) in (held.cursor..).zip(&rows) {
            if *index != expected || renditions.len() != held.renditions.len() {
                complaints.push(format!("row {index} is not whole or not next; {expected} is"));
            }
        }
        if !held.has_inits && request.inits.len() != held.renditions.len() {
            complaints.push("the first commit lacks init segments".to_owned());
        }
        for init in &request.inits {
            let key = held.keys.get(&(init.rendition.clone(), None, init.attempt));
            if key.and_then(|key| self.objects.get(key)).is_none_or(|data| hex(data) != init.sha256) {
                complaints.push(format!("the init segment of {} is not stored", init.rendition));
            }
        }
        complaints
    }
}

/// The answer to whoever does not hold the lease (any more).
struct Lost(&'static str);

impl IntoResponse for Lost {
    fn into_response(self) -> Response {
        problem(StatusCode::CONFLICT, self.0)
    }
}

fn hex(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn problem(status: StatusCode, code: &str) -> Response {
    let body = Problem {
        kind: "about:blank".to_owned(),
        title: String::new(),
        status: status.as_u16(),
        code: code.to_owned(),
        detail: "as the test wants it".to_owned(),
        hint: None,
        errors: Vec::new(),
        request_id: None,
    };
    (status, Json(body)).into_response()
}

async fn gate(State(server): State<FakeServer>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let (down, revoked) = {
        let farm = server.farm();
        (farm.down, farm.revoked)
    };
    let token_is_right = headers.get("authorization").is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    let needs_token = request.uri().path().starts_with("/v1/");
    if down {
        problem(StatusCode::SERVICE_UNAVAILABLE, "down")
    } else if needs_token && (revoked || !token_is_right) {
        problem(StatusCode::UNAUTHORIZED, "bad_token")
    } else {
        next.run(request).await
    }
}

fn not_now(code: &str) -> Response {
    let mut answer = problem(StatusCode::FORBIDDEN, code);
    answer.headers_mut().insert("retry-after", 0.into());
    answer
}

fn agent_orders(standing: Standing, require_sandbox: bool) -> Response {
    let policy = Policy { require_sandbox, ..Policy::default() };
    let orders = AgentOrders { policy, standing, standing_reason: None, prove_after_seconds: None };
    Json(orders).into_response()
}

async fn state(State(server): State<FakeServer>, Json(report): Json<StateReport>) -> Response {
    let mut farm = server.farm();
    farm.states.push(report.state);
    farm.codes.extend(report.code);
    agent_orders(Standing::Active, farm.require_sandbox)
}

async fn prove(State(server): State<FakeServer>, Json(proof): Json<ProofReport>) -> Response {
    let mut farm = server.farm();
    farm.proofs.push(proof);
    if farm.proofs.len() < 2 || !farm.states.contains(&AgentState::SetAside) {
        return not_now("set_aside");
    }
    farm.refuse_work_with = None;
    agent_orders(Standing::Active, false)
}

async fn ask(State(server): State<FakeServer>, Json(request): Json<LeaseRequest>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Ask(request.clone()));
    if let Some(code) = farm.refuse_work_with {
        return not_now(code);
    }
    let lease = farm.grant(&request);
    if farm.lost_answers > 0 && lease.is_some() {
        farm.lost_answers -= 1;
        return problem(StatusCode::BAD_GATEWAY, "answer_lost");
    }
    match lease {
        Some(lease) => (StatusCode::CREATED, Json(lease)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

fn orders(held: &Held, refused: Vec<u32>) -> Response {
    let action = if held.stop { Action::Stop } else { Action::Continue };
    Json(Orders {
        action,
        cursor: held.cursor,
        last: held.last,
        to_end: held.to_end,
        expires_in_seconds: 30,
        source: None,
        refused,
    })
    .into_response()
}

async fn heartbeat(State(server): State<FakeServer>, Path(id): Path<LeaseId>, Json(beat): Json<Heartbeat>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Heartbeat(beat));
    farm.held(&id).map_or_else(Lost::into_response, |held| orders(held, Vec::new()))
}

async fn urls(State(server): State<FakeServer>, Path(id): Path<LeaseId>, Json(request): Json<UploadUrlsRequest>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Urls);
    let held = match farm.held(&id) {
        Ok(held) => held,
        Err(lost) => return lost.into_response(),
    };
    let addresses = request.objects.into_iter().map(|object| {
        use offpeak_api::lease::ObjectName;
        let name = match object.name {
            ObjectName::Init { rendition } => (rendition, None, object.attempt),
            ObjectName::Segment { rendition, index } => (rendition, Some(index), object.attempt),
            ObjectName::File => ("file".to_owned(), None, object.attempt),
        };
        let key = format!("{id}/{name:?}").replace(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '_', "-");
        held.keys.insert(name, key.clone());
        let headers = [("x-sha256".to_owned(), object.sha256), ("x-bytes".to_owned(), object.bytes.to_string())];
        UploadAddress { url: format!("/blob/{key}?signed=1"), headers: headers.into(), expires_in_seconds: 600 }
    });
    Json(UploadUrls { addresses: addresses.collect() }).into_response()
}

async fn store(State(server): State<FakeServer>, Path(key): Path<String>, headers: HeaderMap, data: Bytes) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Put);
    if farm.refused_puts > 0 {
        farm.refused_puts -= 1;
        return StatusCode::FORBIDDEN.into_response();
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("x-sha256") != hex(&data) || header("x-bytes") != data.len().to_string() {
        farm.complaints.push(format!("{key} is not what its address was signed for"));
    }
    if header("content-length") != data.len().to_string() || !header("authorization").is_empty() {
        farm.complaints.push(format!("{key} was not sent as storage wants it: {headers:?}"));
    }
    farm.objects.insert(key, data);
    StatusCode::OK.into_response()
}

async fn commit(State(server): State<FakeServer>, Path(id): Path<LeaseId>, Json(request): Json<CommitRequest>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Commit(request.clone()));
    if let Err(lost) = farm.held(&id) {
        return lost.into_response();
    }
    let complaints = farm.check(&id, &request);
    if !complaints.is_empty() {
        farm.complaints.extend(complaints);
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "incomplete_row");
    }
    let held = match farm.held(&id) {
        Ok(held) => held,
        Err(lost) => return lost.into_response(),
    };
    let (mut refused, mut accepted) = (Vec::new(), BTreeMap::<u32, Vec<String>>::new());
    for segment in request.segments {
        if segment.index >= held.last && !held.to_end {
            refused.push(segment.index);
        } else {
            accepted.entry(segment.index).or_default().push(segment.sha256);
        }
    }
    held.cursor += accepted.len() as u32;
    held.rows.extend(accepted);
    held.has_inits = true;
    refused.dedup();
    orders(held, refused)
}

async fn complete(State(server): State<FakeServer>, Path(id): Path<LeaseId>, Json(request): Json<CompleteRequest>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Complete(request.result));
    let held = match farm.held(&id) {
        Ok(held) => held,
        Err(lost) => return lost.into_response(),
    };
    if held.cursor < held.last && !held.to_end {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "rows_left");
    }
    held.ended = true;
    Json(serde_json::json!({})).into_response()
}

async fn release(State(server): State<FakeServer>, Path(id): Path<LeaseId>, Json(request): Json<ReleaseRequest>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Release(request));
    end(&mut farm, &id)
}

async fn fail(State(server): State<FakeServer>, Path(id): Path<LeaseId>, Json(request): Json<FailRequest>) -> Response {
    let mut farm = server.farm();
    farm.calls.push(Call::Fail(request));
    end(&mut farm, &id)
}

fn end(farm: &mut Farm, id: &LeaseId) -> Response {
    match farm.held(id) {
        Ok(held) => {
            held.ended = true;
            StatusCode::OK.into_response()
        }
        Err(lost) => lost.into_response(),
    }
}
