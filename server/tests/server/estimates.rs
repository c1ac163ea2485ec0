//! When a job will be complete, on a clock that the test moves: a row takes 10 s on every machine.

use std::time::Duration;

use offpeak_api::{
    job::{Job, JobList, JobState, RenditionKind},
    lease::{Lease, Orders},
    work::Work,
};
use offpeak_server::tick;
use serde_json::json;

use crate::{
    fairness::{planned, submit, team},
    harness::{Agent, Server},
};

const ROW_SECONDS: u64 = 10;

/// The job a moment later: figures of the fleet are at hand for a second.
async fn later(server: &Server, job: &impl std::fmt::Display) -> Job {
    server.clock.advance(Duration::from_secs(2));
    let job = server.job(job).await;
    if let (Some(p50), Some(p90)) = (job.eta_seconds, job.eta_p90_seconds) {
        assert!(p90 >= p50, "{p50} {p90}");
    }
    assert_eq!(job.eta_seconds.is_some(), job.eta_p90_seconds.is_some());
    job
}

async fn eta(server: &Server, job: &impl std::fmt::Display) -> u64 {
    later(server, job).await.eta_seconds.expect("an estimate")
}

fn rows(lease: &Lease) -> u32 {
    match &lease.work {
        Work::Encode(work) => work.rows.last - work.rows.cursor,
        other => panic!("{other:?} is no span"),
    }
}

/// Does a span, in the time that it takes.
async fn work(server: &Server, agent: &Agent, lease: &Lease) {
    for _ in 0..rows(lease) {
        server.clock.advance(Duration::from_secs(ROW_SECONDS));
        agent.heartbeat(server, &lease.id).await.ok::<Orders>();
    }
    agent.do_task(server, lease).await;
}

/// So many machines whose speed is known.
async fn measured(server: &Server, machines: usize) -> Vec<Agent> {
    let team = team(server, "first", 1.0).await;
    let mut agents = Vec::new();
    for n in 0..machines {
        agents.push(Agent::enrol(server, &format!("desk {n}")).await);
        let job = planned(&team, &agents[n], 2.0, json!({})).await;
        let lease = agents[n].lease(server).await.unwrap();
        work(server, &agents[n], &lease).await;
        assert_eq!(team.job(&job).await.state, JobState::Completed);
    }
    agents
}

#[tokio::test]
async fn an_estimate_appears_and_falls_until_the_end() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 24.0, false).await.id;
    assert_eq!(later(&server, &job).await.eta_seconds, None, "nobody knows how fast this machine is");
    let mut lease = agent.lease(&server).await.unwrap();
    assert_eq!(rows(&lease), 1);
    assert_eq!(later(&server, &job).await.eta_seconds, None);
    // It tells: a row of 50 frames in ten seconds.
    server.clock.advance(Duration::from_secs(3));
    let beat = json!({ "state": "encoding", "progress": { "frames": 25, "frames_per_second": 5.0 } });
    agent.post(&server, &format!("/v1/leases/{}/heartbeat", lease.id), &beat).await.ok::<Orders>();
    let told = later(&server, &job).await;
    let mut before = told.eta_seconds.expect("an estimate");
    assert!((100..=140).contains(&before), "{before} s for eleven and a half rows");
    assert!((told.progress.throughput - 0.2).abs() < 1e-9, "{:?}", told.progress);
    server.clock.advance(Duration::from_secs(3));
    agent.do_task(&server, &lease).await;
    let mut left = 11;
    while left > 0 {
        let now = later(&server, &job).await;
        let eta = now.eta_seconds.expect("an estimate");
        assert!(eta < before, "{eta} s after {before} s, {left} rows left");
        let truth = left * ROW_SECONDS;
        assert!(eta >= truth * 8 / 10 && eta <= truth + 20, "{eta} s, and it takes {truth}");
        assert!(now.eta_p90_seconds.unwrap() > truth);
        before = eta;
        lease = agent.lease(&server).await.unwrap();
        work(&server, &agent, &lease).await;
        left -= u64::from(rows(&lease));
    }
    let now = later(&server, &job).await;
    assert_eq!((now.state, now.eta_seconds, now.eta_p90_seconds), (JobState::Completed, None, None));
}

#[tokio::test]
async fn what_is_ahead_counts_and_what_is_behind_does_not() {
    let server = Server::start().await;
    let agents = measured(&server, 2).await;
    let team = team(&server, "mine", 1.0).await;
    let first = planned(&team, &agents[0], 40.0, json!({})).await;
    // Twenty rows on two machines, and what no machine shortens.
    let alone = eta(&team, &first).await;
    assert!((100..=125).contains(&alone), "{alone}");
    let second = planned(&team, &agents[0], 40.0, json!({})).await;
    let (of_first, of_second) = (eta(&team, &first).await, eta(&team, &second).await);
    assert!(of_first <= alone + 10, "{of_first} after {alone}");
    assert!((alone + 80..=alone + 120).contains(&of_second), "{of_second} after {alone}");
    let urgent = planned(&team, &agents[0], 40.0, json!({ "priority": 9 })).await;
    let of_urgent = eta(&team, &urgent).await;
    assert!(of_urgent <= alone + 10, "{of_urgent}");
    let now = eta(&team, &first).await;
    assert!((of_first + 80..=of_first + 120).contains(&now), "{now} after {of_first}");
    // One that is not even probed is as long as they usually are, and waits behind all of them.
    let unknown = submit(&team, json!({})).await;
    assert_eq!(later(&team, &unknown).await.eta_seconds, None, "no job of this team came to its end");
    let list: JobList = team.get("/v1/jobs").await.ok();
    assert_eq!(list.jobs.iter().filter(|job| job.eta_seconds.is_some()).count(), 3);
}

