//! A cancelled job costs nothing more: its encoders end within a heartbeat, what it had made goes and stays away, and the
//! engines take other work.

use std::time::{Duration, Instant};

use offpeak_api::job::{Job, JobState};
use offpeak_tests::{
    client::{answer, send},
    history::Step,
    process::wait_until_gone,
    sources,
    system::System,
};
use reqwest::{Method, StatusCode};

/// A heartbeat comes every 10 s.
const LAST_ORDERS: Duration = Duration::from_secs(15);
const LIMIT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_ends_at_once() {
    let mut system = System::start(1).await;
    let (slow, small) = (sources::slow_lossless_profile(), sources::small_profile());
    system.client.put_profile(&slow).await;
    system.client.put_profile(&small).await;
    let source = sources::slow_film().make(&system.scratch()).await;
    let job = system.client.submit(&source, &slow.name).await;
    let is_pictures = |step: Step| matches!(step, Step::Committed(rows) if rows.kind == "encode");
    system.client.each_event(&job.id, |event| !is_pictures(Step::read(event))).await;

    // Between two spans nothing runs for a moment.
    let mut encoders = system.engine("engine-1").children();
    let deadline = Instant::now() + LAST_ORDERS;
    while encoders.is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
        encoders = system.engine("engine-1").children();
    }
    assert!(!encoders.is_empty(), "the engine is encoding");
    let cancelled = send(system.client.request(Method::POST, &format!("/v1/jobs/{}/cancel", job.id))).await;
    let cancelled: Job = answer(cancelled).await.expect("a running job can be cancelled");
    assert_eq!(cancelled.state, JobState::Cancelled);
    wait_until_gone(&encoders, LAST_ORDERS).await;

    // The engine is free, and goes on with other work.
    let film = sources::recipe("blink.mp4").make(&system.scratch()).await;
    let next = system.client.submit(&film, &small.name).await;
    system.client.completed(&next.id, LIMIT).await;

    let folder = system.storage().join("jobs").join(job.id.as_str());
    let left: Vec<_> = std::fs::read_dir(&folder).map(|entries| entries.flatten().collect()).unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
    let again = send(system.client.request(Method::POST, &format!("/v1/jobs/{}/cancel", job.id))).await;
    assert_eq!(again.status(), StatusCode::OK, "cancelling twice is no mistake");
    let done = send(system.client.request(Method::POST, &format!("/v1/jobs/{}/cancel", next.id))).await;
    assert_eq!(done.status(), StatusCode::CONFLICT, "a completed job cannot be cancelled");
}
