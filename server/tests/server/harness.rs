//! A server to test against, and an agent's and a program's hands.

use std::{sync::Arc, time::Duration};

use offpeak_api::{
    facts::{AudioFacts, Facts, FrameGaps, VideoFacts},
    ids::{LeaseId, SourceId, TeamId},
    job::Job,
    lease::{
        Capabilities, CommitRequest, CompleteRequest, InitReport, Lease, LeaseRequest, ObjectName, Orders, PROTOCOL,
        SegmentReport, TaskResult, UploadObject, UploadUrls, UploadUrlsRequest,
    },
    media::{Ratio, ticks_per_frame, video_timescale},
    problem::Problem,
    profile::{Access, AudioProfile, FileContainer, FileProfile, Profile, Quality, Rung, VideoProfile, X264Preset},
    work::Work,
};
use offpeak_server::{
    app::App,
    auth::{self, TokenKind},
    clock::{Clock, Instant},
    config::Settings,
    entity::team,
    router, serving,
    tls::Listening,
};
use reqwest::{Method, StatusCode};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{database::Database, storage::Storage};

pub struct Server {
    pub base: String,
    pub app: App,
    pub clock: Clock,
    pub http: reqwest::Client,
    pub token: String,
    /// Whose program has that token.
    pub team: TeamId,
    pub storage: Arc<Storage>,
    /// What lives as long as any server that uses it.
    _shared: Arc<Backends>,
}

/// What came back: a status, and a body to be read as what it should be.
pub struct Answer {
    pub status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        Self { status: response.status(), body: response.bytes().await.unwrap().to_vec() }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn ok<T: DeserializeOwned>(self) -> T {
        assert!(self.status.is_success(), "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem's code, when it has the expected status.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, status);
        problem.code
    }
}

/// What servers share.
pub struct Backends {
    database: Database,
    storage: Arc<Storage>,
    _folder: TempDir,
}

/// An empty database beside this storage.
pub fn new_backends(storage: Storage) -> Arc<Backends> {
    let folder = tempfile::tempdir().unwrap();
    Arc::new(Backends { database: Database::start(folder.path()), storage: Arc::new(storage), _folder: folder })
}

pub const START: Instant = Instant(1_700_000_000_000);

impl Server {
    pub async fn start() -> Self {
        Self::start_on(Storage::of_this_run().await).await
    }

    pub async fn start_on(storage: Storage) -> Self {
        Self::on(new_backends(storage), Clock::set_to(START)).await
    }

    /// A server with a setting of its own.
    pub async fn start_with(edit: impl FnOnce(&mut Settings)) -> Self {
        Self::on_with(new_backends(Storage::of_this_run().await), Clock::set_to(START), edit).await
    }

    /// A server that looks into what agents send. Others do not: what these tests send is made up.
    pub async fn that_inspects() -> Self {
        Self::start_with(|settings| settings.inspect_percent = Some(100)).await
    }

    /// A server on what another one may use too.
    pub async fn on(shared: Arc<Backends>, clock: Clock) -> Self {
        Self::on_with(shared, clock, |_| ()).await
    }

    async fn on_with(shared: Arc<Backends>, clock: Clock, edit: impl FnOnce(&mut Settings)) -> Self {
        let storage = Arc::clone(&shared.storage);
        let mut settings = Settings {
            database_url: Some(shared.database.url()),
            storage: Some(storage.url()),
            inspect_percent: Some(0),
            // Where the tests' own receivers of webhooks listen.
            outbound_allow: Some("127.0.0.1".to_owned()),
            ..Settings::default()
        };
        edit(&mut settings);
        let app = App::start_on(storage.open().await, settings.check().unwrap(), clock.clone()).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = router::router(app.clone());
        let listening = Listening::new(listener, None).unwrap();
        tokio::spawn(serving::serve(listening, router, std::future::pending(), Duration::ZERO));
        let token = program_token(&app, &clock).await;
        let team = app.farm.clone();
        Self { base, app, clock, http: reqwest::Client::new(), token, team, storage, _shared: shared }
    }

    /// An address that the server gave: its own, or one of the bucket.
    pub fn url(&self, address: &str) -> reqwest::Url {
        self.base.parse::<reqwest::Url>().unwrap().join(address).unwrap()
    }

