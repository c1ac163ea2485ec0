//! What a loop does while somebody is at the desk, and when it has to give everything back.

use std::time::Duration;

use offpeak_api::lease::{HolderState, ReleaseReason};
use offpeak_engine::desk::Allowed;

use crate::{
    engine::{Engine, encode, no_complaints, start, start_at_pace},
    fake_server::{Call, FakeServer},
    fake_steps::{FREELY, FakeSteps},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_engine_says_so_asks_for_nothing_and_goes_on() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 10, false));
    let steps = FakeSteps::new(2);
    let engine = start(&url, steps.clone(), 2);
    server.until("two rows are committed", |farm| farm.committed().len() == 2).await;
    engine.desk.set(Allowed::Suspended { reason: "somebody types".to_owned() });
    let says_so = |call: &Call| matches!(call, Call::Heartbeat(beat) if beat.state == HolderState::Suspended && beat.reason.as_deref() == Some("somebody types"));
    server.until("heartbeats say that it is suspended", |farm| farm.count(says_so) >= 3).await;
    let asks = server.farm().asks().len();
    let told = server.farm().count(says_so);
    server.until("some more beats went by", |farm| farm.count(says_so) >= told + 5).await;
    assert_eq!(server.farm().asks().len(), asks, "nothing was asked for meanwhile");
    engine.desk.set(Allowed::Work);
    let works =
        |call: &Call| matches!(call, Call::Heartbeat(beat) if beat.state == HolderState::Encoding && beat.reason.is_none());
    let before = server.farm().count(works);
    server.until("heartbeats say that it works", |farm| farm.count(works) > before).await;
    steps.0.rows_let_out.add_permits(FREELY);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    assert_eq!(server.farm().committed(), (0..10).collect::<Vec<_>>());
    assert_eq!(steps.seen(|seen| (seen.started, seen.stopped)), (1, 0));
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_handed_back_when_nothing_is_allowed() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 10, false));
    let steps = FakeSteps::new(2);
    let engine = start(&url, steps.clone(), 1);
    server.until("two rows are committed", |farm| farm.committed().len() == 2).await;
    engine.desk.set(Allowed::Nothing { why: ReleaseReason::Battery });
    let released = |call: &Call| matches!(call, Call::Release(request) if request.reason == ReleaseReason::Battery);
    server.until("the lease is released", |farm| farm.count(released) == 1).await;
    server.farm().queue.push_back(encode(2, 4, false));
    engine.desk.set(Allowed::Work);
    steps.0.rows_let_out.add_permits(FREELY);
    server.until("other work is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    assert_eq!(server.farm().committed(), [0, 1, 2, 3]);
    assert_eq!(steps.seen(|seen| seen.stopped), 1);
    no_complaints(&server);
}

/// Lets rows be finished while work stands still, waits for a while, and returns how many PUTs there were.
async fn finish_rows_beside_somebody(server: &FakeServer, steps: &FakeSteps, engine: &Engine) -> usize {
    let puts = |call: &Call| matches!(call, Call::Put);
    server.until("two rows are committed", |farm| farm.committed().len() == 2).await;
    engine.desk.set(Allowed::Suspended { reason: "somebody types".to_owned() });
    let says_so = |call: &Call| matches!(call, Call::Heartbeat(beat) if beat.state == HolderState::Suspended);
    server.until("it says that it stands still", |farm| farm.count(says_so) >= 1).await;
    let before = server.farm().count(puts);
    // As by an ffmpeg that had written them before it was frozen.
    steps.0.rows_let_out.add_permits(3);
    steps.until("rows are finished", |seen| seen.rows_sent == 5).await;
    let told = server.farm().count(says_so);
    server.until("some beats went by", |farm| farm.count(says_so) >= told + 10).await;
    assert_eq!(server.farm().count(puts), before, "nothing new is sent beside somebody");
    before
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_rows_wait_for_whoever_is_at_the_desk() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 10, false));
    let steps = FakeSteps::new(2);
    let engine = start(&url, steps.clone(), 1);
    finish_rows_beside_somebody(&server, &steps, &engine).await;
    // Addresses from before may have expired by the time that they go.
    engine.desk.set(Allowed::Work);
    steps.0.rows_let_out.add_permits(FREELY);
    server.until("the span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    assert_eq!(server.farm().committed(), (0..10).collect::<Vec<_>>());
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_finished_goes_out_before_the_lease_goes_back() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.push_back(encode(0, 10, false));
    let steps = FakeSteps::new(2);
    let engine = start_at_pace(&url, steps.clone(), 1, None, |pace| pace.shutdown_limit = Duration::from_secs(60));
    finish_rows_beside_somebody(&server, &steps, &engine).await;
    engine.desk.set(Allowed::Nothing { why: ReleaseReason::UserReturned });
    let released = |call: &Call| matches!(call, Call::Release(request) if request.reason == ReleaseReason::UserReturned);
    server.until("the lease is released", |farm| farm.count(released) == 1).await;
    assert_eq!(server.farm().committed(), [0, 1, 2, 3, 4]);
    engine.stop().await;
    no_complaints(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_disturbed_hands_its_lease_back_without_blame() {
    let (server, url) = FakeServer::start().await;
    server.farm().queue.extend([encode(0, 10, false), encode(10, 12, false)]);
    let steps = FakeSteps::with(FREELY, |script| script.disturbed_before = Some(3));
    let engine = start(&url, steps, 1);
    let released = |call: &Call| matches!(call, Call::Release(request) if request.reason == ReleaseReason::UserReturned);
    server.until("it is released", |farm| farm.count(released) == 1).await;
    server.until("the other span is complete", |farm| farm.completed() == 1).await;
    engine.stop().await;
    let farm = server.farm();
    assert_eq!(farm.count(|call| matches!(call, Call::Fail(..))), 0);
    assert_eq!(farm.committed(), [0, 1, 2, 10, 11]);
    drop(farm);
    no_complaints(&server);
}
