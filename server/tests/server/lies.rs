//! What agents send is looked into: who sends something else than it says is set aside.

use offpeak_api::{
    agent::{Agent as Shown, AgentDetail, AgentList, AgentState, SetAsideBy, Standing},
    lease::{
        CommitRequest, InitReport, Lease, ObjectName, Orders, SandboxReport, SandboxState, SegmentReport, TaskResult,
        UploadObject, UploadUrls, UploadUrlsRequest, Wall,
    },
    media::{ticks_per_frame, video_timescale},
    work::Work,
};
use offpeak_boxes::{
    boxes::{put, put_full, put_u32, put_u64},
    parse_init,
};
use offpeak_server::auth;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::{Agent, Server};

/// An init segment as small as one can be.
fn init(timescale: u32, sound: bool) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, "ftyp", |out| out.extend_from_slice(b"iso5\0\0\0\0iso6"));
    put(&mut out, "moov", |out| {
        put(out, "trak", |out| {
            put(out, "mdia", |out| {
                put_full(out, "mdhd", 0, 0, |out| [0, 0, timescale, 0, 0].into_iter().for_each(|word| put_u32(out, word)));
                put(out, "minf", |out| {
                    put(out, "stbl", |out| {
                        put_full(out, "stsd", 0, 0, |out| {
                            put_u32(out, 1);
                            match sound {
                                true => put(out, "mp4a", |out| {
                                    out.extend_from_slice(&[0; 28]);
                                    // ES descriptor, decoder configuration (AAC), AudioSpecificConfig (LC).
                                    put_full(out, "esds", 0, 0, |out| {
                                        out.extend_from_slice(&[3, 22, 0, 0, 0, 4, 17, 0x40]);
                                        out.extend_from_slice(&[0; 12]);
                                        out.extend_from_slice(&[5, 2, 0x11, 0x90]);
                                    });
                                }),
                                false => put(out, "avc1", |out| {
                                    out.extend_from_slice(&[0; 78]);
                                    put(out, "avcC", |out| out.extend_from_slice(&[1, 0x64, 0, 0x1e, 0xff, 0xe0, 0]));
                                }),
                            }
                        });
                    });
                });
            });
        });
        put(out, "mvex", |out| {
            put_full(out, "trex", 0, 0, |out| [1, 1, 0, 0, 0].into_iter().for_each(|word| put_u32(out, word)))
        });
    });
    out
}

/// A segment of samples of three bytes.
fn segment(start: u64, frames: u32, ticks: u32) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, "moof", |out| {
        put_full(out, "mfhd", 0, 0, |out| put_u32(out, 1));
        put(out, "traf", |out| {
            put_full(out, "tfhd", 0, 0x0002_0018, |out| [1, ticks, 3].into_iter().for_each(|word| put_u32(out, word)));
            put_full(out, "tfdt", 1, 0, |out| put_u64(out, start));
            put_full(out, "trun", 0, 1, |out| [frames, 100].into_iter().for_each(|word| put_u32(out, word)));
        });
    });
    put(&mut out, "mdat", |out| out.resize(out.len() + 3 * frames as usize, 0x55));
    out
}

async fn upload(server: &Server, agent: &Agent, lease: &Lease, name: ObjectName, data: Vec<u8>) -> (u64, String) {
    let sha256 = auth::hex(&Sha256::digest(&data));
    let object = UploadObject { name, attempt: 0, bytes: data.len() as u64, sha256: sha256.clone() };
    let path = format!("/v1/leases/{}/upload-urls", lease.id);
    let urls: UploadUrls = agent.post(server, &path, UploadUrlsRequest { objects: vec![object] }).await.ok();
    let mut put = server.http.put(server.url(&urls.addresses[0].url)).body(data.clone());
    for (name, value) in &urls.addresses[0].headers {
        put = put.header(name, value);
    }
    assert!(put.send().await.unwrap().status().is_success());
    (data.len() as u64, sha256)
}

/// What is wrong with one row of an honest agent's work.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lie {
    None,
    Noise,
    Frames,
    Start,
    Duration,
    CutOff,
    InitNoise,
    InitCodecs,
    InitFingerprint,
    InitTimescale,
}

