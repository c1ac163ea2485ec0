use std::{io, os::windows::io::OwnedHandle, process::ExitStatus};

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdout, Command};
use windows::Win32::System::Threading::{CREATE_NO_WINDOW, IDLE_PRIORITY_CLASS};

/// A running program; dropping it kills it, with all that it started.
#[derive(Debug)]
pub struct Child {
    child: Box<dyn ChildWrapper>,
    /// A job with limits, which ends the program when it is closed.
    _job: Option<OwnedHandle>,
}

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
pub fn start_with(mut command: Command, prepare_last: impl FnOnce(&mut Command)) -> io::Result<Child> {
    prepare_last(&mut command);
    let mut wrap = CommandWrap::from(command);
    wrap.wrap(CreationFlags(IDLE_PRIORITY_CLASS | CREATE_NO_WINDOW)).wrap(KillOnDrop).wrap(JobObject);
    wrap.spawn().map(|child| Child { child, _job: None })
}

impl Child {
    /// Keeps a job open for as long as the program is wanted.
    pub fn keep(&mut self, job: OwnedHandle) {
        self._job = Some(job);
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub fn group(&self) -> Group {
        Group
    }

    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout().take()
    }

    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr().take()
    }

    /// Asks the system to kill it; [`Self::wait`] says when it is gone.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.child.start_kill()
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}
