//! A long-lived child with a log file, ended when we end.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child as Process, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{interrupt, platform};

/// An engine asked to end gives back its leases first; this is more than the server's and its own time-outs together.
const END_WITHIN: Duration = Duration::from_secs(15);
/// Log lines worth showing when a child dies.
const TAIL_LINES: usize = 20;

#[derive(Debug)]
pub struct Child {
    pub name: String,
    pub log: PathBuf,
    process: Process,
}

impl Child {
    /// Starts `command` (from [`platform::tied_to_us`]) with its output in `log`, which begins anew.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let both = out.try_clone()?;
        let process = command.stdin(Stdio::null()).stdout(out).stderr(both).spawn();
        let process = process.with_context(|| format!("cannot start {}", crate::shell::shown(&command)))?;
        Ok(Self { name: name.to_owned(), log: log.to_owned(), process })
    }

    /// Starts a child that talks to the person in front of us.
    pub fn on_terminal(name: &str, mut command: Command) -> Result<Self> {
        let process = command.stdin(Stdio::null()).spawn();
        let process = process.with_context(|| format!("cannot start {}", crate::shell::shown(&command)))?;
        Ok(Self { name: name.to_owned(), log: PathBuf::new(), process })
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.try_wait().with_context(|| format!("cannot look after {}", self.name))
    }

    /// An error with the end of its log when it is not running any more.
    pub fn must_run(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => bail!("{} ended early ({status}); the end of {}:\n{}", self.name, self.log.display(), self.tail()),
        }
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let text = end_of(&self.log).unwrap_or_else(|e| format!("(cannot read the log: {e})"));
        let lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() {
            return "    (it is empty)".to_owned();
        }
        let shown = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        shown.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
    }

    /// Asks it to end; see [`Child::wait`].
    pub fn terminate(&self) {
        platform::terminate(&self.process);
    }

    /// Waits until it has ended, and makes it end after a while.
    pub fn wait(&mut self) {
        let since = Instant::now();
        while since.elapsed() < END_WITHIN {
            match self.process.try_wait() {
                Ok(None) => std::thread::sleep(interrupt::LOOK_EVERY),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        platform::kill(&self.process);
        let _reaped = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.terminate();
            self.wait();
        }
    }
}

fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(8 << 10)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = platform::tied_to_us(Path::new("/bin/sh"));
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_child_that_dies_is_told_of_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/x.log");
        let mut child = Child::start("the server", shell("echo port taken >&2; exit 3"), &log).unwrap();
        child.wait();
        let error = child.must_run().unwrap_err().to_string();
        assert!(error.contains("the server ended early (exit status: 3)") && error.contains("    port taken"), "{error}");
    }

    #[test]
    fn dropping_a_child_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let child = Child::start("x", shell("exec sleep 600"), &folder.path().join("x.log")).unwrap();
        let process = PathBuf::from(format!("/proc/{}", child.id()));
        assert!(!cfg!(target_os = "linux") || process.exists());
        drop(child);
        assert!(!process.exists());
    }
}
