//! Requests that meet in the database.

use offpeak_api::{job::Job, lease::Orders};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Agent, Server};

const ROUNDS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_deleted_or_used_and_not_both() {
    let server = Server::start().await;
    server.small_profile(vec![]).await;
    for _ in 0..ROUNDS {
        let source = server.source().await;
        let path = format!("/v1/sources/{source}");
        let (deleted, made) = tokio::join!(
            server.call(&server.token, Method::DELETE, &path, None),
            server.post("/v1/jobs", json!({ "source": { "upload": source }, "profile": "small" })),
        );
        match made.status.as_u16() {
            201 => assert_eq!(deleted.problem(409), "source_in_use"),
            _ => {
                assert_eq!(made.problem(409), "source_deleted");
                assert_eq!(deleted.status, 204);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_retried_once_by_two_requests() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "desk").await;
    for _ in 0..ROUNDS {
        let job = server.new_job().await;
        let lease = agent.lease(&server).await.unwrap();
        agent.fail(&server, &lease.id, "source").await.ok::<Orders>();
        assert_eq!(server.job(&job.id).await.state.as_str(), "failed");
        let path = format!("/v1/jobs/{}/retry", job.id);
        let (one, other) = tokio::join!(server.post(&path, json!({})), server.post(&path, json!({})));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        server.post(&format!("/v1/jobs/{}/cancel", job.id), json!({})).await.ok::<Job>();
    }
}
