//! People look after machines: groups, policies, standings, histories, figures of the fleet.

use std::time::Duration;

use offpeak_api::{
    agent::{Agent as Shown, AgentDetail, AgentHistory, AgentList, AgentOrders, AgentState, Standing},
    fleet::{FleetFigures, FleetHistory, Group, GroupList},
    lease::Orders,
    policy::Policy,
    work::Work,
};
use offpeak_server::tick;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Agent, Answer, Server};

const HOUR_MS: u64 = 3_600_000;

async fn call(server: &Server, method: Method, path: &str, body: serde_json::Value) -> Answer {
    server.call(&server.token, method, path, Some(body)).await
}

async fn listed(server: &Server, query: &str) -> Vec<Shown> {
    server.get(&format!("/v1/agents{query}")).await.ok::<AgentList>().agents
}

async fn say(server: &Server, agent: &Agent, state: &str) -> AgentOrders {
    agent.post(server, "/v1/agents/me/state", json!({ "state": state })).await.ok()
}

#[tokio::test]
async fn agents_work_by_the_policy_of_their_group() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "desk 7").await;
    let id = listed(&server, "").await[0].id.clone();
    let studio: Group = server.post("/v1/groups", json!({ "name": " Studio " })).await.ok();
    assert_eq!((studio.name.as_str(), studio.is_default, studio.agents), ("Studio", false, 0));
    assert_eq!(server.post("/v1/groups", json!({ "name": "Studio" })).await.problem(409), "name_taken");
    assert_eq!(server.post("/v1/groups", json!({ "name": "" })).await.problem(422), "bad_name");

    let path = format!("/v1/policies/{}", studio.id);
    let night = json!({ "max_cores": 2, "schedule": [{ "days": ["mon", "fri"], "from": "18:00", "to": "08:00" }] });
    let policy: Policy = call(&server, Method::PUT, &path, night).await.ok();
    assert_eq!((policy.max_cores, policy.start_after_idle_seconds), (Some(2), 300));
    assert_eq!(call(&server, Method::PUT, &path, json!({ "max_coers": 2 })).await.problem(422), "bad_policy");
    assert_eq!(server.get(&path).await.ok::<Policy>(), policy);

    let change = json!({ "name": "desk 8", "group": studio.id });
    let changed: Shown = call(&server, Method::PATCH, &format!("/v1/agents/{id}"), change).await.ok();
    assert_eq!((changed.name.as_str(), &changed.group), ("desk 8", &studio.id));
    assert_eq!(say(&server, &agent, "waiting").await.policy, policy);
    assert_eq!(listed(&server, &format!("?group={}", studio.id)).await.len(), 1);

    let groups = server.get("/v1/groups").await.ok::<GroupList>().groups;
    let sizes: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.is_default, group.agents)).collect();
    assert_eq!(sizes, [("default", true, 0), ("Studio", false, 1)]);
    let default = format!("/v1/groups/{}", groups[0].id);
    assert_eq!(call(&server, Method::PATCH, &default, json!({ "name": "Studio" })).await.problem(409), "name_taken");
    assert_eq!(call(&server, Method::DELETE, &default, json!({})).await.problem(409), "default_group");
    let gone = format!("/v1/groups/{}", studio.id);
    assert_eq!(call(&server, Method::DELETE, &gone, json!({})).await.status, 204);
    assert_eq!(call(&server, Method::DELETE, &gone, json!({})).await.problem(404), "group_not_found");
    assert_eq!(say(&server, &agent, "waiting").await.policy, Policy::default());
    let to_nowhere = json!({ "group": studio.id });
    assert_eq!(call(&server, Method::PATCH, &format!("/v1/agents/{id}"), to_nowhere).await.problem(404), "group_not_found");
}

#[tokio::test]
async fn a_drained_agent_ends_what_it_holds_and_gets_nothing_more() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let id = listed(&server, "").await[0].id.clone();
    let drain = server.post(&format!("/v1/agents/{id}/drain"), json!({ "reason": "New disk on Monday" })).await;
    assert_eq!(drain.ok::<Shown>().standing, Standing::Draining);
    assert_eq!(agent.ask(&server, "x", 0).await.problem(403), "draining");
    assert_eq!(say(&server, &agent, "draining").await.standing_reason.as_deref(), Some("New disk on Monday"));
    agent.do_task(&server, &lease).await;
    // Proving itself does not undo what a person wanted.
    let proof = json!({ "capabilities": Agent::request("x", 0).capabilities });
    assert_eq!(agent.post(&server, "/v1/agents/me/proof", proof).await.ok::<AgentOrders>().standing, Standing::Draining);
    server.post(&format!("/v1/agents/{id}/resume"), json!({})).await.ok::<Shown>();
    assert!(agent.lease(&server).await.is_some());
    let long = json!({ "reason": "x".repeat(201) });
    assert_eq!(server.post(&format!("/v1/agents/{id}/drain"), long).await.problem(422), "bad_reason");
}

