//! Init segments that differ, builds of ffmpeg that come and go, and renditions that begin again.

use std::time::Duration;

use offpeak_api::{
    agent::{AgentList, Standing},
    job::{Job, JobState},
    lease::{CommitRequest, Lease, LeaseRequest, Orders, TaskResult},
    work::Work,
};
use offpeak_server::{auth::random_name, tick};

use crate::harness::{Agent, Server};

async fn lease(server: &Server, agent: &Agent, build: &str) -> Option<Lease> {
    let mut request: LeaseRequest = Agent::request(&random_name(12), 0);
    request.capabilities.ffmpeg = build.to_owned();
    let answer = agent.post(server, "/v1/leases", request).await;
    (answer.status != 204).then(|| answer.ok())
}

/// All rows that are left, with init segments of this fingerprint.
async fn rows(server: &Server, agent: &Agent, lease: &Lease, fingerprint: &str) -> CommitRequest {
    let (rows, full) = match &lease.work {
        Work::Encode(work) => (work.rows, work.grid.frames_per_segment),
        Work::Audio(work) => (work.rows, 94),
        other => panic!("{other:?} is not encoding"),
    };
    let mut commit = agent.upload_rows(server, lease, rows.cursor..rows.last, full).await;
    commit.inits.iter_mut().for_each(|init| fingerprint.clone_into(&mut init.fingerprint));
    commit
}

async fn complete(server: &Server, agent: &Agent, lease: &Lease) {
    let result = match &lease.work {
        Work::Encode(work) => {
            TaskResult::Encode { end_frame: work.to_end.then(|| work.grid.first_frame(work.rows.last)), warnings: vec![] }
        }
        Work::Audio(work) => TaskResult::Audio { segments: work.rows.last, warnings: vec![] },
        other => panic!("{other:?} is not encoding"),
    };
    agent.complete(server, &lease.id, result).await.ok::<Orders>();
}

/// Does all that this agent gets.
async fn do_all(server: &Server, agent: &Agent, build: &str, fingerprint: &str) -> usize {
    let mut done = 0;
    while let Some(lease) = lease(server, agent, build).await {
        let commit = rows(server, agent, &lease, fingerprint).await;
        agent.commit(server, &lease, &commit).await.ok::<Orders>();
        complete(server, agent, &lease).await;
        done += 1;
    }
    done
}

async fn standing_of(server: &Server, name: &str) -> Standing {
    server.get(&format!("/v1/agents?name={name}")).await.ok::<AgentList>().agents[0].standing
}

#[tokio::test]
async fn a_job_stays_with_the_build_that_it_began_with() {
    let server = Server::start().await;
    let (old, new) = (Agent::enrol(&server, "old").await, Agent::enrol(&server, "new").await);
    let job = server.planned_job(&old, 8.0, true).await;
    let (first, second, third) = (
        lease(&server, &old, "7.1").await.unwrap(),
        lease(&server, &new, "8.0").await.unwrap(),
        lease(&server, &new, "8.0").await.unwrap(),
    );
    assert!(matches!((&first.work, &second.work), (Work::Audio(_), Work::Encode(_))));
    let commit = rows(&server, &old, &first, "sound").await;
    old.commit(&server, &first, &commit).await.ok::<Orders>();
    // It was given its span before the job had a build.
    let late = rows(&server, &new, &second, "8.0").await;
    assert_eq!(new.commit(&server, &second, &late).await.problem(422), "init_mismatch");
    assert_eq!(new.fail(&server, &second.id, "agent").await.status, 200, "as engines answer to that");
    let late = rows(&server, &new, &third, "8.0").await;
    assert_eq!(new.commit(&server, &third, &late).await.problem(422), "init_mismatch");
    assert!(lease(&server, &new, "8.0").await.is_none());
    complete(&server, &old, &first).await;
    assert!(do_all(&server, &old, "7.1", "7.1").await > 1);
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
    assert_eq!(standing_of(&server, "new").await, Standing::Active, "nobody is to blame");
}

