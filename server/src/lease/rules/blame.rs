//! Blame: who may try again after a failure, when a task fails for good, and which agent is set aside.

use std::{collections::BTreeSet, time::Duration};

/// A task fails for good after failing on this many different agents,
pub const AGENTS_PER_TASK: usize = 3;
/// or this many times in all.
pub const FAILURES_PER_TASK: usize = 5;
/// So many leases of one task that ran out under one agent, with nothing committed and without a word afterwards, are one failure:
/// machines are switched off, and that blames nobody; but what brings a machine down each time must go elsewhere.
pub const SILENCES_PER_FAILURE: i32 = 3;
/// An agent is set aside after failing tasks of this many different jobs in a row: one bad source blames nobody's machine.
pub const JOBS_IN_A_ROW: usize = 3;
/// How long an agent that was set aside waits before it may prove itself, at first
const FIRST_COOL_DOWN: Duration = Duration::from_secs(5 * 60);
/// and at most. Twice as long each time that it was set aside without a success in between.
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(3600);

/// True when a task that these agents failed, one entry a failure, is given to nobody any more.
pub fn is_for_good(failed_by: &[&str]) -> bool {
    failed_by.len() >= FAILURES_PER_TASK || different(failed_by) >= AGENTS_PER_TASK
}

/// An agent that was heard of in this time is expected back, and waited for.
///
/// A day, because a machine in use asks for nothing: with the few minutes that a long poll allows, a passing fault of the one
/// machine that is idle would fail the job (one in 600 jobs of a fleet of ten, docs/decisions/a-day-of-a-fleet.md).
pub const EXPECTED_BACK_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// True when everybody who could take the task has failed it: nobody would ever come (docs/decisions/when-nobody-is-left-to-try.md).
///
/// `expected` are the agents heard of within [`EXPECTED_BACK_WITHIN`], neither set aside nor revoked, that serve the task's
/// class. Where there are none, nothing is given up: machines that are off, or lack the memory, are no verdict on a video.
pub fn nobody_is_left<'a>(failed_by: &[&str], expected: impl IntoIterator<Item = &'a str>) -> bool {
    let mut expected = expected.into_iter().peekable();
    !failed_by.is_empty() && expected.peek().is_some() && expected.all(|agent| failed_by.contains(&agent))
}

/// True when an agent should be set aside. `failed_jobs` are the jobs of its failures since its last success, one entry a
/// failure; those that blame the source are left out.
pub fn is_suspect(failed_jobs: &[&str]) -> bool {
    different(failed_jobs) >= JOBS_IN_A_ROW
}

/// How long until an agent may prove itself by a test encode, when it is set aside for the `time`-th time (from 1) since a
/// task of its last succeeded.
pub fn cool_down(time: u32) -> Duration {
    let doublings = time.saturating_sub(1).min(16);
    (FIRST_COOL_DOWN * (1 << doublings)).min(LONGEST_COOL_DOWN)
}

fn different(names: &[&str]) -> usize {
    names.iter().collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_agents_or_five_times() {
        for (failed_by, for_good) in [
            (&[][..], false),
            (&["a"], false),
            (&["a", "a", "b", "a"], false),
            (&["a", "b", "c"], true),
            (&["a", "a", "a", "a", "a"], true),
        ] {
            assert_eq!(is_for_good(failed_by), for_good, "{failed_by:?}");
        }
    }

    #[test]
    fn only_those_who_could_take_it_are_waited_for() {
        for (failed_by, expected, nobody) in [
            (&[][..], &["a"][..], false),
            (&["a"], &[], false),
            (&["a"], &["a"], true),
            (&["a"], &["a", "b"], false),
            (&["a", "b"], &["b"], true),
        ] {
            assert_eq!(nobody_is_left(failed_by, expected.iter().copied()), nobody, "{failed_by:?} of {expected:?}");
        }
    }

    #[test]
    fn one_bad_source_blames_no_machine() {
        assert!(!is_suspect(&["film", "film", "film", "clip"]));
        assert!(is_suspect(&["film", "clip", "film", "talk"]));
    }

    #[test]
    fn patience_doubles_up_to_an_hour() {
        let minutes: Vec<u64> = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|time| cool_down(time).as_secs() / 60).to_vec();
        assert_eq!(minutes, [5, 5, 10, 20, 40, 60, 60, 60]);
    }
}