#[tokio::test]
async fn another_teams_flood_costs_a_fair_share_and_no_more() {
    let server = Server::start().await;
    let agents = measured(&server, 2).await;
    let (mine, heavy) = (team(&server, "mine", 1.0).await, team(&server, "heavy", 3.0).await);
    let other = team(&server, "other", 1.0).await;
    let job = planned(&mine, &agents[0], 80.0, json!({})).await;
    let alone = eta(&mine, &job).await;
    planned(&other, &agents[0], 800.0, json!({})).await;
    let shared = eta(&mine, &job).await;
    assert!((alone * 17 / 10..=alone * 22 / 10).contains(&shared), "{shared} after {alone}");
    for _ in 0..3 {
        planned(&other, &agents[0], 800.0, json!({})).await;
    }
    let flooded = eta(&mine, &job).await;
    assert!(flooded.abs_diff(shared) <= 5, "{flooded} after {shared}: more of theirs changes nothing");
    planned(&heavy, &agents[0], 2000.0, json!({})).await;
    let of_a_fifth = eta(&mine, &job).await;
    assert!((alone * 43 / 10..=alone * 55 / 10).contains(&of_a_fifth), "{of_a_fifth} after {alone}");
}

#[tokio::test]
async fn a_job_that_was_not_looked_into_is_taken_for_a_usual_one() {
    let server = Server::start().await;
    let agents = measured(&server, 1).await;
    let team = team(&server, "mine", 1.0).await;
    let usual = planned(&team, &agents[0], 20.0, json!({})).await;
    while let Some(lease) = agents[0].lease(&server).await {
        work(&server, &agents[0], &lease).await;
    }
    assert_eq!(team.job(&usual).await.state, JobState::Completed);
    server.clock.advance(Duration::from_secs(61));
    agents[0].ask(&server, "here", 0).await;
    let next = submit(&team, json!({})).await;
    let told = later(&team, &next).await;
    assert_eq!(told.state, JobState::Queued);
    let (p50, p90) = (told.eta_seconds.unwrap(), told.eta_p90_seconds.unwrap());
    assert!((100..=130).contains(&p50), "{p50} s for a probe and ten rows");
    assert!(p90 > 2 * p50, "{p90}: one job before says little");
    let behind = submit(&team, json!({})).await;
    let of_behind = eta(&team, &behind).await;
    assert!((p50 + 80..=p50 + 120).contains(&of_behind), "{of_behind} after {p50}");
    // The machine is away, and nobody else is there.
    for _ in 0..20 {
        server.clock.advance(Duration::from_secs(10));
        tick::tick(&server.app).await.unwrap();
    }
    assert_eq!(later(&team, &next).await.eta_seconds, None);
}

#[tokio::test]
async fn progress_tells_frames_of_each_rendition_and_how_fast_it_goes() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 8.0, true).await;
    let of = |job: &Job, kind: RenditionKind| job.progress.renditions.iter().find(|r| r.kind == kind).unwrap().clone();
    let pictures = of(&job, RenditionKind::Video);
    assert_eq!((pictures.frames_done, pictures.frames_total, job.progress.throughput), (0, 200, 0.0));
    // 8 s of 48,000 samples a second, 1024 to a frame.
    assert_eq!(of(&job, RenditionKind::Audio).frames_total, 375);
    let sound = agent.lease(&server).await.unwrap();
    agent.do_task(&server, &sound).await;
    let sound = of(&server.job(&job.id).await, RenditionKind::Audio);
    assert_eq!(sound.frames_done, sound.frames_total, "{sound:?}");
    let span = agent.lease(&server).await.unwrap();
    let path = format!("/v1/leases/{}/heartbeat", span.id);
    let beat = |state: &str| json!({ "state": state, "progress": { "frames": 10, "frames_per_second": 60.0 } });
    agent.post(&server, &path, beat("encoding")).await.ok::<Orders>();
    assert!((server.job(&job.id).await.progress.throughput - 2.4).abs() < 1e-9);
    agent.post(&server, &path, beat("suspended")).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.progress.throughput, 0.0);
    while let Some(lease) = agent.lease(&server).await {
        agent.do_task(&server, &lease).await;
    }
    agent.do_task(&server, &span).await;
    let done = server.job(&job.id).await;
    assert_eq!(done.state, JobState::Completed);
    assert!(done.progress.renditions.iter().all(|r| r.frames_done == r.frames_total), "{:?}", done.progress);
}
