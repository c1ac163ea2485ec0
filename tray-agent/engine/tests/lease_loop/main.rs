//! The lease loop against a fake server with fake steps: what is delivered, what is repeated, and what ends a lease.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod engine;
mod fake_server;
mod fake_steps;
mod standing_still;

use std::time::Duration;

use engine::{audio, encode, no_complaints, source, start, start_with};
use fake_server::{Call, FakeServer};
use fake_steps::{FREELY, FakeSteps, Manner};
use offpeak_api::{
    agent::AgentState,
    lease::{Blame, ReleaseReason, TaskResult},
    work::{Fetch, Probe, Work},
};
use offpeak_engine::{forecast::Forecast, lease::EngineEnd};

#[tokio::test(flavor = "multi_thread")]
async fn a_span_is_uploaded_committed_and_completed() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(2, 9, false));
    let steps = FakeSteps::new(FREELY);
    let engine = start(&url, steps.clone(), 1);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    assert_eq!(engine.stop().await, EngineEnd::Shutdown);
    let farm = server.farm();
    assert_eq!(farm.committed(), [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(farm.attempts(2), [0, 0]);
    assert_eq!(farm.count(|call| matches!(call, Call::Release(..) | Call::Fail(..))), 0);
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_appears_after_many_asks_is_done() {
    let (server, url) = FakeServer::start().await;
    let engine = start(&url, FakeSteps::new(FREELY), 2);
    server.until("three asks were answered with nothing", |farm| farm.asks().len() >= 3).await;
    server.farm().queue.extend([
        encode(0, 3, false),
        encode(3, 6, false),
        Work::Fetch(Fetch { url: String::new(), source: offpeak_api::ids::SourceId::new(), max_bytes: 1, allow: vec![] }),
    ]);
    server.until("all is complete", |farm| farm.completed() == 3).await;
    engine.stop().await;
    let mut asks = server.farm().asks();
    let all = asks.len();
    asks.sort_unstable();
    asks.dedup();
    assert_eq!(asks.len(), all, "every ask that was answered is followed by one with an id of its own");
    assert_eq!(server.farm().committed(), [0, 1, 2, 3, 4, 5]);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_whose_answer_got_lost_is_repeated_as_it_was() {
    let (server, url) = FakeServer::start().await;
    {
        let mut farm = server.farm();
        farm.queue.extend([encode(0, 2, false), encode(2, 4, false)]);
        farm.lost_answers = 3;
    }
    let engine = start(&url, FakeSteps::new(FREELY), 1);
    server.until("both are complete", |farm| farm.completed() == 2).await;
    engine.stop().await;
    let asks = server.farm().asks();
    assert!(asks[0] == asks[1] && asks[1] == asks[2] && asks[2] == asks[3], "{asks:?}");
    assert_ne!(asks[3], asks[4]);
    no_complaints(&server);
}

/// An ask that is repeated for hours says how long the machine will be left alone from now on, and not from when it was made.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_ask_expects_what_is_expected_now() {
    let (server, url) = FakeServer::start().await;
    {
        let mut farm = server.farm();
        farm.queue.push_back(encode(0, 2, false));
        farm.lost_answers = u32::MAX;
    }
    let forecast = Forecast::load(None);
    let engine = start_with(&url, FakeSteps::new(FREELY), 1, Some(forecast.clone()));
    server.until("it asks again", |farm| farm.asks().len() > 1).await;
    // A quiet week.
    let now = chrono::Local::now();
    for minute in 0..7 * 24 * 60_u32 {
        let _due = forecast.note(Duration::from_secs(60) * minute, now + chrono::TimeDelta::minutes(minute.into()), false);
    }
    let before = server.farm().asks().len();
    server.until("it asks once more", |farm| farm.asks().len() > before + 1).await;
    server.farm().lost_answers = 0;
    server.until("it is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    let expected: Vec<(String, u64)> = server.farm().expectations();
    let (first, last) = (&expected[0], &expected[before + 1]);
    assert_eq!(first.0, last.0, "it is the same ask");
    assert!(first.1 < 3 * 3600 && last.1 > 5 * 3600, "{first:?} {last:?}");
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_start_of_an_engine_has_a_name_of_its_own() {
    let (server, url) = FakeServer::start().await;
    for engines in 1..=2 {
        server.farm().queue.extend([encode(0, 2, false), encode(2, 4, false)]);
        let engine = start(&url, FakeSteps::new(FREELY), 2);
        server.until("both are complete", |farm| farm.completed() == 2 * engines).await;
        engine.stop().await;
    }
    let mut names = server.farm().instances();
    assert!(names.iter().all(Option::is_some), "{names:?}");
    names.dedup();
    assert_eq!(names.len(), 2, "one for each engine, which keeps it: {names:?}");
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_stops_its_step_and_is_not_spoken_of_again() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 100, false));
    let steps = FakeSteps::new(3);
    let engine = start(&url, steps.clone(), 1);
    server.until("three rows are committed", |farm| farm.committed().len() == 3).await;
    server.farm().lose_leases();
    steps.until("the step is stopped", |seen| seen.stopped == 1).await;
    // The engine goes on asking; by the third ask from now it would have said what it had left to say.
    let calls = server.farm().calls.len();
    let asks = server.farm().asks().len();
    server.until("it asks again", |farm| farm.asks().len() >= asks + 3).await;
    engine.stop().await;
    let farm = server.farm();
    let later: Vec<&Call> = farm.calls[calls..].iter().filter(|call| !matches!(call, Call::Ask(_))).collect();
    assert!(later.is_empty(), "{later:?}");
    assert_eq!(farm.count(|call| matches!(call, Call::Release(..) | Call::Fail(..) | Call::Complete(..))), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_to_stop_stops_the_step() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 100, false));
    let steps = FakeSteps::new(1);
    let engine = start(&url, steps.clone(), 1);
    server.until("a row is committed", |farm| farm.committed().len() == 1).await;
    server.farm().order_stop();
    steps.until("the step is stopped", |seen| seen.stopped == 1).await;
    engine.stop().await;
    assert_eq!(server.farm().count(|call| matches!(call, Call::Release(..) | Call::Fail(..) | Call::Complete(..))), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_loses_nothing_and_doubles_nothing() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 40, false));
    let steps = FakeSteps::new(5);
    let engine = start(&url, steps.clone(), 1);
    server.until("five rows are committed", |farm| farm.committed().len() == 5).await;
    server.farm().down = true;
    steps.0.rows_let_out.add_permits(FREELY);
    // Rows pile up to what the loop takes in hand, and the step is held back.
    steps.until("rows finish during the outage", |seen| seen.rows_sent >= 8).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (sent, committed) = (steps.seen(|seen| seen.rows_sent), server.farm().committed().len());
    assert_eq!(committed, 5);
    assert!(sent <= 5 + 3 + 3, "{sent} rows were made although nothing could be delivered");
    {
        let mut farm = server.farm();
        farm.down = false;
        // Addresses from before the outage have expired.
        farm.refused_puts = 3;
    }
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    let farm = server.farm();
    assert_eq!(farm.committed(), (0..40).collect::<Vec<_>>());
    assert!((0..40).all(|row| farm.attempts(row).len() == 2), "no row was committed twice");
    assert_eq!(steps.seen(|seen| seen.started), 1);
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortened_span_ends_where_it_is_told_to() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 50, true));
    let steps = FakeSteps::new(4);
    let engine = start(&url, steps.clone(), 1);
    server.until("four rows are committed", |farm| farm.committed().len() == 4).await;
    server.farm().steal_from(6);
    let beats = server.farm().count(|call| matches!(call, Call::Heartbeat(_)));
    server.until("two heartbeats went by", |farm| farm.count(|call| matches!(call, Call::Heartbeat(_))) >= beats + 2).await;
    steps.0.rows_let_out.add_permits(FREELY);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    assert_eq!(server.farm().committed(), [0, 1, 2, 3, 4, 5]);
    assert!(steps.seen(|seen| seen.ends.iter().any(|end| end.last == 6 && !end.to_end)));
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_hands_leases_back_and_keeps_what_is_committed() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.extend([encode(0, 50, false), encode(50, 100, false)]);
    let steps = FakeSteps::new(6);
    let engine = start(&url, steps.clone(), 2);
    server.until("six rows are committed", |farm| farm.committed().len() == 6).await;
    assert_eq!(engine.stop().await, EngineEnd::Shutdown);
    let farm = server.farm();
    assert_eq!(farm.committed().len(), 6);
    let shutdowns = |call: &Call| matches!(call, Call::Release(request) if request.reason == ReleaseReason::Shutdown);
    assert_eq!(farm.count(shutdowns), 2);
    assert!(matches!(farm.calls.last(), Some(Call::Release(..))));
    assert_eq!(steps.seen(|seen| seen.stopped), 2);
    assert_eq!(farm.count(|call| matches!(call, Call::Fail(..) | Call::Complete(..))), 0);
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_without_a_server_does_not_take_for_ever() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 50, false));
    let steps = FakeSteps::new(2);
    let engine = start(&url, steps.clone(), 1);
    server.until("two rows are committed", |farm| farm.committed().len() == 2).await;
    server.farm().down = true;
    steps.0.rows_let_out.add_permits(FREELY);
    assert_eq!(engine.stop().await, EngineEnd::Shutdown);
}

