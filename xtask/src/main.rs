//! The logic behind the Makefile. `make` prints the menu; `cargo xtask --help` has the same with every option.

mod bench;
mod chaos;
mod checks;
mod child;
mod dashboard;
mod demo;
mod desk;
mod film;
mod http;
mod interrupt;
mod leases;
mod package;
mod paths;
mod platform;
mod say;
mod sdk;
mod setup;
mod shell;
mod simulate;
mod supply;
mod system;
mod tray;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing: system packages, the pinned ffmpeg and ffprobe, the web pages' packages and build
    Setup {
        /// Also what only tests need (a browser)
        #[arg(long)]
        test: bool,
    },
    /// Start everything, put one video through it, and leave it running
    Demo(demo::Demo),
    /// Start a server and one engine for working on Offpeak
    Dev,
    /// Run every test
    Test,
    /// Compare the system with one plain ffmpeg command, and uploads with a plain copy
    Bench(bench::Bench),
    /// Measure lease, commit and complete on both databases against what this machine allows
    BenchLeases(leases::BenchLeases),
    /// Measure how fast an engine makes room for somebody who comes back to their desk
    BenchYield(desk::Yield),
    /// Measure what a person at their desk notices of an engine that works or waits
    BenchDesk,
    /// Measure how soon the dashboard is there, in a browser
    BenchDashboard(dashboard::BenchDashboard),
    /// Encode while programs are killed and frozen and the network is cut
    Chaos(chaos::Chaos),
    /// Live through a day of fleets of 10 to 10,000 machines in virtual time
    Simulate(simulate::Simulate),
    /// Check formatting, lints and licences
    Lint,
    /// Ask what is known against our dependencies; needs the network
    Audit,
    /// Write openapi/openapi.json anew from the server's code, and the clients from that
    Openapi {
        /// Only say whether the clients are what the committed description makes
        #[arg(long)]
        check: bool,
    },
    /// Make an installer of the tray app, with engine, ffmpeg and ffprobe in it
    AgentPackage(package::AgentPackage),
    /// Measure what the tray app costs an idle machine
    BenchTray(tray::BenchTray),
    /// Remove what demos have left behind
    CleanDemo,
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Setup { test } => setup::run(if test { setup::Purpose::Test } else { setup::Purpose::Run }),
        Command::Demo(wanted) => demo::demo(&wanted),
        Command::Dev => demo::dev(),
        Command::Test => checks::test(),
        Command::Bench(wanted) => bench::bench(&wanted),
        Command::BenchLeases(wanted) => leases::bench(&wanted),
        Command::BenchYield(wanted) => desk::bench_yield(&wanted),
        Command::BenchDesk => desk::bench_desk(),
        Command::BenchDashboard(wanted) => dashboard::bench(&wanted),
        Command::Chaos(wanted) => chaos::chaos(&wanted),
        Command::Simulate(wanted) => simulate::simulate(&wanted),
        Command::Lint => checks::lint(),
        Command::Audit => supply::audit(),
        Command::Openapi { check: true } => sdk::check(),
        Command::Openapi { check: false } => checks::openapi(),
        Command::AgentPackage(wanted) => package::agent(&wanted),
        Command::BenchTray(wanted) => tray::bench(&wanted),
        Command::CleanDemo => demo::clean(),
    }
}
