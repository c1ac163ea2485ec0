use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    process::ExitStatus,
    sync::{Arc, Mutex, MutexGuard},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::{ChildStderr, ChildStdout};

#[cfg(not(target_os = "linux"))]
use super::other_unix;

/// A running program; dropping it kills it.
#[derive(Debug)]
pub struct Child {
    child: tokio::process::Child,
    group: Group,
}

/// The process group of a program and of all that it started. Once the program is buried, its number may be somebody else's:
/// then nothing is sent any more.
#[derive(Debug, Clone)]
pub struct Group(Arc<Mutex<Option<Pid>>>);

impl Group {
    /// Makes it use no CPU until it is thawed.
    pub fn freeze(&self) -> io::Result<()> {
        self.send(Signal::SIGSTOP)
    }

    pub fn thaw(&self) -> io::Result<()> {
        self.send(Signal::SIGCONT)
    }

    pub fn kill(&self) -> io::Result<()> {
        self.send(Signal::SIGKILL)
    }

    fn send(&self, signal: Signal) -> io::Result<()> {
        match *self.leader() {
            Some(leader) => match killpg(leader, signal) {
                Ok(()) | Err(Errno::ESRCH) => Ok(()),
                Err(error) => Err(error.into()),
            },
            None => Ok(()),
        }
    }

    /// From now on its number may be somebody else's.
    fn forget(leader: &mut Option<Pid>) {
        #[cfg(not(target_os = "linux"))]
        if let Some(leader) = leader {
            other_unix::UNDERTAKER.remove(*leader);
        }
        *leader = None;
    }

    fn leader(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Child {
    pub(super) fn new(child: tokio::process::Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Self { child, group: Group(Arc::new(Mutex::new(leader))) }
    }

    /// # Errors
    /// When nobody could be told to end it with the engine: dropping it kills it.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn dies_with_engine(&self) -> io::Result<()> {
        match *self.group.leader() {
            Some(leader) => other_unix::UNDERTAKER.add(leader, other_unix::undertaker),
            None => Ok(()),
        }
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub fn group(&self) -> Group {
        self.group.clone()
    }

    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Asks the system to kill it; [`Self::wait`] says when it is gone.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.child.start_kill()
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let mut wait = pin!(self.child.wait());
        poll_fn(|context| {
            // No signal goes out between the burial and the moment in which the number is forgotten.
            let mut leader = self.group.leader();
            let polled = wait.as_mut().poll(context);
            if polled.is_ready() {
                Group::forget(&mut leader);
            }
            polled
        })
        .await
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The runtime kills it now, and buries it some time from now.
        Group::forget(&mut self.group.leader());
    }
}
