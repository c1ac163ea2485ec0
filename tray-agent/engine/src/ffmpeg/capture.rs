use std::path::Path;

use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::{Ended, LogTail, Process, Run};
use crate::{desk::Desk, task::TaskError};

/// What a program that ran to its end left behind.
#[derive(Debug)]
pub struct Captured {
    pub ended: Ended,
    /// Standard output, cut off at the limit that was asked for.
    pub stdout: Vec<u8>,
    /// There was more of it than the limit; the program was killed.
    pub cut: bool,
    pub log: LogTail,
}

/// Runs a program to its end and keeps up to `limit` bytes of what it prints.
///
/// # Errors
/// [`TaskError::Stopped`] when `stop` was cancelled (the program is then gone), `program_missing` when it cannot be started.
pub async fn capture(run: Run<'_>, limit: usize, desk: &Desk, stop: &CancellationToken) -> Result<Captured, TaskError> {
    let program = run.program;
    let mut process = Process::start(run, desk).await.map_err(|error| cannot_start(program, &error))?;
    let mut stdout = Vec::new();
    let pipe = process.take_stdout();
    let read = async {
        let Some(pipe) = pipe else { return Ok(0) };
        pipe.take(limit as u64 + 1).read_to_end(&mut stdout).await
    };
    let read = tokio::select! {
        read = read => read,
        () = stop.cancelled() => {
            process.kill().await;
            return Err(TaskError::Stopped);
        }
    };
    read.map_err(|error| TaskError::agent("program_output", format!("cannot read what {} prints: {error}", program.display())))?;
    let cut = stdout.len() > limit;
    if cut {
        stdout.truncate(limit);
        process.kill().await;
    }
    let ended = tokio::select! {
        ended = process.wait() => ended,
        () = stop.cancelled() => {
            process.kill().await;
            return Err(TaskError::Stopped);
        }
    };
    let ended =
        ended.map_err(|error| TaskError::agent("program_lost", format!("cannot wait for {}: {error}", program.display())))?;
    Ok(Captured { ended, stdout, cut, log: process.log().clone() })
}

/// A program that does not start is a fault of this machine.
pub(crate) fn cannot_start(program: &Path, error: &std::io::Error) -> TaskError {
    TaskError::agent("program_missing", format!("cannot start {}: {error}", program.display()))
}
