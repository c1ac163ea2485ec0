//! Plain lines for logs and pipes: one for every change worth a line.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use offpeak_api::{
    job::{Job, JobState},
    plain::one_line,
};

use crate::text;

#[derive(Debug, Clone)]
pub struct UploadLines {
    name: &'static str,
    bytes: u64,
    /// Tenths of the whole that have had their line.
    tenths_shown: Arc<AtomicU64>,
}

impl UploadLines {
    pub fn new(name: &'static str, bytes: u64) -> Self {
        eprintln!("{name}: {}", text::bytes(bytes));
        Self { name, bytes, tenths_shown: Arc::default() }
    }

    pub fn at(&self, bytes: u64) {
        let tenths = bytes.saturating_mul(10).checked_div(self.bytes).unwrap_or(0);
        // The last tenth is told by `done`.
        if tenths < 10 && self.tenths_shown.fetch_max(tenths, Ordering::Relaxed) < tenths {
            eprintln!("{}: {} of {}", self.name, text::bytes(bytes), text::bytes(self.bytes));
        }
    }

    pub fn resumed(&self, bytes: u64) {
        eprintln!("{}: going on from {}", self.name, text::bytes(bytes));
        self.at(bytes);
    }

    pub fn done(&self) {
        eprintln!("{}: done", self.name);
    }
}

/// A line for every state, every tenth, the first playable moment, every warning.
#[derive(Debug, Default)]
pub struct JobLines {
    shown: Option<Milestone>,
    facts_shown: bool,
    warnings_shown: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Milestone {
    state: JobState,
    tenths: u8,
    playable: bool,
}

impl JobLines {
    pub fn show(&mut self, job: &Job) {
        if let (false, Some(facts)) = (self.facts_shown, &job.facts) {
            eprintln!("{}: {}", job.id, one_line(&text::facts(facts)));
            self.facts_shown = true;
        }
        let tenths = (job.progress.fraction * 10.0) as u8;
        let now = Milestone { state: job.state, tenths, playable: job.playable_at.is_some() };
        if self.shown != Some(now) {
            eprintln!("{}: {}{}", job.id, text::standing(job), one_line(&at_work(job)));
            self.shown = Some(now);
        }
        for warning in job.warnings.iter().skip(self.warnings_shown) {
            eprintln!("{}: note: {}", job.id, one_line(&format!("{} ({})", warning.message, warning.code)));
        }
        self.warnings_shown = job.warnings.len().max(self.warnings_shown);
    }
}

fn at_work(job: &Job) -> String {
    let agents: Vec<String> = job.progress.agents.iter().map(text::agent_at_work).collect();
    if agents.is_empty() { String::new() } else { format!(" ({})", agents.join("; ")) }
}
