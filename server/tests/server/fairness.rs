//! Fair shares between teams, measured: how long tasks wait, and who gets how much.

use std::{collections::BTreeMap, time::Duration};

use offpeak_api::{
    job::Job,
    lease::{Lease, Orders, TaskResult},
    work::Work,
};
use offpeak_server::{auth::random_name, clock::Instant};
use serde_json::json;

use crate::harness::{Agent, Server, facts};

/// What each task takes, whatever it is, on the clock that the test moves.
const TASK_SECONDS: u64 = 10;

/// Machines that take a task each, and give their results back when its time is over.
struct Fleet {
    agents: Vec<Agent>,
    held: Vec<Option<(Lease, Instant)>>,
}

/// A task that was leased.
struct Leased {
    at: Instant,
    job: String,
    work: Work,
}

impl Fleet {
    async fn of(server: &Server, machines: usize) -> Self {
        let mut agents = Vec::new();
        for n in 0..machines {
            agents.push(Agent::enrol(server, &format!("desk {n}")).await);
        }
        Self { held: agents.iter().map(|_| None).collect(), agents }
    }

    /// All that are free ask once.
    async fn ask(&mut self, server: &Server) -> Vec<Leased> {
        let now = server.clock.now();
        let mut leased = Vec::new();
        for (agent, held) in self.agents.iter().zip(&mut self.held).filter(|(_, held)| held.is_none()) {
            if let Some(lease) = agent.lease(server).await {
                leased.push(Leased { at: now, job: lease.job.to_string(), work: lease.work.clone() });
                *held = Some((lease, now + Duration::from_secs(TASK_SECONDS)));
            }
        }
        leased
    }

    /// A second passes, and who is done gives in what it did. `seconds` is how long the film of a job is.
    async fn second(&mut self, server: &Server, seconds: impl Fn(&str) -> f64) {
        server.clock.advance(Duration::from_secs(1));
        for (agent, held) in self.agents.iter().zip(&mut self.held) {
            let Some((lease, until)) = held else { continue };
            if *until > server.clock.now() {
                agent.heartbeat(server, &lease.id).await.ok::<Orders>();
                continue;
            }
            if let Work::Probe(_) = &lease.work {
                let facts = Box::new(facts(seconds(lease.job.as_str()), false));
                agent.complete(server, &lease.id, TaskResult::Probe { facts }).await.ok::<Orders>();
            } else {
                agent.do_task(server, lease).await;
            }
            *held = None;
        }
    }
}

pub async fn submit(team: &Server, more: serde_json::Value) -> String {
    let mut request = json!({ "source": { "upload": team.source().await }, "profile": "small" });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    team.post("/v1/jobs", request).await.ok::<Job>().id.to_string()
}

/// A job that is planned: its tasks wait.
pub async fn planned(team: &Server, by: &Agent, seconds: f64, more: serde_json::Value) -> String {
    let job = submit(team, more).await;
    // Without encoders it is given nothing but probes.
    let mut request = Agent::request(&random_name(12), 0);
    request.capabilities.encoders.clear();
    let lease: Lease = by.post(team, "/v1/leases", request).await.ok();
    assert_eq!(lease.job.as_str(), job);
    by.complete(team, &lease.id, TaskResult::Probe { facts: Box::new(facts(seconds, false)) }).await.ok::<Orders>();
    job
}

pub async fn team(server: &Server, name: &str, weight: f64) -> Server {
    let team = server.for_new_team(name, weight).await;
    team.small_profile(vec![]).await;
    team
}

/// The next tasks that one agent is given: the job of each. Nothing is completed.
async fn next(server: &Server, agent: &Agent, count: usize) -> Vec<String> {
    let mut jobs = Vec::new();
    for _ in 0..count {
        jobs.push(agent.lease(server).await.unwrap().job.to_string());
    }
    jobs
}