#[tokio::test]
async fn what_a_revoked_agent_held_is_taken_at_once_with_what_is_left() {
    let server = Server::start().await;
    let (bad, good) = (Agent::enrol(&server, "bad").await, Agent::enrol(&server, "good").await);
    let job = server.planned_job(&good, 16.0, false).await;
    good.do_front(&server).await;
    let lease = bad.lease(&server).await.unwrap();
    let Work::Encode(work) = &lease.work else { panic!("{:?}", lease.work) };
    let first = work.rows.first;
    let commit = bad.upload_rows(&server, &lease, first..first + 1, work.grid.frames_per_segment).await;
    bad.commit(&server, &lease, &commit).await.ok::<Orders>();
    // Its time has run out as well: the task waits already, and is not to wait twice.
    server.clock.advance(Duration::from_secs(31));
    tick::tick(&server.app).await.unwrap();

    let id = listed(&server, "?name=bad").await[0].id.clone();
    let path = format!("/v1/agents/{id}");
    assert_eq!(call(&server, Method::DELETE, &path, json!({})).await.status, 204);
    assert_eq!(call(&server, Method::DELETE, &path, json!({})).await.status, 204, "a repeat is harmless");
    assert_eq!(bad.heartbeat(&server, &lease.id).await.problem(401), "agent_revoked");
    assert_eq!(server.post(&format!("{path}/resume"), json!({})).await.problem(409), "agent_revoked");
    assert!(listed(&server, "").await.iter().all(|agent| agent.name == "good"));
    assert_eq!(listed(&server, "?standing=revoked,active").await.len(), 2);
    let taken = good.lease(&server).await.unwrap();
    let Work::Encode(work) = &taken.work else { panic!("{:?}", taken.work) };
    assert_eq!((&taken.task, work.rows.first, work.rows.cursor), (&lease.task, first, first + 1));
    good.do_task(&server, &taken).await;
    while let Some(lease) = good.lease(&server).await {
        good.do_task(&server, &lease).await;
    }
    assert!(server.job(&job.id).await.ended_at.is_some());
}

#[tokio::test]
async fn what_a_person_set_aside_only_a_person_brings_back() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    agent.fail(&server, &lease.id, "agent").await;
    let lease = agent.lease(&server).await.unwrap();
    let id = listed(&server, "").await[0].id.clone();
    server.post(&format!("/v1/agents/{id}/set-aside"), json!({ "reason": "Smells of smoke" })).await.ok::<Shown>();
    assert_eq!(agent.heartbeat(&server, &lease.id).await.problem(409), "lease_lost");
    server.clock.advance(Duration::from_secs(7200));
    let proof = json!({ "capabilities": Agent::request("x", 0).capabilities });
    assert_eq!(agent.post(&server, "/v1/agents/me/proof", proof).await.problem(403), "set_aside");

    let detail: AgentDetail = server.get(&format!("/v1/agents/{id}")).await.ok();
    assert_eq!((detail.agent.standing, detail.jobs_failed_in_a_row), (Standing::SetAside, 1));
    assert_eq!(detail.failures[0].code, "broken");
    let kinds: Vec<_> = detail.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["agent.set_aside", "agent.enrolled"]);
    server.post(&format!("/v1/agents/{id}/resume"), json!({})).await.ok::<Shown>();
    assert!(agent.lease(&server).await.is_some());
    assert_eq!(server.get("/v1/agents/agent_01J8ZC5V2M0N6QW3T7RX9KPEHD").await.problem(404), "agent_not_found");
}

#[tokio::test]
async fn every_millisecond_of_an_agent_is_in_one_state() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let started = server.clock.now().ms();
    // Encoding for two hours, silent for one, then somebody types.
    for _ in 0..=120 {
        say(&server, &agent, "encoding").await;
        server.clock.advance(Duration::from_secs(60));
    }
    server.clock.advance(Duration::from_secs(3600 - 60));
    say(&server, &agent, "user_active").await;
    server.clock.advance(Duration::from_millis(30_001));

    let id = listed(&server, "").await[0].id.clone();
    let path = format!("/v1/agents/{id}/history");
    let history: AgentHistory = server.get(&path).await.ok();
    let of = |state| history.hours.iter().filter_map(|hour| hour.milliseconds.get(&state)).sum::<u64>();
    assert_eq!(of(AgentState::Encoding), 2 * HOUR_MS + 90_000);
    assert_eq!(of(AgentState::Offline), HOUR_MS - 90_000);
    assert_eq!(of(AgentState::UserActive), 30_001);
    let all: u64 = history.hours.iter().flat_map(|hour| hour.milliseconds.values()).sum();
    assert_eq!(all, (server.clock.now().ms() - started).unsigned_abs());
    let full = &history.hours[1..history.hours.len() - 1];
    assert!(full.len() >= 2 && full.iter().all(|hour| hour.milliseconds.values().sum::<u64>() == HOUR_MS), "{history:?}");
    assert_eq!(server.get(&format!("{path}?from=2023-01-01T00:00:00Z")).await.problem(422), "bad_range");
    let before = server.get(&format!("{path}?from=2023-11-01T00:00:00Z&to=2023-11-02T00:00:00Z")).await;
    assert!(before.ok::<AgentHistory>().hours.is_empty());
}

