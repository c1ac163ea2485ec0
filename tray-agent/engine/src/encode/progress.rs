use std::{collections::VecDeque, time::Duration};

use offpeak_api::lease::Progress;

use super::pass::Pass;
use crate::{desk::Desk, task::ProgressCell};

/// The rate told to people is the mean of this long.
const WINDOW: Duration = Duration::from_secs(30);

/// Reads ffmpeg's progress and passes it on.
#[derive(Debug)]
pub(super) struct Pace {
    cell: ProgressCell,
    desk: Desk,
    /// Frames of the lease that were done before this pass.
    before: u64,
    /// Frames of this pass that were done before it, or are dropped after it.
    uncounted: u64,
    frames: u64,
    /// By the clock that stands still while ffmpeg does.
    samples: VecDeque<(Duration, u64)>,
}

impl Pace {
    pub fn new(pass: &Pass<'_>) -> Self {
        let frames_of = |rows: u32| u64::from(rows) * u64::from(pass.work.grid.frames_per_segment);
        Self {
            cell: pass.ctx.progress.clone(),
            desk: pass.ctx.desk.clone(),
            before: frames_of(pass.from.saturating_sub(pass.work.rows.cursor)),
            uncounted: frames_of(pass.from - pass.first_row()),
            frames: 0,
            samples: VecDeque::from([(pass.ctx.desk.worked(), 0)]),
        }
    }

    /// Frames encoded in this pass.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes a line of ffmpeg's `-progress`. All renditions are fed from one stream, so its count for one stands for all.
    pub fn read(&mut self, line: &str) {
        let Some(frames) = line.strip_prefix("frame=").and_then(|count| count.trim().parse().ok()) else { return };
        self.frames = frames;
        let now = self.desk.worked();
        self.samples.push_back((now, frames));
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|(at, _)| now - *at >= WINDOW) {
            self.samples.pop_front();
        }
        let frames_per_second = match self.samples.front() {
            Some((at, then)) if now > *at => frames.saturating_sub(*then) as f64 / (now - *at).as_secs_f64(),
            Some(_) | None => 0.0,
        };
        let done = self.before + frames.saturating_sub(self.uncounted);
        // Another try at the same rows is no step back for those who watch.
        let frames = done.max(self.cell.get().frames);
        self.cell.set(Progress { frames, frames_per_second, ..Progress::default() });
    }
}
