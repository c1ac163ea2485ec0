//! A second lease on a task that cannot be cut: when it is worth it.
//!
//! MapReduce's backup tasks saved 44 % of a job's time (Dean and Ghemawat, OSDI 2004); LATE gained 2× by looking at the
//! estimated time to the *end* instead of at progress (Zaharia et al., "Improving MapReduce Performance in Heterogeneous
//! Environments", OSDI 2008); Spark starts a copy of what takes 1.5 × the median. Here a backup is granted only to an agent
//! that has nothing else to do, so the question is not whether the fleet can afford it, but whether the second would be first.

use std::time::Duration;

use super::{HELD_UP_AFTER, START_UP_SECONDS};
use crate::lease::TaskKind;

/// The holder must need this many times as long as a second agent from the start. With Spark's 1.5, and a gain of 5 s, 5.5 %
/// of the work of a simulated fleet was done twice (docs/decisions/a-day-of-a-fleet.md).
const SLOWER: f64 = 2.5;
/// Less than this is not worth doing the same work twice.
const LEAST_GAIN_SECONDS: f64 = 10.0;

/// A leased task, for an agent that asks and may take tasks of its class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    pub kind: TaskKind,
    /// Rows that the holder has not begun: with one or more the tail can be stolen, which is better.
    pub rows_to_steal: u32,
    /// Leases on this task beyond the first.
    pub backups: u32,
    /// The agent that asks holds it already.
    pub held_by_asker: bool,
    /// Since when the holder has been suspended.
    pub suspended_for: Option<Duration>,
    /// Since when the holder has had it.
    pub held_for: Duration,
    /// How long the holder will still take, by its own progress, if it tells any.
    pub seconds_left: Option<f64>,
    /// How long the asker would take for what is not committed: by its own past, or the median of such tasks.
    pub seconds_anew: Option<f64>,
}

/// True when a second lease should be granted.
pub fn is_worth_it(candidate: &Candidate) -> bool {
    let held_up = candidate.suspended_for.is_some_and(|since| since >= HELD_UP_AFTER);
    match candidate.kind {
        // Two streams into one upload would get into each other's way; a fetch that stands still is released in time.
        TaskKind::Fetch => return false,
        // Of a holder that is held up everything can be stolen, and that leaves one who works.
        TaskKind::Encode if held_up || candidate.rows_to_steal > 0 => return false,
        TaskKind::Encode | TaskKind::Audio | TaskKind::Probe | TaskKind::File => {}
    }
    if candidate.held_by_asker || candidate.backups > 0 {
        return false;
    }
    if held_up {
        return true;
    }
    let Some(anew) = candidate.seconds_anew.map(|seconds| seconds + START_UP_SECONDS) else { return false };
    // Without progress, expect as much again as it took so far: what has lasted long tends to last.
    let left = candidate.seconds_left.unwrap_or(candidate.held_for.as_secs_f64());
    left >= SLOWER * anew && left - anew >= LEAST_GAIN_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Candidate = Candidate {
        kind: TaskKind::Audio,
        rows_to_steal: 0,
        backups: 0,
        held_by_asker: false,
        suspended_for: None,
        held_for: Duration::from_secs(60),
        seconds_left: Some(100.0),
        seconds_anew: Some(20.0),
    };

    #[test]
    fn only_where_the_second_would_be_first() {
        let suspended = |seconds| Some(Duration::from_secs(seconds));
        for (what, candidate, expected) in [
            ("a slow holder", SLOW, true),
            ("a slow probe", Candidate { kind: TaskKind::Probe, ..SLOW }, true),
            ("the last row", Candidate { kind: TaskKind::Encode, ..SLOW }, true),
            ("two rows left: stolen instead", Candidate { kind: TaskKind::Encode, rows_to_steal: 1, ..SLOW }, false),
            ("a fetch", Candidate { kind: TaskKind::Fetch, ..SLOW }, false),
            ("it has a backup", Candidate { backups: 1, ..SLOW }, false),
            ("one's own", Candidate { held_by_asker: true, ..SLOW }, false),
            ("nearly done", Candidate { seconds_left: Some(30.0), ..SLOW }, false),
            ("a little slower", Candidate { seconds_left: Some(34.0), ..SLOW }, false),
            ("all is quick", Candidate { seconds_left: Some(7.0), seconds_anew: Some(0.5), ..SLOW }, false),
            ("no progress, held for long", Candidate { seconds_left: None, ..SLOW }, true),
            ("no progress, just begun", Candidate { seconds_left: None, held_for: Duration::from_secs(9), ..SLOW }, false),
            ("nothing to compare with", Candidate { seconds_anew: None, ..SLOW }, false),
            ("suspended, nothing to compare with", Candidate { seconds_anew: None, suspended_for: suspended(20), ..SLOW }, true),
            ("suspended, and nearly done", Candidate { seconds_left: Some(1.0), suspended_for: suspended(20), ..SLOW }, true),
            (
                "just suspended, and nearly done",
                Candidate { seconds_left: Some(1.0), suspended_for: suspended(19), ..SLOW },
                false,
            ),
            (
                "a suspended span: stolen instead",
                Candidate { kind: TaskKind::Encode, suspended_for: suspended(60), ..SLOW },
                false,
            ),
            ("a suspended fetch", Candidate { kind: TaskKind::Fetch, suspended_for: suspended(60), ..SLOW }, false),
        ] {
            assert_eq!(is_worth_it(&candidate), expected, "{what}");
        }
    }
}
