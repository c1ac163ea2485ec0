//! A server that keeps one upload and one job in memory, and misbehaves when told to.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response, Sse, sse::Event},
    routing::{get, patch, post},
};
use futures_util::{StreamExt, stream};
use offpeak_api::{
    ids::{JobId, SourceId, TeamId},
    job::{CreateJob, Job, JobList, JobProgress, JobState, OutputFile, Outputs, Source, SourceState},
    problem::{PROBLEM_JSON, Problem},
};
use sha2::{Digest, Sha256};

use crate::fake_fleet::{self, FleetWorld};

pub const TOKEN: &str = "test-token";

/// What to do to the next PATCH.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// Keep so many bytes of it, then cut the connection.
    CutAfter(usize),
    /// Keep so many bytes of it, then refuse for good.
    RefuseAfter(usize),
    /// Answer 503 at once.
    Busy,
    /// Drop the upload, as if it had expired.
    Forget,
}

#[derive(Debug, Default)]
pub struct World {
    pub upload: Option<(SourceId, u64)>,
    pub filename: String,
    pub received: Vec<u8>,
    pub uploads_created: u32,
    /// First offset of every PATCH.
    pub patches: Vec<u64>,
    pub troubles: VecDeque<Trouble>,
    /// Said instead of the true hash.
    pub wrong_sha256: Option<String>,
    pub created: Option<CreateJob>,
    /// What successive readings of the job find; the last one stays.
    pub readings: VecDeque<Job>,
    pub job_reads: u32,
    pub queries: Vec<String>,
    pub film: Vec<u8>,
    pub ranges: Vec<String>,
    /// Bytes after which the next download breaks off.
    pub break_download_after: Option<usize>,
    pub fleet: FleetWorld,
}

#[derive(Debug, Clone)]
pub struct Fake {
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { url, world: Arc::default() };
        let app = Router::new()
            .route("/v1/uploads", post(create_upload))
            .route("/v1/uploads/{id}", patch(append).head(offset))
            .route("/v1/sources/{id}", get(source))
            .route("/v1/profiles/{name}", get(profile))
            .route("/v1/jobs", post(create_job).get(list_jobs))
            .route("/v1/jobs/{id}", get(job))
            .route("/v1/jobs/{id}/cancel", post(job))
            .route("/v1/jobs/{id}/events", get(events))
            .merge(fake_fleet::routes())
            .merge(crate::fake_access::routes())
            .layer(middleware::from_fn(need_token))
            .route("/media/film.mp4", get(media))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// A job in this state, with this share done.
    pub fn job_in(&self, state: JobState, fraction: f64) -> Job {
        let now = chrono::Utc::now();
        Job {
            id: JobId::new(),
            team: TeamId::new(),
            source: SourceId::new(),
            source_name: None,
            profile: "hls-h264".to_owned(),
            priority: 5,
            deadline: None,
            metadata: Default::default(),
            state,
            progress: JobProgress { fraction, frames_total: 1500, ..Default::default() },
            eta_seconds: None,
            eta_p90_seconds: None,
            created_at: now,
            started_at: None,
            playable_at: None,
            ended_at: state.is_over().then_some(now),
            facts: None,
            warnings: Vec::new(),
            outputs: Outputs::default(),
            error: None,
        }
    }

    /// A finished job with `film` as its file.
    pub fn finished_with(&self, film: Vec<u8>) -> Job {
        let file = OutputFile {
            name: "film.mp4".to_owned(),
            url: format!("{}/media/film.mp4", self.url),
            bytes: film.len() as u64,
            sha256: sha256(&film),
            content_type: "video/mp4".to_owned(),
        };
        let mut job = self.job_in(JobState::Completed, 1.0);
        job.outputs.files.push(file);
        job.outputs.hls = Some(format!("{}/media/{}/multivariant.m3u8", self.url, job.id));
        let mut world = self.world();
        world.film = film;
        world.readings = VecDeque::from([job.clone()]);
        job
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn problem(status: StatusCode, code: &str, detail: &str, hint: Option<&str>) -> Response {
    let problem = Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap().to_owned(),
        status: status.as_u16(),
        code: code.to_owned(),
        detail: detail.to_owned(),
        hint: hint.map(str::to_owned),
        errors: Vec::new(),
        request_id: None,
    };
    (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], serde_json::to_string(&problem).unwrap()).into_response()
}

async fn need_token(request: Request, next: Next) -> Response {
    let wanted = format!("Bearer {TOKEN}");
    match request.headers().get(header::AUTHORIZATION) {
        Some(got) if got.as_bytes() == wanted.as_bytes() => next.run(request).await,
        _ => problem(StatusCode::UNAUTHORIZED, "no_token", "This needs a token.", None),
    }
}

async fn create_upload(State(fake): State<Fake>, headers: HeaderMap) -> Response {
    let id = SourceId::new();
    let mut world = fake.world();
    let length: u64 = headers["Upload-Length"].to_str().unwrap().parse().unwrap();
    world.filename = headers["Upload-Metadata"].to_str().unwrap().to_owned();
    world.upload = Some((id.clone(), length));
    world.received.clear();
    world.uploads_created += 1;
    (StatusCode::CREATED, [(header::LOCATION, format!("/v1/uploads/{id}"))]).into_response()
}

