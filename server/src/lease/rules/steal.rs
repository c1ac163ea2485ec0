//! Stealing: what an idle agent takes of a span that somebody else is encoding.
//!
//! The thief gets the tail `[mid, last)`, the victim keeps `[cursor, mid)` and learns its new `last` with its next heartbeat.
//! Of all victims the one that would take longest is helped. Halving is the classic choice (Blumofe and Leiserson,
//! "Scheduling Multithreaded Computations by Work Stealing", JACM 46(5), 1999), made for equal processors; office computers
//! differ, so the cut lies where both are expected to end together. A row that the victim has begun stays with it.

use std::time::Duration;

use super::{HELD_UP_AFTER, START_UP_SECONDS};

/// Fewer seconds than this are not worth a theft: the estimates are no better, and the thief decodes up to a GOP for nothing.
const LEAST_GAIN_SECONDS: f64 = 3.0;
/// An engine goes on only after a minute without input (design.md §7), whatever the policy says beyond that.
const SUSPENSION_SECONDS: f64 = 60.0;
/// Beats may be late; but one that says nothing for longer is not believed to go on.
const BELIEVED_SILENCE_SECONDS: f64 = 15.0;
/// Rows a second of a machine of which nothing is known: a 1080p ladder on two cores, rows of 6 s.
const USUAL_ROWS_PER_SECOND: f64 = 0.1;

/// The agent that has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thief {
    /// Estimated work a second (`plan::estimated_work`), of its past.
    pub work_per_second: Option<f64>,
}

/// A leased span of a class that the thief serves, whose task it has not failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Victim {
    /// Committed up to here,
    pub cursor: u32,
    /// ends here.
    pub last: u32,
    /// Rows from `cursor` on that were encoded when the holder last told, in parts of a row.
    pub encoded_rows: f64,
    /// Of the last half minute, or of the agent's past.
    pub rows_per_second: Option<f64>,
    /// Estimated work of one row: rows of different jobs differ by an order of magnitude.
    pub work_per_row: f64,
    pub suspended_for: Option<Duration>,
    pub silent_for: Duration,
    /// One's own spans are never stolen: two places of one machine share its processor.
    pub held_by_thief: bool,
}

/// `[mid, last)` goes to the thief. `mid` is the victim's cursor when all of it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steal {
    /// Index into the victims.
    pub victim: usize,
    pub mid: u32,
}

impl Victim {
    fn is_held_up(&self) -> bool {
        self.suspended_for.is_some_and(|since| since >= HELD_UP_AFTER)
    }

    fn speed(&self, or: f64) -> f64 {
        known(self.rows_per_second).unwrap_or(or)
    }

    /// Rows from the cursor on that are encoded now, if the holder went on as before.
    fn encoded_now(&self, speed: f64) -> f64 {
        let unheard = match self.suspended_for {
            Some(_) => 0.0,
            None => self.silent_for.as_secs_f64().min(BELIEVED_SILENCE_SECONDS),
        };
        (self.encoded_rows.max(0.0) + unheard * speed).min(self.rows_left())
    }

    fn rows_left(&self) -> f64 {
        f64::from(self.last.saturating_sub(self.cursor))
    }

    /// The first row that has not been begun.
    fn first_untouched(&self, speed: f64) -> u32 {
        // The next one begins when one is whole: at 2.0 rows the third is being encoded.
        let begun = self.encoded_now(speed).floor() as u32 + 1;
        self.cursor.saturating_add(begun).min(self.last)
    }

    /// How long it will be until the holder goes on.
    fn pause_seconds(&self) -> f64 {
        self.suspended_for.map_or(0.0, |since| (SUSPENSION_SECONDS - since.as_secs_f64()).max(0.0))
    }

    /// Expected seconds until the holder is done with its last row; infinite when it is held up.
    pub fn seconds_left(&self) -> f64 {
        let speed = self.speed(USUAL_ROWS_PER_SECOND);
        if self.is_held_up() {
            f64::INFINITY
        } else {
            self.pause_seconds() + (self.rows_left() - self.encoded_now(speed)) / speed
        }
    }

