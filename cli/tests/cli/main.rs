//! The real `offpeak` program against a small server that says what the API says.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod access;
mod download;
mod fake;
mod fake_access;
mod fake_fleet;
mod fleet;
mod jobs;
mod submit;

use std::{
    path::Path,
    process::{Output, Stdio},
};

use tokio::process::{Child, Command};

use fake::Fake;

/// The program, with a state folder and a current folder of the test's own.
fn offpeak(fake: &Fake, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offpeak"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("OFFPEAK_URL", &fake.url).env("OFFPEAK_TOKEN", fake::TOKEN).env("OFFPEAK_STATE_DIR", folder.join("state"));
    command.kill_on_drop(true);
    command
}

async fn run(fake: &Fake, folder: &Path, args: &[&str]) -> Ran {
    Ran::from(offpeak(fake, folder, args).output().await.unwrap())
}

async fn ended(child: Child) -> Ran {
    Ran::from(child.wait_with_output().await.unwrap())
}

/// What a finished run said.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Bytes that repeat nowhere nearby, so that a misplaced range cannot go unnoticed.
fn film(bytes: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut film = Vec::with_capacity(bytes + 8);
    while film.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        film.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    film.truncate(bytes);
    film
}
