//! `offpeak-agent`: the headless engine as a program.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use offpeak_engine::{
    check,
    run::{self, RunError},
    settings::{Cli, Command},
};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    match perform(cli.command).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(command: Command) -> Result<ExitCode, RunError> {
    match command {
        Command::Run(settings) => {
            run::run(settings).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Enrol(settings) => {
            let enrolment = run::enrol_only(settings).await?;
            say(&format!("enrolled with {} as {} ({})", enrolment.server, enrolment.name, enrolment.agent_id));
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(settings) => {
            let findings = check::check(&settings).await;
            say(findings.to_string().trim_end());
            Ok(if findings.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Why(settings) => {
            let (state, reason) = check::why(&settings).await;
            say(&format!("{}: {reason}", state.as_str()));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints a result. A reader that has gone away (`offpeak-agent check | head -1`) is no error.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// To standard error: for people on a terminal, one JSON object a line with `OFFPEAK_LOG=json`.
fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var_os("OFFPEAK_LOG").is_some_and(|format| format == "json") {
        log.json().init();
    } else {
        log.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
}
