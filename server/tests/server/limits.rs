//! Whatever comes in, the server answers with a problem, and never falls over.

use std::time::Duration;

use offpeak_api::{
    facts::Warning,
    job::JobState,
    lease::{Lease, ObjectName, Orders, PROTOCOL, TaskResult},
    work::Work,
};
use offpeak_server::tick;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Agent, Server, facts};

#[tokio::test]
async fn numbers_that_cannot_be_true_are_refused() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 8.0, true).await;
    let sound = agent.lease(&server).await.unwrap();
    assert!(matches!(sound.work, Work::Audio(_)));
    let good = agent.upload_rows(&server, &sound, 0..1, 94).await;
    let path = format!("/v1/leases/{}/commit", sound.id);
    let with = |pointer: &str, value: Value| {
        let mut commit = serde_json::to_value(&good).unwrap();
        *commit.pointer_mut(pointer).unwrap() = value;
        commit
    };
    let cases = [
        (with("/segments/0/frames", json!(u32::MAX)), "implausible"),
        (with("/segments/0/start_ticks", json!(u64::MAX)), "implausible"),
        (with("/segments/0/duration_ticks", json!(u64::MAX)), "implausible"),
        (with("/segments/0/sha256", json!("x")), "implausible"),
        // Of other bytes than those in storage.
        (with("/segments/0/sha256", json!("ab".repeat(32))), "not_uploaded"),
        (with("/inits/0/sha256", json!("ab".repeat(32))), "not_uploaded"),
        (with("/segments/0/index", json!(u32::MAX)), "not_uploaded"),
        (with("/segments/0/bytes", json!(u64::MAX)), "not_uploaded"),
        (with("/segments/0/frames", json!(-1)), "invalid_body"),
        (with("/segments", json!([])), "bad_commit"),
        (with("/inits/0/codecs", json!("mp4a\",X=\"")), "bad_init"),
        (with("/inits/0/timescale", json!(0)), "bad_init"),
        (with("/inits/0/media_time", json!(u64::MAX)), "bad_init"),
        (with("/inits", json!([])), "no_init"),
    ];
    for (commit, code) in cases {
        assert_eq!(agent.post(&server, &path, &commit).await.problem(422), code, "{commit}");
    }
    let orders: Orders = agent.post(&server, &path, &good).await.ok();
    assert!(orders.to_end, "a track of sound may turn out longer than planned");
    let beat = json!({ "state": "encoding", "progress": { "frames": u64::MAX, "frames_per_second": -1e300, "bytes": u64::MAX } });
    agent.post(&server, &format!("/v1/leases/{}/heartbeat", sound.id), beat).await.ok::<Orders>();
}

#[tokio::test]
async fn hostile_progress_spoils_no_estimate() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    let job = server.planned_job(&one, 8.0, false).await;
    for agent in [&one, &two] {
        let lease = agent.lease(&server).await.unwrap();
        let progress = json!({ "frames": u64::MAX, "frames_per_second": 1.7e308, "bytes": u64::MAX, "total_bytes": 0 });
        let beat = json!({ "state": "encoding", "progress": progress });
        agent.post(&server, &format!("/v1/leases/{}/heartbeat", lease.id), beat).await.ok::<Orders>();
    }
    let job = server.job(&job.id).await;
    assert!(job.progress.agents.iter().all(|agent| agent.frames_per_second.is_finite()));
}

#[tokio::test]
async fn requests_for_work_have_limits() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let capabilities = json!({ "engine": "test", "ffmpeg": "none", "encoders": ["aac"], "cores": 1, "os": "linux" });
    let good = json!({ "request_id": "x", "protocol": PROTOCOL, "wait_seconds": 0, "capabilities": capabilities });
    let with = |pointer: &str, value: Value| {
        let mut request = good.clone();
        *request.pointer_mut(pointer).unwrap() = value;
        request
    };
    for (request, status, code) in [
        (with("/protocol", json!(0)), 426, "engine_too_old"),
        (with("/request_id", json!("")), 422, "bad_request_id"),
        (with("/request_id", json!("a\u{0}b")), 422, "bad_request_id"),
        (with("/capabilities/engine", json!("x".repeat(1000))), 422, "bad_capabilities"),
        (with("/capabilities/encoders", json!(vec!["x"; 1000])), 422, "bad_capabilities"),
        (with("/wait_seconds", json!(-1)), 422, "invalid_body"),
    ] {
        assert_eq!(agent.post(&server, "/v1/leases", &request).await.problem(status), code, "{request}");
    }
    assert_eq!(agent.post(&server, "/v1/leases", &good).await.status, 204);
}

#[tokio::test]
async fn the_facts_of_a_whole_day_fit() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let probe = agent.lease(&server).await.unwrap();
    let mut day = facts(86_000.0, false);
    day.video.as_mut().unwrap().keyframes_seconds = (0..172_000).map(|n| f64::from(n) * 0.5 + 0.123_456).collect();
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(day) }).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Encoding);
}

