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
    settings::{Cli, Command, Home},
};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// A working week: long enough for somebody to ask about yesterday.
const LOG_FILES: usize = 5;

/// ffmpeg does what is heavy; more threads would only be woken in turn while there is nothing to do.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let linked = if let Command::Run(settings) = &cli.command { settings.link.then_some(&settings.identity.home) } else { None };
    let is_linked = linked.is_some();
    let log = start_log(linked);
    // Not on the main thread, which would be a third that takes turns.
    let ended = match tokio::spawn(perform(cli.command, log)).await {
        Ok(ended) => ended,
        Err(crash) => std::panic::resume_unwind(crash.into_panic()),
    };
    match &ended {
        // What it says last is what the tray app says of its end.
        Err(error) if is_linked => tracing::error!("{}", error.for_the_desk()),
        Err(error) => tracing::error!("{error}"),
        Ok(_) => {}
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
/// engine has one, and a file: nobody keeps what a tray app's engine prints.
fn start_log(linked: Option<&Home>) -> Option<LogLines> {
    let is_linked = linked.is_some();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let (to_shell, lines) = is_linked.then(link::log_lines).unzip();
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // Where there is no file to write to, the window still has the last lines.
    let file = linked.and_then(log_file).map(|file| {
        tracing_subscriber::fmt::layer().with_writer(file).with_ansi(false).with_target(false).log_internal_errors(false)
    });
    let registry = tracing_subscriber::registry().with(filter).with(to_shell).with(file);
    if std::env::var_os("OFFPEAK_LOG").is_some_and(|format| format == "json") {
        registry.with(log.json()).init();
    } else {
        registry.with(log.with_ansi(std::io::stderr().is_terminal()).with_target(false)).init();
    }
    lines
}

/// `log/engine.2026-11-25.log` in the state folder: one a day, by UTC, the last five of them.
fn log_file(home: &Home) -> Option<RollingFileAppender> {
    let state = run::open_state(home).ok()?;
    let days = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("engine")
        .filename_suffix("log")
        .max_log_files(LOG_FILES);
    days.build(state.path().join("log")).ok()
}
