//! An engine that is started anew does not wait for what it held before.

use offpeak_api::{
    job::JobState,
    lease::{Lease, Orders},
    work::Work,
};
use offpeak_server::{auth::random_name, tick};

use crate::harness::{Agent, Answer, Server};

async fn ask(server: &Server, agent: &Agent, instance: &str) -> Answer {
    let request = Agent::request(&random_name(12), 0);
    let request = offpeak_api::lease::LeaseRequest { instance: Some(instance.to_owned()), ..request };
    agent.post(server, "/v1/leases", request).await
}

async fn lease(server: &Server, agent: &Agent, instance: &str) -> Lease {
    ask(server, agent, instance).await.ok()
}

fn rows(lease: &Lease) -> (u32, u32) {
    match &lease.work {
        Work::Encode(work) => (work.rows.cursor, work.rows.last),
        other => panic!("{other:?} is no span"),
    }
}

#[tokio::test]
async fn a_restarted_engine_goes_on_at_once_with_what_it_held() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 16.0, true).await;
    let sound = lease(&server, &agent, "first").await;
    let mut spans = vec![lease(&server, &agent, "first").await];
    while rows(&spans[spans.len() - 1]).1 - rows(&spans[spans.len() - 1]).0 < 2 {
        spans.push(lease(&server, &agent, "first").await);
    }
    for held in &spans {
        agent.heartbeat(&server, &held.id).await.ok::<Orders>();
    }
    let span = spans.pop().unwrap();
    let (first, last) = rows(&span);
    let commit = agent.upload_rows(&server, &span, first..first + 1, 50).await;
    agent.commit(&server, &span, &commit).await.ok::<Orders>();

    // Not a second passes.
    let again = lease(&server, &agent, "second").await;
    assert_eq!(again.task, sound.task, "sound comes first");
    for held in spans.iter().chain([&sound, &span]) {
        assert_eq!(agent.heartbeat(&server, &held.id).await.problem(409), "lease_lost");
    }
    agent.do_task(&server, &again).await;
    let mut found = false;
    loop {
        let answer = ask(&server, &agent, "second").await;
        if answer.status == 204 {
            break;
        }
        let again: Lease = answer.ok();
        if again.task == span.task {
            assert_eq!(rows(&again), (first + 1, last), "what was committed is not done again");
            found = true;
        }
        agent.do_task(&server, &again).await;
    }
    assert!(found);
    let job = server.job(&job.id).await;
    assert_eq!((job.state, job.error), (JobState::Completed, None));
}

#[tokio::test]
async fn a_file_that_brings_the_engine_down_each_time_is_not_tried_for_ever() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "only one").await;
    let job = server.new_job().await;
    for start in ["first", "second", "third"] {
        assert_eq!(lease(&server, &agent, start).await.job, job.id);
    }
    assert_eq!(ask(&server, &agent, "fourth").await.status, 204, "three silences are a failure");
    tick::tick(&server.app).await.unwrap();
    let job = server.job(&job.id).await;
    assert_eq!((job.state, job.error.unwrap().code.as_str()), (JobState::Failed, "lease_expired"));
}

#[tokio::test]
async fn two_processes_under_one_name_do_not_take_from_each_other_for_ever() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "copied").await;
    server.planned_job(&agent, 40.0, false).await;
    let of_old = lease(&server, &agent, "old").await;
    let of_new = lease(&server, &agent, "new").await;
    assert_eq!(of_new.task, of_old.task, "the newest wins");
    assert_eq!(agent.heartbeat(&server, &of_old.id).await.problem(409), "lease_lost");
    for _ in 0..3 {
        let of_old = lease(&server, &agent, "old").await;
        let more = lease(&server, &agent, "new").await;
        assert_ne!(of_old.task, of_new.task);
        for held in [&of_old, &of_new, &more] {
            agent.heartbeat(&server, &held.id).await.ok::<Orders>();
        }
    }
}

#[tokio::test]
async fn an_engine_that_does_not_name_its_process_frees_nothing() {
    let server = Server::start().await;
    let agent = Agent::enrol(&server, "old engine").await;
    server.planned_job(&agent, 40.0, false).await;
    let nameless = agent.lease(&server).await.unwrap();
    let named = lease(&server, &agent, "named").await;
    agent.lease(&server).await.unwrap();
    for held in [&nameless, &named] {
        agent.heartbeat(&server, &held.id).await.ok::<Orders>();
    }
    let long = "x".repeat(65);
    for bad in ["", "two words", "é", long.as_str()] {
        assert_eq!(ask(&server, &agent, bad).await.problem(422), "bad_instance", "{bad:?}");
    }
}
