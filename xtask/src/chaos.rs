//! `make chaos`: the end-to-end test in which everything dies again and again, for as long as wanted and with a seed of choice.

use anyhow::Result;

use crate::{
    paths,
    setup::{self, Purpose},
    shell,
};

#[derive(Debug, clap::Args)]
pub struct Chaos {
    /// Repeat the faults of an earlier run, which printed this number
    #[arg(long, env = "SEED", default_value = "", value_parser = number::<u64>)]
    seed: String,
    /// For how long new jobs are made
    #[arg(long, env = "MINUTES", default_value = "", value_parser = number::<f64>)]
    minutes: String,
}

/// A number, or nothing: then the test chooses.
fn number<T: std::str::FromStr>(text: &str) -> Result<String, String> {
    if text.is_empty() || text.parse::<T>().is_ok() { Ok(text.to_owned()) } else { Err("expected a number".to_owned()) }
}

pub fn chaos(wanted: &Chaos) -> Result<()> {
    setup::run(Purpose::Run)?;
    let mut cargo = shell::cargo();
    cargo.current_dir(paths::root()).args(["test", "--quiet", "-p", "offpeak-tests", "--test", "chaos", "--", "--nocapture"]);
    cargo.env("OFFPEAK_CHAOS_SEED", &wanted.seed).env("OFFPEAK_CHAOS_MINUTES", &wanted.minutes);
    shell::run(&mut cargo)
}
