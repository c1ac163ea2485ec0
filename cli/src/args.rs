//! The command line as people type it.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use offpeak_api::{
    enrolment::Fingerprint,
    ids::JobId,
    job::{JobState, Metadata},
};

use crate::{
    access::{EnrolCode, Tokens},
    fleet::args::{Agents, Fleet},
    time,
    webhooks::args::Webhooks,
};

/// Turn a video into a stream on the computers of your office.
///
/// Exit codes: 0 done, 1 failed, 2 the command line is wrong, 130 interrupted with Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "offpeak", version, arg_required_else_help = true)]
pub struct Args {
    /// Address of the server.
    #[arg(long, global = true, env = "OFFPEAK_URL", default_value = "http://127.0.0.1:7070", value_name = "ADDRESS")]
    pub url: String,

    /// Token of a program, as `offpeak-server token create` prints it.
    #[arg(long, global = true, env = "OFFPEAK_TOKEN", hide_env_values = true, value_name = "SECRET")]
    pub token: Option<String>,

    /// SHA-256 of the server's certificate, to know it by: needed where the server made it itself.
    #[arg(long, global = true, env = "OFFPEAK_FINGERPRINT", value_name = "HEX", value_parser = fingerprint)]
    pub fingerprint: Option<Fingerprint>,

    /// Print JSON as the API has it instead of text.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload a file, or name an address to fetch from, and start a job.
    ///
    /// An upload that was cut goes on where it stopped when the same command is given again.
    Submit(Submit),
    /// List jobs, newest first.
    Jobs {
        /// Only jobs in these states (may be repeated, or separated by commas).
        #[arg(long, value_delimiter = ',', value_name = "STATE")]
        state: Vec<StateFilter>,
        /// At most this many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one job.
    Show {
        id: JobId,
        /// Stay until the job is over, with progress bars.
        #[arg(long)]
        watch: bool,
    },
    /// Stop a job that is not over yet.
    Cancel { id: JobId },
    /// Run a failed job again; what was already encoded is kept.
    Retry { id: JobId },
    /// Fetch a file that a job made, going on where an earlier download stopped.
    Download {
        id: JobId,
        /// Which of the job's files, when there are several.
        #[arg(long, value_name = "NAME")]
        file: Option<String>,
        /// Where to put it: a file name or an existing folder.
        #[arg(short, long, value_name = "PATH")]
        output: Option<PathBuf>,
    },
    /// List profiles, or show one.
    Profiles { name: Option<String> },
    /// List the machines that encode, or look after them.
    Agents(Agents),
    /// Show the whole fleet: machines by state, speed, what waits, how many machines that takes.
    Fleet(Fleet),
    /// List who is told what happens, or change it, and see what was answered.
    Webhooks(Webhooks),
    /// List the team's tokens, make or revoke them.
    Tokens(Tokens),
    /// List teams: a program's own, or with `admin` all.
    Teams,
    /// Make a code with which machines enrol.
    EnrolCode(EnrolCode),
}

#[derive(Debug, clap::Args)]
pub struct Submit {
    /// A video file, or an http(s) address that the farm can reach.
    #[arg(value_name = "FILE|URL")]
    pub source: String,
    /// What to make of it: see `offpeak profiles`.
    #[arg(long, default_value = "hls-h264", value_name = "NAME")]
    pub profile: String,
    /// 0 to 9; 9 is the most urgent.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub priority: u8,
    /// When it should be complete: `2026-11-30T18:00:00Z`, or how long from now: `90m`, `2h`, `1d12h`.
    ///
    /// Among your jobs of equal priority, the nearest deadline comes first.
    #[arg(long, value_name = "WHEN", value_parser = time::moment)]
    pub deadline: Option<DateTime<Utc>>,
    /// A note kept with the job (may be repeated).
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = key_value)]
    pub metadata: Vec<(String, String)>,
    /// Stay until the job is over, with progress bars.
    #[arg(long)]
    pub watch: bool,
}

impl Submit {
    pub fn metadata(&self) -> Metadata {
        self.metadata.iter().cloned().collect()
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    text.parse().map_err(|error: offpeak_api::enrolment::BadFingerprint| error.to_string())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as --meta title=Harbour".to_owned()),
    }
}

/// The job states, as words on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StateFilter {
    Queued,
    Probing,
    Encoding,
    Finishing,
    Completed,
    Failed,
    Cancelled,
}

impl StateFilter {
    pub fn state(self) -> JobState {
        match self {
            Self::Queued => JobState::Queued,
            Self::Probing => JobState::Probing,
            Self::Encoding => JobState::Encoding,
            Self::Finishing => JobState::Finishing,
            Self::Completed => JobState::Completed,
            Self::Failed => JobState::Failed,
            Self::Cancelled => JobState::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn notes_need_a_key() {
        assert_eq!(key_value("title=a=b"), Ok(("title".to_owned(), "a=b".to_owned())));
        assert_eq!(key_value("title="), Ok(("title".to_owned(), String::new())));
        for bad in ["", "title", "=x"] {
            assert!(key_value(bad).is_err(), "{bad}");
        }
    }
}
