use std::{io, process::ExitStatus};

use tokio::process::{ChildStderr, ChildStdout};

/// A running program; dropping it kills it.
#[derive(Debug)]
pub struct Child(tokio::process::Child);

impl Child {
    pub(super) fn new(child: tokio::process::Child) -> Self {
        Self(child)
    }

    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }

    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.0.stderr.take()
    }

    /// Asks the system to kill it; [`Self::wait`] says when it is gone.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.0.start_kill()
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }
}
