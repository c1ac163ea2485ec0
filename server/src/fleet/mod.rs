//! Figures of the whole fleet: machines by state, how fast they encode, what waits, and how many machines it would take.
//!
//! In: agents, leases, queues. Out: figures of this moment, and a sample of them every minute, for 31 days. What must hold:
//! all work is in units of `plan::estimated_work`; each minute is sampled once, whichever server comes first.

pub mod http;
pub mod price;
mod sample;
pub mod store;

pub use sample::sample;

/// In how many seconds everything should be done, when nobody says otherwise: people wait for a film for ten minutes.
pub const WITHIN_SECONDS: u32 = 600;

/// How many machines that encode all the time do this much work in so many seconds.
///
/// `machine_speed` is what one of them does in a second. One machine for any work at all while that is not known: its first
/// task will tell.
pub fn machines_wanted(work: f64, machine_speed: Option<f64>, within_seconds: u32) -> u64 {
    if work <= 0.0 {
        return 0;
    }
    match machine_speed.filter(|speed| *speed > 0.0) {
        // Sums of many differ in their last digits; that is no reason for another machine.
        Some(speed) => (work / (speed * f64::from(within_seconds)) - 1e-9).ceil().max(1.0) as u64,
        None => 1,
    }
}

/// Seconds until all work is done at this speed.
pub fn backlog_seconds(work: f64, work_per_second: f64) -> Option<u64> {
    (work_per_second > 0.0).then(|| (work / work_per_second).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_machines_and_not_one_more() {
        for (work, speed, wanted) in [
            (0.0, Some(10.0), 0),
            (0.0, None, 0),
            (1.0, None, 1),
            (1.0, Some(0.0), 1),
            (1.0, Some(10.0), 1),
            (6000.0, Some(10.0), 1),
            (6_000.000_000_01, Some(10.0), 1),
            (6001.0, Some(10.0), 2),
            (600_000.0, Some(10.0), 100),
        ] {
            assert_eq!(machines_wanted(work, speed, 600), wanted, "{work} at {speed:?}");
        }
        assert_eq!(machines_wanted(6000.0, Some(10.0), 60), 10);
        assert_eq!((backlog_seconds(100.0, 0.0), backlog_seconds(101.0, 10.0)), (None, Some(10)));
    }
}
