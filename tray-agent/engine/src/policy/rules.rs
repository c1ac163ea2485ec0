//! The office's policy and the person's limits, as one set of rules: the stricter of each holds.

use std::time::Duration;

use offpeak_api::policy::{Hours, Policy, Weekday};
use offpeak_link::Limits;

/// What holds at this desk.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub start_after: Duration,
    pub resume_after: Duration,
    pub release_after: Duration,
    pub other_cpu_below: f64,
    pub mains_only: bool,
    pub unmetered_only: bool,
    /// Work is allowed at hours that each of these contains; an empty one contains all.
    pub schedules: [Vec<Hours>; 2],
    pub max_cores: Option<u32>,
    pub max_memory_mib: Option<u64>,
    pub max_bits_per_second: Option<u64>,
}

impl Rules {
    /// `quiet` stands for both waits, whatever the policy says: tests cannot wait for minutes.
    pub fn of(policy: &Policy, limits: &Limits, quiet: Option<Duration>) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let start_after = policy.start_after_idle_seconds.max(limits.start_after_idle_seconds.unwrap_or(0));
        Self {
            start_after: quiet.unwrap_or(seconds(start_after)),
            resume_after: quiet.unwrap_or(seconds(policy.resume_after_idle_seconds)),
            release_after: seconds(policy.release_after_suspended_seconds),
            other_cpu_below: policy.other_cpu_below,
            mains_only: policy.mains_only || limits.mains_only,
            unmetered_only: policy.unmetered_only || limits.unmetered_only,
            schedules: [policy.schedule.clone(), limits.schedule.clone()],
            max_cores: smaller(policy.max_cores, limits.max_cores),
            max_memory_mib: smaller(policy.max_memory_mib, limits.max_memory_mib),
            max_bits_per_second: smaller(policy.max_bits_per_second, limits.max_bits_per_second),
        }
    }

    pub fn is_on_schedule(&self, day: Weekday, minute: u16) -> bool {
        self.schedules.iter().all(|hours| {
            let alone = Policy { schedule: hours.clone(), ..Policy::default() };
            alone.is_on_schedule(day, minute)
        })
    }
}

fn smaller<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}
