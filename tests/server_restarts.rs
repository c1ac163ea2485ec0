//! Nothing is kept in the server's process: killed without warning and started again, it goes on where its database is, and
//! the engines have not lost a segment.

use std::time::Duration;

use offpeak_api::job::JobState;
use offpeak_tests::{
    exact,
    history::{History, Step},
    sources,
    system::System,
};

const LIMIT: Duration = Duration::from_secs(240);
/// Longer than a heartbeat (10 s) would be slow to test, shorter would not be noticed by uploads and commits.
const DOWN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_where_it_was() {
    let mut system = System::start(2).await;
    let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
    system.client.put_profile(&profile).await;
    let source = recipe.make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;

    let mut commits = 0;
    system
        .client
        .each_event(&job.id, |event| {
            commits += usize::from(matches!(Step::read(event), Step::Committed(rows) if rows.kind == "encode"));
            commits < 2
        })
        .await;
    system.kill_server();
    tokio::time::sleep(DOWN).await;
    system.restart_server().await;

    let job = system.client.completed(&job.id, LIMIT).await;
    assert_eq!(job.state, JobState::Completed);
    let history = History::of(&system.client, &job.id).await;
    let mut wrong = history.wrong();
    wrong.extend(exact::differences(&system, &recipe, &source, &job).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // An outage of the server costs no work: nobody lost the span that was being encoded.
    assert_eq!(history.granted("encode").len(), history.tasks("encode").len(), "each span was leased once: {history:#?}");
    for engine in ["engine-1", "engine-2"] {
        assert!(system.engine(engine).is_running(), "{engine} survived");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_told_to_end_ends_well() {
    let mut system = System::start(1).await;
    assert_eq!(system.server().terminate(), Some(0));
    system.restart_server().await;
    assert!(system.engine("engine-1").is_running());
}
