//! The tray app as its person has it: a real engine below it, a real server, real ffmpeg, a real panel and real clicks.
#![cfg(target_os = "linux")]

use std::{
    ffi::OsStr,
    time::{Duration, Instant},
};

use offpeak_api::{agent::AgentState, ids::JobId, job::Job};
use offpeak_desktop::{Desktop, Tray, children, colours, is_alive};
use offpeak_tests::{
    client::{answer, send},
    programs::{self, built},
    sources,
    system::System,
};
use reqwest::Method;
use serde_json::Value;

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
        let system = System::start(0).await;
        let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
        system.client.put_profile(&profile).await;
        let source = recipe.make(&system.scratch()).await;
        let Job { id: job, .. } = system.client.submit(&source, &profile.name).await;
        let code = system.server_says(&["token", "enrol", "--uses", "1"]);
        let desktop = Desktop::start();
        let (ffmpeg, ffprobe) = (programs::ffmpeg(), programs::ffprobe());
        let variables: [(&str, &OsStr); 5] = [
            ("OFFPEAK_URL", system.client.server().as_str().as_ref()),
            ("OFFPEAK_ENROL_CODE", code.as_ref()),
            ("OFFPEAK_FFMPEG", ffmpeg.as_ref()),
            ("OFFPEAK_FFPROBE", ffprobe.as_ref()),
            // The panel needs clicks, and with a person at the desk there would be no work.
            ("OFFPEAK_PRESENCE", "none".as_ref()),
        ];
        let tray = desktop.start_tray(programs::tray(), &built().agent, &variables, &[]);
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
    desk.until("ffmpeg ends", |desk| desk.ffmpegs().is_empty()).await;
    desk.desktop.panel_shows("the picture of a pause", colours::SLATE, 20);
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
    while all.iter().any(|pid| is_alive(*pid)) {
        assert!(since.elapsed() < Duration::from_secs(1), "one of {all:?} lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("engine and ffmpeg were gone after {:?}", since.elapsed());
}
