//! `offpeak`: submit a video, watch its job, fetch what came out.
//!
//! Results go to standard output, everything about progress to standard error, so that `offpeak submit film.mov --json | jq`
//! works while a person still sees the bars.

mod access;
mod args;
mod client;
mod commands;
mod download;
mod error;
mod fleet;
mod resume;
mod text;
mod time;
mod upload;
mod view;
mod watch;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            ExitCode::from(error.exit_code())
        }
    }
}
