//! What a person sees while something is under way: bars on a terminal, plain lines elsewhere, nothing beside JSON in a pipe.
//! All of it goes to standard error.

mod bars;
mod lines;

use std::io::IsTerminal;

use offpeak_api::{job::Job, plain::one_line};

use self::{
    bars::{JobBars, UploadBar},
    lines::{JobLines, UploadLines},
};

/// How this run tells of its progress.
#[derive(Debug, Clone)]
pub enum View {
    Bars(indicatif::MultiProgress),
    Lines,
    Silent,
}

impl View {
    /// `json`: standard output is for a program; then lines on standard error would only get into its log.
    pub fn for_this_run(json: bool) -> Self {
        match (std::io::stderr().is_terminal(), json) {
            (true, _) => Self::Bars(indicatif::MultiProgress::new()),
            (false, false) => Self::Lines,
            (false, true) => Self::Silent,
        }
    }

    pub fn upload(&self, bytes: u64) -> UploadView {
        match self {
            Self::Bars(multi) => UploadView::Bar(UploadBar::new(multi, "upload", bytes)),
            Self::Lines => UploadView::Lines(UploadLines::new("upload", bytes)),
            Self::Silent => UploadView::Silent,
        }
    }

    pub fn download(&self, bytes: u64) -> UploadView {
        match self {
            Self::Bars(multi) => UploadView::Bar(UploadBar::new(multi, "download", bytes)),
            Self::Lines => UploadView::Lines(UploadLines::new("download", bytes)),
            Self::Silent => UploadView::Silent,
        }
    }

    pub fn job(&self) -> JobView {
        match self {
            Self::Bars(multi) => JobView::Bars(Box::new(JobBars::new(multi))),
            Self::Lines => JobView::Lines(JobLines::default()),
            Self::Silent => JobView::Silent,
        }
    }
}

/// Bytes on their way, in either direction. Clones share one bar.
#[derive(Debug, Clone)]
pub enum UploadView {
    Bar(UploadBar),
    Lines(UploadLines),
    Silent,
}

impl UploadView {
    /// Bytes handed to the network so far.
    pub fn sent(&self, bytes: u64) {
        match self {
            Self::Bar(bar) => bar.at(bytes),
            Self::Lines(lines) => lines.at(bytes),
            Self::Silent => {}
        }
    }

    /// What the other side really has: after a cut this may be less than what was sent.
    pub fn confirmed(&self, bytes: u64) {
        self.sent(bytes);
    }

    /// An earlier run had got this far.
    pub fn resumed(&self, bytes: u64) {
        match self {
            Self::Bar(bar) => bar.resumed(bytes),
            Self::Lines(lines) => lines.resumed(bytes),
            Self::Silent => {}
        }
    }

    /// Something a person may want to know, without ending anything.
    pub fn note(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.note(text),
            Self::Lines(_) | Self::Silent => eprintln!("note: {}", one_line(text)),
        }
    }

    /// All bytes have moved; both ends are being compared.
    pub fn checking(&self) {
        match self {
            Self::Bar(bar) => bar.checking(),
            Self::Lines(_) | Self::Silent => {}
        }
    }

    pub fn done(&self) {
        match self {
            Self::Bar(bar) => bar.done(),
            Self::Lines(lines) => lines.done(),
            Self::Silent => {}
        }
    }
}

/// A job as it goes on.
#[derive(Debug)]
pub enum JobView {
    Bars(Box<JobBars>),
    Lines(JobLines),
    Silent,
}

impl JobView {
    pub fn show(&mut self, job: &Job) {
        match self {
            Self::Bars(bars) => bars.show(job),
            Self::Lines(lines) => lines.show(job),
            Self::Silent => {}
        }
    }

    pub fn note(&mut self, text: &str) {
        match self {
            Self::Bars(bars) => bars.note(text),
            Self::Lines(_) | Self::Silent => eprintln!("note: {}", one_line(text)),
        }
    }

    /// Nothing more will be shown: leaves the last state on the screen.
    pub fn end(&mut self) {
        match self {
            Self::Bars(bars) => bars.end(),
            Self::Lines(_) | Self::Silent => {}
        }
    }
}
