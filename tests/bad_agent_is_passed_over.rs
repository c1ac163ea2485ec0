//! One machine that cannot encode does not stop a job: its failures are counted against it, never twice on the same task, and
//! others do the work.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use offpeak_tests::{exact, history::History, programs, sources, system::System};

const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_fails_is_passed_over() {
    let mut system = System::start(0).await;
    let profile = sources::lossless_profile();
    system.client.put_profile(&profile).await;
    let broken = broken_ffmpeg(&system);
    system.start_engine_as("broken", 1, broken);
    system.start_engine("good");
    let recipe = sources::recipe("hevc.mp4");
    let source = recipe.make(&system.scratch()).await;
    let job = system.client.submit(&source, &profile.name).await;

    let job = system.client.completed(&job.id, LIMIT).await;
    let history = History::of(&system.client, &job.id).await;
    let mut wrong = history.wrong();
    wrong.extend(exact::differences(&system, &recipe, &source, &job).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let failed: Vec<_> = history.ended().into_iter().filter(|ended| ended.how == "failed").collect();
    assert!(!failed.is_empty(), "the broken machine was never asked: {history:#?}");
    let mut tried: Vec<(String, String)> = Vec::new();
    for granted in history.granted("encode").into_iter().chain(history.granted("audio")) {
        if failed.iter().any(|ended| ended.lease == granted.lease) {
            tried.push((granted.task.clone(), granted.agent.clone()));
        }
    }
    let count = tried.len();
    tried.sort();
    tried.dedup();
    assert_eq!(tried.len(), count, "a task was given again to the machine that failed it");
}

/// An ffmpeg that passes an engine's own tests, and breaks off whenever it is to read or write media.
fn broken_ffmpeg(system: &System) -> PathBuf {
    let path = system.scratch().join("broken-ffmpeg");
    let real = programs::ffmpeg();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*http://*) echo 'a fault of this machine' >&2; exit 1;;\nesac\nexec '{}' \"$@\"\n",
        real.display()
    );
    std::fs::write(&path, script).expect("the script can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    path
}
