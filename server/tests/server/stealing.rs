//! What the idle take from the slow, the suspended and the silent: tails of spans, whole spans, second leases.

use std::time::Duration;

use offpeak_api::{
    job::{Job, JobState},
    lease::{Lease, Orders, TaskResult},
    work::Work,
};
use offpeak_server::tick;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::{
    harness::{Agent, Server},
    invariants::Picture,
};

const ROW_FRAMES: u32 = 50;

fn rows(lease: &Lease) -> (u32, u32, u32, bool) {
    match &lease.work {
        Work::Encode(work) => (work.rows.first, work.rows.cursor, work.rows.last, work.to_end),
        Work::Audio(work) => (work.rows.first, work.rows.cursor, work.rows.last, false),
        other => panic!("{other:?} has no rows"),
    }
}

fn ended(end_frame: Option<u64>) -> TaskResult {
    TaskResult::Encode { end_frame, warnings: vec![] }
}

async fn check(server: &Server) {
    Picture::take(&server.app).await.check().unwrap();
}

/// Time passes, and the agents that are there tell the server how they are.
async fn wait(server: &Server, seconds: u64, beats: &[(&Agent, &Lease, &str)]) {
    let mut left = Duration::from_secs(seconds);
    while left > Duration::ZERO {
        let step = left.min(Duration::from_secs(10));
        server.clock.advance(step);
        left -= step;
        for (agent, lease, state) in beats {
            beat(server, agent, lease, state, 0).await.ok::<Orders>();
        }
        tick::tick(&server.app).await.unwrap();
    }
}

/// `frames` is how many were encoded under this lease, at five a second: a row takes ten seconds.
async fn beat(server: &Server, agent: &Agent, lease: &Lease, state: &str, frames: u64) -> crate::harness::Answer {
    let progress = json!({ "frames": frames, "frames_per_second": 5.0 });
    agent.post(server, &format!("/v1/leases/{}/heartbeat", lease.id), json!({ "state": state, "progress": progress })).await
}

async fn commit(server: &Server, agent: &Agent, lease: &Lease, rows: std::ops::Range<u32>, last_frames: u32) -> Orders {
    let commit = agent.upload_rows(server, lease, rows, last_frames).await;
    agent.commit(server, lease, &commit).await.ok()
}

async fn release(server: &Server, agent: &Agent, lease: &Lease) {
    agent.post(server, &format!("/v1/leases/{}/release", lease.id), json!({ "reason": "user_returned" })).await.ok::<Orders>();
}

/// A film of eight rows that is one span, leased to `agent`. (Plans cut short films into short spans.)
async fn one_span(server: &Server, agent: &Agent) -> (Job, Lease) {
    let job = server.planned_job(agent, 16.0, false).await;
    let tx = server.app.db.write().await.unwrap();
    for sql in [
        "UPDATE task SET last = 8, to_end = true WHERE kind = 'encode' AND first = 0",
        "DELETE FROM ready WHERE task_id IN (SELECT id FROM task WHERE kind = 'encode' AND first > 0)",
        "DELETE FROM slot WHERE id > (SELECT min(id) FROM slot)",
        "DELETE FROM task WHERE kind = 'encode' AND first > 0",
    ] {
        tx.tx.execute_unprepared(sql).await.unwrap();
    }
    tx.commit().await.unwrap();
    let lease = agent.lease(server).await.unwrap();
    assert_eq!(rows(&lease), (0, 0, 8, true));
    check(server).await;
    (job, lease)
}

/// A job of which only the sound is left, leased to `slow`.
async fn sound_only(server: &Server, slow: &Agent, other: &Agent) -> (Job, Lease) {
    let job = server.planned_job(slow, 8.0, true).await;
    let sound = slow.lease(server).await.unwrap();
    assert!(matches!(sound.work, Work::Audio(_)));
    while let Some(lease) = other.lease(server).await {
        other.do_task(server, &lease).await;
    }
    (job, sound)
}

async fn agents(server: &Server) -> (Agent, Agent, Agent) {
    (Agent::enrol(server, "one").await, Agent::enrol(server, "two").await, Agent::enrol(server, "three").await)
}