async fn offset(State(fake): State<Fake>, Path(id): Path<String>) -> Response {
    let world = fake.world();
    match &world.upload {
        Some((upload, length)) if upload.as_str() == id => {
            [("Upload-Offset", world.received.len().to_string()), ("Upload-Length", length.to_string())].into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn append(State(fake): State<Fake>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let at: u64 = headers["Upload-Offset"].to_str().unwrap().parse().unwrap();
    let trouble = {
        let mut world = fake.world();
        world.patches.push(at);
        let trouble = world.troubles.pop_front();
        if matches!(trouble, Some(Trouble::Forget)) {
            world.upload = None;
        }
        if world.upload.as_ref().is_none_or(|(upload, _)| upload.as_str() != id) {
            return problem(StatusCode::NOT_FOUND, "upload_not_found", "There is no such upload.", None);
        }
        if at != world.received.len() as u64 {
            return problem(StatusCode::CONFLICT, "offset_mismatch", "The upload is elsewhere.", None);
        }
        trouble
    };
    if let Some(Trouble::Busy) = trouble {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy.", None);
    }
    let mut room = match trouble {
        Some(Trouble::CutAfter(bytes) | Trouble::RefuseAfter(bytes)) => bytes,
        Some(Trouble::Busy | Trouble::Forget) | None => usize::MAX,
    };
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        let taken = room.min(chunk.len());
        fake.world().received.extend_from_slice(&chunk[..taken]);
        room -= taken;
        // A refusal is heard only if the rest is read, too; a cut is one because it is not.
        if room == 0 && matches!(trouble, Some(Trouble::CutAfter(_))) {
            break;
        }
    }
    match trouble {
        // Ends this connection's task without the noise of a panic, which closes the socket.
        Some(Trouble::CutAfter(_)) => std::panic::resume_unwind(Box::new("cut")),
        Some(Trouble::RefuseAfter(_)) => problem(StatusCode::FORBIDDEN, "quota", "The team's quota is used up.", Some("Ask.")),
        Some(Trouble::Busy | Trouble::Forget) | None => {
            let offset = fake.world().received.len().to_string();
            (StatusCode::NO_CONTENT, [("Upload-Offset", offset)]).into_response()
        }
    }
}

async fn source(State(fake): State<Fake>, Path(id): Path<String>) -> Response {
    let world = fake.world();
    let hash = world.wrong_sha256.clone().unwrap_or_else(|| sha256(&world.received));
    let now = chrono::Utc::now();
    let bytes = world.received.len() as u64;
    Json(Source {
        id: id.parse().unwrap(),
        state: SourceState::Ready,
        filename: None,
        bytes: Some(bytes),
        received_bytes: bytes,
        sha256: Some(hash),
        created_at: now,
        expires_at: now,
    })
    .into_response()
}

async fn profile(Path(name): Path<String>) -> Response {
    if name != "hls-h264" {
        let hint = Some("`offpeak profiles` lists them.");
        return problem(StatusCode::NOT_FOUND, "unknown_profile", &format!("There is no profile `{name}`."), hint);
    }
    let profile = serde_json::json!({
        "built_in": true,
        "profile": { "name": name, "description": "A ladder in H.264", "video": { "ladder": [{ "height": 1080, "max_kbps": 5000 }] } }
    });
    Json(profile).into_response()
}

async fn create_job(State(fake): State<Fake>, Json(create): Json<CreateJob>) -> Response {
    let mut world = fake.world();
    world.created = Some(create);
    (StatusCode::CREATED, Json(world.readings.front().unwrap())).into_response()
}

async fn list_jobs(State(fake): State<Fake>, RawQuery(query): RawQuery) -> Response {
    let mut world = fake.world();
    world.queries.push(query.unwrap_or_default());
    // One job a page, so that pages must be followed.
    let at = world.queries.len();
    let jobs = world.readings.get(at - 1).cloned().into_iter().collect();
    let next_cursor = (at < world.readings.len()).then(|| format!("page{at}"));
    Json(JobList { jobs, next_cursor }).into_response()
}

async fn job(State(fake): State<Fake>) -> Response {
    let mut world = fake.world();
    world.job_reads += 1;
    let job = world.readings.front().cloned().unwrap();
    if world.readings.len() > 1 {
        world.readings.pop_front();
    }
    Json(job).into_response()
}

/// An event as often as anybody listens: watching must not depend on how many there are.
async fn events() -> Response {
    let events = stream::iter(0..3).map(|n| Ok::<_, Infallible>(Event::default().id(n.to_string()).event("x").data("{}")));
    Sse::new(events.chain(stream::pending())).into_response()
}

async fn media(State(fake): State<Fake>, headers: HeaderMap) -> Response {
    let mut world = fake.world();
    let range = headers[header::RANGE].to_str().unwrap().to_owned();
    let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
    world.ranges.push(range);
    let rest = Bytes::copy_from_slice(&world.film[from..]);
    let content_range = format!("bytes {from}-{}/{}", world.film.len() - 1, world.film.len());
    // An answer that ends early, without saying so: what a proxy makes of a connection cut behind it.
    let body = match world.break_download_after.take() {
        None => Body::from(rest),
        Some(bytes) => Body::from_stream(stream::iter([Ok::<_, Infallible>(rest.slice(..bytes))])),
    };
    (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, content_range)], body).into_response()
}
