use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Lines kept of a log.
const LINES_KEPT: usize = 20;
/// Characters kept of a line: a hostile file can make ffmpeg print lines of any length.
const LINE_LENGTH: usize = 400;

/// The last lines that a program logged, without loopback addresses. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    /// The lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    /// Whether one of the lines contains one of `words`, whatever their case.
    pub fn mentions(&self, words: &[&str]) -> bool {
        self.lock().iter().any(|line| {
            let line = line.to_lowercase();
            words.iter().any(|word| line.contains(&word.to_lowercase()))
        })
    }

    pub fn push(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = redact(text.trim_end());
        if text.is_empty() {
            return;
        }
        let mut lines = self.lock();
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(text.chars().filter(|c| !c.is_control()).take(LINE_LENGTH).collect());
    }

    /// Reads a program's log to its end, in constant memory.
    pub(super) async fn follow(self, mut log: impl AsyncRead + Unpin) {
        let mut line = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = log.read(&mut chunk).await {
            for &byte in &chunk[..read] {
                match byte {
                    // A carriage return ends a status line that the next one would overwrite on a terminal.
                    b'\n' | b'\r' => {
                        self.push(&line);
                        line.clear();
                    }
                    _ if line.len() < 4 * LINE_LENGTH => line.push(byte),
                    _ => {}
                }
            }
        }
        self.push(&line);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Loopback addresses are secrets while a task runs, and noise after it.
fn redact(line: &str) -> String {
    const START: &str = "http://127.0.0.1:";
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(START) {
        out.push_str(&rest[..at]);
        out.push_str("[loopback]");
        let address = &rest[at + START.len()..];
        let end = address.find(|c: char| !(c.is_ascii_alphanumeric() || c == '/')).unwrap_or(address.len());
        rest = &address[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_left_out() {
        let cases = [
            ("nothing here", "nothing here"),
            ("http://127.0.0.1:4000/ab12: Input/output error", "[loopback]: Input/output error"),
            ("from 'http://127.0.0.1:4000/ab12' to http://127.0.0.1:4000/cd34", "from '[loopback]' to [loopback]"),
        ];
        for (line, expected) in cases {
            assert_eq!(redact(line), expected);
        }
    }

    #[tokio::test]
    async fn a_long_log_stays_short() {
        let tail = LogTail::default();
        let text: String = (0..1000).map(|n| format!("line {n} {}\n", "x".repeat(5000))).collect();
        tail.clone().follow(text.as_bytes()).await;
        let lines = tail.lines();
        assert_eq!(lines.len(), LINES_KEPT);
        assert!(lines[0].starts_with("line 980 x") && lines.iter().all(|line| line.len() == LINE_LENGTH));
        assert!(tail.mentions(&["LINE 999"]) && !tail.mentions(&["line 1 "]));
    }
}