#[tokio::test]
async fn the_tail_of_a_slow_span_goes_to_who_is_idle() {
    let server = Server::start().await;
    let (victim, thief, _) = agents(&server).await;
    let (job, lease) = one_span(&server, &victim).await;
    commit(&server, &victim, &lease, 0..1, ROW_FRAMES).await;
    beat(&server, &victim, &lease, "encoding", 60).await.ok::<Orders>();
    let all = victim.upload_rows(&server, &lease, 0..8, ROW_FRAMES).await;

    let stolen = thief.lease(&server).await.unwrap();
    let (mid, cursor, last, to_end) = rows(&stolen);
    assert!((4..=5).contains(&mid), "{mid}");
    assert_eq!((cursor, last, to_end), (mid, 8, true), "who takes the end takes that it is the end");
    check(&server).await;
    let orders: Orders = beat(&server, &victim, &lease, "encoding", 60).await.ok();
    assert_eq!((orders.last, orders.to_end), (mid, false), "the victim hears of it with its heartbeat,");
    let orders: Orders = victim.commit(&server, &lease, &all).await.ok();
    assert_eq!((orders.cursor, orders.last), (mid, mid), "or its commit,");
    assert_eq!(orders.refused, (mid..8).collect::<Vec<_>>(), "and what is not its own any more is refused");
    victim.complete(&server, &lease.id, ended(None)).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Encoding);
    thief.do_task(&server, &stolen).await;
    check(&server).await;
    let done = server.job(&job.id).await;
    assert_eq!((done.state, done.progress.frames_total), (JobState::Completed, 400));
    assert!(done.progress.renditions.iter().all(|made| (made.segments_done, made.frames_done) == (8, 400)));
}

#[tokio::test]
async fn nobody_steals_from_itself_or_what_is_nearly_done() {
    let server = Server::start().await;
    let (one, two, _) = agents(&server).await;
    let (_, lease) = one_span(&server, &one).await;
    assert!(one.lease(&server).await.is_none(), "its own span");
    beat(&server, &one, &lease, "encoding", 395).await.ok::<Orders>();
    assert!(two.lease(&server).await.is_none(), "a second's work");
}

