//! What the person at the desk wants.

use chrono::{DateTime, TimeDelta, Utc};
use offpeak_link::Limits;
use serde::{Deserialize, Serialize};

/// Kept in the state folder: it outlives the engine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// No work until they say otherwise.
    pub paused: bool,
    pub snooze: Option<Snooze>,
    pub limits: Limits,
}

/// No work for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    pub until: DateTime<Utc>,
    /// How long it was asked for.
    pub seconds: u64,
}

impl Snooze {
    pub fn new(seconds: u64, now: DateTime<Utc>) -> Self {
        Self { until: now + delta(seconds), seconds }
    }

    /// When it ends; `None` when it is over. A clock that was set back does not make it longer than it was asked for.
    pub fn ends(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ends = self.until.min(now + delta(self.seconds));
        (ends > now).then_some(ends)
    }
}

fn delta(seconds: u64) -> TimeDelta {
    // A century is as good as for ever.
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX).min(100 * 366 * 86_400))
}
