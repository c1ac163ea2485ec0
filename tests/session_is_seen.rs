//! What logind tells is heard: other people's sessions, a locked screen, who keeps it on, and that the machine is about to sleep,
//! before which everything is handed back. What it does not tell is unknown, and nobody's absence.

use std::time::{Duration, Instant};

use offpeak_api::{agent::AgentState, policy::Policy};
use offpeak_link::{Answer, Limits, Order};
use offpeak_tests::{
    compositor::Compositor,
    display::{Display, forget_this_desk},
    linked::Linked,
    logind::Logind,
    sources,
    system::System,
    tree,
};

const DELAY: &str = "sleep:shutdown delay";
const AWAKE: &str = "idle block";

/// An engine as a service: it runs in no session, and hears of all.
fn service(system: &System, logind: &Logind) -> Linked {
    service_with(system, logind, &["--presence", "auto", "--quiet-milliseconds", "1000"])
}

fn service_with(system: &System, logind: &Logind, words: &[&str]) -> Linked {
    system.linked_engine("service", |command| {
        command.args(words);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", logind.address());
        forget_this_desk(command);
    })
}

fn reading(engine: &mut Linked, name: &str) -> String {
    let Answer::Why(why) = engine.order(Order::Why) else { panic!("no answer to why") };
    let found = why.readings.into_iter().find(|reading| reading.name == name);
    found.unwrap_or_else(|| panic!("no reading {name}")).value
}

/// Other programs are asked every half minute while nothing is in hand.
fn until_it_reads(engine: &mut Linked, name: &str, value: &str) {
    let limit = Instant::now() + Duration::from_secs(90);
    while reading(engine, name) != value {
        assert!(Instant::now() < limit, "{name} is {} and not {value}", reading(engine, name));
        engine.listen(Duration::from_millis(500));
    }
}

