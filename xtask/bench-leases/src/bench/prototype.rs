//! One job, made and planned through the API as any other, with its first span done: the pattern of all that the tables are
//! filled with.

use anyhow::{Context, Result};
use hyper::Method;
use offpeak_api::{
    facts::{Facts, FrameGaps, VideoFacts},
    ids::{AgentId, JobId},
    lease::{CompleteRequest, Orders, TaskResult},
    media::Ratio,
    profile::{Access, AudioProfile, Profile, Quality, Rung, VideoProfile, X264Preset},
};
use offpeak_server::{
    auth::{TokenKind, store as auth_store},
    clock::Clock,
    db::Db,
};

use super::{agent, child::Child, http::Client, side::Side};

/// One rendition, and spans of one row.
pub const PROFILE: &str = "bench";
const SEGMENT_SECONDS: u32 = 2;

/// Programs' and agents' ways in.
pub struct Callers {
    pub program: String,
    pub agents: Vec<String>,
    /// The same agents, by name: who calls without HTTP needs no token, but a standing.
    pub agent_ids: Vec<AgentId>,
}

/// Tokens for a program and for so many agents.
pub async fn enrol(db: &Db, agents: usize) -> Result<Callers> {
    let now = Clock::system().now();
    let tx = db.write().await?;
    let team = auth_store::default_team(&tx.tx, now).await?;
    let new =
        auth_store::NewToken { team: &team, kind: TokenKind::Program, name: "bench", agent: None, uses: None, lifetime: None };
    let program = auth_store::create_token(&tx.tx, new, now).await?;
    let mut callers = Callers { program, agents: Vec::with_capacity(agents), agent_ids: Vec::with_capacity(agents) };
    for n in 0..agents {
        let (id, token) = auth_store::create_agent(&tx.tx, &team, &format!("machine {n}"), now).await?;
        callers.agent_ids.push(id);
        callers.agents.push(token);
    }
    tx.commit().await?;
    Ok(callers)
}

/// The bench's profile, and a source; the source's id.
pub async fn prepare(program: &mut Client) -> Result<String> {
    let profile = Profile {
        name: PROFILE.to_owned(),
        description: String::new(),
        segment_seconds: f64::from(SEGMENT_SECONDS),
        span_seconds: f64::from(SEGMENT_SECONDS),
        max_frame_rate: 60.0,
        video: VideoProfile {
            ladder: vec![Rung { height: 360, max_kbps: 800 }],
            preset: X264Preset::Medium,
            quality: Quality::default(),
        },
        audio: AudioProfile { bitrate_kbps: 64, channels: 1 },
        files: vec![],
        access: Access::default(),
    };
    let path = format!("/v1/profiles/{PROFILE}");
    program
        .send(Method::PUT, &path, serde_json::to_vec(&profile)?, &[("content-type", "application/json")])
        .await?
        .read::<serde_json::Value>()?;
    let headers = [("Tus-Resumable", "1.0.0"), ("Upload-Length", "5"), ("Content-Type", "application/offset+octet-stream")];
    let upload = program.send(Method::POST, "/v1/uploads", b"bytes".to_vec(), &headers).await?;
    let location = upload.location.context("the upload was refused")?;
    Ok(location.rsplit('/').next().unwrap_or_default().to_owned())
}

/// A job with so many spans, of which the first is done.
pub async fn make(server: &Child, callers: &Callers, side: &Side, spans: u32) -> Result<JobId> {
    let mut program = Client::connect(server.address, &callers.program).await?;
    let source = prepare(&mut program).await?;
    let job = agent::create_job(&mut program, &source).await?;
    let mut http = Client::connect(server.address, &callers.agents[0]).await?;
    let probe = agent::lease(&mut http).await?;
    complete_probe(&mut http, probe.id.as_str(), spans).await?;

    let first = agent::lease(&mut http).await?;
    let span = agent::span(&first)?;
    let commit = agent::commit(span, &agent::hash_of_segment(), true)?;
    let rendition = &commit.segments[0].rendition;
    side.store(job.id.as_str(), first.id.as_str(), rendition, "init.mp4").await?;
    side.store(job.id.as_str(), first.id.as_str(), rendition, "0.m4s").await?;
    http.post(&format!("/v1/leases/{}/commit", first.id), &commit).await?.read::<Orders>()?;
    http.post(&format!("/v1/leases/{}/complete", first.id), &agent::completion(span)).await?.read::<Orders>()?;
    Ok(job.id)
}

/// Facts of a film that gives so many spans: planning makes them.
pub async fn complete_probe(http: &mut Client, lease: &str, spans: u32) -> Result<()> {
    let facts = Box::new(facts(spans));
    let answer =
        http.post(&format!("/v1/leases/{lease}/complete"), &CompleteRequest { result: TaskResult::Probe { facts } }).await?;
    answer.read::<Orders>().map(|_| ())
}

/// 25 frames a second, a keyframe every two seconds, no sound.
fn facts(spans: u32) -> Facts {
    let seconds = spans * SEGMENT_SECONDS;
    Facts {
        container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        bytes: 5,
        video: Some(VideoFacts {
            stream: 0,
            codec: "h264".to_owned(),
            pixel_format: "yuv420p".to_owned(),
            width: 640,
            height: 360,
            rotation: 0,
            sample_aspect: Ratio::new(1, 1),
            interlaced: false,
            transfer: None,
            start_seconds: 0.0,
            end_seconds: f64::from(seconds),
            frames: u64::from(seconds) * 25,
            gaps: FrameGaps { usual_seconds: 0.04, share_usual: 1.0, p90_rate: 25.0 },
            keyframes_seconds: (0..spans).map(|n| f64::from(n * SEGMENT_SECONDS)).collect(),
            open_gop: false,
        }),
        audio: None,
        warnings: vec![],
    }
}