    pub async fn call(&self, token: &str, method: Method, path: &str, body: Option<serde_json::Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Waits for what is done beside requests, for some seconds.
    pub async fn until(&self, condition: impl AsyncFn() -> bool) {
        for _ in 0..500 {
            if condition().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it did not come true within ten seconds");
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(&self.token, Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: impl Serialize) -> Answer {
        self.call(&self.token, Method::POST, path, Some(serde_json::to_value(body).unwrap())).await
    }

    pub async fn job(&self, id: &impl std::fmt::Display) -> Job {
        self.get(&format!("/v1/jobs/{id}")).await.ok()
    }

    /// A finished upload of a few bytes: this server never looks into them.
    pub async fn source(&self) -> SourceId {
        let response = self
            .http
            .post(format!("{}/v1/uploads", self.base))
            .bearer_auth(&self.token)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", "5")
            .header("Content-Type", "application/offset+octet-stream")
            .body("bytes")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        location.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// A profile with two rungs, segments of 2 s and spans of at most 4 s.
    pub async fn small_profile(&self, files: Vec<FileProfile>) {
        self.put_profile(&Self::profile_of_spans(4.0, files)).await;
    }

    /// The small profile, with spans of another length.
    pub fn profile_of_spans(span_seconds: f64, files: Vec<FileProfile>) -> Profile {
        Profile {
            name: "small".into(),
            description: String::new(),
            segment_seconds: 2.0,
            span_seconds,
            max_frame_rate: 60.0,
            video: VideoProfile {
                ladder: vec![Rung { height: 360, max_kbps: 800 }, Rung { height: 180, max_kbps: 300 }],
                preset: X264Preset::Ultrafast,
                quality: Quality::default(),
            },
            audio: AudioProfile { bitrate_kbps: 64, channels: 1 },
            files,
            access: Access::default(),
        }
    }

    pub async fn put_profile(&self, profile: &Profile) {
        let path = format!("/v1/profiles/{}", profile.name);
        let answer = self.call(&self.token, Method::PUT, &path, Some(serde_json::to_value(profile).unwrap())).await;
        assert_eq!(answer.status, 200);
    }

    /// The same server, called by a program of another team.
    pub async fn for_new_team(&self, name: &str, weight: f64) -> Self {
        let (id, now) = (TeamId::new(), self.clock.now());
        let tx = self.app.db.write().await.unwrap();
        let row = team::Model { id: id.to_string(), name: name.to_owned(), weight, created_at_ms: now.ms() };
        team::Entity::insert(row.into_active_model()).exec_without_returning(&tx.tx).await.unwrap();
        tx.commit().await.unwrap();
        let token = token_of_team(&self.app, &id, &self.clock).await;
        Self {
            base: self.base.clone(),
            app: self.app.clone(),
            clock: self.clock.clone(),
            http: self.http.clone(),
            token,
            team: id,
            storage: Arc::clone(&self.storage),
            _shared: Arc::clone(&self._shared),
        }
    }

    pub async fn new_job(&self) -> Job {
        self.small_profile(vec![]).await;
        self.job_of_small_profile().await
    }

    /// A job that also makes a file.
    pub async fn new_job_with_file(&self) -> Job {
        self.small_profile(vec![FileProfile { name: "film.mp4".into(), container: FileContainer::Mp4, height: None }]).await;
        self.job_of_small_profile().await
    }

    async fn job_of_small_profile(&self) -> Job {
        let source = self.source().await;
        self.post("/v1/jobs", serde_json::json!({ "source": { "upload": source }, "profile": "small" })).await.ok()
    }

    /// A job whose probe is done: `seconds` of 25 fps video, with or without sound.
    pub async fn planned_job(&self, agent: &Agent, seconds: f64, sound: bool) -> Job {
        let job = self.new_job().await;
        let lease = agent.lease(self).await.unwrap();
        assert!(matches!(lease.work, Work::Probe(_)), "{:?}", lease.work);
        let facts = Box::new(facts(seconds, sound));
        agent.complete(self, &lease.id, TaskResult::Probe { facts }).await.ok::<Orders>();
        self.job(&job.id).await
    }
}

pub async fn program_token(app: &App, clock: &Clock) -> String {
    let tx = app.db.write().await.unwrap();
    let team = auth::store::default_team(&tx.tx, clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    token_of_team(app, &team, clock).await
}

async fn token_of_team(app: &App, team: &TeamId, clock: &Clock) -> String {
    let tx = app.db.write().await.unwrap();
    let new = auth::store::NewToken { team, kind: TokenKind::Program, name: "test", agent: None, uses: None, lifetime: None };
    let token = auth::store::create_token(&tx.tx, new, clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    token
}

pub fn facts(seconds: f64, sound: bool) -> Facts {
    Facts {
        container: "mov,mp4,m4a,3gp,3g2,mj2".into(),
        bytes: 5,
        video: Some(VideoFacts {
            stream: 0,
            codec: "h264".into(),
            pixel_format: "yuv420p".into(),
            width: 640,
            height: 360,
            rotation: 0,
            sample_aspect: Ratio::new(1, 1),
            interlaced: false,
            transfer: None,
            start_seconds: 0.0,
            end_seconds: seconds,
            frames: (seconds * 25.0) as u64,
            gaps: FrameGaps { usual_seconds: 0.04, share_usual: 1.0, p90_rate: 25.0 },
            keyframes_seconds: vec![0.0],
            open_gop: false,
        }),
        audio: sound.then(|| AudioFacts {
            stream: 1,
            codec: "aac".into(),
            channels: 2,
            sample_rate: 48_000,
            start_seconds: 0.0,
            end_seconds: seconds,
            language: None,
        }),
        warnings: vec![],
    }
}

/// An enrolled agent, without an engine behind it.
pub struct Agent {
    pub token: String,
}

impl Agent {
    pub async fn enrol(server: &Server, name: &str) -> Self {
        let tx = server.app.db.write().await.unwrap();
        let now = server.clock.now();
        let team = auth::store::default_team(&tx.tx, now).await.unwrap();
        let (_, token) = auth::store::create_agent(&tx.tx, &team, name, now).await.unwrap();
        tx.commit().await.unwrap();
        Self { token }
    }

    pub async fn ask(&self, server: &Server, request_id: &str, wait_seconds: u32) -> Answer {
        self.post(server, "/v1/leases", Self::request(request_id, wait_seconds)).await
    }

    pub fn request(request_id: &str, wait_seconds: u32) -> LeaseRequest {
        LeaseRequest {
            request_id: request_id.into(),
            instance: None,
            protocol: PROTOCOL,
            wait_seconds,
            capabilities: Capabilities {
                engine: "test".into(),
                ffmpeg: "none".into(),
                encoders: vec!["libx264".into(), "aac".into()],
                cores: 1,
                memory_mib: 0,
                os: "linux".into(),
                sandbox: None,
            },
            load: None,
            expected_idle_seconds: None,
        }
    }

    /// A call that is refused: the status, and after how many seconds to ask again.
    pub async fn refused(&self, server: &Server, path: &str, body: &impl Serialize) -> (u16, Option<u64>) {
        let response =
            server.http.post(format!("{}{path}", server.base)).bearer_auth(&self.token).json(body).send().await.unwrap();
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
        (response.status().as_u16(), wait)
    }

    pub async fn lease(&self, server: &Server) -> Option<Lease> {
        let answer = self.ask(server, &auth::random_name(12), 0).await;
        (answer.status != 204).then(|| answer.ok())
    }

    pub async fn post(&self, server: &Server, path: &str, body: impl Serialize) -> Answer {
        server.call(&self.token, Method::POST, path, Some(serde_json::to_value(body).unwrap())).await
    }

    pub async fn complete(&self, server: &Server, lease: &LeaseId, result: TaskResult) -> Answer {
        self.post(server, &format!("/v1/leases/{lease}/complete"), CompleteRequest { result }).await
    }

    pub async fn heartbeat(&self, server: &Server, lease: &LeaseId) -> Answer {
        self.post(server, &format!("/v1/leases/{lease}/heartbeat"), serde_json::json!({ "state": "encoding" })).await
    }

    /// Uploads an object of made-up bytes; its length and hash.
    pub async fn upload(&self, server: &Server, lease: &LeaseId, name: ObjectName, seed: &str) -> (u64, String) {
        self.upload_try(server, lease, (name, 0), seed).await
    }

    /// The same under one of the engine's later tries.
    pub async fn upload_try(
        &self,
        server: &Server,
        lease: &LeaseId,
        (name, attempt): (ObjectName, u32),
        seed: &str,
    ) -> (u64, String) {
        let data = format!("{seed} {name:?}").into_bytes();
        let sha256 = auth::hex(&Sha256::digest(&data));
        let object = UploadObject { name, attempt, bytes: data.len() as u64, sha256: sha256.clone() };
        let urls: UploadUrls =
            self.post(server, &format!("/v1/leases/{lease}/upload-urls"), UploadUrlsRequest { objects: vec![object] }).await.ok();
        let address = &urls.addresses[0];
        let mut put = server.http.put(server.url(&address.url)).body(data.clone());
        for (name, value) in &address.headers {
            put = put.header(name, value);
        }
        let response = put.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        (data.len() as u64, sha256)
    }

    /// Uploads rows of a lease and returns the commit for them. `frames` is what the last of them has.
    pub async fn upload_rows(&self, server: &Server, lease: &Lease, rows: std::ops::Range<u32>, frames: u32) -> CommitRequest {
        let (renditions, grid): (Vec<String>, _) = match &lease.work {
            Work::Encode(work) => (work.renditions.iter().map(|r| r.id.clone()).collect(), work.grid),
            Work::Audio(work) => (vec![work.rendition.clone()], work.grid),
            other => panic!("{other:?} has no rows"),
        };
        let (mut segments, mut inits) = (vec![], vec![]);
        for rendition in renditions {
            let name = ObjectName::Init { rendition: rendition.clone() };
            let (bytes, sha256) = self.upload(server, &lease.id, name, "init").await;
            inits.push(InitReport {
                rendition: rendition.clone(),
                attempt: 0,
                bytes,
                sha256,
                fingerprint: "same build".into(),
                codecs: if rendition.starts_with("aac") { "mp4a.40.2" } else { "avc1.64001e" }.into(),
                timescale: if rendition.starts_with("aac") { 48_000 } else { video_timescale(grid.rate) },
                media_time: 0,
            });
            for index in rows.clone() {
                let name = ObjectName::Segment { rendition: rendition.clone(), index };
                let (bytes, sha256) = self.upload(server, &lease.id, name, lease.id.as_str()).await;
                let frames = if index + 1 == rows.end { frames } else { grid.frames_per_segment };
                segments.push(SegmentReport {
                    rendition: rendition.clone(),
                    index,
                    attempt: 0,
                    frames,
                    start_ticks: grid.first_frame(index) * ticks_per_frame(grid.rate),
                    duration_ticks: u64::from(frames) * ticks_per_frame(grid.rate),
                    bytes,
                    sha256,
                });
            }
        }
        CommitRequest { segments, inits }
    }

    pub async fn fail(&self, server: &Server, lease: &LeaseId, blame: &str) -> Answer {
        let failure = serde_json::json!({ "code": "broken", "message": "It broke.", "blame": blame });
        self.post(server, &format!("/v1/leases/{lease}/fail"), failure).await
    }

    pub async fn commit(&self, server: &Server, lease: &Lease, commit: &CommitRequest) -> Answer {
        self.post(server, &format!("/v1/leases/{}/commit", lease.id), commit).await
    }

    /// Does the two spans of one row that a film begins with; longer ones come after them.
    pub async fn do_front(&self, server: &Server) {
        for _ in 0..2 {
            let front = self.lease(server).await.unwrap();
            self.do_task(server, &front).await;
        }
    }

    /// Does a whole encode or audio task.
    pub async fn do_task(&self, server: &Server, lease: &Lease) {
        let (rows, full, to_end, grid) = match &lease.work {
            Work::Encode(work) => (work.rows, work.grid.frames_per_segment, work.to_end, Some(work.grid)),
            Work::Audio(work) => (work.rows, 94, false, None),
            other => panic!("{other:?} is not encoding"),
        };
        // Whoever held it before may have committed all of it.
        if rows.cursor < rows.last {
            let commit = self.upload_rows(server, lease, rows.cursor..rows.last, full).await;
            self.commit(server, lease, &commit).await.ok::<Orders>();
        }
        let result = match grid {
            Some(grid) => TaskResult::Encode { end_frame: to_end.then(|| grid.first_frame(rows.last)), warnings: vec![] },
            None => TaskResult::Audio { segments: rows.last, warnings: vec![] },
        };
        self.complete(server, &lease.id, result).await.ok::<Orders>();
    }
}

/// A little more than a lease lives.
pub const LEASE_GONE: Duration = Duration::from_secs(31);
