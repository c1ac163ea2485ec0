//! The lease protocol, with its hard cases.

use std::time::Duration;

use offpeak_api::{
    job::JobState,
    lease::{Lease, ObjectName, Orders, TaskResult},
    work::Work,
};
use offpeak_server::tick;
use serde_json::json;

use crate::harness::{Agent, LEASE_GONE, Server, facts};

fn span(lease: &Lease) -> (u32, u32, u32) {
    match &lease.work {
        Work::Encode(work) => (work.rows.first, work.rows.cursor, work.rows.last),
        other => panic!("{other:?} is no span"),
    }
}

#[tokio::test]
async fn a_job_goes_from_upload_to_complete() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 8.0, true).await;
    assert_eq!(job.state, JobState::Encoding);
    assert_eq!(job.progress.frames_total, 200);
    let audio = agent.lease(&server).await.unwrap();
    assert!(matches!(audio.work, Work::Audio(_)), "sound comes before spans");
    agent.do_task(&server, &audio).await;
    let mut next = 0;
    while let Some(lease) = agent.lease(&server).await {
        let (first, cursor, last) = span(&lease);
        assert_eq!((first, cursor), (next, next), "spans come front to back");
        next = last;
        agent.do_task(&server, &lease).await;
        let job = server.job(&job.id).await;
        assert_eq!(job.playable_at.is_some(), next >= 2, "playable from the second segment on");
    }
    assert_eq!(next, 4);
    let job = server.job(&job.id).await;
    assert_eq!((job.state, job.progress.fraction), (JobState::Completed, 1.0));
    assert!(job.outputs.hls.is_some());
    assert!(job.progress.renditions.iter().all(|r| r.segments_done == r.segments_total), "{:?}", job.progress);
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_lease() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.new_job().await;
    let first: Lease = agent.ask(&server, "again", 0).await.ok();
    let second: Lease = agent.ask(&server, "again", 0).await.ok();
    assert_eq!(first.id, second.id);
    assert_eq!(agent.ask(&server, "another", 0).await.status, 204, "there is one task, and it is held");
}

#[tokio::test]
async fn a_long_poll_wakes_up_when_work_appears() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let begun = std::time::Instant::now();
    let (answer, _) = tokio::join!(agent.ask(&server, "wait", 20), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.new_job().await
    });
    assert_eq!(answer.status, 201);
    assert!(begun.elapsed() < Duration::from_secs(10), "it did not wait for its time to run out");
}

#[tokio::test]
async fn an_expired_lease_is_valid_until_its_task_is_taken() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    server.planned_job(&one, 4.0, false).await;
    let lease = one.lease(&server).await.unwrap();
    server.clock.advance(LEASE_GONE);
    // Late, but nobody took it: the lease lives on.
    one.heartbeat(&server, &lease.id).await.ok::<Orders>();
    let (first, _, last) = span(&lease);
    let commit = one.upload_rows(&server, &lease, first..first + 1, 50).await;
    one.commit(&server, &lease, &commit).await.ok::<Orders>();
    server.clock.advance(LEASE_GONE);
    let taken = two.lease(&server).await.unwrap();
    assert_eq!(span(&taken), (first, first + 1, last), "what was committed is not done again");
    assert_eq!(one.heartbeat(&server, &lease.id).await.problem(409), "lease_lost");
    assert_eq!(one.commit(&server, &lease, &commit).await.problem(409), "lease_lost");
}

#[tokio::test]
async fn an_outage_of_the_server_costs_no_lease() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    server.new_job().await;
    tick::tick(&server.app).await.unwrap();
    let lease = one.lease(&server).await.unwrap();
    server.clock.advance(Duration::from_secs(300));
    tick::tick(&server.app).await.unwrap();
    assert!(two.lease(&server).await.is_none(), "the lease got more time");
    one.heartbeat(&server, &lease.id).await.ok::<Orders>();
}

#[tokio::test]
async fn commits_are_whole_rows_and_may_be_repeated() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 40.0, false).await;
    agent.do_front(&server).await;
    let lease = agent.lease(&server).await.unwrap();
    let (first, _, last) = span(&lease);
    assert_eq!((first, last), (2, 4));
    let whole = agent.upload_rows(&server, &lease, 2..5, 50).await;
    let mut part = whole.clone();
    part.segments.retain(|s| s.index == 2 && s.rendition == "h264-360p");
    assert_eq!(agent.commit(&server, &lease, &part).await.problem(422), "incomplete_row");
    let orders: Orders = agent.commit(&server, &lease, &whole).await.ok();
    assert_eq!(orders.refused, vec![4], "row 4 is somebody else's");
    agent.commit(&server, &lease, &whole).await.ok::<Orders>();
    let mut other = whole.clone();
    other.segments.truncate(1);
    other.segments[0].sha256 = "0".repeat(64);
    assert_eq!(agent.commit(&server, &lease, &other).await.problem(422), "not_uploaded");
    let again = &mut other.segments[0];
    let name = ObjectName::Segment { rendition: again.rendition.clone(), index: again.index };
    (again.attempt, (again.bytes, again.sha256)) = (1, agent.upload_try(&server, &lease.id, (name, 1), "other bytes").await);
    assert_eq!(agent.commit(&server, &lease, &other).await.problem(422), "conflict");
    let mut absent = whole;
    absent.segments[0].bytes += 1;
    assert_eq!(agent.commit(&server, &lease, &absent).await.problem(422), "not_uploaded");
    assert_eq!(server.job(&job.id).await.progress.renditions[0].segments_done, 4);
    let early = TaskResult::Encode { end_frame: None, warnings: vec![] };
    agent.complete(&server, &lease.id, early.clone()).await.ok::<Orders>();
    agent.complete(&server, &lease.id, early).await.ok::<Orders>();
}

