//! A person at a browser: a script of `tests/browser` that Node runs with Chromium. It prints a JSON line for each step, and
//! `{ "please": … }` for what only the test can do, which it waits for.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, timeout_at},
};

use crate::programs::workspace;

pub struct Person {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    answers: ChildStdin,
    told: Vec<String>,
    deadline: Instant,
}

impl Person {
    /// Starts `tests/browser/{script}`; all that it does must be over within `limit`.
    pub fn at_work(script: &str, arguments: &[&str], limit: Duration) -> Self {
        let folder = workspace().join("tests/browser");
        assert!(folder.join("node_modules/axe-core").is_dir(), "axe is missing: run `cargo xtask setup --test`");
        let mut child = Command::new("node")
            .current_dir(folder)
            .arg(script)
            .args(arguments)
            .env("OFFPEAK_CHROMIUM", chromium())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let answers = child.stdin.take().expect("stdin is piped");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        Self { child, lines, answers, told: Vec::new(), deadline: Instant::now() + limit }
    }

    /// What it asks for next; nothing when it is done.
    pub async fn asks(&mut self) -> Option<String> {
        while let Some(line) =
            timeout_at(self.deadline, self.lines.next_line()).await.expect("in time").expect("node prints text")
        {
            println!("{line}");
            let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            self.told.push(line);
            if let Some(wish) = said["please"].as_str() {
                return Some(wish.to_owned());
            }
        }
        None
    }

    /// Tells it that what it asked for is done.
    pub async fn done(&mut self) {
        self.answers.write_all(b"done\n").await.expect("node reads");
    }

    /// Panics with all that it said unless everything was as it should be.
    pub async fn is_content(mut self) {
        let status = self.child.wait().await.expect("a child can be waited for");
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).await.expect("node prints text");
        }
        assert!(status.success(), "the pages do not work as they should:\n{}\n{stderr}", self.told.join("\n"));
    }
}

/// `OFFPEAK_CHROMIUM`, or the first browser of its kind that is installed.
pub fn chromium() -> PathBuf {
    let named = std::env::var_os("OFFPEAK_CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = || {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
    };
    named.or_else(installed).expect("Chromium is installed: run `cargo xtask setup --test`, or set OFFPEAK_CHROMIUM")
}
