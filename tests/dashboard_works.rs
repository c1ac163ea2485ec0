//! The dashboard works as people use it, in a real browser: they log in, upload a film, see its map fill, play it while it is
//! being encoded, see a machine die and another take over, cancel, and try again. `browser/dashboard.mjs` is the person.

use std::{path::PathBuf, process::Stdio, time::Duration};

use offpeak_api::profile::{Profile, VideoProfile, X264Preset};
use offpeak_tests::{
    programs::{run_ffmpeg, workspace},
    sources::small_profile,
    system::System,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
    time::timeout,
};

/// For films of most of a minute on two cores, and for every page in four shapes.
const LIMIT: Duration = Duration::from_secs(900);

/// Slow enough that a machine can die in the middle of such a film.
fn unhurried_profile() -> Profile {
    let small = small_profile();
    Profile {
        video: VideoProfile { preset: X264Preset::Medium, ..small.video.clone() },
        segment_seconds: 2.0,
        span_seconds: 8.0,
        ..small
    }
}

#[tokio::test]
async fn people_use_the_dashboard() {
    let mut system = System::start_with(2, &[("OFFPEAK_LEASE_SECONDS", "9")]).await;
    let profile = unhurried_profile();
    system.client.put_profile(&profile).await;
    let folder = system.scratch();
    let words = "-f lavfi -i testsrc2=size=640x360:rate=25:duration=48 -f lavfi -i sine=frequency=330:duration=48 \
                 -c:v libx264 -preset ultrafast -c:a aac film.mp4";
    run_ffmpeg(&folder, words).await;
    let setup = system.server_says(&["people", "setup"]);
    let link = setup.lines().find(|line| line.contains("/setup?code=")).expect("a link").trim().to_owned();

    let browser = workspace().join("tests/browser");
    assert!(browser.join("node_modules/axe-core").is_dir(), "axe is missing: run `cargo xtask setup --test`");
    let mut person = Command::new("node")
        .current_dir(&browser)
        .arg("dashboard.mjs")
        .arg(system.client.server().as_str().trim_end_matches('/'))
        .arg(link)
        .arg(folder.join("film.mp4"))
        .env("OFFPEAK_TEST_PROFILE", &profile.name)
        .env("OFFPEAK_CHROMIUM", chromium())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node starts");
    let mut answers = person.stdin.take().expect("stdin is piped");
    let mut lines = BufReader::new(person.stdout.take().expect("stdout is piped")).lines();
    let mut told = Vec::new();
    let reading = async {
        while let Some(line) = lines.next_line().await.expect("node prints text") {
            println!("{line}");
            if line.contains("please") {
                let asked = line.split('"').find_map(|part| part.split_once(' ')).expect("it says what is asked for");
                match asked {
                    ("kill", engine) => system.engine(engine).kill(),
                    ("start", engine) => system.start_engine(engine),
                    _ => panic!("nobody knows how to {line}"),
                }
                answers.write_all(b"done\n").await.expect("node reads");
            }
            told.push(line);
        }
    };
    timeout(LIMIT, reading).await.expect("the person is done in time");
    let status = person.wait().await.expect("a child can be waited for");
    let mut stderr = String::new();
    if let Some(mut pipe) = person.stderr.take() {
        pipe.read_to_string(&mut stderr).await.expect("node prints text");
    }
    assert!(status.success(), "the dashboard does not work as it should:\n{}\n{stderr}", told.join("\n"));
    assert!(told.iter().any(|line| line.contains("kill engine-1")), "no machine died");
}

/// `OFFPEAK_CHROMIUM`, or the first browser of its kind that is installed.
fn chromium() -> PathBuf {
    let named = std::env::var_os("OFFPEAK_CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = || {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
    };
    named.or_else(installed).expect("Chromium is installed: run `cargo xtask setup --test`, or set OFFPEAK_CHROMIUM")
}