#[tokio::test]
async fn a_span_that_is_not_finished_cannot_be_completed() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 40.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let nothing = TaskResult::Encode { end_frame: None, warnings: vec![] };
    assert_eq!(agent.complete(&server, &lease.id, nothing).await.problem(422), "incomplete");
    let wrong = TaskResult::Audio { segments: 0, warnings: vec![] };
    assert_eq!(agent.complete(&server, &lease.id, wrong).await.problem(422), "wrong_result");
}

#[tokio::test]
async fn a_released_task_goes_on_at_its_cursor() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    server.planned_job(&one, 4.0, false).await;
    let lease = one.lease(&server).await.unwrap();
    let commit = one.upload_rows(&server, &lease, 0..1, 50).await;
    one.commit(&server, &lease, &commit).await.ok::<Orders>();
    let path = format!("/v1/leases/{}/release", lease.id);
    one.post(&server, &path, json!({ "reason": "shutdown" })).await.ok::<Orders>();
    one.post(&server, &path, json!({ "reason": "shutdown" })).await.ok::<Orders>();
    assert_eq!(span(&two.lease(&server).await.unwrap()).1, 1);
}

#[tokio::test]
async fn a_film_that_ends_before_its_last_span_ends_there() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 8.0, false).await;
    let mut held = vec![];
    while let Some(lease) = agent.lease(&server).await {
        held.push(lease);
    }
    let last = held.pop().unwrap();
    let (first, ..) = span(&last);
    let ended = TaskResult::Encode { end_frame: Some(u64::from(first) * 50 - 3), warnings: vec![] };
    agent.complete(&server, &last.id, ended).await.ok::<Orders>();
    let before = held.pop().unwrap();
    let orders: Orders = agent.heartbeat(&server, &before.id).await.ok();
    assert!(orders.to_end, "the span before is now the last one");
    for lease in &held {
        agent.do_task(&server, lease).await;
    }
    let (cursor, last) = (span(&before).1, span(&before).2);
    let commit = agent.upload_rows(&server, &before, cursor..last, 47).await;
    agent.commit(&server, &before, &commit).await.ok::<Orders>();
    let end_frame = Some(u64::from(last) * 50 - 3);
    agent.complete(&server, &before.id, TaskResult::Encode { end_frame, warnings: vec![] }).await.ok::<Orders>();
    let job = server.job(&job.id).await;
    assert_eq!((job.state, Some(job.progress.frames_total)), (JobState::Completed, end_frame));
}

#[tokio::test]
async fn a_source_at_fault_fails_the_job_at_once() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let lease = agent.lease(&server).await.unwrap();
    let failure = json!({ "code": "no_index", "message": "The file has no index.", "blame": "source", "log_tail": ["moov"] });
    agent.post(&server, &format!("/v1/leases/{}/fail", lease.id), failure).await.ok::<Orders>();
    let job = server.job(&job.id).await;
    let error = job.error.unwrap();
    assert_eq!((job.state, error.code.as_str(), error.log_tail.len()), (JobState::Failed, "no_index", 1));
}

#[tokio::test]
async fn who_failed_a_task_does_not_get_it_again_and_nothing_hangs() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    let job = server.new_job().await;
    let failure = json!({ "code": "ffmpeg_crashed", "message": "ffmpeg crashed.", "blame": "agent" });
    for agent in [&one, &two] {
        let lease = agent.lease(&server).await.unwrap();
        agent.post(&server, &format!("/v1/leases/{}/fail", lease.id), &failure).await.ok::<Orders>();
        assert!(agent.lease(&server).await.is_none(), "not again");
    }
    assert_eq!(server.job(&job.id).await.state, JobState::Probing);
    tick::tick(&server.app).await.unwrap();
    let failed = server.job(&job.id).await;
    assert_eq!(failed.state, JobState::Failed, "nobody is left who could try");
    assert!(failed.error.unwrap().message.contains("2 machines"));
    // A retry forgives.
    server.post(&format!("/v1/jobs/{}/retry", job.id), json!({})).await.ok::<serde_json::Value>();
    let lease = one.lease(&server).await.unwrap();
    one.complete(&server, &lease.id, TaskResult::Probe { facts: Box::new(facts(4.0, false)) }).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Encoding);
}

#[tokio::test]
async fn cancelling_takes_the_leases_away() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let commit = agent.upload_rows(&server, &lease, 0..1, 50).await;
    agent.commit(&server, &lease, &commit).await.ok::<Orders>();
    server.post(&format!("/v1/jobs/{}/cancel", job.id), json!({})).await.ok::<serde_json::Value>();
    assert_eq!(agent.heartbeat(&server, &lease.id).await.problem(409), "lease_lost");
    assert!(agent.lease(&server).await.is_none());
    assert_eq!(server.storage.keys(&format!("jobs/{}/", job.id)), [""; 0], "its objects are gone");
}
