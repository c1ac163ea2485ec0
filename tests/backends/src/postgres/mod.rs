//! A PostgreSQL server of one's own, from the binaries of the system's package.
//!
//! `initdb` takes a second; copying what it made takes a tenth of that. So the first start leaves an empty cluster beside the
//! programs that cargo builds, and every later start copies it: each test can have a server to itself.

mod install;

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use install::{Owner, Programs, SUPERUSER};

/// A start takes a tenth of a second, and longer only where many start at once on few cores.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Whether an answered commit is safe on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production: for measuring.
    OnDisk,
    /// For tests: a power cut may take what was committed, and nothing else differs but the speed.
    None,
}

impl Durability {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::None => &["fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB"],
            // Enough memory and log that a measurement is not one of checkpoints.
            Self::OnDisk => &["fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_wal_size=4GB"],
        }
    }
}

/// A running server with one empty database. It stops, and its files go, when this is dropped; where there is `setpriv`
/// (Linux) it also stops when the process that started it is killed.
#[derive(Debug)]
pub struct Postgres {
    server: Child,
    folder: TempDir,
    /// Closed when this is dropped: the thread that the server is tied to then ends.
    _tied: mpsc::Sender<()>,
}

impl Postgres {
    /// A server for tests.
    pub fn start() -> Result<Self> {
        Self::start_with(Durability::None)
    }

    pub fn start_with(durability: Durability) -> Result<Self> {
        let programs = Programs::find()?;
        let owner = Owner::choose()?;
        let folder = tempfile::Builder::new().prefix("offpeak-pg-").tempdir()?;
        let data = folder.path().join("data");
        install::copy(&install::template(&programs, &owner)?, &data)?;
        owner.take(folder.path())?;

        let mut command = owner.command(&programs.postgres());
        command.arg("-D").arg(&data).arg("-k").arg(folder.path());
        // Reached by its socket alone: no port to be found free, nobody else to be let in.
        let common = ["listen_addresses=", "max_connections=200", "log_line_prefix=%m [%p] "];
        for setting in common.iter().chain(durability.settings()) {
            command.args(["-c", setting]);
        }
        let log = File::create(folder.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let (server, tied) = spawn_tied(command).context("cannot run PostgreSQL's server")?;
        let mut postgres = Self { server, folder, _tied: tied };
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// Its database, as `postgres://…`.
    pub fn url(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://{SUPERUSER}@{folder}/postgres")
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let status = self.folder.path().join("data/postmaster.pid");
        let began = Instant::now();
        while !is_ready(&status) {
            if let Some(exit) = self.server.try_wait()? {
                bail!("PostgreSQL ended at its start ({exit}):\n{}", self.log());
            }
            if began.elapsed() > STARTS_WITHIN {
                bail!("PostgreSQL did not start within {} s:\n{}", STARTS_WITHIN.as_secs(), self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// The last line of this file is what `pg_ctl --wait` looks at, too.
fn is_ready(status: &Path) -> bool {
    fs::read_to_string(status).is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
}

/// The kernel ties a process to the *thread* that started it, and those of a test come and go: this one waits for the end.
fn spawn_tied(mut command: Command) -> Result<(Child, mpsc::Sender<()>)> {
    let (tied, end) = mpsc::channel();
    let (started, child) = mpsc::channel();
    thread::Builder::new().name("postgres".into()).spawn(move || {
        // Whoever waits for the child is told all there is to tell.
        let _ = started.send(command.spawn());
        let _ = end.recv();
    })?;
    Ok((child.recv()??, tied))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Without a last checkpoint: the files go anyway.
        let asked = kill(Pid::from_raw(self.server.id().cast_signed()), Signal::SIGQUIT);
        if asked.is_err() || self.server.wait().is_err() {
            eprintln!("PostgreSQL (process {}) could not be stopped", self.server.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]
    fn two_servers_beside_each_other_that_leave_nothing_behind() {
        let first = Postgres::start().unwrap();
        let second = Postgres::start_with(Durability::OnDisk).unwrap();
        assert_ne!(first.url(), second.url());
        assert!(first.log().contains("ready to accept connections"), "{}", first.log());
        let (folder, process) = (first.folder.path().to_owned(), Pid::from_raw(first.server.id().cast_signed()));
        drop(first);
        assert!(!folder.exists());
        assert!(kill(process, None).is_err(), "it still runs");
        assert!(second.folder.path().exists());
    }
}
