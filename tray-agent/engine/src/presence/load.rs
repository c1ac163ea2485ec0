//! How busy the processor is with others' work: all of it, less what the engine and its ffmpegs use themselves.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Known;

/// A shorter look takes every peak for a load; a longer one notices too late.
const WINDOW: Duration = Duration::from_secs(10);
/// Clocks of the processor tick a hundred times a second: less time than this says nothing.
const LEAST: Duration = Duration::from_millis(500);

/// Processor time since some moment, in any unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    pub busy: f64,
    pub own: f64,
    pub total: f64,
}

/// What was used in the last seconds.
#[derive(Debug, Default)]
pub struct Load(VecDeque<(Instant, Used)>);

impl Load {
    /// Takes a look into account; the share that others used since the oldest one that is remembered.
    pub fn note(&mut self, at: Instant, used: Option<Used>, how: &str) -> Known<f64> {
        let Some(used) = used else {
            self.0.clear();
            return Known::unknown(format!("{how}: it cannot be read"));
        };
        // A child that nobody waited for takes its time with it: begin anew rather than count it as others'.
        if self.0.back().is_some_and(|(_, last)| used.own < last.own || used.total < last.total) {
            self.0.clear();
        }
        self.0.push_back((at, used));
        while self.0.get(1).is_some_and(|(next, _)| at.duration_since(*next) >= WINDOW) {
            self.0.pop_front();
        }
        match self.0.front() {
            Some((since, first)) if at.duration_since(*since) >= LEAST && used.total > first.total => {
                let others = (used.busy - first.busy) - (used.own - first.own);
                Known::new((others / (used.total - first.total)).clamp(0.0, 1.0), how)
            }
            Some(_) | None => Known::unknown(format!("{how}: a second look is needed")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn what_the_engine_uses_itself_is_not_others() {
        let (begun, mut load) = (Instant::now(), Load::default());
        let at = |seconds: u64| begun + Duration::from_secs(seconds);
        let used = |busy, own, total| Some(Used { busy, own, total });
        assert_eq!(load.note(at(0), used(100.0, 50.0, 1000.0), "test").value, None);
        // Of 200 ticks 180 were busy, 160 of them ours.
        let share = load.note(at(1), used(280.0, 210.0, 1200.0), "test").value.unwrap();
        assert!((share - 0.1).abs() < 1e-9, "{share}");
        // Ten seconds later only the last ten count.
        load.note(at(11), used(280.0, 210.0, 3200.0), "test");
        let share = load.note(at(12), used(280.0, 210.0, 3400.0), "test").value.unwrap();
        assert!(share.abs() < 1e-9, "{share}");
        // Lost time of a child is nobody's load.
        assert_eq!(load.note(at(13), used(300.0, 10.0, 3600.0), "test").value, None);
        assert_eq!(load.note(at(14), None, "test").value, None);
    }
}
