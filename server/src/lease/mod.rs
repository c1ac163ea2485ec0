//! Leases: the exclusive, time-limited right of one agent to one task.
//!
//! In: an idle agent's request. Out: a lease with a typed spec. What must hold: one primary lease a task; a lease that
//! expired stays valid until somebody takes its task; every call can be repeated.

pub mod expiry;
pub mod grant;
mod help;
pub mod hold;
pub mod holders;
pub mod http;
pub mod known;
pub mod limits;
pub mod looks;
pub mod queue;
mod restart;
pub mod rules;
pub mod seen;
mod shorten;
pub mod spec;
mod states;
pub mod store;
pub mod sweep;

use std::time::Duration;

pub use states::{LeaseEvent, LeaseState, TaskEvent, TaskKind, TaskState};

/// Longest time that a request for work is held open.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Addresses outlive a heartbeat by far, so that a slow upload or a stalled read does not end for lack of a fresh one.
pub const ADDRESS_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// An engine releases its lease after ten minutes of suspension (design.md §7, a policy); one that does not loses it.
pub const SUSPENDED_AT_MOST: Duration = Duration::from_secs(15 * 60);
/// Ended leases keep their row this long, so that a repeated call gets its first answer.
pub const ENDED_LEASE_KEPT: Duration = Duration::from_secs(24 * 3600);

/// The deadline of jobs that have none: later than any.
pub const NO_DEADLINE_MS: i64 = 1 << 52;
