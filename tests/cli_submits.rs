//! `offpeak submit --watch` takes a film to a finished stream, `offpeak download` fetches the file of it, and what goes wrong
//! ends with a code and a reason.

use std::time::Duration;

use offpeak_api::job::{Job, JobState};
use offpeak_tests::{programs::run_ffprobe, sources, system::System};

use crate::output_is_valid::{decodes_in_silence, is_fast_start};

const LIMIT: Duration = Duration::from_secs(240);

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn offpeak(system: &System, arguments: &[&str]) -> Said {
    let mut command = tokio::process::Command::from(system.cli());
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await.expect("offpeak ends").expect("offpeak starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_submitted_watched_and_downloaded() {
    // The film that is fetched by its address is served by the server itself.
    let system = System::start_with(2, &[("OFFPEAK_OUTBOUND_ALLOW", "127.0.0.1")]).await;
    let profile = sources::small_profile();
    system.client.put_profile(&profile).await;
    let folder = system.scratch();
    sources::recipe("late-sound.mkv").make(&folder).await;

    let said =
        offpeak(&system, &["submit", "late-sound.mkv", "--profile", &profile.name, "--watch", "--meta", "title=Harbour"]).await;
    assert_eq!(said.code, Some(0), "{}\n{}", said.stdout, said.stderr);
    for word in ["upload", "encoding", "completed"] {
        assert!(said.stderr.contains(word) || said.stdout.contains(word), "no {word} in:\n{}\n{}", said.stderr, said.stdout);
    }
    let listed = offpeak(&system, &["jobs", "--json"]).await;
    let jobs: Vec<Job> = serde_json::from_str(&listed.stdout).unwrap_or_else(|e| panic!("{e}: {}", listed.stdout));
    let [job] = &jobs[..] else { panic!("one job was made: {jobs:#?}") };
    assert_eq!((job.state, job.metadata.get("title").map(String::as_str)), (JobState::Completed, Some("Harbour")));
    assert!(said.stdout.contains(job.id.as_str()), "{}", said.stdout);

    let said = offpeak(&system, &["download", job.id.as_str(), "-o", "out.mp4"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let film = folder.join("out.mp4");
    is_fast_start(&std::fs::read(&film).expect("the film was downloaded"));
    decodes_in_silence(&film, 500).await;
    let words = "-show_entries stream=codec_name,start_time,duration -of csv=p=0 out.mp4";
    let ran = run_ffprobe(&folder, words).await;
    let streams: Vec<Vec<&str>> = ran.text().lines().map(|line| line.split(',').collect()).collect();
    let seconds = |text: &str| text.parse::<f64>().unwrap_or_else(|e| panic!("{text}: {e}"));
    let [video, audio] = &streams[..] else { panic!("{streams:?}") };
    assert_eq!((video[0], audio[0]), ("h264", "aac"));
    assert!(seconds(video[1]).abs() < 0.001 && seconds(audio[1]).abs() < 0.001, "both start at 0: {streams:?}");
    assert!((seconds(video[2]) - 20.0).abs() < 0.001 && (seconds(audio[2]) - 20.0).abs() < 0.022, "{streams:?}");

    // A film that somebody else serves, by its address: here our own result, fetched from the server by an engine.
    let address = job.outputs.files[0].url.as_str();
    let said = offpeak(&system, &["submit", address, "--profile", &profile.name, "--watch", "--json"]).await;
    assert_eq!(said.code, Some(0), "{}\n{}", said.stdout, said.stderr);
    let fetched: Job = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {}", said.stdout));
    assert_eq!((fetched.state, fetched.progress.frames_total), (JobState::Completed, 500));
    let stored = std::fs::read(system.storage().join("sources").join(fetched.source.as_str())).expect("the source is in storage");
    assert!(stored == std::fs::read(&film).expect("the film"), "what was fetched is not what was served");

    // Again: it is there already.
    let said = offpeak(&system, &["download", job.id.as_str(), "-o", "out.mp4"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_ends_with_a_code_and_a_reason() {
    let system = System::start(1).await;
    std::fs::write(system.scratch().join("letter.txt"), "Dear reader,\nthis is no film.\n").expect("the file can be written");
    for (arguments, code, reason) in [
        (&["submit", "letter.txt", "--watch"][..], 1, "text"),
        (&["submit", "missing.mp4"], 1, "missing.mp4"),
        (&["submit", "letter.txt", "--profile", "no-such-profile"], 1, "no-such-profile"),
        (&["show", "job_01J8ZC5V2M0N6QW3T7RX9KPEHD"], 1, "job"),
        (&["show", "film"], 2, "film"),
        (&["submit"], 2, "FILE"),
    ] {
        let said = offpeak(&system, arguments).await;
        assert_eq!(said.code, Some(code), "{arguments:?}: {}\n{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(reason), "{arguments:?}: {}", said.stderr);
        assert!(!said.stderr.contains("panicked") && !said.stderr.contains("Error {"), "{arguments:?}: {}", said.stderr);
    }
}
