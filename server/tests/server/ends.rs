//! Where films end: earlier or later than their facts say, or without any sound.

use offpeak_api::{
    job::JobState,
    lease::{Lease, ObjectName, Orders, TaskResult},
    work::Work,
};

use crate::harness::{Agent, Server, facts};

fn ended(end_frame: Option<u64>) -> TaskResult {
    TaskResult::Encode { end_frame, warnings: vec![] }
}

async fn all_leases(server: &Server, agent: &Agent) -> Vec<Lease> {
    let mut held = vec![];
    while let Some(lease) = agent.lease(server).await {
        held.push(lease);
    }
    held
}

#[tokio::test]
async fn a_short_row_is_the_last_and_the_same_in_all_renditions() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 8.0, false).await;
    let last = all_leases(&server, &agent).await.pop().unwrap();
    // Row 3 is the last one planned; a longer film may go on.
    let full = agent.upload_rows(&server, &last, 3..5, 50).await;
    let mut uneven = full.clone();
    uneven.segments[1].frames = 9;
    assert_eq!(agent.commit(&server, &last, &uneven).await.problem(422), "renditions_disagree");
    let mut short = full.clone();
    short.segments.iter_mut().filter(|segment| segment.index == 3).for_each(|segment| segment.frames = 9);
    assert_eq!(agent.commit(&server, &last, &short).await.problem(422), "after_the_end");
    short.segments.retain(|segment| segment.index == 3);
    agent.commit(&server, &last, &short).await.ok::<Orders>();
    let mut more = full;
    more.segments.retain(|segment| segment.index == 4);
    assert_eq!(agent.commit(&server, &last, &more).await.problem(422), "after_the_end");
    assert_eq!(agent.complete(&server, &last.id, ended(None)).await.problem(422), "no_end_frame");
    // The spans before are not there yet: the end is checked all the same.
    assert_eq!(agent.complete(&server, &last.id, ended(Some(160))).await.problem(422), "wrong_end");
    assert_eq!(agent.complete(&server, &last.id, ended(Some(u64::MAX))).await.problem(422), "wrong_end");
    agent.complete(&server, &last.id, ended(Some(159))).await.ok::<Orders>();
}

#[tokio::test]
async fn a_span_may_end_the_film_without_having_heard_of_it() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 8.0, false).await;
    let mut held = all_leases(&server, &agent).await;
    let last = held.pop().unwrap();
    for lease in &held[..held.len() - 1] {
        agent.do_task(&server, lease).await;
    }
    let before = held.pop().unwrap();
    let Work::Encode(work) = &before.work else { panic!("{:?}", before.work) };
    let commit = agent.upload_rows(&server, &before, work.rows.first..work.rows.last, 50).await;
    agent.commit(&server, &before, &commit).await.ok::<Orders>();
    let end = u64::from(work.rows.last) * 50;
    assert_eq!(agent.complete(&server, &last.id, ended(Some(end + 1))).await.problem(422), "wrong_end");
    agent.complete(&server, &last.id, ended(Some(end))).await.ok::<Orders>();
    agent.complete(&server, &before.id, ended(None)).await.ok::<Orders>();
    let job = server.job(&job.id).await;
    assert_eq!((job.state, job.progress.frames_total), (JobState::Completed, end));
}

#[tokio::test]
async fn a_film_that_ends_in_the_middle_strikes_out_the_spans_behind() {
    let server = Server::start().await;
    let (one, two) = (Agent::enrol(&server, "one").await, Agent::enrol(&server, "two").await);
    let job = server.planned_job(&one, 16.0, false).await;
    let first = one.lease(&server).await.unwrap();
    let second = one.lease(&server).await.unwrap();
    let third = two.lease(&server).await.unwrap();
    one.do_task(&server, &first).await;
    let Work::Encode(work) = &second.work else { panic!("{:?}", second.work) };
    let end = work.grid.first_frame(work.rows.first);
    one.complete(&server, &second.id, ended(Some(end))).await.ok::<Orders>();
    assert_eq!(two.heartbeat(&server, &third.id).await.problem(409), "lease_lost");
    assert!(two.lease(&server).await.is_none());
    let job = server.job(&job.id).await;
    assert_eq!((job.state, job.progress.frames_total), (JobState::Completed, end));
}

#[tokio::test]
async fn sound_that_turns_out_to_be_empty_is_left_out() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job_with_file().await;
    let probe = agent.lease(&server).await.unwrap();
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(facts(4.0, true)) }).await.ok::<Orders>();
    let sound = agent.lease(&server).await.unwrap();
    agent.complete(&server, &sound.id, TaskResult::Audio { segments: 0, warnings: vec![] }).await.ok::<Orders>();
    let file = loop {
        let lease = agent.lease(&server).await.unwrap();
        match &lease.work {
            Work::File(work) => {
                assert_eq!(work.tracks.len(), 1, "pictures only");
                break lease;
            }
            _ => agent.do_task(&server, &lease).await,
        }
    };
    let (bytes, sha256) = agent.upload(&server, &file.id, ObjectName::File, "film").await;
    agent.complete(&server, &file.id, TaskResult::File { attempt: 0, bytes, sha256 }).await.ok::<Orders>();
    let job = server.job(&job.id).await;
    assert_eq!(job.state, JobState::Completed);
    assert!(job.playable_at.is_some());
    let playlist = server.http.get(format!("{}/media/{}/multivariant.m3u8", server.base, job.id)).send().await.unwrap();
    assert_eq!(playlist.status(), 200);
    let text = playlist.text().await.unwrap();
    assert!(text.contains("h264-360p.m3u8") && !text.contains("aac-1"), "{text}");
}

#[tokio::test]
async fn a_file_of_nothing_but_empty_sound_fails() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.new_job().await;
    let probe = agent.lease(&server).await.unwrap();
    let only_sound = offpeak_api::facts::Facts { video: None, ..facts(4.0, true) };
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(only_sound) }).await.ok::<Orders>();
    let sound = agent.lease(&server).await.unwrap();
    agent.complete(&server, &sound.id, TaskResult::Audio { segments: 0, warnings: vec![] }).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.error.unwrap().code, "no_sound");
}