#[tokio::test]
async fn who_is_outvoted_is_set_aside_and_the_pictures_begin_again() {
    let server = Server::start().await;
    let mut agents = vec![];
    for name in ["odd", "b", "c"] {
        agents.push(Agent::enrol(&server, name).await);
    }
    let [odd, b, c] = &agents[..] else { unreachable!() };
    let job = server.planned_job(odd, 16.0, true).await;
    let sound = lease(&server, c, "7.1").await.unwrap();
    let commit = rows(&server, c, &sound, "sound").await;
    c.commit(&server, &sound, &commit).await.ok::<Orders>();
    complete(&server, c, &sound).await;
    // One span is done, one is at work, and one waits.
    let done = lease(&server, odd, "7.1").await.unwrap();
    let commit = rows(&server, odd, &done, "odd").await;
    odd.commit(&server, &done, &commit).await.ok::<Orders>();
    complete(&server, odd, &done).await;
    let begun = lease(&server, odd, "7.1").await.unwrap();
    let before = server.job(&job.id).await;
    assert!(before.progress.fraction > 0.0);

    let (of_b, of_c) = (lease(&server, b, "7.1").await.unwrap(), lease(&server, c, "7.1").await.unwrap());
    let commit = rows(&server, b, &of_b, "usual").await;
    assert_eq!(b.commit(&server, &of_b, &commit).await.problem(422), "init_mismatch");
    assert_eq!(standing_of(&server, "odd").await, Standing::Active, "one against one");
    let commit = rows(&server, c, &of_c, "usual").await;
    assert_eq!(c.commit(&server, &of_c, &commit).await.problem(422), "init_mismatch");
    assert_eq!(standing_of(&server, "odd").await, Standing::SetAside);
    assert_eq!(odd.heartbeat(&server, &begun.id).await.problem(409), "lease_lost");

    let voided = server.job(&job.id).await;
    assert!(voided.progress.fraction >= before.progress.fraction);
    let done_of = |job: &Job, id: &str| job.progress.renditions.iter().find(|r| r.id.starts_with(id)).unwrap().segments_done;
    assert!(done_of(&before, "h264") > 0);
    assert_eq!(done_of(&voided, "h264"), done_of(&before, "h264"), "what people were shown does not go back");
    assert_eq!(done_of(&voided, "aac"), done_of(&before, "aac"), "sound is as it was");

    let (mut last, mut spans) = (voided.progress.fraction, 0);
    while let Some(lease) = lease(&server, b, "7.1").await {
        let commit = rows(&server, b, &lease, "usual").await;
        b.commit(&server, &lease, &commit).await.ok::<Orders>();
        complete(&server, b, &lease).await;
        let now = server.job(&job.id).await.progress;
        assert!(now.fraction >= last);
        assert!(now.renditions.iter().all(|r| r.segments_done <= r.segments_total && r.frames_done <= r.frames_total));
        last = now.fraction;
        spans += 1;
    }
    assert!(spans > 1, "the one that was done is done again");
    let after = server.job(&job.id).await;
    assert_eq!(after.state, JobState::Completed);
    assert!(after.progress.renditions.iter().all(|r| r.segments_done == r.segments_total), "{:?}", after.progress);
    let path = format!("{}/media/{}/h264-360p.m3u8", server.base, job.id);
    let playlist = server.http.get(path).send().await.unwrap().text().await.unwrap();
    assert_eq!(playlist.matches(".m4s").count() as u32, done_of(&after, "h264"), "{playlist}");
}

/// Both are heard of, or only `present`, for so many seconds, in steps that are no outage.
async fn pass(server: &Server, seconds: u64, present: &[(&Agent, &str)]) {
    for _ in 0..seconds / 10 {
        server.clock.advance(Duration::from_secs(10));
        for (agent, build) in present {
            assert!(lease(server, agent, build).await.is_none());
        }
        tick::tick(&server.app).await.unwrap();
    }
}

#[tokio::test]
async fn a_build_that_is_gone_is_not_waited_for() {
    let server = Server::start().await;
    let (old, new) = (Agent::enrol(&server, "old").await, Agent::enrol(&server, "new").await);
    let job = server.planned_job(&old, 8.0, true).await;
    let sound = lease(&server, &old, "7.1").await.unwrap();
    let commit = rows(&server, &old, &sound, "sound").await;
    old.commit(&server, &sound, &commit).await.ok::<Orders>();
    complete(&server, &old, &sound).await;
    let span = lease(&server, &old, "7.1").await.unwrap();
    let commit = rows(&server, &old, &span, "old").await;
    old.commit(&server, &span, &commit).await.ok::<Orders>();
    complete(&server, &old, &span).await;
    let before = server.job(&job.id).await.progress;
    pass(&server, 560, &[(&new, "8.0")]).await;
    assert_eq!(server.job(&job.id).await.progress.renditions, before.renditions);
    pass(&server, 60, &[]).await;
    assert!(do_all(&server, &new, "8.0", "new").await > 1, "pictures, from the first on");
    let job = server.job(&job.id).await;
    assert_eq!(job.state, JobState::Completed);
    let sound = job.progress.renditions.iter().find(|r| r.id.starts_with("aac")).unwrap();
    assert_eq!(Some(sound), before.renditions.iter().find(|r| r.id.starts_with("aac")), "what was whole stayed");
}

