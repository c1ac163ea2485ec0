//! One life of the engine.

use std::{collections::HashMap, io, time::Duration};

use offpeak_link::{Answer, FromEngine, Order, PROTOCOL, ToEngine};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStderr, ChildStdin, ChildStdout},
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{Heard, Program, Told, child};

/// For handing leases back to a slow server; what is not handed back by then expires there.
const QUIT_WITHIN: Duration = Duration::from_secs(10);
/// An engine whose input or output has ended ends at once.
const END_WITHIN: Duration = Duration::from_secs(2);

pub(super) enum End {
    /// Somebody wanted it, and may wait to hear that it happened.
    Told(Option<oneshot::Sender<()>>),
    /// Nobody did: why, as the rest of a sentence.
    Died(String),
}

pub(super) struct Run {
    child: child::Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Option<Lines<BufReader<ChildStderr>>>,
    /// Of its standard error, to say why it died.
    last_words: Option<String>,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    next_order: u64,
}

enum Next {
    Said(io::Result<Option<String>>),
    Complained(io::Result<Option<String>>),
    Told(Option<Told>),
}

impl Run {
    pub fn start(program: &Program) -> io::Result<Self> {
        let (child, pipes) = child::start(program)?;
        Ok(Self {
            child,
            stdin: Some(pipes.stdin),
            stdout: BufReader::new(pipes.stdout).lines(),
            stderr: Some(BufReader::new(pipes.stderr).lines()),
            last_words: None,
            waiting: HashMap::new(),
            next_order: 1,
        })
    }

    pub async fn until_its_end(&mut self, told: &mut mpsc::UnboundedReceiver<Told>, hear: &impl Fn(Heard)) -> End {
        loop {
            let complaint = async {
                match &mut self.stderr {
                    Some(stderr) => stderr.next_line().await,
                    None => std::future::pending().await,
                }
            };
            let next = tokio::select! {
                said = self.stdout.next_line() => Next::Said(said),
                said = complaint => Next::Complained(said),
                next = told.recv() => Next::Told(next),
            };
            match next {
                Next::Said(Ok(Some(line))) => match self.heard(&line, hear) {
                    Ok(()) => {}
                    Err(why) => {
                        self.end(END_WITHIN).await;
                        return End::Died(why);
                    }
                },
                Next::Said(Ok(None) | Err(_)) => return End::Died(self.why_it_died().await),
                Next::Complained(Ok(Some(line))) => self.remember(line),
                Next::Complained(Ok(None) | Err(_)) => self.stderr = None,
                Next::Told(Some(Told::Order(order, answer))) => self.tell(order, answer).await,
                Next::Told(Some(Told::Stop(gone))) => {
                    self.quit(hear).await;
                    return End::Told(Some(gone));
                }
                Next::Told(None) => {
                    self.quit(hear).await;
                    return End::Told(None);
                }
            }
        }
    }

    fn heard(&mut self, line: &str, hear: &impl Fn(Heard)) -> Result<(), String> {
        let event = match offpeak_link::parse::<FromEngine>(line.as_bytes()) {
            Ok(event) => event,
            // One line that cannot be read is no reason to stop work; what it said will be said again.
            Err(error) => {
                self.remember(format!("the shell cannot read a line of the engine: {error}"));
                return Ok(());
            }
        };
        match event {
            FromEngine::Hello { protocol, version, .. } if protocol != PROTOCOL => {
                return Err(format!(
                    "its version {version} does not fit this shell's {}, as after half an update; install Offpeak again",
                    env!("CARGO_PKG_VERSION")
                ));
            }
            FromEngine::Answer { order, answer } => {
                // Whoever asked may have closed the window since.
                let _nobody_waits = self.waiting.remove(&order).map(|waiting| waiting.send(answer));
            }
            event @ (FromEngine::Hello { .. } | FromEngine::Now(_) | FromEngine::Contribution(_) | FromEngine::Log(_)) => {
                hear(Heard::Event(event));
            }
        }
        Ok(())
    }

    async fn tell(&mut self, order: Order, answer: oneshot::Sender<Answer>) {
        let number = self.next_order;
        self.next_order += 1;
        match self.write(ToEngine { order: number, what: order }).await {
            Ok(()) => drop(self.waiting.insert(number, answer)),
            // Its output ends next, and says why.
            Err(_) => drop(answer.send(super::not_there())),
        }
    }

    async fn write(&mut self, order: ToEngine) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(&offpeak_link::line(&order)?).await?;
        stdin.flush().await
    }

    /// In order if it can be had within [`QUIT_WITHIN`], otherwise by force.
    async fn quit(&mut self, hear: &impl Fn(Heard)) {
        let number = self.next_order;
        if self.write(ToEngine { order: number, what: Order::Quit }).await.is_ok() {
            let until_it_says_nothing_more = async {
                while let Ok(Some(line)) = self.stdout.next_line().await {
                    // What it says while it ends is still for the log and the tray.
                    let _not_read = self.heard(&line, hear);
                }
            };
            let _too_late = timeout(QUIT_WITHIN, until_it_says_nothing_more).await;
        }
        self.end(END_WITHIN).await;
    }

    /// Ends its input, and kills it if it is not gone by then.
    async fn end(&mut self, within: Duration) -> Option<std::process::ExitStatus> {
        self.stdin = None;
        if let Ok(Ok(status)) = timeout(within, self.child.wait()).await {
            return Some(status);
        }
        // It may have ended just now; either way it is reaped below.
        let _gone = self.child.start_kill();
        self.child.wait().await.ok()
    }

    async fn why_it_died(&mut self) -> String {
        let status = self.end(END_WITHIN).await;
        // Its last words may still be in the pipe.
        while let Some(stderr) = &mut self.stderr {
            match timeout(Duration::from_millis(200), stderr.next_line()).await {
                Ok(Ok(Some(line))) => self.remember(line),
                Ok(Ok(None) | Err(_)) | Err(_) => break,
            }
        }
        let status = status.map_or_else(|| "it cannot be waited for".to_owned(), |status| format!("it ended with {status}"));
        match &self.last_words {
            Some(last) => format!("{status} ({last})"),
            None => status,
        }
    }

    fn remember(&mut self, line: String) {
        if !line.trim().is_empty() {
            self.last_words = Some(without_prefix(&line));
        }
    }
}

/// What a line of the log says: people need neither its time nor its level, and in a note neither tells them anything.
fn without_prefix(line: &str) -> String {
    if let Some(message) =
        serde_json::from_str::<serde_json::Value>(line).ok().as_ref().and_then(|line| line["fields"]["message"].as_str())
    {
        return message.to_owned();
    }
    let said = line.trim().split_once(' ').and_then(|(time, rest)| {
        chrono::DateTime::parse_from_rfc3339(time).ok()?;
        let (level, said) = rest.trim_start().split_once(' ')?;
        matches!(level, "ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE").then_some(said)
    });
    said.unwrap_or(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_told_as_a_person_would() {
        for (line, told) in [
            ("2026-11-25T22:00:00.123456Z ERROR the disk is full", "the disk is full"),
            ("2026-11-25T22:00:00.123456Z  WARN the disk is full", "the disk is full"),
            (
                r#"{"timestamp":"2026-11-25T22:00:00Z","level":"ERROR","fields":{"message":"the disk is full"}}"#,
                "the disk is full",
            ),
            ("thread 'main' panicked at the disco", "thread 'main' panicked at the disco"),
            ("2026 was a good year", "2026 was a good year"),
        ] {
            assert_eq!(without_prefix(line), told);
        }
    }
}
