//! `cargo xtask simulate`: a day of a fleet of office computers in virtual time, under the server's own planner and rules of
//! scheduling. Assumptions and results are in docs/decisions/a-day-of-a-fleet.md.

mod arrivals;
mod dice;
mod events;
mod figures;
mod films;
mod fleet;
mod idle;
mod person;
mod queue;
mod report;
mod rows;
mod sharing;
mod slab;
mod world;

use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;

use self::world::{Settings, World};

/// A day of a fleet of office computers, in virtual time
#[derive(Debug, Parser)]
#[command(name = "cargo xtask simulate", bin_name = "cargo xtask simulate")]
struct Args {
    /// Machines; several numbers make a table
    #[arg(long, env = "AGENTS", value_delimiter = ',', default_values_t = [10, 100, 1000, 10_000])]
    agents: Vec<u32>,
    /// For how long jobs come, from midnight on
    #[arg(long, env = "HOURS", default_value_t = 24.0)]
    hours: f64,
    /// The same seed gives the same day [default: by the clock]
    #[arg(long, env = "SEED")]
    seed: Option<u64>,
    /// Work that comes, as a share of what the fleet can do in the day
    #[arg(long, env = "LOAD", default_value_t = 0.3)]
    load: f64,
    /// Nobody takes the tail of another's span
    #[arg(long)]
    no_steal: bool,
    /// No second lease on what is slow
    #[arg(long)]
    no_backup: bool,
    /// Spans of this length instead of the profile's
    #[arg(long)]
    span_seconds: Option<f64>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.hours > 0.0 && args.hours <= 24.0 * 14.0, "--hours is more than 0 and at most 336");
    ensure!(args.load > 0.0 && args.load < 10.0, "--load is more than 0 and less than 10");
    ensure!(args.agents.iter().all(|agents| (1..=100_000).contains(agents)), "--agents is 1 to 100000");
    let seed = args.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        dice::mix(now.as_nanos() as u64) % 1_000_000
    });
    println!("{} h of jobs at a load of {}, seed {seed}", args.hours, args.load);
    let mut columns = Vec::new();
    for agents in &args.agents {
        let began = Instant::now();
        let settings = Settings {
            agents: *agents,
            hours: args.hours,
            seed,
            load: args.load,
            steal: !args.no_steal,
            backup: !args.no_backup,
            span_seconds: args.span_seconds,
            ideal: false,
        };
        let figures = World::new(settings).run();
        eprintln!("{agents} machines: {} events in {:.1} s", figures.events, began.elapsed().as_secs_f64());
        columns.push((*agents, figures));
    }
    print!("{}", report::table(&columns));
    Ok(())
}