#[tokio::test]
async fn the_fleet_says_what_it_does_and_how_many_machines_it_wants() {
    let server = Server::start().await;
    let idle: FleetFigures = server.get("/v1/fleet").await.ok();
    assert_eq!((idle.online, idle.queue.tasks, idle.machines_wanted, idle.backlog_seconds), (0, 0, 0, None));
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    server.planned_job(&one, 40.0, false).await;
    let waiting: FleetFigures = server.get("/v1/fleet").await.ok();
    // 1000 frames in 640×360 and 320×180.
    let whole = 1000.0 * (640.0 * 360.0 + 320.0 * 180.0) / 1e6;
    assert!((waiting.queue.work - whole).abs() < 1e-6, "{waiting:?}");
    assert!(waiting.queue.classes.iter().all(|class| class.class.starts_with("libx264:")));
    assert_eq!((waiting.available, waiting.machines_wanted), (2, 1));

    let lease = one.lease(&server).await.unwrap();
    let beat = json!({ "state": "encoding", "progress": { "frames": 10, "frames_per_second": 50.0 } });
    one.post(&server, &format!("/v1/leases/{}/heartbeat", lease.id), beat).await.ok::<Orders>();
    say(&server, &one, "encoding").await;
    say(&server, &two, "user_active").await;
    tick::tick(&server.app).await.unwrap();
    tick::tick(&server.app).await.unwrap();
    let busy: FleetFigures = server.get("/v1/fleet?within_seconds=60").await.ok();
    assert_eq!(busy.machines, [(AgentState::UserActive, 1), (AgentState::Encoding, 1)].into());
    assert_eq!((busy.online, busy.available, busy.speed.encoding), (2, 1, 1));
    // Video of 25 frames a second: twice real time, and 50 frames' worth of work a second.
    assert!((busy.speed.real_time - 2.0).abs() < 1e-9, "{busy:?}");
    let speed = whole / 1000.0 * 50.0;
    assert!((busy.speed.work_per_second - speed).abs() < 1e-6, "{busy:?}");
    assert!((busy.queue.work + busy.leased_work - whole).abs() < 1e-6, "{busy:?}");
    assert_eq!(busy.backlog_seconds, Some((whole / speed).round() as u64));
    assert_eq!(busy.machines_wanted, 1);
    assert_eq!(server.get("/v1/fleet?within_seconds=1").await.problem(422), "bad_filter");

    let shown = listed(&server, "?name=one").await;
    assert!((shown[0].real_time_speed - 2.0).abs() < 1e-9 && shown[0].working);
    let detail: AgentDetail = server.get(&format!("/v1/agents/{}", shown[0].id)).await.ok();
    assert_eq!((detail.leases.len(), &detail.leases[0].id), (1, &lease.id));

    // The second tick of the minute took none; a later minute has its own.
    server.clock.advance(Duration::from_secs(60));
    tick::tick(&server.app).await.unwrap();
    let history: FleetHistory = server.get("/v1/fleet/history").await.ok();
    assert_eq!(history.samples.len(), 2);
    assert!((history.samples[0].speed.real_time - 2.0).abs() < 1e-9);
    // A month later they are gone.
    let to_full_hour = 3_600_000 - server.clock.now().ms() % 3_600_000;
    server.clock.advance(Duration::from_secs(31 * 24 * 3600) + Duration::from_millis(to_full_hour.unsigned_abs()));
    tick::tick(&server.app).await.unwrap();
    let from = offpeak_server::clock::Instant(server.clock.now().ms() - 32 * 24 * 3_600_000).to_utc().format("%FT%TZ");
    let to = offpeak_server::clock::Instant(server.clock.now().ms() - 24 * 3_600_000).to_utc().format("%FT%TZ");
    let old: FleetHistory = server.get(&format!("/v1/fleet/history?from={from}&to={to}")).await.ok();
    assert_eq!(old.samples, []);
}

#[tokio::test]
async fn lists_have_pages_and_filters_that_are_checked() {
    let server = Server::start().await;
    for n in 0..5 {
        Agent::enrol(&server, &format!("desk {n}% Ümit_{n}")).await;
    }
    let mut names = vec![];
    let mut cursor = String::new();
    loop {
        let page: AgentList = server.get(&format!("/v1/agents?limit=2{cursor}")).await.ok();
        names.extend(page.agents.into_iter().map(|agent| agent.name));
        let Some(next) = page.next_cursor else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names.len(), 5);
    assert!(names.is_sorted_by(|a, b| a > b), "youngest first: {names:?}");
    assert_eq!(listed(&server, "?name=DESK%203%25").await.len(), 1);
    assert_eq!(listed(&server, "?name=_1").await.len(), 1);
    for (query, code) in [
        ("state=asleep", "bad_filter"),
        ("standing=fine", "bad_filter"),
        ("group=x", "bad_filter"),
        ("name=%00", "bad_filter"),
        ("limit=0", "bad_limit"),
        ("limit=201", "bad_limit"),
        ("cursor=x", "bad_cursor"),
    ] {
        assert_eq!(server.get(&format!("/v1/agents?{query}")).await.problem(422), code, "{query}");
    }
}