#[tokio::test]
async fn a_build_that_is_only_away_with_everybody_is_waited_for() {
    let server = Server::start().await;
    let (old, new) = (Agent::enrol(&server, "old").await, Agent::enrol(&server, "new").await);
    let job = server.planned_job(&old, 8.0, false).await;
    assert!(lease(&server, &new, "8.0").await.is_some_and(|lease| matches!(lease.work, Work::Encode(_))));
    let span = lease(&server, &old, "7.1").await.unwrap();
    let commit = rows(&server, &old, &span, "old").await;
    old.commit(&server, &span, &commit).await.ok::<Orders>();
    // Night: nobody is there.
    pass(&server, 3600, &[]).await;
    let done: u32 = server.job(&job.id).await.progress.renditions.iter().map(|r| r.segments_done).sum();
    assert!(done > 0);
    // The servers themselves were away: nobody could be heard of.
    server.clock.advance(Duration::from_secs(3600));
    tick::tick(&server.app).await.unwrap();
    pass(&server, 300, &[(&new, "8.0")]).await;
    let now: u32 = server.job(&job.id).await.progress.renditions.iter().map(|r| r.segments_done).sum();
    assert_eq!(now, done);
}

#[tokio::test]
async fn a_minority_that_is_all_there_is_left_may_begin_again() {
    let server = Server::start().await;
    let (gone, left) = (Agent::enrol(&server, "gone").await, Agent::enrol(&server, "left").await);
    let job = server.planned_job(&gone, 2.0, true).await;
    let sound = lease(&server, &gone, "7.1").await.unwrap();
    let span = lease(&server, &gone, "7.1").await.unwrap();
    let commit = rows(&server, &gone, &span, "one").await;
    gone.commit(&server, &span, &commit).await.ok::<Orders>();
    for of in [&sound, &span] {
        let release = serde_json::json!({ "reason": "shutdown" });
        gone.post(&server, &format!("/v1/leases/{}/release", of.id), release).await.ok::<Orders>();
    }
    let sound = lease(&server, &left, "7.1").await.unwrap();
    assert!(matches!(sound.work, Work::Audio(_)));
    let span = lease(&server, &left, "7.1").await.unwrap();
    let commit = rows(&server, &left, &sound, "sound").await;
    left.commit(&server, &sound, &commit).await.ok::<Orders>();
    complete(&server, &left, &sound).await;
    // All of its rows are there already: its init segment is looked at all the same.
    let commit = left.upload_rows(&server, &span, 0..1, 50).await;
    assert_eq!(left.commit(&server, &span, &commit).await.problem(422), "init_mismatch");
    tick::tick(&server.app).await.unwrap();
    assert!(lease(&server, &left, "7.1").await.is_none(), "the other may come back");
    server.clock.advance(Duration::from_secs(25 * 3600));
    lease(&server, &left, "7.1").await;
    tick::tick(&server.app).await.unwrap();
    assert_eq!(do_all(&server, &left, "7.1", "two").await, 1);
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn what_a_list_has_shown_does_not_go_back() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.new_job().await;
    let probe = lease(&server, &agent, "7.1").await.unwrap();
    let beat = serde_json::json!({ "state": "encoding", "progress": { "bytes": 500, "total_bytes": 1000 } });
    agent.post(&server, &format!("/v1/leases/{}/heartbeat", probe.id), beat).await.ok::<Orders>();
    let shown = async || server.get("/v1/jobs").await.ok::<offpeak_api::job::JobList>().jobs[0].progress.fraction;
    let before = shown().await;
    assert!(before > 0.0);
    let release = serde_json::json!({ "reason": "shutdown" });
    agent.post(&server, &format!("/v1/leases/{}/release", probe.id), release).await.ok::<Orders>();
    assert!((shown().await - before).abs() < 1e-9);
}
