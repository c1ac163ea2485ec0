//! Calls of several agents in any order, with crashes, repeats, reorderings and late ones: after each, everything that must
//! hold holds; and in the end nothing is stuck.
//!
//! `OFFPEAK_SEED` runs the sequences of an earlier run again, `OFFPEAK_CASES` more or fewer of them.

mod film;
mod world;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use world::World;

/// One thing that happens. Numbers are taken modulo what there is, so that any sequence means something and shrinks well.
#[derive(Debug, Clone)]
pub enum Step {
    Ask {
        agent: usize,
    },
    Beat {
        lease: usize,
        suspended: bool,
        quarter_rows: u64,
        seconds_per_row: u32,
    },
    /// Uploads rows from a little before the cursor on, and commits them.
    Commit {
        lease: usize,
        back: u32,
        rows: u32,
    },
    Complete {
        lease: usize,
    },
    Release {
        lease: usize,
    },
    Fail {
        lease: usize,
        source: bool,
    },
    /// A call from before once more: a repeat, or one that was on its way for long.
    Again {
        call: usize,
    },
    Wait {
        seconds: u64,
    },
    Tick,
    Cancel {
        job: usize,
    },
    Retry {
        job: usize,
    },
}

/// A step; when `delayed`, its call is made but does not arrive until some `Again`.
type Drawn = (Step, bool);

fn step() -> impl Strategy<Value = Drawn> {
    let lease = || 0..5_usize;
    let job = || 0..2_usize;
    let what = prop_oneof![
        8 => (0..4_usize).prop_map(|agent| Step::Ask { agent }),
        6 => (lease(), prop::bool::weighted(0.4), 0..8_u64, 1..60_u32).prop_map(
            |(lease, suspended, quarter_rows, seconds_per_row)| Step::Beat { lease, suspended, quarter_rows, seconds_per_row }
        ),
        8 => (lease(), 0..3_u32, 1..4_u32).prop_map(|(lease, back, rows)| Step::Commit { lease, back, rows }),
        5 => lease().prop_map(|lease| Step::Complete { lease }),
        2 => lease().prop_map(|lease| Step::Release { lease }),
        2 => (lease(), prop::bool::weighted(0.1)).prop_map(|(lease, source)| Step::Fail { lease, source }),
        5 => (0..8_usize).prop_map(|call| Step::Again { call }),
        5 => prop_oneof![1..12_u64, 20..30_u64, 31..40_u64, Just(1000)].prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Tick),
        1 => job().prop_map(|job| Step::Cancel { job }),
        2 => job().prop_map(|job| Step::Retry { job }),
    ];
    (what, prop::bool::weighted(0.1))
}

/// Two jobs' true lengths, as places in a list of oddities, and what happens to them.
fn history() -> impl Strategy<Value = ([usize; 2], Vec<Drawn>)> {
    (prop::array::uniform2(0..film::ENDS.len()), prop::collection::vec(step(), 10..90))
}

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")))
}

/// Few cases, as each has a database of its own, and on PostgreSQL a server.
fn usual_cases() -> u32 {
    if env!("CARGO_CRATE_NAME") == "postgres" { 3 } else { 16 }
}

#[test]
fn whatever_agents_do_every_segment_counts_once_and_nothing_is_stuck() {
    let seed: u64 = from_environment("OFFPEAK_SEED").unwrap_or_else(rand::random);
    let cases = from_environment("OFFPEAK_CASES").unwrap_or_else(usual_cases);
    println!("OFFPEAK_SEED={seed} OFFPEAK_CASES={cases}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 1000, max_shrink_time: 60_000, ..Config::default() };
    let outcome = TestRunner::new_with_rng(config, rng).run(&history(), |(ends, steps)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(World::run(ends, &steps)).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, (ends, steps))) => {
            let steps: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
            panic!("{why}\nOFFPEAK_SEED={seed}, ends {ends:?}, and these steps:\n{}", steps.join("\n"));
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
