//! The tray app as its person has it: a real engine below it, a real server, real ffmpeg, a real panel and real clicks.
#![cfg(target_os = "linux")]

mod releases;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use offpeak_api::{agent::AgentState, ids::JobId, job::Job};
use offpeak_desktop::{Desktop, Tray, children, colours, is_alive};
use offpeak_tests::{
    client::{answer, send},
    history::History,
    programs::{self, built},
    sources,
    system::System,
    tree,
};
use reqwest::Method;
use serde_json::Value;

use crate::releases::{Key, Releases};

/// Debug builds, on a machine that tests other things too.
const LIMIT: Duration = Duration::from_secs(180);

struct Desk {
    system: System,
    desktop: Desktop,
    tray: Tray,
    job: JobId,
}

impl Desk {
    /// A tray app that has joined, and encodes.
    async fn at_work() -> Self {
        Self::at_work_with(programs::tray(), &[]).await
    }

    async fn at_work_with(tray: &Path, more: &[(&str, &OsStr)]) -> Self {
        let system = System::start(0).await;
        let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
        system.client.put_profile(&profile).await;
        let source = recipe.make(&system.scratch()).await;
        let Job { id: job, .. } = system.client.submit(&source, &profile.name).await;
        let code = system.server_says(&["token", "enrol", "--uses", "1"]);
        let desktop = Desktop::start();
        let (ffmpeg, ffprobe) = (programs::ffmpeg(), programs::ffprobe());
        let mut variables: Vec<(&str, &OsStr)> = vec![
            ("OFFPEAK_URL", system.client.server().as_str().as_ref()),
            ("OFFPEAK_ENROL_CODE", code.as_ref()),
            ("OFFPEAK_FFMPEG", ffmpeg.as_ref()),
            ("OFFPEAK_FFPROBE", ffprobe.as_ref()),
            // The panel needs clicks, and with a person at the desk there would be no work.
            ("OFFPEAK_PRESENCE", "none".as_ref()),
        ];
        variables.extend(more);
        let tray = desktop.start_tray_at_login(tray, &built().agent, &variables);
        let desk = Self { system, desktop, tray, job };
        desk.until("it encodes", |desk| !desk.ffmpegs().is_empty() && desk.tray.engine().is_some()).await;
        desk
    }

    fn ffmpegs(&self) -> Vec<u32> {
        self.tray.engine().map(below).unwrap_or_default()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the server was told of the only agent.
    async fn state(&self) -> AgentState {
        let response = send(self.system.client.request(Method::GET, "/v1/agents")).await;
        let list: Value = answer(response).await.expect("a list of agents");
        serde_json::from_value(list["agents"][0]["state"].clone()).expect("a state")
    }
}

/// All processes below one.
fn below(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(|child| [vec![child], below(child)].concat()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_from_the_menu_stops_the_work_and_its_end_goes_on() {
    let desk = Desk::at_work().await;
    desk.desktop.panel_shows("the picture of work", colours::INDIGO, 20);

    desk.desktop.click_the_icon();
    // The first thing that can be chosen is the snooze; its first choice is an hour.
    desk.desktop.key(&["Down", "Right", "Return"]);
    desk.desktop.panel_shows("the picture of a pause", colours::SLATE, 20);
    desk.until("ffmpeg ends", |desk| desk.ffmpegs().is_empty()).await;
    let since = Instant::now();
    while desk.state().await != AgentState::Snoozed {
        assert!(since.elapsed() < LIMIT, "the server is not told of the snooze");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    desk.desktop.click_the_icon();
    // Now the first is to end it.
    desk.desktop.key(&["Down", "Return"]);
    let done = desk.system.client.completed(&desk.job, LIMIT).await;
    assert_eq!(done.id, desk.job);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_tray_app_leaves_neither_engine_nor_ffmpeg() {
    let mut desk = Desk::at_work().await;
    let engine = desk.tray.engine().expect("it works");
    let all = [vec![engine], desk.ffmpegs()].concat();
    assert!(all.len() > 1, "ffmpeg runs");
    desk.tray.kill();
    let since = Instant::now();
    tree::wait_until_doomed(&all, Duration::from_secs(1)).await;
    println!("engine and ffmpeg were at their end after {:?}", since.elapsed());
    desk.until("all are gone", |_| !all.iter().any(|pid| is_alive(*pid))).await;
}

/// Processes whose program is this file; not those whose program was replaced since.
fn running(program: &Path) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    ids.filter(|id| fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|of| of == program)).collect()
}

/// Ends whatever still runs of a program that starts itself anew.
struct Ended(PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        for id in running(&self.0) {
            let _ended_before = std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status();
        }
    }
}

/// As an AppImage is updated: one file that is replaced. Keys, signatures and the server of the releases are real.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_installed_when_its_signature_fits_and_only_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().join("offpeak-tray");
    fs::copy(programs::tray(), &app).expect("the program can be copied");
    let _ended = Ended(app.clone());
    let old = fs::read(&app).expect("it can be read");
    // Programs may be followed by anything.
    let new = [&old[..], b"\nversion 9.9.9"].concat();
    let (key, strange) = (Key::make(folder.path(), "ours"), Key::make(folder.path(), "strange"));
    let releases = Releases::serve().await;
    releases.publish(new.clone(), strange.sign(&new));
    let place = releases.place();
    let tried: [(&str, &OsStr); 2] =
        [("OFFPEAK_TRY_UPDATES_FROM", place.as_ref()), ("OFFPEAK_TRY_UPDATES_KEY", key.public.as_ref())];
    let desk = Desk::at_work_with(&app, &tried).await;
    let engine = desk.tray.engine();
    let update = || {
        let done = desk.desktop.command(&app).arg("--update").status().expect("it starts");
        assert!(done.success(), "one that tells the first ends well");
    };
    let log = || fs::read_to_string(desk.desktop.folder.path().join("tray.log")).unwrap_or_default();

    update();
    desk.until("the signature is refused", |_| log().contains("was not installed: it is not signed with the key")).await;
    assert_eq!(desk.tray.engine(), engine, "work goes on");
    assert!(fs::read(&app).expect("it can be read") == old, "nothing was replaced");

    // Well signed, and no program: the engine has gone already when that is seen, and comes back.
    let rubbish = b"no program at all".to_vec();
    releases.publish(rubbish.clone(), key.sign(&rubbish));
    update();
    desk.until("it cannot be installed", |_| log().matches("was not installed").count() == 2).await;
    desk.until("another engine works", |desk| desk.tray.engine().is_some_and(|now| Some(now) != engine)).await;
    assert!(fs::read(&app).expect("it can be read") == old, "nothing was replaced");
    desk.until("it encodes again", |desk| !desk.ffmpegs().is_empty()).await;

    releases.publish(new.clone(), key.sign(&new));
    let before = desk.tray.engine().expect("it works");
    update();
    let new_app = || running(&app).into_iter().find(|id| *id != desk.tray.pid());
    desk.until("the new version has an engine", |_| new_app().is_some_and(|id| !children(id).is_empty())).await;
    assert!(fs::read(&app).expect("it can be read") == new, "it is the new one");
    desk.until("the old one is gone", |desk| !is_alive(desk.tray.pid()) && !is_alive(before)).await;
    // It goes on with what the old one handed back.
    let works = || new_app().is_some_and(|id| children(id).into_iter().any(|engine| !below(engine).is_empty()));
    desk.until("the new version encodes", |_| works()).await;
    // Before the programs were replaced, both times.
    History::until_released(&desk.system.client, &desk.job, 2, LIMIT).await;
}
