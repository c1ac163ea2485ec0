//! `make bench-yield` and `make bench-desk`: how fast an engine makes room for a person, and what they notice of it before.

use anyhow::Result;

use crate::{
    paths,
    setup::{self, Purpose},
    shell,
};

#[derive(Debug, clap::Args)]
pub struct Yield {
    /// How often somebody comes back to their desk
    #[arg(long, env = "TRIES", default_value_t = 100)]
    tries: u32,
}

/// A hundred returns with a quiet time of a second, and one with the real minute.
pub fn bench_yield(wanted: &Yield) -> Result<()> {
    setup::run(Purpose::Test)?;
    let mut cargo = promises("user_returns");
    cargo.env("OFFPEAK_YIELD_TRIES", wanted.tries.to_string()).env("OFFPEAK_YIELD_MINUTE", "1");
    shell::run(&mut cargo)
}

/// A benchmark and a key's way to its window, alone and beside an encode; and what an engine costs that waits.
pub fn bench_desk() -> Result<()> {
    setup::run(Purpose::Test)?;
    shell::run(promises("work_is_not_felt").env("OFFPEAK_BENCH_DESK", "1"))
}

/// One after the other: they measure.
fn promises(module: &str) -> std::process::Command {
    let mut cargo = shell::cargo();
    cargo.current_dir(paths::root()).args(["test", "--quiet", "-p", "offpeak-tests", "--test", "promises", "--", module]);
    cargo.args(["--nocapture", "--test-threads=1"]);
    cargo
}
