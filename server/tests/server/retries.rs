//! A failed job that is tried again goes on, whatever stage it failed in.

use offpeak_api::{
    job::{Job, JobState},
    lease::{Lease, ObjectName, Orders, TaskResult},
    work::Work,
};
use serde_json::json;

use crate::harness::{Agent, Server, facts};

async fn retry(server: &Server, job: &Job) -> Job {
    server.post(&format!("/v1/jobs/{}/retry", job.id), json!({})).await.ok()
}

#[tokio::test]
async fn a_fetch_that_failed_is_fetched_again() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job: Job = server.post("/v1/jobs", json!({ "source": { "url": "https://example.com/film.mp4" } })).await.ok();
    let lease = agent.lease(&server).await.unwrap();
    assert!(matches!(lease.work, Work::Fetch(_)), "{:?}", lease.work);
    agent.fail(&server, &lease.id, "source").await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Failed);
    assert_eq!(retry(&server, &job).await.state, JobState::Queued);
    assert!(matches!(agent.lease(&server).await.unwrap().work, Work::Fetch(_)));
}

#[tokio::test]
async fn a_plan_that_failed_is_probed_again() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let mut nothing = facts(4.0, false);
    nothing.video = None;
    for _ in 0..2 {
        let lease = agent.lease(&server).await.expect("there is something to do");
        let result = TaskResult::Probe { facts: Box::new(nothing.clone()) };
        agent.complete(&server, &lease.id, result.clone()).await.ok::<Orders>();
        agent.complete(&server, &lease.id, result).await.ok::<Orders>();
        let failed = server.job(&job.id).await;
        assert_eq!((failed.state, failed.error.unwrap().code.as_str()), (JobState::Failed, "nothing_to_encode"));
        retry(&server, &job).await;
    }
}

#[tokio::test]
async fn a_file_that_failed_is_made_again_once() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job_with_file().await;
    let probe = agent.lease(&server).await.unwrap();
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(facts(4.0, true)) }).await.ok::<Orders>();
    let file = until_file(&server, &agent).await;
    agent.fail(&server, &file.id, "source").await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Failed);
    assert_eq!(retry(&server, &job).await.state, JobState::Finishing);
    let file = agent.lease(&server).await.unwrap();
    let (bytes, sha256) = agent.upload(&server, &file.id, ObjectName::File, "film").await;
    agent.complete(&server, &file.id, TaskResult::File { attempt: 0, bytes, sha256 }).await.ok::<Orders>();
    let done = server.job(&job.id).await;
    assert_eq!((done.state, done.outputs.files.len()), (JobState::Completed, 1));
    assert!(agent.lease(&server).await.is_none(), "nothing is made twice");
}

/// Does everything up to the file.
async fn until_file(server: &Server, agent: &Agent) -> Lease {
    loop {
        let lease = agent.lease(server).await.unwrap();
        if matches!(lease.work, Work::File(_)) {
            return lease;
        }
        agent.do_task(server, &lease).await;
    }
}
