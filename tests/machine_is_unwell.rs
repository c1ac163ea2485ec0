//! Whatever a machine goes through, its engine has a state and a sentence for it, and comes back: a clock that is set, a network
//! that swallows everything, a display that is gone, an engine that stood still for longer than its lease.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use offpeak_api::{agent::AgentState, ids::JobId, policy::Policy};
use offpeak_link::{Answer, Order};
use offpeak_tests::{
    display::{Display, forget_this_desk},
    exact,
    history::History,
    linked::Linked,
    process::wait_until_gone,
    proxy::{Proxy, Weather},
    sources::{self, Recipe},
    system::System,
    tree,
};

const LIMIT: Duration = Duration::from_secs(300);
const DAY: i64 = 86_400;

/// A film that takes an engine a while.
struct Film {
    recipe: Recipe,
    source: PathBuf,
    job: JobId,
}

impl Film {
    async fn submit(system: &System) -> Self {
        let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
        system.client.put_profile(&profile).await;
        let source = recipe.make(&system.scratch()).await;
        let job = system.client.submit(&source, &profile.name).await.id;
        Self { recipe, source, job }
    }

    async fn finishes_exactly(&self, system: &System) -> History {
        let job = system.client.completed(&self.job, LIMIT).await;
        let history = History::of(&system.client, &job.id).await;
        let mut wrong = history.wrong();
        wrong.extend(exact::differences(system, &self.recipe, &self.source, &job).await);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        history
    }
}

fn at_desk(command: &mut Command, display: &Display) {
    forget_this_desk(command);
    command.args(["--presence", "auto", "--quiet-milliseconds", "1000"]).env("DISPLAY", display.name());
    // What runs on this machine besides is in nobody's session here.
    command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere");
}

fn encodes(engine: &mut Linked) {
    engine.until("that it encodes", |now| now.state == AgentState::Encoding && now.work.iter().any(|work| work.kind == "encode"));
}

/// An engine at this display, in the middle of a film.
async fn encodes_at(system: &System, display: &Display) -> (Linked, Film) {
    system.client.obey(&Policy { other_cpu_below: 1.0, ..Policy::default() }).await;
    let mut engine = system.linked_engine("desk", |command| at_desk(command, display));
    engine.join(system, system.client.server(), None);
    let film = Film::submit(system).await;
    encodes(&mut engine);
    (engine, film)
}

