//! Work is lost in segments, not in tasks: a killed engine's span goes on where its commits end, and nobody can tell from the
//! result. An engine that is told to end gives its lease back at once.

use std::{path::Path, time::Duration};

use offpeak_api::{
    ids::{AgentId, JobId},
    job::{Job, JobState},
};
use offpeak_tests::{
    exact,
    history::{Committed, History, Step},
    process::wait_until_gone,
    sources::{self, Recipe},
    system::System,
};

/// The lease has to expire (30 s) before anybody else may go on.
const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_engine_costs_at_most_its_uncommitted_segments() {
    let mut system = System::start(2).await;
    let (recipe, source, job) = submit_slow_film(&system).await;
    let (victim, seen) = wait_for_commit_inside_a_span(&system, &job).await;
    let ffmpegs = system.engine(&victim).children();
    system.engine(&victim).kill();
    assert!(!ffmpegs.is_empty(), "{victim} was encoding");
    // No orphan: ffmpeg dies with its engine.
    wait_until_gone(&ffmpegs, Duration::from_secs(5)).await;

    let job = system.client.completed(&job, LIMIT).await;
    let history = History::of(&system.client, &job.id).await;
    let taken_over =
        history.granted("encode").into_iter().find(|granted| granted.task == seen.task && granted.lease != seen.lease);
    let taken_over = taken_over.expect("somebody else went on with the span");
    assert!(taken_over.cursor >= seen.last, "rows up to {} were committed before the kill: {taken_over:?}", seen.last);
    assert_ne!(taken_over.agent, seen.agent);
    check(&system, &recipe, &source, &job, &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_told_to_end_gives_its_lease_back() {
    let mut system = System::start(2).await;
    let (recipe, source, job) = submit_slow_film(&system).await;
    let (victim, seen) = wait_for_commit_inside_a_span(&system, &job).await;
    assert_eq!(system.engine(&victim).terminate(), Some(0), "{victim} ends well");

    let job = system.client.completed(&job, LIMIT).await;
    let history = History::of(&system.client, &job.id).await;
    let ended = history.ended().into_iter().find(|ended| ended.lease == seen.lease).expect("the lease was ended");
    assert_eq!(ended.how, "released");
    check(&system, &recipe, &source, &job, &history).await;
}

/// A job whose segments take seconds each.
async fn submit_slow_film(system: &System) -> (Recipe, std::path::PathBuf, JobId) {
    let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
    system.client.put_profile(&profile).await;
    let source = recipe.make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;
    (recipe, source, job.id)
}

/// Waits until a holder has committed some, but not all, rows of a span of pictures; its name, and the commit.
async fn wait_for_commit_inside_a_span(system: &System, job: &JobId) -> (String, Committed) {
    let mut lasts = std::collections::BTreeMap::new();
    let mut found = None;
    system
        .client
        .each_event(job, |event| {
            match Step::read(event) {
                Step::Granted(granted) => {
                    lasts.insert(granted.task, granted.last);
                }
                Step::Committed(committed) if committed.kind == "encode" => {
                    let inside = lasts.get(&committed.task).is_some_and(|last| committed.last < *last);
                    found = inside.then_some(committed);
                }
                Step::Committed(_) | Step::Ended(_) | Step::Other(_) => {}
            }
            found.is_none()
        })
        .await;
    let found = found.expect("some span was committed in parts");
    let name = name_of(system, &found.agent.parse().expect("an agent's id")).await;
    (name, found)
}

async fn name_of(system: &System, agent: &AgentId) -> String {
    let request = system.client.request(reqwest::Method::GET, "/v1/agents");
    let list: offpeak_api::agent::AgentList =
        offpeak_tests::client::answer(offpeak_tests::client::send(request).await).await.expect("a list of agents");
    list.agents.into_iter().find(|known| known.id == *agent).unwrap_or_else(|| panic!("there is no {agent}")).name
}

/// The result is whole and exact, and what was committed was not encoded again.
async fn check(system: &System, recipe: &Recipe, source: &Path, job: &Job, history: &History) {
    assert_eq!(job.state, JobState::Completed);
    let mut wrong = history.wrong();
    wrong.extend(exact::differences(system, recipe, source, job).await);
    // Storage tells what was uploaded, committed or not: nobody may have made a committed segment once more.
    for committed in history.committed("encode") {
        for row in committed.first..committed.last {
            let copies = copies_of(system, job, row);
            let later = copies.len() - 1;
            let allowed = history.granted("encode").iter().filter(|g| g.task == committed.task && g.cursor <= row).count() - 1;
            if later > allowed {
                wrong.push(format!("segment {row} was uploaded {} times: {copies:?}", copies.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where storage has segment `row` of the first rendition.
fn copies_of(system: &System, job: &Job, row: u32) -> Vec<std::path::PathBuf> {
    let rendition = &job.progress.renditions[0].id;
    let folder = system.storage().join("jobs").join(job.id.as_str());
    let prefixes = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = prefixes.map(|entry| entry.expect("a folder entry").path().join(rendition).join(format!("{row}.m4s")));
    paths.filter(|path| path.exists()).collect()
}
