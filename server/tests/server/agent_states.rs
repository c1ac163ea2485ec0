//! What agents say of themselves, and agents that fail too often.

use std::time::Duration;

use offpeak_api::{
    agent::{AgentList, AgentOrders, AgentState, Standing},
    policy::Policy,
};
use serde_json::json;

use crate::harness::{Agent, Server};

async fn agents(server: &Server, query: &str) -> Vec<offpeak_api::agent::Agent> {
    server.get(&format!("/v1/agents{query}")).await.ok::<AgentList>().agents
}

fn capabilities(encoders: &[&str]) -> serde_json::Value {
    json!({ "capabilities": { "engine": "test", "ffmpeg": "none", "encoders": encoders, "cores": 1, "os": "linux" } })
}

/// Fails one task of each of so many new jobs.
async fn fail_jobs(server: &Server, agent: &Agent, jobs: usize, blame: &str) {
    for _ in 0..jobs {
        server.new_job().await;
        let lease = agent.lease(server).await.unwrap();
        assert_eq!(agent.fail(server, &lease.id, blame).await.status, 200);
    }
}

#[tokio::test]
async fn a_state_is_shown_until_the_agent_falls_silent() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "desk 7").await;
    assert_eq!(agents(&server, "").await[0].state, AgentState::Waiting);
    let report = json!({ "state": "broken", "code": "disk_full", "reason": "The disk is full.\u{0}" });
    let orders: AgentOrders = agent.post(&server, "/v1/agents/me/state", report).await.ok();
    assert_eq!((orders.policy, orders.standing), (Policy::default(), Standing::Active));
    let shown = &agents(&server, "?state=broken,paused").await[0];
    assert_eq!((shown.state_code.as_deref(), shown.state_reason.as_deref()), (Some("disk_full"), Some("The disk is full.")));
    server.clock.advance(Duration::from_secs(91));
    assert!(agents(&server, "?state=broken").await.is_empty());
    let gone = &agents(&server, "?state=offline").await[0];
    assert_eq!((gone.state, gone.state_code.as_deref()), (AgentState::Offline, None));
    assert_eq!(gone.state_since.timestamp_millis(), server.clock.now().ms() - 1000);
    let bad = agent.post(&server, "/v1/agents/me/state", json!({ "state": "asleep" })).await;
    assert_eq!(bad.problem(422), "invalid_body");
}

#[tokio::test]
async fn three_jobs_failed_in_a_row_set_an_agent_aside_until_it_has_proved_itself() {
    let server = Server::start().await;
    let (bad, good) = (Agent::enrol(&server, "bad").await, Agent::enrol(&server, "good").await);
    fail_jobs(&server, &bad, 2, "agent").await;
    assert_eq!(agents(&server, "?name=BAD").await[0].standing, Standing::Active);
    fail_jobs(&server, &bad, 1, "agent").await;
    let shown = agents(&server, "?standing=set_aside").await;
    assert_eq!(shown.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["bad"]);

    let (status, wait) = bad.refused(&server, "/v1/leases", &Agent::request("x", 0)).await;
    assert_eq!((status, wait), (403, Some(300)));
    assert_eq!(bad.ask(&server, "x", 0).await.problem(403), "set_aside");
    assert!(good.lease(&server).await.is_some(), "others go on");
    let (status, wait) = bad.refused(&server, "/v1/agents/me/proof", &capabilities(&["libx264"])).await;
    assert_eq!((status, wait), (403, Some(300)));

    server.clock.advance(Duration::from_millis(299_500));
    let (status, wait) = bad.refused(&server, "/v1/agents/me/proof", &capabilities(&["libx264"])).await;
    assert_eq!((status, wait), (403, Some(1)));
    let orders: AgentOrders = bad.post(&server, "/v1/agents/me/state", json!({ "state": "set_aside" })).await.ok();
    assert_eq!((orders.standing, orders.prove_after_seconds), (Standing::SetAside, Some(1)));
    server.clock.advance(Duration::from_millis(500));
    assert_eq!(bad.post(&server, "/v1/agents/me/proof", capabilities(&[])).await.problem(422), "nothing_proved");
    let orders: AgentOrders = bad.post(&server, "/v1/agents/me/proof", capabilities(&["libx264", "aac"])).await.ok();
    assert_eq!(orders.standing, Standing::Active);
    // The next time takes twice as long, as nothing succeeded in between.
    fail_jobs(&server, &bad, 3, "agent").await;
    let (_, wait) = bad.refused(&server, "/v1/leases", &Agent::request("y", 0)).await;
    assert_eq!(wait, Some(600));
}

#[tokio::test]
async fn bad_sources_and_one_bad_job_blame_no_machine() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    fail_jobs(&server, &agent, 4, "source").await;
    fail_jobs(&server, &agent, 2, "agent").await;
    assert_eq!(agents(&server, "").await[0].standing, Standing::Active);
}

#[tokio::test]
async fn a_success_forgives() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    fail_jobs(&server, &agent, 2, "agent").await;
    server.planned_job(&agent, 4.0, false).await;
    while let Some(lease) = agent.lease(&server).await {
        agent.do_task(&server, &lease).await;
    }
    fail_jobs(&server, &agent, 2, "agent").await;
    assert_eq!(agents(&server, "").await[0].standing, Standing::Active);
    fail_jobs(&server, &agent, 1, "agent").await;
    assert_eq!(agents(&server, "").await[0].standing, Standing::SetAside);
}
