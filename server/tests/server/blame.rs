//! What fails, on whom, and who is asked next.

use std::time::Duration;

use offpeak_api::{
    agent::{AgentList, Standing},
    job::{Job, JobError, JobState},
    lease::{Lease, LeaseRequest, Orders, SandboxReport, SandboxState},
    work::Work,
};
use offpeak_server::tick;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::harness::{Agent, Server};

async fn error_of(server: &Server, job: &Job) -> JobError {
    let job = server.job(&job.id).await;
    assert_eq!(job.state, JobState::Failed);
    job.error.unwrap()
}

fn rows(lease: &Lease) -> (u32, u32, u32) {
    match &lease.work {
        Work::Encode(work) => (work.rows.first, work.rows.cursor, work.rows.last),
        other => panic!("{other:?}"),
    }
}

async fn fail(server: &Server, agent: &Agent, lease: &Lease, message: &str) {
    let failure = json!({ "code": "ffmpeg_crashed", "message": message, "blame": "agent", "log_tail": ["frame= 12", message] });
    agent.post(server, &format!("/v1/leases/{}/fail", lease.id), failure).await.ok::<Orders>();
}

#[tokio::test]
async fn a_failed_job_says_which_segments_on_which_machines_and_why() {
    let server = Server::start().await;
    let mut agents = vec![];
    for name in ["desk 1", "desk 2", "desk 3"] {
        agents.push(Agent::enrol(&server, name).await);
    }
    let job = server.planned_job(&agents[0], 60.0, false).await;
    agents[0].do_front(&server).await;
    for (n, agent) in agents.iter().enumerate() {
        let lease = agent.lease(&server).await.unwrap();
        if n == 0 {
            assert_eq!(rows(&lease), (2, 2, 4));
            let commit = agent.upload_rows(&server, &lease, 2..3, 50).await;
            agent.commit(&server, &lease, &commit).await.ok::<Orders>();
        }
        fail(&server, agent, &lease, &format!("It crashed for the {n}. time.")).await;
    }
    let error = error_of(&server, &job).await;
    assert_eq!(error.message, "Segments 3..4 failed on 3 machines. The last one said: It crashed for the 2. time.");
    assert_eq!(error.log_tail, ["frame= 12", "It crashed for the 2. time."]);
    let told: Vec<_> = error.failures.iter().map(|f| (f.agent_name.as_str(), f.task_kind.as_str(), f.first, f.last)).collect();
    assert_eq!(told, [("desk 1", "encode", 3, 4), ("desk 2", "encode", 3, 4), ("desk 3", "encode", 3, 4)]);
    assert_eq!((error.failures[1].code.as_str(), error.failures[1].log_tail.len()), ("ffmpeg_crashed", 2));
}

#[tokio::test]
async fn only_agents_that_could_take_a_task_are_waited_for() {
    let server = Server::start().await;
    let (one, blind, aside) =
        (Agent::enrol(&server, "one").await, Agent::enrol(&server, "blind").await, Agent::enrol(&server, "aside").await);
    let job = server.planned_job(&one, 2.0, false).await;
    let mut no_encoder: LeaseRequest = Agent::request("x", 0);
    no_encoder.capabilities.encoders.clear();
    assert_eq!(blind.post(&server, "/v1/leases", no_encoder).await.status, 204);
    let lease = one.lease(&server).await.unwrap();
    // Able, and heard of.
    assert!(aside.lease(&server).await.is_none());
    fail(&server, &one, &lease, "It crashed.").await;
    server.clock.advance(Duration::from_secs(12 * 3600));
    one.lease(&server).await;
    tick::tick(&server.app).await.unwrap();
    assert_eq!(server.job(&job.id).await.state, JobState::Encoding, "another could try when it is back");
    let tx = server.app.db.write().await.unwrap();
    tx.tx.execute_unprepared("UPDATE agent SET standing = 'set_aside' WHERE name = 'aside'").await.unwrap();
    tx.commit().await.unwrap();
    tick::tick(&server.app).await.unwrap();
    assert_eq!(error_of(&server, &job).await.code, "ffmpeg_crashed", "nobody is left who could");
}