#[tokio::test]
async fn all_that_a_suspended_holder_has_not_committed_is_taken() {
    let server = Server::start().await;
    let (away, idle, _) = agents(&server).await;
    let (job, lease) = one_span(&server, &away).await;
    commit(&server, &away, &lease, 0..2, ROW_FRAMES).await;
    beat(&server, &away, &lease, "suspended", 120).await.ok::<Orders>();
    wait(&server, 20, &[(&away, &lease, "suspended")]).await;
    let taken = idle.lease(&server).await.unwrap();
    assert_eq!((rows(&taken), taken.task == lease.task), ((0, 2, 8, true), true));
    assert_eq!(beat(&server, &away, &lease, "encoding", 120).await.problem(409), "lease_lost");
    check(&server).await;
    idle.do_task(&server, &taken).await;
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn suspended_sound_gets_a_second_lease_and_the_first_to_commit_wins() {
    let server = Server::start().await;
    let (away, idle, third) = agents(&server).await;
    let (job, lease) = sound_only(&server, &away, &idle).await;
    beat(&server, &away, &lease, "suspended", 0).await.ok::<Orders>();
    wait(&server, 10, &[(&away, &lease, "suspended")]).await;
    assert!(idle.lease(&server).await.is_none(), "perhaps it is back at once");
    wait(&server, 10, &[(&away, &lease, "suspended")]).await;
    let second = idle.lease(&server).await.unwrap();
    assert_eq!((second.task == lease.task, rows(&second)), (true, rows(&lease)));
    assert!(third.lease(&server).await.is_none(), "two are enough");
    check(&server).await;
    commit(&server, &away, &lease, 0..1, 94).await;
    let orders = commit(&server, &idle, &second, 0..4, 94).await;
    assert_eq!(orders.cursor, 4, "row 0 counts already, with other bytes");
    let sound = TaskResult::Audio { segments: 4, warnings: vec![] };
    idle.complete(&server, &second.id, sound.clone()).await.ok::<Orders>();
    assert_eq!(away.complete(&server, &lease.id, sound).await.problem(409), "superseded");
    assert_eq!(beat(&server, &away, &lease, "encoding", 0).await.problem(409), "superseded");
    check(&server).await;
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

/// Sound that two agents hold, the first of them suspended.
async fn doubled(server: &Server, away: &Agent, idle: &Agent) -> (Job, Lease, Lease) {
    let (job, lease) = sound_only(server, away, idle).await;
    beat(server, away, &lease, "suspended", 0).await.ok::<Orders>();
    wait(server, 20, &[(away, &lease, "suspended")]).await;
    let second = idle.lease(server).await.unwrap();
    (job, lease, second)
}

#[tokio::test]
async fn the_second_goes_on_alone_when_the_first_falls_silent() {
    let server = Server::start().await;
    let (away, idle, third) = agents(&server).await;
    let (job, lease, second) = doubled(&server, &away, &idle).await;
    wait(&server, 40, &[(&idle, &second, "encoding")]).await;
    assert_eq!(beat(&server, &away, &lease, "encoding", 0).await.problem(409), "lease_lost");
    assert!(third.lease(&server).await.is_none(), "it is in good hands");
    check(&server).await;
    idle.do_task(&server, &second).await;
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn the_second_goes_on_alone_when_the_first_gives_back() {
    let server = Server::start().await;
    let (away, idle, third) = agents(&server).await;
    let (job, lease, second) = doubled(&server, &away, &idle).await;
    commit(&server, &away, &lease, 0..1, 94).await;
    release(&server, &away, &lease).await;
    assert!(third.lease(&server).await.is_none(), "it is in good hands");
    check(&server).await;
    // It may not have heard that row 0 is there; what it made of it is not wanted, and no fault of its own.
    idle.do_task(&server, &second).await;
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn the_first_goes_on_alone_when_the_second_gives_back() {
    let server = Server::start().await;
    let (away, idle, third) = agents(&server).await;
    let (job, lease, second) = doubled(&server, &away, &idle).await;
    release(&server, &idle, &second).await;
    check(&server).await;
    beat(&server, &away, &lease, "encoding", 0).await.ok::<Orders>();
    assert!(third.lease(&server).await.is_none());
    away.do_task(&server, &lease).await;
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn a_quarter_of_an_hour_of_suspension_is_too_long() {
    let server = Server::start().await;
    let (away, idle, _) = agents(&server).await;
    let (_, lease) = one_span(&server, &away).await;
    commit(&server, &away, &lease, 0..3, ROW_FRAMES).await;
    beat(&server, &away, &lease, "suspended", 0).await.ok::<Orders>();
    wait(&server, 15 * 60, &[(&away, &lease, "suspended")]).await;
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(beat(&server, &away, &lease, "suspended", 0).await.problem(409), "lease_lost");
    check(&server).await;
    assert_eq!(rows(&idle.lease(&server).await.unwrap()), (0, 3, 8, true), "what it committed stays");
}

/// A span of which the tail was stolen at `mid`.
async fn stolen_from(server: &Server, victim: &Agent, thief: &Agent) -> (Job, Lease, Lease, u32) {
    let (job, lease) = one_span(server, victim).await;
    beat(server, victim, &lease, "encoding", 0).await.ok::<Orders>();
    let stolen = thief.lease(server).await.unwrap();
    let mid = rows(&stolen).0;
    (job, lease, stolen, mid)
}

#[tokio::test]
async fn a_film_that_ends_before_a_stolen_tail_strikes_it_out() {
    let server = Server::start().await;
    let (victim, thief, _) = agents(&server).await;
    let (job, lease, stolen, _) = stolen_from(&server, &victim, &thief).await;
    commit(&server, &victim, &lease, 0..2, ROW_FRAMES).await;
    victim.complete(&server, &lease.id, ended(Some(100))).await.ok::<Orders>();
    assert_eq!(beat(&server, &thief, &stolen, "encoding", 0).await.problem(409), "lease_lost");
    check(&server).await;
    let done = server.job(&job.id).await;
    assert_eq!((done.state, done.progress.frames_total), (JobState::Completed, 100));
}

#[tokio::test]
async fn rows_that_were_filled_behind_the_films_end_count() {
    let server = Server::start().await;
    let (victim, thief, third) = agents(&server).await;
    let (job, lease, _, mid) = stolen_from(&server, &victim, &thief).await;
    // Not the last span: its holder took the film's end, in row 1, for a hole, and went away.
    commit(&server, &victim, &lease, 0..2, ROW_FRAMES).await;
    release(&server, &victim, &lease).await;
    let rest = third.lease(&server).await.unwrap();
    assert_eq!(rows(&rest), (0, 2, mid, false));
    assert_eq!(third.complete(&server, &rest.id, ended(Some(101))).await.problem(422), "incomplete");
    third.complete(&server, &rest.id, ended(Some(80))).await.ok::<Orders>();
    check(&server).await;
    let done = server.job(&job.id).await;
    assert_eq!((done.state, done.progress.frames_total), (JobState::Completed, 100));
}

#[tokio::test]
async fn a_thief_that_finds_nothing_gives_the_end_back() {
    let server = Server::start().await;
    let (victim, thief, third) = agents(&server).await;
    let (job, lease, stolen, mid) = stolen_from(&server, &victim, &thief).await;
    let end = u64::from(mid) * u64::from(ROW_FRAMES) - 20;
    thief.complete(&server, &stolen.id, ended(Some(end))).await.ok::<Orders>();
    let orders: Orders = beat(&server, &victim, &lease, "encoding", 0).await.ok();
    assert_eq!((orders.last, orders.to_end), (mid, true));
    check(&server).await;
    // The victim had filled the row in which the film ends before it heard of that, and went away.
    commit(&server, &victim, &lease, 0..mid, ROW_FRAMES).await;
    release(&server, &victim, &lease).await;
    let rest = third.lease(&server).await.unwrap();
    assert_eq!(rows(&rest), (0, mid, mid, true));
    third.complete(&server, &rest.id, ended(Some(end))).await.ok::<Orders>();
    check(&server).await;
    let done = server.job(&job.id).await;
    assert_eq!((done.state, done.progress.frames_total), (JobState::Completed, u64::from(mid) * 50));
}

#[tokio::test]
async fn a_rest_that_was_merged_is_not_made_again() {
    let server = Server::start().await;
    let (one, two, _) = agents(&server).await;
    let (job, lease) = one_span(&server, &one).await;
    commit(&server, &one, &lease, 0..8, ROW_FRAMES + 4).await;
    release(&server, &one, &lease).await;
    let rest = two.lease(&server).await.unwrap();
    let orders = commit(&server, &two, &rest, 8..9, 4).await;
    assert_eq!((orders.cursor, orders.refused), (8, vec![8]), "its four frames are in row 7");
    two.complete(&server, &rest.id, ended(Some(404))).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn a_retry_does_only_what_is_missing() {
    let server = Server::start().await;
    let (one, two, _) = agents(&server).await;
    let (job, lease, stolen, mid) = stolen_from(&server, &one, &two).await;
    commit(&server, &one, &lease, 0..mid, ROW_FRAMES).await;
    one.complete(&server, &lease.id, ended(None)).await.ok::<Orders>();
    commit(&server, &two, &stolen, mid..mid + 1, ROW_FRAMES).await;
    two.fail(&server, &stolen.id, "source").await.ok::<serde_json::Value>();
    assert_eq!(server.job(&job.id).await.state, JobState::Failed);
    check(&server).await;
    server.post(&format!("/v1/jobs/{}/retry", job.id), json!({})).await.ok::<Job>();
    check(&server).await;
    let rest = two.lease(&server).await.unwrap();
    assert_eq!(rows(&rest), (mid, mid + 1, 8, true));
    assert!(one.lease(&server).await.is_none_or(|lease| rows(&lease).0 > mid), "nothing else is left");
}

/// As [`Agent::lease`], of a machine that will be left alone for so long.
async fn lease_for(server: &Server, agent: &Agent, request_id: &str, seconds: u64) -> Lease {
    let mut request = Agent::request(request_id, 0);
    request.expected_idle_seconds = Some(seconds);
    agent.post(server, "/v1/leases", &request).await.ok()
}

/// So fast was it in the past: it takes this many seconds for a row of the film.
async fn remember_speed(server: &Server, lease: &Lease, seconds_a_row: f64) {
    let tx = server.app.db.write().await.unwrap();
    let sql = format!(
        "UPDATE agent SET work_per_second = (SELECT estimated_work / (last - first) / {seconds_a_row} FROM task WHERE id = '{}')",
        lease.task
    );
    tx.tx.execute_unprepared(&sql).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_needed_soon_gets_a_short_span() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "soon needed").await;
    let (_job, lease) = one_span(&server, &agent).await;
    release(&server, &agent, &lease).await;
    // Of a machine that has done nothing yet nobody knows how much it can do.
    let unknown = lease_for(&server, &agent, "first", 24).await;
    assert_eq!(rows(&unknown), (0, 0, 8, true));
    remember_speed(&server, &unknown, 5.0).await;
    release(&server, &agent, &unknown).await;

    // Twenty-one seconds and three for the start are four rows; the rest waits for others, with the film's end.
    let short = lease_for(&server, &agent, "second", 24).await;
    assert_eq!(rows(&short), (0, 0, 4, false));
    check(&server).await;
    // A repeat of the question gets the same answer.
    assert_eq!(rows(&lease_for(&server, &agent, "second", 24).await), (0, 0, 4, false));
    let other = Agent::enrol(&server, "always there").await;
    let tail = other.lease(&server).await.unwrap();
    assert_eq!(rows(&tail), (4, 4, 8, true));
    check(&server).await;

    // Both end it together.
    commit(&server, &agent, &short, 0..4, ROW_FRAMES).await;
    agent.complete(&server, &short.id, ended(None)).await.ok::<Orders>();
    commit(&server, &other, &tail, 4..8, ROW_FRAMES).await;
    other.complete(&server, &tail.id, ended(Some(400))).await.ok::<Orders>();
    check(&server).await;
}

#[tokio::test]
async fn who_has_time_enough_gets_all() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "night shift").await;
    let (_job, lease) = one_span(&server, &agent).await;
    remember_speed(&server, &lease, 5.0).await;
    release(&server, &agent, &lease).await;
    let all = lease_for(&server, &agent, "first", 8 * 3600).await;
    assert_eq!(rows(&all), (0, 0, 8, true));
    release(&server, &agent, &all).await;
    // However soon: one row is made.
    let least = lease_for(&server, &agent, "second", 0).await;
    assert_eq!(rows(&least), (0, 0, 1, false));
    check(&server).await;
}
