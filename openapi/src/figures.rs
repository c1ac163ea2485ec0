//! Figures over many jobs, and what a cloud would have charged for them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::job::JobState;

/// The jobs of a team in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "from": "2026-11-25T00:00:00Z", "to": "2026-11-26T00:00:00Z", "open": { "encoding": 2, "queued": 1 },
    "ended": { "completed": 14, "failed": 1 }, "film_seconds": 5400.0, "rendition_seconds": 21600.0, "working_seconds": 2700.0,
    "one_machine_seconds": 9100.0, "elapsed_seconds": 2400.0
}))]
pub struct JobFigures {
    /// Of jobs that ended from here on…
    pub from: DateTime<Utc>,
    /// …and before.
    pub to: DateTime<Utc>,
    /// How many jobs are under way now, by state; states without jobs are left out.
    pub open: BTreeMap<JobState, u64>,
    /// How many ended within the range, by how.
    pub ended: BTreeMap<JobState, u64>,
    /// How long the films are that were completed within the range.
    pub film_seconds: f64,
    /// How long all their video renditions are, one after the other: what clouds charge for.
    pub rendition_seconds: f64,
    /// From the first lease of each of these jobs to its end, added up.
    pub working_seconds: f64,
    /// What the encodes of these jobs would have taken one after the other on a single machine that is as fast as those that made
    /// them were found to be, pauses for their people included. Jobs of which that is not known are left out.
    pub one_machine_seconds: f64,
    /// For how long at least one of the jobs was worked on that `one_machine_seconds` counts; when several were at once, that
    /// counts once. The difference is the time saved by having more than one machine.
    pub elapsed_seconds: f64,
}

/// What a cloud asks for a minute of one video rendition, to compare with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "per_minute": 0.0075, "currency": "USD" }))]
pub struct CloudPrice {
    /// 0 to 1000.
    #[schema(minimum = 0, maximum = 1000)]
    pub per_minute: f64,
    /// Three capital letters (ISO 4217).
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

impl Default for CloudPrice {
    /// About what the large clouds list for 720p in H.264 in 2026; who knows their own sets it.
    fn default() -> Self {
        Self { per_minute: 0.0075, currency: "USD".to_owned() }
    }
}
