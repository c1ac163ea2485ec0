//! Progress bars on a terminal.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use offpeak_api::{
    job::{Job, RenditionKind},
    plain::one_line,
};

use crate::text;

/// Bars of stages count thousandths: what they measure (frames, segments, shares) is in their text.
const STEPS: u64 = 1000;
const REDRAW_EVERY: Duration = Duration::from_millis(120);

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; a wrong one would show in its own words rather than end the program.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸┄")
}

fn stage_style() -> ProgressStyle {
    style("{prefix:>10} {bar:30} {wide_msg}")
}

fn line_style() -> ProgressStyle {
    style("{prefix:>10} {wide_msg}")
}

#[derive(Debug, Clone)]
pub struct UploadBar {
    multi: MultiProgress,
    bar: ProgressBar,
}

impl UploadBar {
    pub fn new(multi: &MultiProgress, name: &'static str, bytes: u64) -> Self {
        let moving =
            style("{prefix:>10} {bar:30} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left{msg}");
        let bar = multi.add(ProgressBar::new(bytes).with_style(moving).with_prefix(name));
        bar.enable_steady_tick(REDRAW_EVERY);
        Self { multi: multi.clone(), bar }
    }

    pub fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    pub fn resumed(&self, bytes: u64) {
        self.bar.set_position(bytes);
        // What an earlier run moved says nothing about the speed of this one.
        self.bar.reset_eta();
        self.bar.set_message(format!(" (went on from {})", text::bytes(bytes)));
    }

    pub fn note(&self, note: &str) {
        let _terminal_gone = self.multi.println(format!("note: {}", one_line(note)));
    }

    pub fn checking(&self) {
        self.bar.set_style(style("{prefix:>10} {bar:30} {decimal_total_bytes}, comparing checksums"));
    }

    pub fn done(&self) {
        self.bar.set_style(style("{prefix:>10} {bar:30} {decimal_total_bytes} in {elapsed}"));
        self.bar.finish();
    }
}

/// The bars of one job, made as soon as there is something to show in them.
#[derive(Debug)]
pub struct JobBars {
    multi: MultiProgress,
    total: ProgressBar,
    probe: ProgressBar,
    renditions: Vec<ProgressBar>,
    files: Option<ProgressBar>,
    agents: Vec<ProgressBar>,
    warnings_shown: usize,
}

impl JobBars {
    pub fn new(multi: &MultiProgress) -> Self {
        let probe = multi.add(ProgressBar::new(STEPS).with_style(stage_style()).with_prefix("probe"));
        let total = multi.add(ProgressBar::new(STEPS).with_style(stage_style()).with_prefix("all"));
        total.enable_steady_tick(REDRAW_EVERY);
        let (renditions, agents) = (Vec::new(), Vec::new());
        Self { multi: multi.clone(), total, probe, renditions, files: None, agents, warnings_shown: 0 }
    }

    pub fn show(&mut self, job: &Job) {
        let progress = &job.progress;
        set(&self.probe, progress.probe, job.facts.as_ref().map(text::facts).unwrap_or_default());
        for (at, rendition) in progress.renditions.iter().enumerate() {
            if self.renditions.len() <= at {
                self.renditions.push(self.stage_above_total(text::rendition_name(rendition)));
            }
            let fraction = match rendition.kind {
                RenditionKind::Video => share(rendition.frames_done, rendition.frames_total),
                RenditionKind::Audio => share(u64::from(rendition.segments_done), u64::from(rendition.segments_total)),
            };
            let mut message = format!("{} of {} segments", rendition.segments_done, rendition.segments_total);
            if rendition.kind == RenditionKind::Video {
                message += &format!(", {} of {} frames", rendition.frames_done, rendition.frames_total);
            }
            set(&self.renditions[at], fraction, format!("{message}, {}", text::bytes(rendition.bytes)));
        }
        if progress.files_total > 0 {
            let files = match self.files.take() {
                Some(bar) => bar,
                None => self.stage_above_total("files".to_owned()),
            };
            let fraction = share(u64::from(progress.files_done), u64::from(progress.files_total));
            set(&files, fraction, format!("{} of {} made", progress.files_done, progress.files_total));
            self.files = Some(files);
        }
        let speed = text::throughput(job).map(|speed| format!(", {speed}")).unwrap_or_default();
        set(&self.total, progress.fraction, text::standing(job) + &speed);
        self.show_agents(job);
        for warning in job.warnings.iter().skip(self.warnings_shown) {
            self.note(&format!("{} ({})", warning.message, warning.code));
        }
        self.warnings_shown = job.warnings.len().max(self.warnings_shown);
    }

    fn show_agents(&mut self, job: &Job) {
        let at_work = &job.progress.agents;
        while self.agents.len() > at_work.len() {
            if let Some(line) = self.agents.pop() {
                self.multi.remove(&line);
            }
        }
        while self.agents.len() < at_work.len() {
            self.agents.push(self.multi.add(ProgressBar::new(STEPS).with_style(line_style())));
        }
        for (line, agent) in self.agents.iter().zip(at_work) {
            line.set_message(one_line(&text::agent_at_work(agent)));
        }
    }

    fn stage_above_total(&self, name: String) -> ProgressBar {
        self.multi.insert_before(&self.total, ProgressBar::new(STEPS).with_style(stage_style()).with_prefix(one_line(&name)))
    }

    pub fn note(&self, note: &str) {
        let _terminal_gone = self.multi.println(format!("note: {}", one_line(note)));
    }

    pub fn end(&mut self) {
        for line in self.agents.drain(..) {
            self.multi.remove(&line);
        }
        for bar in [&self.probe].into_iter().chain(&self.renditions).chain(&self.files).chain([&self.total]) {
            bar.abandon();
        }
    }
}

fn set(bar: &ProgressBar, fraction: f64, message: String) {
    bar.set_message(one_line(&message));
    bar.set_position((fraction.clamp(0.0, 1.0) * STEPS as f64) as u64);
}

fn share(done: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { done as f64 / total as f64 }
}
