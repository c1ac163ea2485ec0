//! What is measured, in its order.

mod agent;
mod batch;
mod beats;
mod child;
mod cycle;
mod fill;
mod http;
mod noop;
mod place;
mod polls;
mod prototype;
mod raw;
mod report;
mod side;
mod slice;
mod statements;
mod steady;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use child::Child;
use fill::Fill;
use place::{Database, Place};
use steady::Steady;

#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench-leases", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    bench: Bench,
    #[command(subcommand)]
    child: Option<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Cycles,
    Heartbeats,
    Batches,
    Statements,
    Polls,
}

/// What the bench starts itself as.
#[derive(Debug, Subcommand)]
enum Role {
    #[command(hide = true)]
    Serve { database: String, storage: String },
    #[command(hide = true)]
    Noop,
}

#[derive(Debug, clap::Args)]
struct Bench {
    /// Databases to measure on
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite,postgres")]
    databases: Vec<Database>,
    /// Tasks that wait while cycles are measured
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
    ready: Vec<u64>,
    /// Clients at once
    #[arg(long, value_delimiter = ',', default_value = "8,64")]
    clients: Vec<usize>,
    /// Seconds of each slice
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Slices of each kind, which take turns
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Engines that wait for work at once
    #[arg(long, default_value_t = 10_000)]
    polls: usize,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Short slices and short queues: a first impression in minutes
    #[arg(long)]
    quick: bool,
    /// A folder on the disk to measure on [default: the system's folder for temporary files]
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

#[tokio::main]
pub async fn main() -> Result<()> {
    let args = Args::parse();
    match args.child {
        Some(Role::Serve { database, storage }) => child::serve(database, storage).await,
        Some(Role::Noop) => child::noop().await,
        None => bench(args.bench).await,
    }
}

async fn bench(mut wanted: Bench) -> Result<()> {
    if wanted.quick {
        wanted.seconds = wanted.seconds.min(2.0);
        wanted.rounds = wanted.rounds.min(3);
        wanted.ready.retain(|ready| *ready <= 100_000);
    }
    for database in wanted.databases.clone() {
        if wanted.measures(Part::Cycles) || wanted.measures(Part::Batches) || wanted.measures(Part::Heartbeats) {
            leases(&wanted, database).await?;
        }
        if wanted.measures(Part::Statements) && database == Database::Postgres {
            statements::count(wanted.scratch.as_ref()).await?;
        }
    }
    if wanted.measures(Part::Polls) {
        report::head("engines that wait", &polls::COLUMNS);
        for &database in &wanted.databases {
            polls::measure(database, wanted.polls, wanted.scratch.as_ref()).await?;
        }
    }
    Ok(())
}

impl Bench {
    fn measures(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// What needs a long queue.
async fn leases(wanted: &Bench, database: Database) -> Result<()> {
    let most = wanted.clients.iter().copied().max().unwrap_or(1);
    let place = Place::start(database, wanted.scratch.as_ref(), u32::try_from(most)?).await?;
    let noop = Child::noop(place.folder.path())?;
    let callers = prototype::enrol(&place.db, most).await?;
    let prototype = prototype::make(&place.server, &callers, &place.side, SPANS).await?;
    let mut fill = Fill::of(&place.db, &prototype).await?;
    let steady = Steady { place: &place, noop: &noop, callers: &callers, seconds: wanted.seconds, rounds: wanted.rounds };
    let mut ready = wanted.ready.clone();
    ready.sort_unstable();
    if wanted.measures(Part::Cycles) {
        report::head(&format!("lease + commit + complete on {}", database.name()), &steady::COLUMNS);
        for &ready in &ready {
            for &clients in &wanted.clients {
                steady.cycles(&mut fill, ready, clients).await?;
            }
        }
    }
    if wanted.measures(Part::Heartbeats) {
        report::head(&format!("heartbeats on {}", database.name()), &["clients", "beats/s", "p50 / p99 ms"]);
        for &clients in &wanted.clients {
            steady.heartbeats(&mut fill, clients).await?;
        }
    }
    if wanted.measures(Part::Batches) && database == Database::Postgres {
        report::head("claims and grants in one transaction, 8 workers", &["tasks a transaction", "tasks/s", "p50 / p99 ms"]);
        for size in [1, 4, 16, 64] {
            steady.batches(&mut fill, size).await?;
        }
    }
    Ok(())
}

/// Spans of the job that all others are copies of: a film of three minutes and twenty seconds.
const SPANS: u32 = 100;
