//! What the engine may do now, and which state that is: a pure function of what is read from the machine, the office's
//! policy, the person's own limits and the clock.
//!
//! In: [`Inputs`], and a [`Memory`] of what was before. Out: a [`Decision`], and the memory for the next one. What must hold:
//! exactly one state is true, the first of design's list that applies; a person's wish can only make the engine work less;
//! what is not known counts as busy where a mistake would disturb somebody; nothing here reads a clock or a file.

mod desk;
mod hours;
mod person;
mod rules;
mod state;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
pub use desk::{Memory, Verdict};
pub use hours::{allowed_minutes, on_the_wall};
use offpeak_api::{agent::AgentState, policy::Weekday};
pub use person::{Person, Snooze};
pub use rules::Rules;
pub use state::{Engine, Fault, Finding, state};

use crate::{
    desk::Allowed,
    presence::{Leaving, Readings},
};

/// A moment on the machine's clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Since the engine's start, by a clock that nobody sets.
    pub at: std::time::Duration,
    pub utc: DateTime<Utc>,
    /// By the clock on the wall here.
    pub day: Weekday,
    /// Minutes since midnight, likewise.
    pub minute: u16,
}

/// All that a decision follows from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What is known of the desk; none where no desk is watched (`--presence none`).
    pub machine: Option<&'a Readings>,
    /// The machine said that it is about to stop.
    pub leaving: Option<Leaving>,
    pub rules: &'a Rules,
    pub person: &'a Person,
    pub engine: &'a Engine,
    pub now: Moment,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub state: AgentState,
    /// One sentence for the person at the desk, without the state's name.
    pub reason: String,
    /// The rule that decided.
    pub rule: String,
    pub allowed: Allowed,
    /// When the state will end by itself, as far as that is known.
    pub until: Option<DateTime<Utc>>,
}

/// Decides; the second part is to be given to the next decision.
pub fn decide(inputs: &Inputs<'_>, before: &Memory) -> (Decision, Memory) {
    let (verdict, memory) = desk::verdict(inputs, before);
    let (state, finding) = state::state(inputs.engine, Some(&verdict));
    let decision = Decision { state, reason: finding.reason, rule: finding.rule, allowed: verdict.allowed, until: finding.until };
    (decision, memory)
}

/// As [`decide`], the desk's part alone: the state is put together anew whenever the engine's own part of it changes.
pub fn look(inputs: &Inputs<'_>, before: &Memory) -> (Verdict, Memory) {
    desk::verdict(inputs, before)
}
