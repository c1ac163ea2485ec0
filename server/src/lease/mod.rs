//! Leases: the exclusive, time-limited right of one agent to one task.
//!
//! In: an idle agent's request. Out: a lease with a typed spec. What must hold: one primary lease a task; a lease that
//! expired stays valid until somebody takes its task; every call can be repeated.

pub mod grant;
pub mod http;
mod limits;
pub mod rules;
pub mod spec;
pub mod store;
pub mod sweep;

use std::time::Duration;

/// Longest time that a request for work is held open.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Addresses outlive a heartbeat by far, so that a slow upload or a stalled read does not end for lack of a fresh one.
pub const ADDRESS_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How exactly is known when an agent was last heard of: writing that down at every call would cost a transaction each.
pub const SEEN_EVERY: Duration = Duration::from_secs(25);
/// Ended leases keep their row this long, so that a repeated call gets its first answer.
pub const ENDED_LEASE_KEPT: Duration = Duration::from_secs(24 * 3600);

/// The deadline of jobs that have none: later than any.
pub const NO_DEADLINE_MS: i64 = 1 << 52;

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
    Ready,
    Leased,
    Done,
    Failed,
    Cancelled,
}

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEvent {
    Grant,
    /// Released, failed with another try to come, or its lease's time ran out and somebody asked.
    GiveBack,
    Complete,
    FailForGood,
    Cancel,
    /// The person asked for another try of a failed job.
    Retry,
}

impl TaskState {
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
        [Self::Ready, Self::Leased, Self::Done, Self::Failed, Self::Cancelled].into_iter().find(|s| s.as_str() == text)
    }

    /// The state after `event`; nothing when the event does not apply.
    pub fn after(self, event: TaskEvent) -> Option<Self> {
        match (self, event) {
            (Self::Ready, TaskEvent::Grant) => Some(Self::Leased),
            (Self::Leased, TaskEvent::GiveBack) => Some(Self::Ready),
            (Self::Leased, TaskEvent::Complete) => Some(Self::Done),
            (Self::Ready | Self::Leased, TaskEvent::FailForGood) => Some(Self::Failed),
            (Self::Ready | Self::Leased, TaskEvent::Cancel) => Some(Self::Cancelled),
            (Self::Failed | Self::Cancelled, TaskEvent::Retry) => Some(Self::Ready),
            (Self::Ready, TaskEvent::GiveBack | TaskEvent::Complete | TaskEvent::Retry)
            | (Self::Leased, TaskEvent::Grant | TaskEvent::Retry)
            | (Self::Done, _)
            | (
                Self::Failed | Self::Cancelled,
                TaskEvent::Grant | TaskEvent::GiveBack | TaskEvent::Complete | TaskEvent::FailForGood | TaskEvent::Cancel,
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
}

impl LeaseState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Completed, Self::Released, Self::Failed, Self::Lost].into_iter().find(|s| s.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in TaskKind::ALL {
            assert_eq!(TaskKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(TaskState::parse("leased"), Some(TaskState::Leased));
        assert_eq!(LeaseState::parse("gone"), None);
    }

    #[test]
    fn what_is_done_stays_done() {
        for event in [TaskEvent::Grant, TaskEvent::GiveBack, TaskEvent::FailForGood, TaskEvent::Cancel, TaskEvent::Retry] {
            assert_eq!(TaskState::Done.after(event), None);
        }
        assert_eq!(TaskState::Ready.after(TaskEvent::Complete), None, "only a holder completes");
    }
}