#[tokio::test(flavor = "multi_thread")]
async fn renditions_may_be_out_of_step_and_come_twice() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(3, 11, false));
    let steps = FakeSteps::with(FREELY, |script| script.manner = Manner::OutOfStepAndTwice);
    let engine = start(&url, steps, 1);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    let farm = server.farm();
    assert_eq!(farm.committed(), (3..11).collect::<Vec<_>>());
    assert!((3..11).all(|row| farm.attempts(row) == [0, 0]), "the first delivery wins");
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn audio_goes_on_beyond_the_plan() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(audio(1, 4));
    let steps = FakeSteps::with(FREELY, |script| script.extra_rows = 2);
    let engine = start(&url, steps, 1);
    server.until("the track is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    let farm = server.farm();
    assert_eq!(farm.committed(), [1, 2, 3, 4, 5]);
    let results = |call: &Call| matches!(call, Call::Complete(TaskResult::Audio { segments: 6, .. }));
    assert_eq!(farm.count(results), 1);
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_comes_after_what_was_finished_before_it() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.extend([encode(0, 10, false), Work::Probe(Probe { source: source(), limits: Default::default() })]);
    let steps = FakeSteps::with(FREELY, |script| script.fails_after = Some(3));
    let engine = start(&url, steps, 1);
    let failures = |call: &Call| matches!(call, Call::Fail(request) if request.blame == Blame::Source);
    server.until("both have failed", |farm| farm.count(failures) == 2).await;
    engine.stop().await;
    let farm = server.farm();
    assert_eq!(farm.committed(), [0, 1, 2]);
    assert_eq!(farm.count(|call| matches!(call, Call::Complete(..) | Call::Release(..))), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_end_a_lease_with_blame_on_the_agent() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 10, false));
    let engine = start(&url, FakeSteps::with(FREELY, |script| script.manner = Manner::WithoutInits), 1);
    let failures = |code: &'static str| move |call: &Call| matches!(call, Call::Fail(request) if request.blame == Blame::Agent && request.code == code);
    server.until("the bad piece is noticed", |farm| farm.count(failures("bad_piece")) == 1).await;
    engine.stop().await;

    {
        let mut farm = server.farm();
        farm.queue.push_back(encode(0, 10, false));
        farm.refused_puts = u32::MAX;
    }
    let engine = start(&url, FakeSteps::new(FREELY), 1);
    server.until("storage refused for good", |farm| farm.count(failures("upload_refused")) == 1).await;
    engine.stop().await;

    {
        let mut farm = server.farm();
        farm.queue.push_back(encode(0, 10, false));
        farm.refused_puts = 3;
    }
    let engine = start(&url, FakeSteps::new(FREELY), 1);
    server.until("a few refusals are survived", |farm| farm.completed() == 1).await;
    engine.stop().await;
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_the_loop() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 10, false));
    let steps = FakeSteps::new(1);
    let engine = start(&url, steps.clone(), 2);
    server.until("a row is committed", |farm| farm.committed().len() == 1).await;
    server.farm().revoked = true;
    let end = tokio::time::timeout(Duration::from_secs(10), engine.run).await.expect("the loop ends").unwrap();
    assert_eq!(end, EngineEnd::Revoked);
    assert_eq!(steps.seen(|seen| seen.stopped), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_second_holder_committed_are_not_uploaded() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 8, false));
    let steps = FakeSteps::new(2);
    let engine = start(&url, steps.clone(), 1);
    server.until("two rows are committed", |farm| farm.committed().len() == 2).await;
    server.farm().commit_up_to(5);
    let beats = server.farm().count(|call| matches!(call, Call::Heartbeat(_)));
    server.until("two heartbeats went by", |farm| farm.count(|call| matches!(call, Call::Heartbeat(_))) >= beats + 2).await;
    steps.0.rows_let_out.add_permits(FREELY);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    let farm = server.farm();
    assert_eq!(farm.committed(), [0, 1, 5, 6, 7]);
    // Two renditions of five rows, and their init segments.
    assert_eq!(farm.count(|call| matches!(call, Call::Put)), 12);
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_holder_stops_at_once() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 100, false));
    let steps = FakeSteps::new(3);
    let engine = start(&url, steps.clone(), 1);
    server.until("three rows are committed", |farm| farm.committed().len() == 3).await;
    let asks = {
        let mut farm = server.farm();
        farm.supersede_leases();
        farm.asks().len()
    };
    // It is told at whichever call comes first.
    steps.0.rows_let_out.add_permits(10);
    server.until("it asks for other work, its only place being free", |farm| farm.asks().len() > asks).await;
    engine.stop().await;
    assert!(steps.seen(|seen| seen.rows_sent) < 100);
    assert_eq!(server.farm().count(|call| matches!(call, Call::Release(..) | Call::Fail(..) | Call::Complete(..))), 0);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_set_aside_proves_itself_and_works_again() {
    let (server, url) = FakeServer::start().await;
    {
        let mut farm = server.farm();
        farm.refuse_work_with = Some("set_aside");
        farm.queue.push_back(encode(0, 3, false));
    }
    let engine = start(&url, FakeSteps::new(FREELY), 1);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    server.until("it says so", |farm| farm.states.contains(&AgentState::Waiting)).await;
    engine.stop().await;
    let farm = server.farm();
    assert!(farm.proofs.len() >= 2, "the first came too early");
    assert_eq!(farm.proofs[1].capabilities.encoders, ["libx264"]);
    assert!(farm.states.contains(&AgentState::SetAside), "{:?}", farm.states);
    assert_eq!(farm.states.last(), Some(&AgentState::Offline));
    drop(farm);
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_agent_ends_what_it_holds() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 5, false));
    let steps = FakeSteps::new(2);
    let engine = start(&url, steps.clone(), 2);
    server.until("two rows are committed", |farm| farm.committed().len() == 2).await;
    server.farm().refuse_work_with = Some("draining");
    server.until("it says that it is drained", |farm| farm.states.contains(&AgentState::Draining)).await;
    steps.0.rows_let_out.add_permits(FREELY);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    {
        let mut farm = server.farm();
        farm.refuse_work_with = None;
        farm.queue.push_back(encode(5, 7, false));
    }
    server.until("other work is complete", |farm| farm.completed() == 2).await;
    engine.stop().await;
    assert_eq!(server.farm().proofs.len(), 0, "there was nothing to prove");
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_walls_does_not_ask_where_the_policy_wants_them() {
    let (server, url) = FakeServer::start().await;
    {
        let mut farm = server.farm();
        // The server would refuse it too, with a code of its own; it may even ask before it knows the policy.
        farm.require_sandbox = true;
        farm.refuse_work_with = Some("sandbox_required");
        farm.queue.push_back(encode(0, 3, false));
    }
    let engine = start(&url, FakeSteps::new(FREELY), 1);
    server.until("it says what is wrong", |farm| farm.codes.iter().any(|code| code == "sandbox_failed")).await;
    assert!(server.farm().states.contains(&AgentState::Broken));
    // It has stopped asking, though the server would now give it work …
    server.farm().refuse_work_with = None;
    let asks = server.farm().asks().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.farm().asks().len(), asks);
    assert_eq!(server.farm().completed(), 0);
    engine.stop().await;
    no_complaints(&server);
}
