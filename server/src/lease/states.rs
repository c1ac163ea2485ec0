//! The states of tasks and leases, and what leads from one to another. Every change of a state column goes through `after`.

/// What a task does, in the order in which a job needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskKind {
    Fetch,
    Probe,
    Audio,
    Encode,
    File,
}

impl TaskKind {
    pub const ALL: [Self; 5] = [Self::Fetch, Self::Probe, Self::Audio, Self::Encode, Self::File];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Probe => "probe",
            Self::Audio => "audio",
            Self::Encode => "encode",
            Self::File => "file",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The ffmpeg encoder that it takes, if any.
    pub fn encoder(self) -> Option<&'static str> {
        match self {
            Self::Encode => Some("libx264"),
            Self::Audio => Some("aac"),
            Self::Fetch | Self::Probe | Self::File => None,
        }
    }

    /// Makes segments of a rendition.
    pub fn makes_segments(self) -> bool {
        match self {
            Self::Audio | Self::Encode => true,
            Self::Fetch | Self::Probe | Self::File => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Waits in its queue.
    Ready,
    /// Has a holder. When its time ran out the task waits in its queue as well, until somebody takes it or the holder is back.
    Leased,
    Done,
    Failed,
    Cancelled,
}

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEvent {
    Grant,
    /// Another holder in place of one whose time ran out, or who is suspended.
    TakeOver,
    /// Released, or failed with another try to come, and there is no second holder.
    GiveBack,
    Complete,
    /// The presentation ended before it: there is nothing to do.
    StrikeOut,
    FailForGood,
    Cancel,
    /// The person asked for another try of a failed job.
    Retry,
    /// What was committed does not count any more: its rendition begins again.
    Void,
}

impl TaskState {
    pub const ALL: [Self; 5] = [Self::Ready, Self::Leased, Self::Done, Self::Failed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Somebody may still work at it.
    pub fn is_open(self) -> bool {
        match self {
            Self::Ready | Self::Leased => true,
            Self::Done | Self::Failed | Self::Cancelled => false,
        }
    }

    /// The state after `event`; nothing when the event does not apply.
    pub fn after(self, event: TaskEvent) -> Option<Self> {
        use TaskEvent::{Cancel, Complete, FailForGood, GiveBack, Grant, Retry, StrikeOut, TakeOver, Void};
        match (self, event) {
            (Self::Ready, Grant) | (Self::Leased, TakeOver) => Some(Self::Leased),
            (Self::Leased, GiveBack) => Some(Self::Ready),
            (Self::Leased, Complete) | (Self::Ready | Self::Leased, StrikeOut) => Some(Self::Done),
            (Self::Ready | Self::Leased, FailForGood) => Some(Self::Failed),
            (Self::Ready | Self::Leased, Cancel) => Some(Self::Cancelled),
            (Self::Failed | Self::Cancelled, Retry) | (Self::Ready | Self::Leased | Self::Done, Void) => Some(Self::Ready),
            (Self::Ready, TakeOver | GiveBack | Complete | Retry)
            | (Self::Leased, Grant | Retry)
            | (Self::Done, Grant | TakeOver | GiveBack | Complete | StrikeOut | FailForGood | Cancel | Retry)
            | (
                Self::Failed | Self::Cancelled,
                Grant | TakeOver | GiveBack | Complete | StrikeOut | FailForGood | Cancel | Void,
            ) => None,
        }
    }
}

/// How a lease stands, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaseState {
    Active,
    Completed,
    Released,
    Failed,
    /// Its task went to somebody else, or its job is over.
    Lost,
    /// The task's other holder was done first.
    Superseded,
}

/// What happens to a lease. Renewals leave it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseEvent {
    Complete,
    Release,
    Fail,
    Lose,
    Supersede,
    /// Its job was deleted: nothing that was uploaded under it counts any more.
    Abandon,
}

impl LeaseState {
    pub const ALL: [Self; 6] = [Self::Active, Self::Completed, Self::Released, Self::Failed, Self::Lost, Self::Superseded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Superseded => "superseded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state after `event`; nothing when the event does not apply: what has ended has ended once.
    pub fn after(self, event: LeaseEvent) -> Option<Self> {
        match (self, event) {
            (Self::Active, LeaseEvent::Complete) => Some(Self::Completed),
            (Self::Active, LeaseEvent::Release) => Some(Self::Released),
            (Self::Active, LeaseEvent::Fail) => Some(Self::Failed),
            (Self::Active, LeaseEvent::Supersede) => Some(Self::Superseded),
            (Self::Active, LeaseEvent::Lose) | (_, LeaseEvent::Abandon) => Some(Self::Lost),
            (
                Self::Completed | Self::Released | Self::Failed | Self::Lost | Self::Superseded,
                LeaseEvent::Complete | LeaseEvent::Release | LeaseEvent::Fail | LeaseEvent::Lose | LeaseEvent::Supersede,
            ) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK_EVENTS: [TaskEvent; 9] = [
        TaskEvent::Grant,
        TaskEvent::TakeOver,
        TaskEvent::GiveBack,
        TaskEvent::Complete,
        TaskEvent::StrikeOut,
        TaskEvent::FailForGood,
        TaskEvent::Cancel,
        TaskEvent::Retry,
        TaskEvent::Void,
    ];

    #[test]
    fn names_read_back() {
        for kind in TaskKind::ALL {
            assert_eq!(TaskKind::parse(kind.as_str()), Some(kind));
        }
        for state in TaskState::ALL {
            assert_eq!(TaskState::parse(state.as_str()), Some(state));
        }
        for state in LeaseState::ALL {
            assert_eq!(LeaseState::parse(state.as_str()), Some(state));
        }
        assert_eq!(LeaseState::parse("gone"), None);
    }

    #[test]
    fn what_is_done_stays_done_unless_its_rendition_begins_again() {
        for event in TASK_EVENTS {
            let expected = (event == TaskEvent::Void).then_some(TaskState::Ready);
            assert_eq!(TaskState::Done.after(event), expected, "{event:?}");
        }
    }

    #[test]
    fn only_a_held_task_is_completed_and_only_a_waiting_one_granted() {
        for state in TaskState::ALL {
            assert_eq!(state.after(TaskEvent::Complete).is_some(), state == TaskState::Leased, "{state:?}");
            assert_eq!(state.after(TaskEvent::Grant).is_some(), state == TaskState::Ready, "{state:?}");
        }
    }

    #[test]
    fn a_lease_ends_once() {
        use LeaseEvent::{Abandon, Complete, Fail, Lose, Release, Supersede};
        for state in LeaseState::ALL {
            for event in [Complete, Release, Fail, Lose, Supersede] {
                assert_eq!(state.after(event).is_some(), state == LeaseState::Active, "{state:?} {event:?}");
            }
            assert_eq!(state.after(Abandon), Some(LeaseState::Lost));
        }
    }
}
