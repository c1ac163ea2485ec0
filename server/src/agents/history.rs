//! How long an agent was in which state, from what it reported and when it fell silent.
//!
//! An agent says its state at every change and once a minute. Its row knows the state, when it last said so, and up to where
//! the hours have been written; what came after is worked out from these, here, for writing and for reading alike.

use std::{collections::BTreeMap, time::Duration};

use axum::extract::{Query, rejection::QueryRejection};
use offpeak_api::agent::{AgentState, HistoryRange};

use crate::{clock::Instant, entity::agent, error::ApiError, finish::failure::AGENT_GONE_AFTER};

pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long hours, samples of the fleet and events of agents are kept.
pub const KEPT: Duration = Duration::from_secs(31 * 24 * 3600);

/// Milliseconds by hour (when it began) and state.
pub type Hours = BTreeMap<(i64, AgentState), i64>;

/// What is known of an agent that reported at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub state: AgentState,
    pub reported_at: Instant,
    pub counted_until: Instant,
}

impl Known {
    pub fn of(row: &agent::Model) -> Option<Self> {
        Some(Self {
            state: AgentState::parse(&row.state)?,
            reported_at: (row.reported_at_ms > 0).then_some(Instant(row.reported_at_ms))?,
            counted_until: Instant(row.counted_until_ms),
        })
    }

    fn gone_at(self) -> Instant {
        self.reported_at + AGENT_GONE_AFTER
    }

    /// True when the same state again needs no counting yet: most reports, and each saves three writes.
    pub fn goes_on(self, state: AgentState, now: Instant) -> bool {
        self.state == state && now <= self.gone_at() && now.since(self.counted_until) < HOUR
    }

    /// True when the state has lasted without a gap.
    pub fn is_unbroken(self, state: AgentState, now: Instant) -> bool {
        self.state == state && now <= self.gone_at()
    }

    /// What passed since it was counted last.
    pub fn uncounted(self, now: Instant) -> Hours {
        let gone = self.gone_at().min(now).max(self.counted_until);
        let mut hours = Hours::new();
        add(&mut hours, self.state, self.counted_until, gone);
        add(&mut hours, AgentState::Offline, gone, now);
        hours
    }
}

/// The range that a person asks for: the last day, unless they say otherwise.
pub fn range(query: Result<Query<HistoryRange>, QueryRejection>, now: Instant) -> Result<(Instant, Instant), ApiError> {
    let Query(range) = query.map_err(|rejection| ApiError::unfit("bad_range", rejection.body_text()))?;
    let to = range.to.map_or(now, |to| Instant(to.timestamp_millis()));
    let from = range.from.map_or(to - DAY, |from| Instant(from.timestamp_millis()));
    if from >= to || to.since(from) > KEPT {
        return Err(ApiError::unfit("bad_range", "`from` lies before `to`, by at most 31 days."));
    }
    Ok((from, to))
}

/// The full hour before, or at, this time.
pub fn hour_of(at: Instant) -> Instant {
    let hour = HOUR.as_millis() as i64;
    Instant(at.ms().div_euclid(hour) * hour)
}

/// Adds `[from, to)`, cut at full hours.
fn add(hours: &mut Hours, state: AgentState, mut from: Instant, to: Instant) {
    while from < to {
        let hour = hour_of(from);
        let end = (hour + HOUR).min(to);
        *hours.entry((hour.ms(), state)).or_default() += end.ms() - from.ms();
        from = end;
    }
}

/// The state that people are shown: what the agent said, unless nothing at all was heard of it.
pub fn shown(row: &agent::Model, now: Instant) -> (AgentState, Instant) {
    let gone = Instant(row.last_seen_at_ms) + AGENT_GONE_AFTER;
    if now > gone {
        return (AgentState::Offline, gone);
    }
    (AgentState::parse(&row.state).unwrap_or(AgentState::Waiting), Instant(row.state_since_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn known(counted_until: i64, reported_at: i64) -> Known {
        Known { state: AgentState::Encoding, reported_at: Instant(reported_at), counted_until: Instant(counted_until) }
    }

    #[test]
    fn time_is_cut_at_hours_and_at_silence() {
        use AgentState::{Encoding, Offline};
        let hour = 60 * MINUTE;
        for (counted, reported, now, expected) in [
            (0, 0, 0, vec![]),
            (0, 0, MINUTE, vec![((0, Encoding), MINUTE)]),
            (0, 0, 10 * MINUTE, vec![((0, Encoding), 90_000), ((0, Offline), 10 * MINUTE - 90_000)]),
            (0, 50 * MINUTE, 51 * MINUTE, vec![((0, Encoding), 51 * MINUTE)]),
            (59 * MINUTE, 60 * MINUTE, 61 * MINUTE, vec![((0, Encoding), MINUTE), ((hour, Encoding), MINUTE)]),
            (
                59 * MINUTE,
                59 * MINUTE,
                2 * hour + 1,
                vec![
                    ((0, Encoding), MINUTE),
                    ((hour, Encoding), 30_000),
                    ((hour, Offline), hour - 30_000),
                    ((2 * hour, Offline), 1),
                ],
            ),
            // Another server's clock may be behind.
            (10 * MINUTE, 10 * MINUTE, 9 * MINUTE, vec![]),
        ] {
            let got: Vec<_> = known(counted, reported).uncounted(Instant(now)).into_iter().collect();
            assert_eq!(got, expected, "{counted} {reported} {now}");
        }
    }

    #[test]
    fn nothing_is_lost_between_two_reports() {
        for now in (0..400).map(|step| step * 37_123) {
            let hours = known(0, now / 3).uncounted(Instant(now));
            assert_eq!(hours.values().sum::<i64>(), now);
            assert!(hours.iter().all(|((hour, _), ms)| hour % HOUR.as_millis() as i64 == 0 && *ms <= HOUR.as_millis() as i64));
        }
    }

    #[test]
    fn most_reports_only_say_still_here() {
        let known = known(0, 10 * MINUTE);
        assert!(known.goes_on(AgentState::Encoding, Instant(11 * MINUTE)));
        assert!(!known.goes_on(AgentState::Waiting, Instant(11 * MINUTE)));
        assert!(!known.goes_on(AgentState::Encoding, Instant(12 * MINUTE)), "it was gone in between");
        assert!(!self::known(0, 60 * MINUTE).goes_on(AgentState::Encoding, Instant(61 * MINUTE)), "an hour is full");
    }
}
