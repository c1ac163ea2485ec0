use std::{io, process::ExitStatus};

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdout, Command};
use windows::Win32::System::Threading::{CREATE_NO_WINDOW, IDLE_PRIORITY_CLASS};

/// A running program; dropping it kills it, with all that it started.
#[derive(Debug)]
pub struct Child(Box<dyn ChildWrapper>);

/// The job object of a program and of all that it started.
#[derive(Debug, Clone)]
pub struct Group;

impl Group {
    /// Windows has no call that stops a job; leases are handed back instead of suspended ([`super::CAN_FREEZE`]).
    pub fn freeze(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn thaw(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The job itself ends a program that is over its time.
    pub fn kill(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Puts the child into a job object that the system ends when its last handle, the engine's, is closed.
pub(super) fn start(command: Command) -> io::Result<Child> {
    let mut wrap = CommandWrap::from(command);
    wrap.wrap(CreationFlags(IDLE_PRIORITY_CLASS | CREATE_NO_WINDOW)).wrap(KillOnDrop).wrap(JobObject);
    wrap.spawn().map(Child)
}

impl Child {
    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }

    pub fn group(&self) -> Group {
        Group
    }

    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout().take()
    }

    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.0.stderr().take()
    }

    /// Asks the system to kill it; [`Self::wait`] says when it is gone.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.0.start_kill()
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }
}
