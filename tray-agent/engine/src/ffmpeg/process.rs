use std::{io, path::Path, process::ExitStatus, process::Stdio};

use tokio::{
    process::{ChildStdout, Command},
    task::JoinHandle,
};
use tokio_util::task::AbortOnDropHandle;

use super::{Argv, LogTail};
use crate::{
    desk::{Allowed, Desk},
    platform::{self, Group},
};

/// A running ffmpeg or ffprobe. It stands still while the desk says so, and is killed when this is dropped and when the engine
/// dies.
#[derive(Debug)]
pub struct Process {
    child: platform::Child,
    stdout: Option<ChildStdout>,
    log: LogTail,
    log_reader: JoinHandle<()>,
    _follower: AbortOnDropHandle<()>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Exit status 0.
    Well,
    /// Another exit status.
    Badly { code: i32 },
    /// By a signal: a crash, or too little memory.
    Killed,
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Well,
            Some(code) => Self::Badly { code },
            None => Self::Killed,
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Well => f.write_str("ended well"),
            Self::Badly { code } => write!(f, "exited {code}"),
            Self::Killed => f.write_str("was killed by a signal"),
        }
    }
}

impl Process {
    /// Starts `program`, its log followed, its standard output to be taken with [`Self::take_stdout`].
    ///
    /// # Errors
    /// What the operating system says when the program cannot be started.
    pub async fn start(program: &Path, argv: Argv, desk: &Desk) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(argv.as_slice()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A proxy named in the environment must not come between ffmpeg and the loopback.
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "FFREPORT"] {
            command.env_remove(name);
        }
        command.env("AV_LOG_FORCE_NOCOLOR", "1");
        let mut child = platform::spawn(command).await?;
        let stdout = child.take_stdout();
        let log = LogTail::default();
        let stderr = child.take_stderr().ok_or_else(|| io::Error::other("the program has no log"))?;
        let log_reader = tokio::spawn(log.clone().follow(stderr));
        let follower = AbortOnDropHandle::new(tokio::spawn(follow(desk.clone(), child.group())));
        Ok(Self { child, stdout, log, log_reader, _follower: follower })
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its standard output; whoever starts a program that prints must take it, or the program waits for ever.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    pub fn log(&self) -> &LogTail {
        &self.log
    }

    /// Waits for the program's end and for the last of its log. May be dropped and called again.
    pub async fn wait(&mut self) -> io::Result<Ended> {
        let status = self.child.wait().await?;
        if !self.log_reader.is_finished() {
            let _ = (&mut self.log_reader).await;
        }
        Ok(status.into())
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&mut self) {
        // It may have ended by itself: then there is nothing to kill and nothing wrong.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }
}

/// Freezes and thaws a program as the desk demands.
async fn follow(desk: Desk, group: Group) {
    let mut allowed = Allowed::Work;
    loop {
        allowed = desk.changed(&allowed).await;
        let done = match allowed {
            Allowed::Work => group.thaw(),
            Allowed::Suspended { .. } | Allowed::Nothing { .. } => group.freeze(),
        };
        if let Err(error) = done {
            tracing::warn!("cannot make a program stand still or go on: {error}");
        }
    }
}