#[tokio::test]
async fn facts_may_hold_anything() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let probe = agent.lease(&server).await.unwrap();
    let mut odd = facts(8.0, true);
    odd.audio.as_mut().unwrap().language = Some("e\u{0}n".into());
    odd.warnings.push(Warning { code: "odd\u{0}".into(), message: "\u{0}".into() });
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(odd) }).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Encoding);
}

#[tokio::test]
async fn a_failure_may_hold_anything() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let lease = agent.lease(&server).await.unwrap();
    let failure = json!({
        "code": "x\u{0}".repeat(5000), "message": "a\u{0}b".repeat(5000), "blame": "source", "log_tail": vec!["\u{0}"; 5000],
    });
    agent.post(&server, &format!("/v1/leases/{}/fail", lease.id), failure).await.ok::<Orders>();
    let error = server.job(&job.id).await.error.unwrap();
    assert!(error.code.len() <= 64 && error.message.len() <= 4000 && error.log_tail.len() <= 50);
}

/// Names of the code's own types are for nobody who reads a problem.
#[tokio::test]
async fn refusals_are_in_words_for_people() {
    let server = Server::start().await;
    assert_eq!(server.get("/docs/nope").await.problem(404), "no_such_address");
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let path = format!("/v1/leases/{}/upload-urls", lease.id);
    for (name, told) in [
        (json!({ "object": "file" }), "This task does not make the file."),
        (json!({ "object": "init", "rendition": "x" }), "This task does not make the init segment of \"x\"."),
        (json!({ "object": "segment", "rendition": "x", "index": 3 }), "This task does not make segment 3 of \"x\"."),
    ] {
        let object = json!({ "name": name, "bytes": 1, "sha256": "0".repeat(64) });
        let answer = agent.post(&server, &path, json!({ "objects": [object] })).await;
        assert_eq!(serde_json::from_str::<Value>(&answer.text()).unwrap()["detail"], told);
        assert_eq!(answer.problem(422), "unknown_object");
    }
}

/// Nobody has to send, or to wait for, what would be refused anyway.
#[tokio::test]
async fn a_body_that_is_said_to_be_too_large_is_refused_at_once() {
    let server = Server::start().await;
    let mut stream = tokio::net::TcpStream::connect(server.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 300000\r\n\r\n",
        server.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(25), stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

/// What an agent says is read in terminals and logs: its words stay, orders to them and line breaks do not.
#[tokio::test]
async fn what_an_agent_says_orders_a_terminal_nothing() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let state = json!({ "state": "waiting", "reason": "no\u{1b}[2Jdisk\nleft" });
    agent.post(&server, "/v1/agents/me/state", state).await.ok::<Value>();
    let told = server.get("/v1/agents").await.ok::<Value>();
    assert_eq!(told["agents"][0]["state_reason"], "no[2Jdisk left", "{told}");

    let lease = agent.lease(&server).await.unwrap();
    let failure = json!({
        "code": "no\u{1b}c", "message": "one\r\ntwo\u{9b}31m\u{202e}", "blame": "source", "log_tail": ["a\tb\u{8}"],
    });
    agent.post(&server, &format!("/v1/leases/{}/fail", lease.id), failure).await.ok::<Orders>();
    let error = server.job(&job.id).await.error.unwrap();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("noc", "one  two31m"));
    assert_eq!(error.log_tail, ["a b"]);
}

#[tokio::test]
async fn more_addresses_than_allowed_are_refused() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let path = format!("/v1/leases/{}/upload-urls", lease.id);
    let object = |bytes: u64, sha256: &str| json!({ "object": "init", "bytes": bytes, "sha256": sha256 });
    let named = |mut object: Value| {
        let fields = object.as_object_mut().unwrap();
        fields.remove("object");
        fields.insert("name".into(), json!({ "object": "init", "rendition": "h264-360p" }));
        object
    };
    let one = named(object(1, &"0".repeat(64)));
    let many = json!({ "objects": vec![one.clone(); 257] });
    assert_eq!(agent.post(&server, &path, many).await.problem(422), "bad_objects");
    assert_eq!(agent.post(&server, &path, json!({ "objects": [] })).await.problem(422), "bad_objects");
    let bad = json!({ "objects": [named(object(1, "zz"))] });
    assert_eq!(agent.post(&server, &path, bad).await.problem(422), "bad_objects");
    let huge = json!({ "objects": [named(object(u64::MAX, &"0".repeat(64)))] });
    assert_eq!(agent.post(&server, &path, huge).await.problem(422), "bad_objects");
}

