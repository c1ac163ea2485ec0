//! What a person would notice of an engine: nothing while it waits, and next to nothing while it works at the lowest priority,
//! before it even stands still.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use offpeak_api::policy::Policy;
use offpeak_tests::{
    display::{Display, Touch},
    sources,
    system::System,
    tree,
};
use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT,
    connection::Connection,
    protocol::{
        Event,
        xproto::{ConnectionExt as _, CreateWindowAux, EventMask, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, WindowClass},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// An engine that waits is looked at for so long: it reports once a minute, so that any minute has as much in it as any other.
const LOOK_FOR: Duration = Duration::from_secs(60);
const LEAST_WORK: u64 = 10;
/// The aim: a key takes a fifth longer to its window at most.
const KEY_SLOWER: f64 = 1.2;
/// Whatever share of so short a way it is, more than this would be felt: a screen shows a new picture every 16 000. On a kernel that
/// preempts nothing by itself, one key in a hundred waits for a tick, which is 1 000 to 4 000.
const KEY_FELT_MICROSECONDS: f64 = 8_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_waits_costs_next_to_nothing() {
    let mut system = System::start(0).await;
    let display = Display::start(&system.scratch());
    system.start_engine_at_desk("desk", display.name(), None);
    system.client.until_agent_is(offpeak_api::agent::AgentState::UserActive, None).await;
    // What was started with it is over.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let engine = system.engine("desk").pid();
    let before = (tree::ticks(&[engine]), wake_ups(engine));
    tokio::time::sleep(LOOK_FOR).await;
    let seconds = LOOK_FOR.as_secs_f64();
    let share = (tree::ticks(&[engine]) - before.0) as f64 / 100.0 / seconds;
    let wakes = since(&before.1, &wake_ups(engine)) as f64 / seconds;
    let pss = pss_mib(engine);
    println!("an engine that waits: {pss} MiB (PSS), {:.2} % of a core, {wakes:.1} switches of context a second", share * 100.0);
    assert!(pss < 60, "{pss} MiB");
    assert!(share < 0.01, "{share} of a core");
    // 0.8 to 0.9 on a quiet machine, where it was counted for a quarter of an hour; a busy one interrupts the few that there are.
    assert!(wakes < 2.0, "{wakes} switches a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_on_cores_holds_for_every_thread_and_is_followed() {
    let mut system = System::start(0).await;
    let profile = sources::slow_lossless_profile();
    system.client.put_profile(&profile).await;
    let source = sources::slow_film().make(&system.scratch()).await;
    system.start_engine_with_cores("engine", 2);
    for _ in 0..2 {
        system.client.submit(&source, &profile.name).await;
    }
    let engine = system.engine("engine").pid();
    let all = BTreeSet::from([cores(&Path::new("/proc").join(engine.to_string())).expect("the engine's cores")]);
    until_cores(engine, |cores| *cores == all).await;
    system.client.obey(&Policy { max_cores: Some(1), ..Policy::default() }).await;
    // What was begun with more goes back; what begins afterwards shares one core, with all its threads.
    until_cores(engine, |cores| cores.len() == 1 && cores.iter().all(|list| list.parse::<u32>().is_ok())).await;
}

/// Waits until ffmpegs run, all of them on such cores.
async fn until_cores(engine: u32, are_right: impl Fn(&BTreeSet<String>) -> bool) {
    let limit = Instant::now() + Duration::from_secs(240);
    loop {
        let threads = tree::below(engine).into_iter();
        let threads = threads.flat_map(|process| fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten());
        let found: BTreeSet<String> = threads.filter_map(|thread| cores(&thread.path())).collect();
        if are_right(&found) {
            return;
        }
        assert!(Instant::now() < limit, "ffmpeg runs on {found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The processors that a thread may run on, as a list such as `0-3`.
fn cores(thread: &Path) -> Option<String> {
    let status = fs::read_to_string(thread.join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).map(|list| list.trim().to_owned())
}

/// `make bench-desk`.
#[tokio::test(flavor = "multi_thread")]
async fn work_at_the_lowest_priority_is_hardly_felt() {
    if std::env::var_os("OFFPEAK_BENCH_DESK").is_none() {
        return;
    }
    let mut system = System::start(0).await;
    system.client.obey(&Policy { other_cpu_below: 1.0, ..Policy::default() }).await;
    let profile = sources::slow_lossless_profile();
    system.client.put_profile(&profile).await;
    let source = sources::slow_film().make(&system.scratch()).await;
    // The engine watches one desk, and the person works at the other: so it goes on beside them.
    let (watched, used) = (Display::start(&system.scratch()), Display::start(&system.scratch()));
    system.start_engine_at_desk("desk", watched.name(), Some(Duration::from_secs(1)));
    for _ in 0..4 {
        system.client.submit(&source, &profile.name).await;
    }
    let engine = system.engine("desk").pid();
    let window = Window::open(used.name());
    let (mut alone, mut beside): (Vec<Figures>, Vec<Figures>) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        until(engine, true).await;
        beside.push(measure(&window));
        watched.touch(Touch::Key);
        until(engine, false).await;
        let keep_still = AtomicBool::new(true);
        alone.push(std::thread::scope(|scope| {
            scope.spawn(|| {
                while keep_still.load(Ordering::Relaxed) {
                    watched.touch(Touch::Mouse);
                    std::thread::sleep(Duration::from_millis(500));
                }
            });
            let figures = measure(&window);
            keep_still.store(false, Ordering::Relaxed);
            figures
        }));
    }
    let lost = 1.0 - median(&beside, |one| one.work) / median(&alone, |one| one.work);
    let (p50, p99) = (|one: &Figures| one.key_p50, |one: &Figures| one.key_p99);
    println!("a benchmark on all cores beside an encode loses {:.1} %", lost * 100.0);
    let mut felt = Vec::new();
    for (name, of) in [("p50", p50 as fn(&Figures) -> f64), ("p99", p99)] {
        let (alone, beside) = (median(&alone, of), median(&beside, of));
        let aim = if beside <= alone * KEY_SLOWER { "met" } else { "missed" };
        println!(
            "a key's way to a window, {name}: {alone:.0} µs alone, {beside:.0} µs beside an encode ({:+.0} %; aim 20 %: {aim})",
            (beside / alone - 1.0) * 100.0
        );
        felt.extend((beside > alone + KEY_FELT_MICROSECONDS).then_some((name, beside)));
    }
    assert!(felt.is_empty(), "keys are felt to take longer beside an encode: {felt:?}");
    assert!(lost <= 0.05, "it loses {lost}");
}

/// Of one look: work done by a benchmark on all cores, and how long keys take, in microseconds.
struct Figures {
    work: f64,
    key_p50: f64,
    key_p99: f64,
}

fn median(of: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = of.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn measure(window: &Window) -> Figures {
    let mut times: Vec<f64> = (0..300).map(|_| window.key()).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    Figures { work: benchmark(), key_p50: at(0.5), key_p99: at(0.99) }
}

/// Rounds of arithmetic that all cores together do in two seconds.
fn benchmark() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let until = Instant::now() + Duration::from_secs(2);
    let rounds = std::thread::scope(|scope| {
        let spin = || {
            let (mut rounds, mut x) = (0_u64, 1_u64);
            while Instant::now() < until {
                for _ in 0..10_000 {
                    x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                }
                rounds += 1;
            }
            rounds
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(spin)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).sum::<u64>()
    });
    rounds as f64
}

/// Waits until ffmpeg works, or stands still.
async fn until(engine: u32, works: bool) {
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        let ffmpegs = tree::below(engine);
        let before = tree::ticks(&ffmpegs);
        tokio::time::sleep(Duration::from_millis(300)).await;
        // What has ended in between is not counted any more.
        let used = tree::ticks(&ffmpegs).saturating_sub(before);
        if !ffmpegs.is_empty() && if works { used >= LEAST_WORK } else { tree::all_stopped(&ffmpegs) } {
            return;
        }
        assert!(Instant::now() < limit, "ffmpeg does not {}", if works { "work" } else { "stand still" });
    }
}

/// A window with the focus, on a connection that also presses keys.
struct Window(RustConnection);

impl Window {
    fn open(display: &str) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).expect("the display");
        let root = connection.setup().roots[screen].root;
        let id = connection.generate_id().expect("an id");
        let aux = CreateWindowAux::new().event_mask(EventMask::KEY_PRESS | EventMask::EXPOSURE);
        let (class, visual) = (WindowClass::INPUT_OUTPUT, COPY_FROM_PARENT);
        connection.create_window(COPY_DEPTH_FROM_PARENT, id, root, 0, 0, 200, 200, 0, class, visual, &aux).expect("a window");
        connection.map_window(id).expect("it is shown");
        connection.flush().expect("the display listens");
        while !matches!(connection.wait_for_event().expect("an event"), Event::Expose(_)) {}
        connection.set_input_focus(InputFocus::PARENT, id, x11rb::CURRENT_TIME).expect("the focus").check().expect("the focus");
        Self(connection)
    }

    /// From pressing a key to the window's event, in microseconds.
    fn key(&self) -> f64 {
        const A: u8 = 38;
        let begun = Instant::now();
        self.0.xtest_fake_input(KEY_PRESS_EVENT, A, 0, x11rb::NONE, 0, 0, 0).expect("a key");
        self.0.flush().expect("the display listens");
        while !matches!(self.0.wait_for_event().expect("an event"), Event::KeyPress(_)) {}
        let took = begun.elapsed();
        self.0.xtest_fake_input(KEY_RELEASE_EVENT, A, 0, x11rb::NONE, 0, 0, 0).expect("a key");
        self.0.flush().expect("the display listens");
        std::thread::sleep(Duration::from_millis(3));
        took.as_secs_f64() * 1e6
    }
}

/// Voluntary switches of context of all threads.
/// Of each thread. They come and go, and those of the ones that are gone are not told any more.
fn wake_ups(process: u32) -> BTreeMap<PathBuf, u64> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let read = |path: &Path| number(&fs::read_to_string(path.join("status")).ok()?, "voluntary_ctxt_switches:");
    threads.filter_map(|thread| Some((thread.path(), read(&thread.path())?))).collect()
}

fn since(before: &BTreeMap<PathBuf, u64>, now: &BTreeMap<PathBuf, u64>) -> u64 {
    now.iter().map(|(thread, count)| count - before.get(thread).unwrap_or(&0)).sum()
}

fn pss_mib(process: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("the engine's memory");
    number(&rollup, "Pss:").expect("its share") / 1024
}

fn number(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