/// Joins the farm, and is in the middle of a film.
async fn joins_and_works(system: &System, engine: &mut Linked) {
    engine.join(system, system.client.server(), None);
    let profile = sources::slow_lossless_profile();
    system.client.put_profile(&profile).await;
    let source = sources::slow_film().make(&system.scratch()).await;
    system.client.submit(&source, &profile.name).await;
    engine.until("work", |now| now.work.iter().any(|work| work.kind == "encode"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sleep_and_sessions_are_heard_of() {
    let system = System::start(0).await;
    system.client.obey(&Policy { other_cpu_below: 1.0, ..Policy::default() }).await;
    let logind = Logind::start(&system.scratch()).await;
    let mut engine = service(&system, &logind);
    // Somebody is logged in and does not say that they are idle.
    engine.until("that somebody is there", |now| now.state == AgentState::UserActive);
    let limit = Instant::now() + Duration::from_secs(10);
    while logind.held(DELAY) != 1 {
        assert!(Instant::now() < limit, "sleep would not be delayed");
        engine.listen(Duration::from_millis(20));
    }
    logind.set_locked(true);
    logind.set_idle(Some(Duration::from_secs(3600)));
    until_it_reads(&mut engine, "screen locked", "yes");

    joins_and_works(&system, &mut engine).await;
    let limit = Instant::now() + Duration::from_secs(20);
    while logind.held(AWAKE) == 0 {
        assert!(Instant::now() < limit, "nothing keeps the machine awake while it works");
        engine.listen(Duration::from_millis(50));
    }

    let told = Instant::now();
    logind.sleep(true).await;
    // logind would wait for five seconds.
    while logind.held(DELAY) > 0 {
        assert!(told.elapsed() < Duration::from_secs(5), "the engine holds sleep up");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("sleep could begin {:.0} ms after it was told of", told.elapsed().as_secs_f64() * 1000.0);
    let left = tree::below(engine.pid());
    tree::wait_until_doomed(&left, Duration::from_secs(1)).await;
    let limit = Instant::now() + Duration::from_secs(20);
    while !engine.log.iter().any(|line| line.contains("released")) {
        assert!(Instant::now() < limit, "nothing was handed back: {:#?}", engine.log);
        engine.listen(Duration::from_millis(20));
    }
    let asleep = engine.until("that it goes to sleep", |now| now.state == AgentState::Suspended);
    assert_eq!(asleep.reason, "this computer is going to sleep");
    while logind.held(AWAKE) > 0 {
        assert!(told.elapsed() < Duration::from_secs(10), "the machine is kept awake for nothing");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    logind.sleep(false).await;
    engine.until("work again", |now| now.work.iter().any(|work| work.kind == "encode"));
    let limit = Instant::now() + Duration::from_secs(10);
    while logind.held(DELAY) != 1 {
        assert!(Instant::now() < limit, "the next sleep is not waited for");
        engine.listen(Duration::from_millis(20));
    }
    // Somebody begins to watch a film.
    logind.inhibit("a player");
    engine.until("the film", |now| now.state == AgentState::Presenting && now.reason.contains("a player"));
    let limit = Instant::now() + Duration::from_secs(1);
    while !tree::all_stopped(&tree::below(engine.pid())) {
        assert!(Instant::now() < limit, "ffmpeg works beside a film");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    logind.shut_down().await;
    engine.until("the end", |now| now.work.is_empty());
}

/// A bus on a machine that has no memory left answers nobody in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_logind_that_does_not_answer_says_nothing_of_who_is_there() {
    let system = System::start(0).await;
    let logind = Logind::start(&system.scratch()).await;
    logind.set_idle(Some(Duration::from_secs(3600)));
    let mut engine = service(&system, &logind);
    // As only logind tells: the engine has heard it.
    until_it_reads(&mut engine, "screen locked", "no");
    let is_alone = |state| matches!(state, AgentState::Waiting | AgentState::BusyCpu);
    engine.until("that nobody is there", |now| is_alone(now.state));
    let hangs = logind.freeze();
    let is_blind = |reason: &str| reason.contains("logind does not say who is logged in");
    engine.until("that it does not know", |now| now.state == AgentState::UserActive && is_blind(&now.reason));
    hangs.thaw();
    engine.until("that nobody is there, again", |now| is_alone(now.state));
}

/// `startx`, and Xvnc: of a person on a display of their own logind knows a console at most.
#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_logind_does_not_know_counts_as_use() {
    let system = System::start(0).await;
    let logind = Logind::start(&system.scratch()).await;
    logind.becomes_a_console();
    logind.set_idle(Some(Duration::from_secs(3600)));
    let _display = Display::start(&system.scratch());
    let mut engine = service(&system, &logind);
    engine.until("that somebody may be at that display", |now| {
        now.state == AgentState::UserActive && now.reason.contains("a display runs here (/tmp/.X11-unix/X")
    });
}

/// A desktop that was given to the farm sleeps like any other, if it is let.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_of_the_farm_alone_stays_awake_for_work_and_hands_back_before_it_sleeps() {
    let system = System::start(0).await;
    let logind = Logind::start(&system.scratch()).await;
    let mut engine = service_with(&system, &logind, &["--presence", "none"]);
    joins_and_works(&system, &mut engine).await;
    let limit = Instant::now() + Duration::from_secs(60);
    while logind.held(AWAKE) == 0 || logind.held(DELAY) == 0 {
        assert!(Instant::now() < limit, "nothing keeps the machine awake while it works, or delays sleep");
        engine.listen(Duration::from_millis(50));
    }
    logind.sleep(true).await;
    let told = Instant::now();
    while logind.held(DELAY) > 0 {
        assert!(told.elapsed() < Duration::from_secs(5), "the engine holds sleep up");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asleep = engine.until("that it goes to sleep", |now| now.state == AgentState::Suspended && now.work.is_empty());
    assert_eq!(asleep.reason, "this computer is going to sleep");
    let limit = Instant::now() + Duration::from_secs(20);
    while logind.held(AWAKE) > 0 {
        assert!(Instant::now() < limit, "the machine is kept awake for nothing");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    logind.sleep(false).await;
    engine.until("work again", |now| now.work.iter().any(|work| work.kind == "encode"));
}

/// With an X display beside it, as there is one for old programs: that one saw no input at all, and is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_wayland_session_is_seen_and_x11_beside_it_is_not_believed() {
    let system = System::start(0).await;
    let scratch = system.scratch();
    let (compositor, xwayland) = (Compositor::start(&scratch), Display::start(&scratch));
    let mut engine = system.linked_engine("wayland", |command| {
        command.args(["--presence", "auto", "--quiet-milliseconds", "2000"]);
        forget_this_desk(command);
        command.env("WAYLAND_DISPLAY", compositor.socket()).env("DISPLAY", xwayland.name());
        command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere");
    });
    // Whoever joins at the machine's desk is there.
    let limits = Limits::default();
    assert_eq!(engine.order(Order::SetLimits { limits }), Answer::Done);
    engine.until("that somebody is there", |now| now.state == AgentState::UserActive);
    let limit = Instant::now() + Duration::from_secs(10);
    while compositor.listeners() == 0 {
        assert!(Instant::now() < limit, "nobody asks the compositor:\n{}", engine.log.join("\n"));
        engine.listen(Duration::from_millis(20));
    }
    engine.listen(Duration::from_secs(4));
    assert_eq!(engine.now.as_ref().map(|now| now.state), Some(AgentState::UserActive), "the compositor said nothing yet");
    compositor.idle();
    engine.until("that they are gone", |now| matches!(now.state, AgentState::Waiting | AgentState::BusyCpu));
    let touched = Instant::now();
    compositor.touch();
    engine.until("that they are back", |now| now.state == AgentState::UserActive);
    assert!(touched.elapsed() < Duration::from_secs(1), "{:?}", touched.elapsed());
}
