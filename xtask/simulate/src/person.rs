//! The person at a desk: when a machine is in use, left alone, or off.
//!
//! From published traces of office computers: spells without input fit a Weibull with a shape of 0.5 to 0.7 (most are short, a
//! few very long), 10 to 60 minutes long in the mean by day, with some 25 minutes of use between them; 44 % of machines are off
//! at night. Machines differ, so each person has a mean and a shape of their own.

use crate::{
    dice::Dice,
    events::{DAY, HOUR, MINUTE, Ms},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Off,
    InUse,
    Away,
}

const OFF_AT_NIGHT: f64 = 0.44;
/// Share of the days on which somebody works elsewhere.
const ABSENT: f64 = 0.1;
const MEAN_USE_MINUTES: f64 = 25.0;
/// Shape and Γ(1 + 1/shape), which turns a mean into a scale.
const SHAPES: [((f64, f64), f64); 3] = [((0.5, 2.0), 1.0), ((0.6, 1.5046), 1.0), ((0.7, 1.2658), 1.0)];

#[derive(Debug)]
pub struct Person {
    dice: Dice,
    shape: f64,
    scale_ms: f64,
    /// Hours of the day.
    comes: f64,
    goes: f64,
    pub now: Presence,
}

impl Person {
    pub fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, 1_000_000 + number);
        let (shape, gamma) = dice.pick(&SHAPES);
        let mean_minutes = dice.between(10.0, 60.0);
        let (comes, goes) = (dice.between(7.5, 9.75), dice.between(16.5, 18.75));
        // The day begins at midnight.
        let now = if dice.chance(OFF_AT_NIGHT) { Presence::Off } else { Presence::Away };
        Self { dice, shape, scale_ms: mean_minutes * MINUTE as f64 / gamma, comes, goes, now }
    }

    /// When things change next, and to what.
    pub fn next(&mut self, now: Ms) -> (Ms, Presence) {
        let midnight = now / DAY * DAY;
        let at = |hour: f64| midnight + (hour * HOUR as f64) as Ms;
        let (comes, goes) = (at(self.comes), at(self.goes));
        if now < comes || now >= goes {
            // Night: until the next morning, or a later one.
            let mut morning = if now < comes { comes } else { comes + DAY };
            while self.dice.chance(ABSENT) {
                morning += DAY;
            }
            return (morning, Presence::InUse);
        }
        let (spell, then) = match self.now {
            Presence::InUse => (self.dice.exponential(MEAN_USE_MINUTES * MINUTE as f64), Presence::Away),
            Presence::Away | Presence::Off => (self.dice.weibull(self.shape, self.scale_ms), Presence::InUse),
        };
        let end = now + (spell as Ms).max(1000);
        if end < goes {
            return (end, then);
        }
        (goes, if self.dice.chance(OFF_AT_NIGHT) { Presence::Off } else { Presence::Away })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares of the time between two hours of a day that 2,000 machines are off, in use, alone.
    fn shares(from: f64, to: f64) -> [f64; 3] {
        let mut spent = [0.0; 3];
        for number in 0..2000 {
            let mut person = Person::new(5, number);
            let mut now = 0;
            while now < DAY {
                let (until, next) = person.next(now);
                let overlap = |end: Ms| (end as f64).clamp(from * HOUR as f64, to * HOUR as f64);
                spent[person.now as usize] += overlap(until) - overlap(now);
                (now, person.now) = (until, next);
            }
        }
        let all: f64 = spent.iter().sum();
        spent.map(|part| part / all)
    }

    #[test]
    fn the_office_is_as_published() {
        let night = shares(0.0, 6.0);
        assert!((night[Presence::Off as usize] - 0.44).abs() < 0.03, "{night:?}");
        assert!(night[Presence::InUse as usize] == 0.0, "{night:?}");
        let day = shares(10.0, 16.0);
        assert!((0.35..0.60).contains(&day[Presence::InUse as usize]), "{day:?}");
        assert!((0.35..0.60).contains(&day[Presence::Away as usize]), "{day:?}");
    }
}
