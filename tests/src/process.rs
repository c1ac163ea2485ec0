//! A process under test: its output goes to a file, and it never outlives the test.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::secrets;

/// Long enough for a server to finish its requests and an engine to give back its leases.
const GRACE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its output is appended to `name`.log in `logs`, so that a restarted process goes on there.
    pub fn spawn(name: &str, mut command: Command, logs: &Path) -> Self {
        let log = logs.join(format!("{name}.log"));
        let open = || File::options().create(true).append(true).open(&log).expect("the log file can be written");
        let child = command
            .stdin(Stdio::null())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        Self { name: name.to_owned(), child, log }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Process ids of its children.
    #[cfg(unix)]
    pub fn children(&self) -> Vec<u32> {
        let output = Command::new("ps").args(["-o", "pid=", "--ppid", &self.pid().to_string()]).output().expect("ps starts");
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.trim().parse().ok()).collect()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// SIGKILL (on Windows its like): no handler runs, nothing is tidied.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ended_before = self.child.kill();
        let _status = self.child.wait();
    }

    /// SIGTERM, and the exit code once it has ended; a process that does not end is a failure.
    #[cfg(unix)]
    pub fn terminate(&mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().expect("kill starts");
        assert!(sent.success(), "{} could not be told to end", self.name);
        let deadline = Instant::now() + GRACE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "{} did not end within {GRACE:?} of SIGTERM", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGSTOP to it and, where `with_children`, to what it has started: they use no CPU and answer nothing until [`Self::thaw`].
    #[cfg(unix)]
    pub fn freeze(&self, with_children: bool) -> Frozen {
        let mut pids = vec![self.pid()];
        signal("-STOP", &pids);
        if with_children {
            // The process itself stands still already: it starts nothing more.
            let children = self.children();
            signal("-STOP", &children);
            pids.extend(children);
        }
        Frozen(pids)
    }

    /// All that it has printed.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines that it has printed.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let skip = log.lines().count().saturating_sub(lines);
        log.lines().skip(skip).collect::<Vec<_>>().join("\n")
    }
}

/// Processes that stand still.
#[cfg(unix)]
#[derive(Debug)]
pub struct Frozen(Vec<u32>);

#[cfg(unix)]
impl Frozen {
    /// Lets them go on.
    pub fn thaw(self) {
        signal("-CONT", &self.0);
    }
}

#[cfg(unix)]
fn signal(name: &str, pids: &[u32]) {
    if !pids.is_empty() {
        // A process that has ended since needs no signal.
        let pids = pids.iter().map(u32::to_string);
        let _sent = Command::new("kill").arg(name).args(pids).stderr(Stdio::null()).status().expect("kill starts");
    }
}

/// Waits until these processes have ended, all within `limit`.
#[cfg(unix)]
pub async fn wait_until_gone(pids: &[u32], limit: Duration) {
    let deadline = Instant::now() + limit;
    let lives = |pid: &u32| Path::new(&format!("/proc/{pid}/stat")).exists();
    while pids.iter().any(lives) {
        assert!(Instant::now() < deadline, "these processes live on after {limit:?}: {pids:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let log = self.log();
            let secrets = secrets::in_log(&log);
            assert!(secrets.is_empty(), "{} wrote secrets into its log: {secrets:?}", self.name);
        }
    }
}
