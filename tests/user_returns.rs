//! Whoever comes back to their desk has their machine at once: with the first key or movement of the mouse ffmpeg and all below it
//! stand still, and when they have gone it goes on as if nothing had been. Real X display, real input, real ffmpeg.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use offpeak_api::{
    agent::AgentState,
    ids::JobId,
    job::{Job, JobState},
    policy::Policy,
};
use offpeak_tests::{
    client::{answer, send},
    display::{Display, Touch},
    exact,
    history::{History, Step},
    process::wait_until_gone,
    sources::{self, Recipe},
    system::System,
    tree,
};
use reqwest::Method;

const LIMIT: Duration = Duration::from_secs(300);
/// What is promised of every single time.
const YIELD_LIMIT: Duration = Duration::from_secs(1);
/// Tests have no minutes to be quiet for.
const QUIET: Duration = Duration::from_secs(2);
/// The same where a machine that is busy elsewhere must not take it for an absence.
const LONG_QUIET: Duration = Duration::from_secs(5);
/// Ten milliseconds: how finely the kernel counts processor time.
const WATCH_FOR: Duration = Duration::from_millis(150);

/// A number from the environment: `make bench-yield` wants more.
fn tries() -> usize {
    std::env::var("OFFPEAK_YIELD_TRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_input_stops_ffmpeg_and_the_result_is_exact() {
    let mut desk = Desk::start(Policy::default(), Some(QUIET)).await;
    let mut times = Vec::new();
    for number in 0..tries() {
        let touch = if number % 2 == 0 { Touch::Key } else { Touch::Mouse };
        // At another moment of its work each time.
        tokio::time::sleep(Duration::from_millis(37 * (number as u64 % 11))).await;
        times.push(desk.touch_while_it_works(touch).await);
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1];
    println!(
        "from input to standstill, {} times: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        times.len(),
        millis(at(0.5)),
        millis(at(0.99)),
        millis(at(1.0)),
    );
    assert!(at(1.0) <= YIELD_LIMIT);
    desk.finishes_exactly().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stays_gets_the_machine_and_another_one_finishes() {
    let policy = Policy { release_after_suspended_seconds: 30, ..Policy::default() };
    let mut desk = Desk::start(policy, Some(LONG_QUIET)).await;
    desk.commit_inside_a_span().await;
    let yielded = desk.touch_while_it_works(Touch::Key).await;
    assert!(yielded <= YIELD_LIMIT);
    let since = Instant::now();
    // They go on working; the lease lives, and stands still, until the limit.
    while !desk.system.log_of("desk").contains("released reason=UserReturned") {
        // One that is being ended for the release runs, but nothing of its own, and takes its time where others are busy.
        let ffmpegs = tree::below(desk.system.engine("desk").pid());
        let is_still = |process: &u32| tree::all_stopped(&[*process]) || tree::is_doomed(*process);
        assert!(ffmpegs.iter().all(is_still), "ffmpeg works beside somebody");
        assert!(since.elapsed() < Duration::from_secs(60), "the lease is not handed back");
        desk.display.touch(Touch::Mouse);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(since.elapsed() >= Duration::from_secs(25), "it was handed back after {:?} already", since.elapsed());
    let left = tree::below(desk.system.engine("desk").pid());
    assert!(left.into_iter().all(tree::is_doomed), "ffmpeg is gone with its lease");
    desk.system.start_engine("another");
    desk.finishes_exactly().await;
    let history = History::of(&desk.system.client, &desk.job).await;
    let released: Vec<_> = history.ended().into_iter().filter(|ended| ended.how == "released").collect();
    assert!(!released.is_empty(), "{history:?}");
    for ended in released {
        let granted = history.granted("encode").into_iter().find(|granted| granted.lease == ended.lease).expect("it was granted");
        let taken =
            history.granted("encode").into_iter().filter(|again| again.task == granted.task && again.lease != ended.lease);
        let taken: Vec<_> = taken.collect();
        assert!(taken.iter().any(|again| again.cursor >= ended.cursor), "what was committed counts: {taken:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ffmpeg_outlives_an_engine_that_is_killed_while_it_stands_still() {
    let mut desk = Desk::start(Policy::default(), Some(LONG_QUIET)).await;
    desk.touch_while_it_works(Touch::Key).await;
    let ffmpegs = tree::below(desk.system.engine("desk").pid());
    assert!(tree::stands_still(&ffmpegs));
    desk.system.engine("desk").kill();
    // On a machine that is busy with others, what runs only when nothing else does takes its time to be buried: but it can do
    // nothing any more.
    tree::wait_until_doomed(&ffmpegs, Duration::from_secs(1)).await;
    wait_until_gone(&ffmpegs, Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_quiet_minute() {
    // `make bench-yield` has the time.
    if std::env::var_os("OFFPEAK_YIELD_MINUTE").is_none() {
        return;
    }
    let policy = Policy { start_after_idle_seconds: 10, ..Policy::default() };
    let mut desk = Desk::start(policy, None).await;
    let yielded = desk.touch_while_it_works(Touch::Key).await;
    let since = Instant::now();
    println!("from input to standstill: {:.1} ms", millis(yielded));
    let ffmpegs = tree::below(desk.system.engine("desk").pid());
    while tree::all_stopped(&ffmpegs) {
        assert!(since.elapsed() < Duration::from_secs(70), "it does not go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("from input to going on: {:.2} s", since.elapsed().as_secs_f64());
    assert!(since.elapsed() >= Duration::from_secs(59));
    desk.finishes_exactly().await;
}

/// One engine at a desk, with a film that takes it a while.
struct Desk {
    system: System,
    display: Display,
    recipe: Recipe,
    source: PathBuf,
    job: JobId,
}

impl Desk {
    async fn start(policy: Policy, quiet: Option<Duration>) -> Self {
        let mut system = System::start(0).await;
        // Whoever else builds and tests on this machine is not at this desk.
        system.client.obey(&Policy { other_cpu_below: 1.0, ..policy }).await;
        let (recipe, profile) = (sources::slow_film(), sources::slow_lossless_profile());
        system.client.put_profile(&profile).await;
        let source = recipe.make(&system.scratch()).await;
        let display = Display::start(&system.scratch());
        system.start_engine_at_desk("desk", display.name(), quiet);
        let job = system.client.submit(&source, &profile.name).await.id;
        Self { system, display, recipe, source, job }
    }

    /// Waits until ffmpeg works, touches the machine, and measures until all of ffmpeg stands still.
    async fn touch_while_it_works(&mut self, touch: Touch) -> Duration {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(took) = self.try_to_touch_while_it_works(touch).await {
                return took;
            }
            assert!(Instant::now() < until, "every touch comes between two ffmpegs");
        }
    }

    /// Nothing, when the touch came between two of them: then there was nothing to stand still.
    async fn try_to_touch_while_it_works(&mut self, touch: Touch) -> Option<Duration> {
        let engine = self.system.engine("desk").pid();
        let ffmpegs = self.until_it_works(engine).await;
        let display = &self.display;
        let took = std::thread::scope(|scope| {
            let begun = Instant::now();
            // The time that xdotool takes to start is counted as well.
            scope.spawn(|| display.touch(touch));
            loop {
                // It may have started another one meanwhile.
                let running = tree::below(engine);
                if tree::stands_still(&running) {
                    return Some(begun.elapsed());
                }
                if running.is_empty() {
                    return None;
                }
                assert!(begun.elapsed() < Duration::from_secs(10), "ffmpeg {ffmpegs:?} does not stand still");
                std::thread::sleep(Duration::from_millis(1));
            }
        })?;
        let still = tree::below(engine);
        let before: Vec<u64> = still.iter().map(|process| tree::ticks(&[*process])).collect();
        tokio::time::sleep(WATCH_FOR).await;
        for (process, before) in still.iter().zip(before) {
            let now = tree::ticks(&[*process]);
            // One that had come to its end in that moment is buried, and tells nothing any more.
            assert!(now == before || now == 0, "what stands still uses processor time: {before} ticks, and {now} later");
        }
        tree::stands_still(&still).then_some(took)
    }

    /// Processes of ffmpeg that use the processor.
    async fn until_it_works(&mut self, engine: u32) -> Vec<u32> {
        let until = Instant::now() + LIMIT;
        loop {
            let ffmpegs = tree::below(engine);
            let before = tree::ticks(&ffmpegs);
            tokio::time::sleep(Duration::from_millis(60)).await;
            if !ffmpegs.is_empty() && !tree::all_stopped(&ffmpegs) && tree::ticks(&ffmpegs) > before {
                return ffmpegs;
            }
            let job = self.system.client.job(&self.job).await;
            assert_ne!(job.state, JobState::Completed, "the film was over too soon: make it longer");
            assert!(Instant::now() < until, "no ffmpeg works:\n{}", self.system.engine("desk").log_tail(40));
        }
    }

    /// Waits for a commit after which its lease has more to do.
    async fn commit_inside_a_span(&self) {
        let mut lasts = std::collections::BTreeMap::new();
        let mut found = None;
        let look = |event| {
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
        };
        self.system.client.each_event(&self.job, look).await;
        assert!(found.is_some(), "some span was committed in parts");
    }

    async fn finishes_exactly(&self) -> Job {
        let job = self.system.client.completed(&self.job, LIMIT).await;
        let mut wrong = History::of(&self.system.client, &job.id).await.wrong();
        wrong.extend(exact::differences(&self.system, &self.recipe, &self.source, &job).await);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        job
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Not every state can be seen from outside; those that can have their names. That it hears no more is seen in privacy.rs.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_hears_that_somebody_is_there() {
    let mut desk = Desk::start(Policy::default(), Some(QUIET)).await;
    desk.touch_while_it_works(Touch::Key).await;
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        desk.display.touch(Touch::Mouse);
        let list: offpeak_api::agent::AgentList =
            answer(send(desk.system.client.request(Method::GET, "/v1/agents")).await).await.expect("a list of agents");
        let agent = &list.agents[0];
        if agent.state == AgentState::UserActive {
            assert_eq!(agent.state_reason.as_deref(), Some("someone is using this computer"));
            break;
        }
        assert!(Instant::now() < until, "the server thinks that it is {:?}", agent.state);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