    /// How many rows could be stolen, whether or not it pays.
    pub fn rows_to_steal(&self) -> u32 {
        if self.is_held_up() {
            self.last - self.cursor.min(self.last)
        } else {
            self.last - self.first_untouched(self.speed(USUAL_ROWS_PER_SECOND))
        }
    }
}

fn known(speed: Option<f64>) -> Option<f64> {
    speed.filter(|speed| speed.is_finite() && *speed > 0.0)
}

/// What to steal, if anything pays.
///
/// The victims need not be all leases: those with the longest [`Victim::seconds_left`] will do.
pub fn choose(thief: Thief, victims: &[Victim]) -> Option<Steal> {
    let mut in_order: Vec<(usize, f64)> = victims
        .iter()
        .enumerate()
        .filter(|(_, victim)| !victim.held_by_thief)
        .map(|(n, victim)| (n, victim.seconds_left()))
        .collect();
    in_order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    in_order.into_iter().find_map(|(n, _)| cut(thief, &victims[n]).map(|mid| Steal { victim: n, mid }))
}

/// Where to cut this one, if that pays.
fn cut(thief: Thief, victim: &Victim) -> Option<u32> {
    if victim.cursor >= victim.last {
        return None;
    }
    if victim.is_held_up() {
        return Some(victim.cursor);
    }
    let thiefs =
        known(thief.work_per_second.map(|work| work / victim.work_per_row)).unwrap_or(victim.speed(USUAL_ROWS_PER_SECOND));
    let victims = victim.speed(thiefs);
    let untouched = victim.first_untouched(victims);
    if untouched >= victim.last {
        return None;
    }
    let encoded = victim.encoded_now(victims);
    let pause = victim.pause_seconds();
    let alone = pause + (victim.rows_left() - encoded) / victims;
    let ends_after = |mid: u32| {
        let kept = f64::from(mid - victim.cursor) - encoded;
        let victim_ends = pause + kept / victims;
        let thief_ends = START_UP_SECONDS + f64::from(victim.last - mid) / thiefs;
        victim_ends.max(thief_ends)
    };
    // Both end together where pause + kept / v = start + (left − kept) / t.
    let left = victim.rows_left() - encoded;
    let kept = victims * (left + (START_UP_SECONDS - pause) * thiefs) / (victims + thiefs);
    let ideal = (f64::from(victim.cursor) + encoded + kept).clamp(f64::from(untouched), f64::from(victim.last - 1));
    let (low, high) = (ideal.floor() as u32, ideal.ceil() as u32);
    let mid = if ends_after(high) <= ends_after(low) { high } else { low };
    (alone - ends_after(mid) >= LEAST_GAIN_SECONDS).then_some(mid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ten rows from 0 on, one every ten seconds.
    const BUSY: Victim = Victim {
        cursor: 0,
        last: 10,
        encoded_rows: 0.0,
        rows_per_second: Some(0.1),
        work_per_row: 500.0,
        suspended_for: None,
        silent_for: Duration::ZERO,
        held_by_thief: false,
    };
    const EQUAL: Thief = Thief { work_per_second: Some(50.0) };

    #[test]
    fn both_end_together() {
        let fast = Thief { work_per_second: Some(200.0) };
        let slow = Thief { work_per_second: Some(12.5) };
        let unknown = Thief { work_per_second: None };
        let suspended = |seconds| Some(Duration::from_secs(seconds));
        for (what, thief, victim, mid) in [
            ("the back half", EQUAL, BUSY, Some(5)),
            ("a fast thief takes more", fast, BUSY, Some(2)),
            ("a slow one less", slow, BUSY, Some(8)),
            ("a thief like the victim", unknown, BUSY, Some(5)),
            ("a victim like the thief", EQUAL, Victim { rows_per_second: None, ..BUSY }, Some(5)),
            ("nonsense counts as unknown", EQUAL, Victim { rows_per_second: Some(f64::NAN), ..BUSY }, Some(5)),
            ("from where it is", EQUAL, Victim { cursor: 20, last: 30, encoded_rows: 4.0, ..BUSY }, Some(27)),
            (
                "it went on since it told",
                EQUAL,
                Victim { encoded_rows: 3.0, silent_for: Duration::from_secs(10), ..BUSY },
                Some(7),
            ),
            ("two rows, one begun", EQUAL, Victim { last: 2, ..BUSY }, Some(1)),
            ("dear rows look slow to the thief", fast, Victim { work_per_row: 2000.0, ..BUSY }, Some(5)),
            ("the last row is begun", fast, Victim { last: 1, ..BUSY }, None),
            ("all is encoded, not committed", fast, Victim { last: 3, encoded_rows: 3.0, ..BUSY }, None),
            ("the last seconds", EQUAL, Victim { last: 2, rows_per_second: Some(1.0), ..BUSY }, None),
            ("a thief too slow to help", slow, Victim { last: 2, ..BUSY }, None),
            ("one's own", fast, Victim { held_by_thief: true, ..BUSY }, None),
            ("just suspended: a row less for each ten seconds", EQUAL, Victim { suspended_for: suspended(10), ..BUSY }, Some(3)),
            (
                "held up: all of it, the begun row too",
                EQUAL,
                Victim { cursor: 4, encoded_rows: 2.5, suspended_for: suspended(20), ..BUSY },
                Some(4),
            ),
            ("held up with its last row", EQUAL, Victim { cursor: 9, suspended_for: suspended(600), ..BUSY }, Some(9)),
            ("held up, everything committed", EQUAL, Victim { cursor: 10, suspended_for: suspended(600), ..BUSY }, None),
        ] {
            assert_eq!(choose(thief, &[victim]), mid.map(|mid| Steal { victim: 0, mid }), "{what}");
        }
    }

    #[test]
    fn whoever_takes_longest_is_helped() {
        let slow = Victim { rows_per_second: Some(0.01), ..BUSY };
        let short = Victim { last: 3, ..BUSY };
        let own = Victim { rows_per_second: Some(0.001), held_by_thief: true, ..BUSY };
        let begun = Victim { last: 1, rows_per_second: Some(0.002), ..BUSY };
        let held_up = Victim { last: 1, suspended_for: Some(HELD_UP_AFTER), ..BUSY };
        for (victims, chosen) in [
            (&[BUSY, slow, short][..], Some(1)),
            (&[own, BUSY, short], Some(1)),
            (&[begun, short], Some(1)),
            (&[slow, held_up, begun], Some(1)),
            (&[BUSY, BUSY], Some(0)),
            (&[own, begun], None),
            (&[], None),
        ] {
            assert_eq!(choose(EQUAL, victims).map(|steal| steal.victim), chosen, "{victims:?}");
        }
    }

    prop_compose! {
        fn victims()(
            cursor in 0..1000_u32,
            rows in 0..200_u32,
            encoded in -1.0..300.0_f64,
            speed in prop::option::of(prop_oneof![0.0..5.0_f64, Just(f64::NAN), Just(f64::INFINITY), Just(-1.0)]),
            suspended in prop::option::of(0..700_u64),
            silent in 0..100_u64,
            held_by_thief: bool,
        ) -> Victim {
            Victim {
                cursor,
                last: cursor + rows,
                encoded_rows: encoded,
                rows_per_second: speed,
                work_per_row: 0.5,
                suspended_for: suspended.map(Duration::from_secs),
                silent_for: Duration::from_secs(silent),
                held_by_thief,
            }
        }
    }

    proptest! {
        #[test]
        fn never_a_row_that_was_begun_and_never_an_empty_tail(
            speed in prop::option::of(0.0..5.0_f64),
            victims in prop::collection::vec(victims(), 0..8),
        ) {
            let Some(Steal { victim, mid }) = choose(Thief { work_per_second: speed }, &victims) else { return Ok(()) };
            let victim = &victims[victim];
            prop_assert!(!victim.held_by_thief);
            prop_assert!((victim.cursor..victim.last).contains(&mid));
            if victim.suspended_for.is_none_or(|since| since < HELD_UP_AFTER) {
                prop_assert!(f64::from(mid - victim.cursor) > victim.encoded_rows.floor(), "{mid} of {victim:?}");
            }
        }
    }
}