#[tokio::test]
async fn machines_that_get_no_work_for_want_of_walls_are_not_waited_for() {
    let server = Server::start().await;
    let (one, open) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "open").await);
    let job = server.planned_job(&one, 2.0, false).await;
    let lease = one.lease(&server).await.unwrap();
    // Able, and heard of.
    assert!(open.lease(&server).await.is_none());
    fail(&server, &one, &lease, "It crashed.").await;
    tick::tick(&server.app).await.unwrap();
    assert_eq!(server.job(&job.id).await.state, JobState::Encoding, "another could try");

    let mut boxed = Agent::request("boxed", 0);
    boxed.capabilities.sandbox = Some(SandboxReport { state: SandboxState::Full, missing: vec![], reason: None });
    assert_eq!(one.post(&server, "/v1/leases", boxed).await.status, 204);
    let agents: AgentList = server.get("/v1/agents").await.ok();
    let policy = format!("/v1/policies/{}", agents.agents[0].group);
    assert_eq!(server.call(&server.token, Method::PUT, &policy, Some(json!({ "require_sandbox": true }))).await.status, 200);
    tick::tick(&server.app).await.unwrap();
    assert_eq!(error_of(&server, &job).await.code, "ffmpeg_crashed", "nobody is left who may");
}

/// In steps, as the server takes a long silence of its own for an outage.
async fn lease_runs_out(server: &Server) {
    for _ in 0..7 {
        server.clock.advance(Duration::from_secs(5));
        tick::tick(&server.app).await.unwrap();
    }
}

/// The agent takes the task again and again, and dies of it each time.
async fn die_of_it(server: &Server, agent: &Agent, times: usize) {
    for _ in 0..times {
        assert_eq!(rows(&agent.lease(server).await.unwrap()), (0, 0, 1));
        lease_runs_out(server).await;
    }
}

#[tokio::test]
async fn what_brings_a_machine_down_each_time_goes_elsewhere() {
    let server = Server::start().await;
    let (dying, sound) = (Agent::enrol(&server, "dying").await, Agent::enrol(&server, "sound").await);
    let job = server.planned_job(&dying, 2.0, false).await;
    die_of_it(&server, &dying, 3).await;
    assert!(dying.lease(&server).await.is_none(), "not a fourth time");
    let lease = sound.lease(&server).await.unwrap();
    sound.do_task(&server, &lease).await;
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
    // It is no worse off for that.
    let other = server.new_job().await;
    assert_eq!(dying.lease(&server).await.unwrap().job, other.id);
}

#[tokio::test]
async fn silence_holds_no_job_up_for_ever() {
    let server = Server::start().await;
    let dying = Agent::enrol(&server, "dying").await;
    let job = server.planned_job(&dying, 2.0, false).await;
    die_of_it(&server, &dying, 3).await;
    assert!(dying.lease(&server).await.is_none());
    // A look for work is a sign of life, written down now and then.
    server.clock.advance(Duration::from_secs(26));
    dying.lease(&server).await;
    tick::tick(&server.app).await.unwrap();
    let error = error_of(&server, &job).await;
    assert_eq!((error.code.as_str(), error.failures.len()), ("lease_expired", 1));
}

#[tokio::test]
async fn who_comes_back_late_is_forgiven() {
    let server = Server::start().await;
    let slow = Agent::enrol(&server, "slow").await;
    server.planned_job(&slow, 2.0, false).await;
    let lease = slow.lease(&server).await.unwrap();
    for _ in 0..5 {
        lease_runs_out(&server).await;
        slow.heartbeat(&server, &lease.id).await.ok::<Orders>();
    }
    slow.do_task(&server, &lease).await;
}

#[tokio::test]
async fn films_that_break_every_machine_take_none_away() {
    let server = Server::start().await;
    let mut agents = vec![];
    for name in ["desk 1", "desk 2", "desk 3"] {
        agents.push(Agent::enrol(&server, name).await);
    }
    let standings = async || {
        let list: AgentList = server.get("/v1/agents").await.ok();
        list.agents.iter().map(|agent| agent.standing).collect::<Vec<_>>()
    };
    // The first machine meets three such films before any other machine does, and is set aside for it.
    let mut jobs = vec![];
    for _ in 0..3 {
        jobs.push(server.new_job().await);
    }
    for _ in 0..3 {
        let lease = agents[0].lease(&server).await.unwrap();
        fail(&server, &agents[0], &lease, "It crashed.").await;
    }
    assert!(standings().await.contains(&Standing::SetAside));
    for _ in 0..3 {
        for agent in &agents[1..] {
            if let Some(lease) = agent.lease(&server).await {
                fail(&server, agent, &lease, "It crashed.").await;
            }
        }
    }
    for job in &jobs {
        error_of(&server, job).await;
    }
    assert_eq!(standings().await, [Standing::Active; 3]);
}
