//! How much of a span a machine gets that will be needed soon.
//!
//! A span that is longer than the quiet time that is left would be suspended in the middle, and its tail wait for minutes until
//! somebody takes it. So the tail is left to others at once. The estimate is the engine's own, a median: half the time it is too
//! long, which costs what it cost before, and half the time too short, which costs one more task.

use std::time::Duration;

use super::START_UP_SECONDS;

/// A tail shorter than this is not worth a task of its own.
const LEAST_TAIL_ROWS: u32 = 2;

/// A span as it was granted, and who got it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    pub cursor: u32,
    pub last: u32,
    /// Estimated work (`plan::estimated_work`).
    pub work_per_row: f64,
    /// Of the machine's past.
    pub work_per_second: f64,
    /// For how long the machine will probably be left alone.
    pub expected_idle: Duration,
}

/// Where to cut so that the machine is done in time: at least one row is its own. `None` when it gets all.
pub fn cut(grant: Grant) -> Option<u32> {
    let rows_per_second = grant.work_per_second / grant.work_per_row;
    if !rows_per_second.is_finite() || rows_per_second <= 0.0 {
        return None;
    }
    let seconds = (grant.expected_idle.as_secs_f64() - START_UP_SECONDS).max(0.0);
    // Saturates where a machine is left alone for days.
    let rows = (seconds * rows_per_second) as u32;
    let mid = grant.cursor.saturating_add(rows.max(1));
    let tail = grant.last.saturating_sub(mid);
    (tail >= LEAST_TAIL_ROWS).then_some(mid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_get_short_spans() {
        // Two seconds a row.
        let grant = |seconds, cursor, last| Grant {
            cursor,
            last,
            work_per_row: 4.0,
            work_per_second: 2.0,
            expected_idle: Duration::from_secs(seconds),
        };
        let cases = [
            (grant(3600, 0, 20), None),
            (grant(23, 0, 20), Some(10)),
            (grant(23, 5, 20), Some(15)),
            (grant(23, 9, 20), None),
            (grant(23, 8, 20), Some(18)),
            // However soon somebody comes, one row is made.
            (grant(0, 0, 20), Some(1)),
            (grant(0, 0, 3), Some(1)),
            (grant(0, 0, 2), None),
            (grant(0, 0, 1), None),
            (grant(u64::MAX, 0, u32::MAX), None),
            (Grant { work_per_second: 0.0, ..grant(5, 0, 20) }, None),
            (Grant { work_per_row: 0.0, ..grant(5, 0, 20) }, None),
            (Grant { work_per_second: f64::NAN, ..grant(5, 0, 20) }, None),
        ];
        for (grant, mid) in cases {
            assert_eq!(cut(grant), mid, "{grant:?}");
        }
    }
}