#[tokio::test]
async fn queries_and_paths_that_do_not_fit_are_problems() {
    let server = Server::start().await;
    for (path, status, code) in [
        ("/v1/jobs?profile=%00", 422, "bad_filter"),
        ("/v1/jobs?cursor=%00", 422, "bad_cursor"),
        ("/v1/jobs?limit=99999999999999999999", 422, "bad_filter"),
        ("/v1/jobs?source=x", 422, "bad_filter"),
        ("/v1/profiles/%00", 404, "unknown_profile"),
        ("/v1/jobs/job_%00", 400, "bad_request"),
    ] {
        assert_eq!(server.get(path).await.problem(status), code, "{path}");
    }
    let gone = server.call(&server.token, Method::DELETE, "/v1/profiles/%00", None).await;
    assert_eq!(gone.problem(404), "unknown_profile");
}

#[tokio::test]
async fn two_equal_requests_at_once_get_one_lease() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 16.0, false).await;
    let (a, b, c) = tokio::join!(agent.ask(&server, "same", 0), agent.ask(&server, "same", 0), agent.ask(&server, "same", 0));
    // One that lost the race for a task is told that there is nothing, and asks again.
    let granted = [a, b, c].into_iter().filter(|answer| answer.status != 204);
    let ids: Vec<_> = granted.map(|answer| answer.ok::<Lease>().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn what_is_uploaded_after_a_job_was_deleted_is_swept() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let commit = agent.upload_rows(&server, &lease, 0..1, 50).await;
    let late = server.storage.keys(&format!("jobs/{}/", job.id)).pop().unwrap();
    assert_eq!(server.call(&server.token, Method::DELETE, &format!("/v1/jobs/{}", job.id), None).await.status, 204);
    assert_eq!(agent.heartbeat(&server, &lease.id).await.problem(409), "lease_lost");
    assert_eq!(agent.commit(&server, &lease, &commit).await.problem(409), "lease_lost");
    // An upload that was under way lands now.
    server.app.blobs.put_small(&late.parse().unwrap(), b"late".to_vec()).await.unwrap();
    server.clock.advance(Duration::from_secs(25 * 3600));
    tick::tick(&server.app).await.unwrap();
    assert_eq!(server.storage.keys("jobs/"), [""; 0]);
}

#[tokio::test]
async fn a_result_says_no_more_than_people_can_read() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "chatty").await;
    let job = server.new_job().await;
    let lease = agent.lease(&server).await.unwrap();
    let mut facts = Box::new(facts(4.0, true));
    facts.warnings = (0..5000).map(|n| Warning { code: format!("odd_{n}"), message: "It is odd.\u{1b}[2J".repeat(60) }).collect();
    facts.audio.as_mut().unwrap().language = Some("x".repeat(100_000));
    agent.complete(&server, &lease.id, TaskResult::Probe { facts }).await.ok::<Orders>();
    let job = server.job(&job.id).await;
    assert_eq!(job.warnings.len(), 32);
    let longest = job.warnings.iter().map(|warning| warning.message.len()).max();
    assert_eq!(longest, Some(500));
    assert!(job.warnings.iter().all(|warning| !warning.message.contains(char::is_control)));
}

#[tokio::test]
async fn a_file_is_what_its_hash_says() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.new_job_with_file().await;
    let probe = agent.lease(&server).await.unwrap();
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(facts(4.0, false)) }).await.ok::<Orders>();
    let lease = loop {
        let lease = agent.lease(&server).await.unwrap();
        if matches!(lease.work, Work::File(_)) {
            break lease;
        }
        agent.do_task(&server, &lease).await;
    };
    let (bytes, sha256) = agent.upload(&server, &lease.id, ObjectName::File, "film").await;
    let result = |sha256: String| TaskResult::File { attempt: 0, bytes, sha256 };
    assert_eq!(agent.complete(&server, &lease.id, result("ab".repeat(32))).await.problem(422), "not_uploaded");
    assert_eq!(agent.complete(&server, &lease.id, result("ab".to_owned())).await.problem(422), "bad_hash");
    agent.complete(&server, &lease.id, result(sha256)).await.ok::<Orders>();
}

#[tokio::test]
async fn nobody_gets_an_address_for_more_than_an_object_has() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 4.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let Work::Encode(work) = &lease.work else { panic!("{lease:?}") };
    let rendition = &work.renditions[0].id;
    let (init, segment) =
        (json!({ "object": "init", "rendition": rendition }), json!({ "object": "segment", "rendition": rendition, "index": 0 }));
    for (name, bytes, attempt, fits) in [
        (&init, 1_u64 << 20, 0, true),
        (&init, (1 << 20) + 1, 0, false),
        (&segment, 4 << 30, 63, true),
        (&segment, (4 << 30) + 1, 0, false),
        (&segment, 1, 64, false),
    ] {
        let object = json!({ "name": name, "bytes": bytes, "attempt": attempt, "sha256": "ab".repeat(32) });
        let answer = agent.post(&server, &format!("/v1/leases/{}/upload-urls", lease.id), json!({ "objects": [object] })).await;
        if fits {
            assert_eq!(answer.status, 200, "{}", answer.text());
        } else {
            assert_eq!(answer.problem(422), "bad_objects");
        }
    }
}