/// Uploads the next row, with this lie in it, and makes the commit for it.
async fn row(server: &Server, agent: &Agent, lease: &Lease, index: u32, lie: Lie) -> CommitRequest {
    let Work::Encode(work) = &lease.work else { panic!("{:?}", lease.work) };
    let (timescale, per_frame) = (video_timescale(work.grid.rate), ticks_per_frame(work.grid.rate));
    let (start, frames) = (work.grid.first_frame(index) * per_frame, work.grid.frames_per_segment);
    let ticks = u32::try_from(per_frame).unwrap();
    let (mut segments, mut inits) = (vec![], vec![]);
    for rendition in work.renditions.iter().map(|rendition| rendition.id.clone()) {
        let data = match lie {
            Lie::InitNoise => b"a header, honestly".to_vec(),
            Lie::InitTimescale => init(timescale + 1, false),
            _ => init(timescale, false),
        };
        let fingerprint = parse_init(&data).map_or_else(|_| "none".to_owned(), |init| init.header.fingerprint);
        let (bytes, sha256) = upload(server, agent, lease, ObjectName::Init { rendition: rendition.clone() }, data).await;
        inits.push(InitReport {
            rendition: rendition.clone(),
            attempt: 0,
            bytes,
            sha256,
            fingerprint: if lie == Lie::InitFingerprint { "0".repeat(64) } else { fingerprint },
            codecs: if lie == Lie::InitCodecs { "avc1.42001e" } else { "avc1.64001e" }.to_owned(),
            timescale: if lie == Lie::InitTimescale { timescale + 1 } else { timescale },
            media_time: 0,
        });
        let mut data = match lie {
            Lie::Noise => vec![0x47; 500],
            Lie::Frames => segment(start, frames - 1, ticks),
            Lie::Start => segment(start + 1, frames, ticks),
            Lie::Duration => segment(start, frames, ticks + 1),
            _ => segment(start, frames, ticks),
        };
        if lie == Lie::CutOff {
            data.truncate(data.len() - 1);
        }
        let name = ObjectName::Segment { rendition: rendition.clone(), index };
        let (bytes, sha256) = upload(server, agent, lease, name, data).await;
        segments.push(SegmentReport {
            rendition,
            index,
            attempt: 0,
            frames,
            start_ticks: start,
            duration_ticks: u64::from(frames) * per_frame,
            bytes,
            sha256,
        });
    }
    CommitRequest { segments, inits }
}

#[tokio::test]
async fn honest_work_is_taken() {
    let server = Server::that_inspects().await;
    let agent = Agent::enrol(&server, "honest").await;
    let job = server.planned_job(&agent, 4.0, false).await;
    let mut rows = 0;
    while let Some(lease) = agent.lease(&server).await {
        let Work::Encode(work) = &lease.work else { panic!("{:?}", lease.work) };
        for index in work.rows.cursor..work.rows.last {
            let commit = row(&server, &agent, &lease, index, Lie::None).await;
            agent.commit(&server, &lease, &commit).await.ok::<Orders>();
            agent.commit(&server, &lease, &commit).await.ok::<Orders>();
            rows += 1;
        }
        let end_frame = work.to_end.then_some(100);
        agent.complete(&server, &lease.id, TaskResult::Encode { end_frame, warnings: vec![] }).await.ok::<Orders>();
    }
    assert_eq!(rows, 2);
    assert!(server.job(&job.id).await.ended_at.is_some());
}

#[tokio::test]
async fn honest_sound_of_many_fragments_is_taken() {
    let server = Server::that_inspects().await;
    let agent = Agent::enrol(&server, "honest").await;
    server.planned_job(&agent, 4.0, true).await;
    let lease = agent.lease(&server).await.unwrap();
    let Work::Audio(work) = &lease.work else { panic!("{:?}", lease.work) };
    let data = init(48_000, true);
    let header = parse_init(&data).unwrap().header;
    let rendition = work.rendition.clone();
    let (bytes, sha256) = upload(&server, &agent, &lease, ObjectName::Init { rendition: rendition.clone() }, data).await;
    let (codecs, fingerprint) = (header.codecs, header.fingerprint);
    assert_eq!(codecs, "mp4a.40.2");
    let inits = vec![InitReport {
        rendition: rendition.clone(),
        attempt: 0,
        bytes,
        sha256,
        fingerprint,
        codecs,
        timescale: 48_000,
        media_time: 0,
    }];
    // Beyond what one read brings: eight fragments of 12 frames, the media of each larger than a read.
    let mut data = Vec::new();
    for n in 0..8_u64 {
        put(&mut data, "moof", |out| {
            put(out, "traf", |out| {
                put_full(out, "tfhd", 0, 0x0002_0018, |out| [1, 1024, 10_000].into_iter().for_each(|word| put_u32(out, word)));
                put_full(out, "tfdt", 1, 0, |out| put_u64(out, n * 12 * 1024));
                put_full(out, "trun", 0, 1, |out| [12, 100].into_iter().for_each(|word| put_u32(out, word)));
            });
        });
        put(&mut data, "mdat", |out| out.resize(out.len() + 120_000, 0x55));
    }
    let name = ObjectName::Segment { rendition: rendition.clone(), index: 0 };
    let (bytes, sha256) = upload(&server, &agent, &lease, name, data).await;
    let report =
        SegmentReport { rendition, index: 0, attempt: 0, frames: 96, start_ticks: 0, duration_ticks: 96 * 1024, bytes, sha256 };
    agent.commit(&server, &lease, &CommitRequest { segments: vec![report], inits }).await.ok::<Orders>();
}