/// Waits until it does not know who is there, and nothing works; why, in its words.
async fn stands_still_blind(engine: &mut Linked) -> String {
    let blind = engine.until("that it does not know", |now| now.state == AgentState::UserActive);
    assert!(blind.reason.starts_with("it is not known whether someone is using this computer"), "{}", blind.reason);
    let since = Instant::now();
    while !tree::all_stopped(&tree::below(engine.pid())) {
        assert!(since.elapsed() < LIMIT, "ffmpeg works although nobody knows who is there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    blind.reason
}

/// A clock on the wall that a test can set; that by which the system measures time stays as it is.
struct WallClock(PathBuf);

impl WallClock {
    fn of(command: &mut Command, folder: &Path) -> Self {
        let library = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .map(|machine| Path::new("/usr/lib").join(machine).join("faketime/libfaketimeMT.so.1"))
            .into_iter()
            .find(|library| library.exists())
            .expect("libfaketime is installed: `cargo xtask setup --test` does it");
        let clock = Self(folder.join("clock"));
        clock.set(0);
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &clock.0);
        command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("NO_FAKE_STAT", "1")]);
        clock
    }

    /// To so many seconds from the true time. In one step, as it may be read at any moment.
    fn set(&self, seconds: i64) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).expect("it can be written");
        std::fs::rename(new, &self.0).expect("it can be replaced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_disturbs_nobody() {
    let system = System::start(0).await;
    system.client.obey(&Policy { other_cpu_below: 1.0, ..Policy::default() }).await;
    let display = Display::start(&system.scratch());
    let mut clock = None;
    let mut engine = system.linked_engine("desk", |command| {
        at_desk(command, &display);
        clock = Some(WallClock::of(command, &system.scratch()));
    });
    let clock = clock.expect("the command was prepared");
    engine.join(&system, system.client.server(), None);
    let film = Film::submit(&system).await;
    encodes(&mut engine);

    // As after a night's sleep: whoever woke the machine is taken to be there, and gets a quiet time.
    clock.set(8 * 3600);
    let woken = engine.until("that somebody may be there", |now| now.state == AgentState::UserActive);
    let ahead = (woken.since - chrono::Utc::now()).num_seconds();
    assert!((8 * 3600 - 60..=8 * 3600 + 60).contains(&ahead), "the engine's clock is {ahead} s ahead");
    encodes(&mut engine);

    // Set back, it wakes nobody, and makes no snooze longer than it was asked for.
    assert_eq!(engine.order(Order::Snooze { seconds: 3600 }), Answer::Done);
    engine.until("the snooze", |now| now.state == AgentState::Snoozed);
    clock.set(-DAY);
    let left = |until: Option<chrono::DateTime<chrono::Utc>>| {
        until.map(|until| (until - chrono::Utc::now()).num_seconds() + DAY).expect("a snooze has an end")
    };
    let snoozed = engine.until("the snooze by the new clock", |now| left(now.until) <= 3601);
    assert_eq!(snoozed.state, AgentState::Snoozed);
    assert!(left(snoozed.until) > 3000, "{}", left(snoozed.until));
    assert_eq!(engine.order(Order::Snooze { seconds: 0 }), Answer::Done);
    encodes(&mut engine);
    assert!(system.client.job(&film.job).await.error.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_is_a_state() {
    let system = System::start(0).await;
    let server = system.client.server();
    let address = server.socket_addrs(|| None).expect("an address")[0];
    let proxy = Proxy::start(address).await;
    let mut engine = system.linked_engine("far", |_| {});
    engine.join(&system, &format!("http://{}/", proxy.address).parse().expect("an address"), None);
    engine.until("nothing to do", |now| now.reason == "there is nothing to do");
    let film = Film::submit(&system).await;
    encodes(&mut engine);

    // As when a cable is pulled: nobody says that the connection is gone.
    proxy.set(Weather::Still);
    let away = engine.until("that the server is away", |now| now.state == AgentState::NoServer);
    assert!(away.reason.contains("does not answer") && away.reason.contains("are kept"), "{}", away.reason);
    // Its person is obeyed all the same.
    assert_eq!(engine.order(Order::Pause), Answer::Done);
    engine.until("the pause", |now| now.state == AgentState::Paused);
    assert_eq!(engine.order(Order::Resume), Answer::Done);
    proxy.set(Weather::Fine);
    encodes(&mut engine);
    film.finishes_exactly(&system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_is_gone_counts_as_use() {
    let system = System::start(0).await;
    let display = Display::start(&system.scratch());
    let (mut engine, film) = encodes_at(&system, &display).await;
    drop(display);
    stands_still_blind(&mut engine).await;
    assert!(system.client.job(&film.job).await.error.is_none());
}

/// As on a machine that has no memory left, or with a graphics driver that is stuck.
#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_hangs_counts_as_use() {
    let system = System::start(0).await;
    let display = Display::start(&system.scratch());
    let (mut engine, film) = encodes_at(&system, &display).await;
    let hangs = display.freeze();
    let why = stands_still_blind(&mut engine).await;
    assert!(why.contains("does not answer"), "{why}");
    // It is found again when it goes on, and nobody touched it meanwhile.
    hangs.thaw();
    encodes(&mut engine);
    assert!(system.client.job(&film.job).await.error.is_none());
}

/// The nearest to a machine that sleeps without a word.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_stood_still_for_longer_than_its_lease_loses_no_more_than_that() {
    let mut system = System::start(0).await;
    system.start_engine("sleeper");
    let film = Film::submit(&system).await;
    let sleeper = system.engine("sleeper").pid();
    let until = Instant::now() + LIMIT;
    while tree::ticks(&tree::below(sleeper)) < 50 {
        assert!(Instant::now() < until, "it does not work:\n{}", system.engine("sleeper").log_tail(40));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let frozen = system.engine("sleeper").freeze(true);
    let held = tree::below(sleeper);
    // Its lease runs out, and what it held is taken by the next one that asks.
    system.start_engine("another");
    let job = system.client.completed(&film.job, LIMIT).await;
    frozen.thaw();
    // It learns that its lease is lost, drops what it did for it, and is there for more.
    wait_until_gone(&held, Duration::from_secs(60)).await;
    let until = Instant::now() + LIMIT;
    while !system.log_of("sleeper").contains("the lease is lost") {
        assert!(Instant::now() < until, "it does not notice:\n{}", system.engine("sleeper").log_tail(40));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    system.client.until_agent_is(AgentState::Waiting, None).await;
    let history = film.finishes_exactly(&system).await;
    assert_eq!(history.agents("encode").len(), 2, "{job:?}");
}
