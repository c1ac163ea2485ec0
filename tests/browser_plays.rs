//! What comes out plays in a browser: in hls.js, dash.js and Shaka Player with their defaults, and on the player page, every
//! frame at its time on the grid, sound and picture together, without waiting and without an error.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use offpeak_api::{ids::JobId, media::Ratio};
use offpeak_tests::{
    programs::{run_ffmpeg, workspace},
    sources::{recipe, small_profile},
    stream::{Stream, Track},
    system::System,
};
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::Mutex,
};

/// For a film of 20 s of small pictures, on two cores that may be doing something else.
const JOB_LIMIT: Duration = Duration::from_secs(240);

/// Films must not wait for a processor: one test at a time. (nextest, with a process for each, is told so in its settings.)
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// What must be seen, as `browser/plays.mjs` wants to be told.
#[derive(Debug, Serialize)]
struct Film {
    rate: Ratio,
    frames: u64,
    frames_per_segment: u64,
    /// Lines of each rung; none for sound alone.
    heights: Vec<u32>,
    /// Where the sound ends, after the edit list.
    audio_seconds: Option<f64>,
    /// What the player page must offer to download.
    files: Vec<String>,
}

impl Film {
    fn of(stream: &Stream, rate: Ratio) -> Self {
        let (_, pictures) = &stream.variants[0];
        let samples: Vec<u64> =
            pictures.fragments().iter().map(|segment| segment.iter().map(|fragment| u64::from(fragment.samples)).sum()).collect();
        Self {
            rate,
            frames: samples.iter().sum(),
            frames_per_segment: samples[0],
            heights: stream.variants.iter().filter_map(|(variant, _)| Some(variant.resolution?.1)).collect(),
            audio_seconds: stream.audio.as_ref().map(end_of_sound),
            files: small_profile().files.into_iter().map(|file| file.name).collect(),
        }
    }

    /// Sound alone: its samples are the frames.
    fn of_sound(stream: &Stream) -> Self {
        let (_, sound) = &stream.variants[0];
        let seconds = end_of_sound(sound);
        let rate = Ratio::new(sound.header.timescale, 1);
        let frames = (seconds * rate.as_f64()).round() as u64;
        Self { rate, frames, frames_per_segment: frames, heights: Vec::new(), audio_seconds: Some(seconds), files: Vec::new() }
    }
}

fn end_of_sound(sound: &Track) -> f64 {
    let ticks: u64 = sound.fragments().iter().flatten().map(|fragment| fragment.duration_ticks).sum();
    ticks.saturating_sub(sound.header.media_time) as f64 / f64::from(sound.header.timescale)
}

/// A run of `browser/plays.mjs`.
struct Player {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Player {
    /// Plays the job in each of `ways`; all when none is named.
    fn start(system: &System, job: &JobId, film: &Film, ways: &[&str]) -> Self {
        let folder = workspace().join("tests/browser");
        assert!(folder.join("node_modules").is_dir(), "the players are missing: run `cargo xtask setup --test`");
        let mut child = Command::new("node")
            .current_dir(&folder)
            .arg("plays.mjs")
            .arg(system.client.server().as_str().trim_end_matches('/'))
            .arg(job.as_str())
            .arg(serde_json::to_string(film).expect("a film is JSON"))
            .args(ways)
            .env("OFFPEAK_CHROMIUM", chromium())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        Self { child, lines: BufReader::new(stdout).lines() }
    }

    async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.expect("node prints text")
    }

    /// Waits until all ways were taken; none may have found a fault.
    async fn finish(mut self) {
        let mut told = Vec::new();
        while let Some(line) = self.line().await {
            println!("{line}");
            told.push(line);
        }
        let status = self.child.wait().await.expect("a child can be waited for");
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).await.expect("node prints text");
        }
        assert!(status.success(), "it does not play as it should:\n{}\n{stderr}", told.join("\n"));
    }
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

async fn made(system: &System, source: &Path) -> (JobId, Stream) {
    system.client.put_profile(&small_profile()).await;
    let job = system.client.submit(source, &small_profile().name).await;
    let job = system.client.completed(&job.id, JOB_LIMIT).await;
    let stream = Stream::fetch(&system.client, &job).await;
    (job.id, stream)
}

#[tokio::test]
async fn a_film_plays_in_every_player() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let system = System::start(2).await;
    let recipe = recipe("open-gop.mp4");
    let source = recipe.make(&system.scratch()).await;
    let (job, stream) = made(&system, &source).await;
    assert_eq!(stream.variants.len(), 2, "the profile makes two rungs of it");
    Player::start(&system, &job, &Film::of(&stream, recipe.rate), &[]).finish().await;
}

#[tokio::test]
async fn an_odd_frame_rate_plays_on_time() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let system = System::start(2).await;
    let recipe = recipe("59-94.mp4");
    let source = recipe.make(&system.scratch()).await;
    let (job, stream) = made(&system, &source).await;
    Player::start(&system, &job, &Film::of(&stream, recipe.rate), &["hls.js", "dash.js", "shaka-dash"]).finish().await;
}

#[tokio::test]
async fn sound_alone_plays() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let system = System::start(1).await;
    let folder = system.scratch();
    run_ffmpeg(&folder, "-f lavfi -i sine=frequency=330:sample_rate=44100:duration=9 -c:a libmp3lame sound.mp3").await;
    let (job, stream) = made(&system, &folder.join("sound.mp3")).await;
    Player::start(&system, &job, &Film::of_sound(&stream), &["hls.js", "dash.js", "watch-page"]).finish().await;
}

#[tokio::test]
async fn the_player_page_waits_for_a_job_and_starts_by_itself() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let mut system = System::start(0).await;
    system.client.put_profile(&small_profile()).await;
    let recipe = recipe("open-gop.mp4");
    let source = recipe.make(&system.scratch()).await;
    let job = system.client.submit(&source, &small_profile().name).await;
    let film = Film {
        rate: recipe.rate,
        frames: 500,
        frames_per_segment: 50,
        heights: vec![recipe.size.1, 120],
        audio_seconds: None,
        files: Vec::new(),
    };

    let mut player = Player::start(&system, &job.id, &film, &["watch-early"]);
    let first = player.line().await.unwrap_or_default();
    assert!(first.contains("waiting"), "the page does not wait: {first}");
    system.start_engine("engine-1");
    system.start_engine("engine-2");
    player.finish().await;
}