#[tokio::test]
async fn who_lies_is_set_aside_until_a_person_brings_it_back() {
    for lie in [
        Lie::Noise,
        Lie::Frames,
        Lie::Start,
        Lie::Duration,
        Lie::CutOff,
        Lie::InitNoise,
        Lie::InitCodecs,
        Lie::InitFingerprint,
        Lie::InitTimescale,
    ] {
        let server = Server::that_inspects().await;
        let (liar, honest) = (Agent::enrol(&server, "liar").await, Agent::enrol(&server, "honest").await);
        server.planned_job(&liar, 4.0, false).await;
        let lease = liar.lease(&server).await.unwrap();
        let commit = row(&server, &liar, &lease, 0, lie).await;
        assert_eq!(liar.commit(&server, &lease, &commit).await.problem(422), "malformed_segment", "{lie:?}");
        // It holds nothing any more, gets nothing, and what it says of itself does not help.
        assert_eq!(liar.heartbeat(&server, &lease.id).await.problem(409), "lease_lost", "{lie:?}");
        assert_eq!(liar.ask(&server, "again", 0).await.problem(403), "set_aside", "{lie:?}");
        server.clock.advance(std::time::Duration::from_secs(24 * 3600));
        let proof = json!({ "capabilities": Agent::request("x", 0).capabilities });
        assert_eq!(liar.post(&server, "/v1/agents/me/proof", proof).await.problem(403), "set_aside", "{lie:?}");

        let listed: AgentList = server.get("/v1/agents?name=liar").await.ok();
        let id = &listed.agents[0].id;
        let detail: AgentDetail = server.get(&format!("/v1/agents/{id}")).await.ok();
        assert_eq!((detail.agent.standing, detail.agent.set_aside_by), (Standing::SetAside, Some(SetAsideBy::Distrust)));
        assert_eq!(detail.failures[0].code, "malformed_segment", "{lie:?}");
        let event = detail.events.iter().find(|event| event.kind == "agent.quarantined").unwrap();
        assert!(event.data["reason"].as_str().unwrap().contains("is not what its agent said"), "{event:?}");

        // The task is whole, and somebody else does it.
        let taken = honest.lease(&server).await.unwrap();
        assert_eq!(taken.task, lease.task, "{lie:?}");
        let commit = row(&server, &honest, &taken, 0, Lie::None).await;
        honest.commit(&server, &taken, &commit).await.ok::<Orders>();
        server.post(&format!("/v1/agents/{id}/resume"), json!({})).await.ok::<Shown>();
        assert_eq!(liar.ask(&server, "once-more", 0).await.status, 201, "{lie:?}: there is another span");
    }
}

#[tokio::test]
async fn a_group_can_want_ffmpeg_walled_off() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "desk").await;
    server.new_job().await;
    let listed: AgentList = server.get("/v1/agents").await.ok();
    let group = listed.agents[0].group.clone();
    let policy = async |require: bool| {
        let path = format!("/v1/policies/{group}");
        let answer = server.call(&server.token, Method::PUT, &path, Some(json!({ "require_sandbox": require }))).await;
        assert_eq!(answer.status, 200);
    };
    policy(true).await;
    let boxed = |state: Option<SandboxState>| {
        let mut request = Agent::request(&auth::random_name(12), 0);
        let missing = if state == Some(SandboxState::Full) { vec![] } else { vec![Wall::Network] };
        request.capabilities.sandbox = state.map(|state| SandboxReport { state, missing, reason: Some("none here".to_owned()) });
        request
    };
    for state in [None, Some(SandboxState::None), Some(SandboxState::Partial)] {
        assert_eq!(agent.post(&server, "/v1/leases", boxed(state)).await.problem(403), "sandbox_required", "{state:?}");
    }
    let (status, wait) = agent.refused(&server, "/v1/leases", &boxed(None)).await;
    assert_eq!((status, wait), (403, Some(60)));
    // People see why.
    let listed: AgentList = server.get("/v1/agents").await.ok();
    let told = listed.agents[0].capabilities.as_ref().unwrap().sandbox.clone();
    assert_eq!(told.map(|sandbox| sandbox.state), None, "the last request said nothing of a box");
    let report = json!({ "state": AgentState::Broken, "code": "sandbox_failed", "reason": "no network wall" });
    let orders: offpeak_api::agent::AgentOrders = agent.post(&server, "/v1/agents/me/state", report).await.ok();
    assert!(orders.policy.require_sandbox);

    let answer = agent.post(&server, "/v1/leases", boxed(Some(SandboxState::Full))).await;
    let lease: Lease = answer.ok();
    agent
        .post(&server, &format!("/v1/leases/{}/release", lease.id), json!({ "reason": "shutdown" }))
        .await
        .ok::<serde_json::Value>();
    policy(false).await;
    assert_eq!(agent.post(&server, "/v1/leases", boxed(Some(SandboxState::None))).await.status, 201);

    let mut long = boxed(Some(SandboxState::Partial));
    long.capabilities.sandbox.as_mut().unwrap().reason = Some("x".repeat(501));
    assert_eq!(agent.post(&server, "/v1/leases", long).await.problem(422), "bad_capabilities");
}