#[tokio::test]
async fn fifty_long_films_delay_another_teams_clip_by_no_more_than_a_task_for_each_machine() {
    let server = Server::start().await;
    let (busy, small) = (team(&server, "busy", 1.0).await, team(&server, "small", 1.0).await);
    let mut fleet = Fleet::of(&server, 3).await;
    let planner = Agent::enrol(&server, "planner").await;
    for _ in 0..50 {
        planned(&busy, &planner, 40.0, json!({})).await;
    }
    for _ in 0..25 {
        fleet.ask(&server).await;
        fleet.second(&server, |_| 40.0).await;
    }
    let before = server.clock.now();
    let clip = submit(&small, json!({})).await;
    let mut waiting_since = before;
    let mut waits: Vec<(String, f64)> = Vec::new();
    let done = 'done: loop {
        for leased in fleet.ask(&server).await.into_iter().filter(|leased| leased.job == clip) {
            let (kind, was_probe) = match &leased.work {
                Work::Probe(_) => ("probe".to_owned(), true),
                Work::Encode(work) => (format!("span {}..{}", work.rows.first, work.rows.last), false),
                other => panic!("{other:?}"),
            };
            waits.push((kind, leased.at.since(waiting_since).as_secs_f64()));
            if was_probe {
                waiting_since = leased.at + Duration::from_secs(TASK_SECONDS);
            }
        }
        fleet.second(&server, |job| if job == clip { 4.0 } else { 40.0 }).await;
        if small.job(&clip).await.state.is_over() {
            break 'done server.clock.now().since(before).as_secs_f64();
        }
        assert!(server.clock.now().since(before) < Duration::from_secs(600), "the clip is not done; {waits:?}");
    };
    println!("the clip's tasks waited {waits:?} seconds, and it was done after {done} s; a task takes {TASK_SECONDS} s");
    assert_eq!(waits.len(), 3, "a probe and two spans");
    for (n, (what, wait)) in waits.iter().enumerate() {
        // Each span may have to wait for a machine of its own to be free.
        let turn = if n < 2 { 1.0 } else { 2.0 };
        assert!(*wait <= turn * TASK_SECONDS as f64 + 1.0, "{what} waited {wait} s");
    }
    assert!(done <= 5.0 * TASK_SECONDS as f64, "{done}");
}

#[tokio::test]
async fn weights_are_shares() {
    let server = Server::start().await;
    let (light, heavy) = (team(&server, "light", 1.0).await, team(&server, "heavy", 3.0).await);
    let agent = Agent::enrol(&server, "one").await;
    let of_light = planned(&light, &agent, 80.0, json!({})).await;
    let of_heavy = planned(&heavy, &agent, 80.0, json!({})).await;
    let mut shares: BTreeMap<String, f64> = BTreeMap::new();
    for _ in 0..12 {
        let lease = agent.lease(&server).await.unwrap();
        let Work::Encode(work) = &lease.work else { panic!("{:?}", lease.work) };
        *shares.entry(lease.job.to_string()).or_default() += f64::from(work.rows.last - work.rows.first);
    }
    let ratio = shares[&of_heavy] / shares[&of_light];
    println!("weights 1:3 got rows {} : {}", shares[&of_light], shares[&of_heavy]);
    assert!((2.0..=4.5).contains(&ratio), "{ratio}");
}

#[tokio::test]
async fn inside_a_team_priority_comes_first_and_then_the_deadline() {
    let server = Server::start().await;
    let mine = team(&server, "mine", 1.0).await;
    let agent = Agent::enrol(&server, "one").await;
    let of = async |more: serde_json::Value| planned(&mine, &agent, 2.0, more).await;
    let late = of(json!({ "priority": 5, "deadline": "2030-01-02T00:00:00Z" })).await;
    let low = of(json!({ "priority": 0, "deadline": "2029-01-01T00:00:00Z" })).await;
    let none = of(json!({ "priority": 5 })).await;
    let soon = of(json!({ "priority": 5, "deadline": "2030-01-01T00:00:00Z" })).await;
    let urgent = of(json!({ "priority": 9 })).await;
    assert_eq!(next(&server, &agent, 5).await, [urgent, soon, late, none, low]);
}

#[tokio::test]
async fn a_cancelled_film_is_not_held_against_its_team() {
    let server = Server::start().await;
    let (mine, others) = (team(&server, "mine", 1.0).await, team(&server, "others", 1.0).await);
    let agent = Agent::enrol(&server, "one").await;
    let mistake = planned(&mine, &agent, 400.0, json!({})).await;
    let of_others = planned(&others, &agent, 40.0, json!({})).await;
    mine.post(&format!("/v1/jobs/{mistake}/cancel"), json!({})).await.ok::<Job>();
    let of_mine = planned(&mine, &agent, 40.0, json!({})).await;
    let turns = next(&server, &agent, 6).await;
    let mines = turns.iter().filter(|job| **job == of_mine).count();
    assert!((2..=4).contains(&mines), "{turns:?}, of which {of_mine} and {of_others}");
}
