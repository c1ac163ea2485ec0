//! What leads a job from one state to another. Every change of its state column goes through `after`.

use offpeak_api::job::JobState;

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEvent {
    /// Its first task was leased.
    Begin,
    /// Probing brought facts, and they made a plan.
    Plan,
    /// All segments are there, and files are to be made of them.
    MakeFiles,
    Complete,
    Fail,
    Cancel,
    /// The person asked for another try, and it goes on where it failed: before the plan, among its segments or its files.
    RetryFromStart,
    RetrySegments,
    RetryFiles,
}

/// The state after `event`; nothing when the event does not apply.
pub fn after(state: JobState, event: JobEvent) -> Option<JobState> {
    use JobEvent::{Begin, Cancel, Complete, Fail, MakeFiles, Plan, RetryFiles, RetryFromStart, RetrySegments};
    use JobState::{Cancelled, Completed, Encoding, Failed, Finishing, Probing, Queued};
    match (state, event) {
        (Queued, Begin) => Some(Probing),
        (Probing, Plan) => Some(Encoding),
        (Encoding, MakeFiles) => Some(Finishing),
        (Encoding | Finishing, Complete) => Some(Completed),
        (Queued | Probing | Encoding | Finishing, Fail) => Some(Failed),
        (Queued | Probing | Encoding | Finishing, Cancel) => Some(Cancelled),
        (Failed, RetryFromStart) => Some(Queued),
        (Failed, RetrySegments) => Some(Encoding),
        (Failed, RetryFiles) => Some(Finishing),
        (Queued, Plan | MakeFiles | Complete)
        | (Probing, Begin | MakeFiles | Complete)
        | (Encoding, Begin | Plan)
        | (Finishing, Begin | Plan | MakeFiles)
        | (Queued | Probing | Encoding | Finishing, RetryFromStart | RetrySegments | RetryFiles)
        | (Failed, Begin | Plan | MakeFiles | Complete | Fail | Cancel)
        | (
            Completed | Cancelled,
            Begin | Plan | MakeFiles | Complete | Fail | Cancel | RetryFromStart | RetrySegments | RetryFiles,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [JobState; 7] = [
        JobState::Queued,
        JobState::Probing,
        JobState::Encoding,
        JobState::Finishing,
        JobState::Completed,
        JobState::Failed,
        JobState::Cancelled,
    ];
    const RETRIES: [JobEvent; 3] = [JobEvent::RetryFromStart, JobEvent::RetrySegments, JobEvent::RetryFiles];

    #[test]
    fn what_is_at_work_can_fail_or_be_cancelled_and_what_is_over_cannot() {
        for state in STATES {
            assert_eq!(after(state, JobEvent::Fail).is_some(), !state.is_over(), "{state:?}");
            assert_eq!(after(state, JobEvent::Cancel).is_some(), !state.is_over(), "{state:?}");
        }
    }

    #[test]
    fn only_what_failed_is_tried_again() {
        for (state, event) in STATES.into_iter().flat_map(|state| RETRIES.map(|event| (state, event))) {
            let next = after(state, event);
            assert_eq!(next.is_some(), state == JobState::Failed, "{state:?} {event:?}");
            assert!(next.is_none_or(|next| !next.is_over()), "{event:?}");
        }
    }

    #[test]
    fn stages_follow_each_other() {
        let walk = [JobEvent::Begin, JobEvent::Plan, JobEvent::MakeFiles, JobEvent::Complete];
        let end = walk.into_iter().try_fold(JobState::Queued, after);
        assert_eq!(end, Some(JobState::Completed));
        for (skipped, _) in walk.iter().enumerate().filter(|(_, event)| **event != JobEvent::MakeFiles) {
            let rest = walk.into_iter().enumerate().filter(|(n, _)| *n != skipped).map(|(_, event)| event);
            assert_ne!(rest.into_iter().try_fold(JobState::Queued, after), Some(JobState::Completed), "without {skipped}");
        }
    }
}
