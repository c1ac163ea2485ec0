//! `offpeak-agent`: the headless engine as a program.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use offpeak_engine::{
    check,
    link::{self, LogLines},
    run::{self, RunError},
    settings::{Cli, Command},
};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// ffmpeg does what is heavy; more threads would only be woken in turn while there is nothing to do.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_linked = matches!(&cli.command, Command::Run(settings) if settings.link);
    let log = start_log(is_linked);
    // Not on the main thread, which would be a third that takes turns.
    let ended = match tokio::spawn(perform(cli.command, log)).await {
        Ok(ended) => ended,
        Err(crash) => std::panic::resume_unwind(crash.into_panic()),
    };
    if let Err(error) = &ended {
        tracing::error!("{error}");
    }
    if is_linked {
        // A read of standard input that nobody will answer must not hold up the end.
        std::process::exit(i32::from(ended.is_err()));
    }
    ended.unwrap_or(ExitCode::FAILURE)
}

async fn perform(command: Command, log: Option<LogLines>) -> Result<ExitCode, RunError> {
    match command {
        Command::Run(settings) => {
            run::run(settings, log).await?;
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
            say(check::why(&settings).await.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(all(unix, not(target_os = "linux")))]
        Command::Undertaker => {
            let ended = offpeak_engine::undertaker::serve(std::io::stdin().lock());
            Ok(if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// Prints a result. A reader that has gone away (`offpeak-agent check | head -1`) is no error.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// To standard error: for people on a terminal, one JSON object a line with `OFFPEAK_LOG=json`. And to the tray app, if the
/// engine has one.
fn start_log(is_linked: bool) -> Option<LogLines> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let (to_shell, lines) = is_linked.then(link::log_lines).unzip();
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter).with(to_shell);
    if std::env::var_os("OFFPEAK_LOG").is_some_and(|format| format == "json") {
        registry.with(log.json()).init();
    } else {
        registry.with(log.with_ansi(std::io::stderr().is_terminal()).with_target(false)).init();
    }
    lines
}
