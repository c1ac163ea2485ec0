//! When jobs come, and whose they are: mostly in office hours, so much work that the fleet is loaded as wanted.

use offpeak_api::profile::Profile;

use crate::{
    dice::Dice,
    events::{DAY, HOUR, MINUTE, Ms},
    films::{self, Film},
    fleet::{Classes, Machine},
    person::{Person, Presence},
    world::{Settings, TEAMS},
};

/// How busy the hours of the day are, against each other.
const HOURS: [f64; 24] =
    [0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1.5, 2.2, 2.4, 2.2, 1.8, 2.0, 2.4, 2.4, 2.2, 1.6, 0.9, 0.6, 0.5, 0.4, 0.3, 0.2];
/// Ranks (9 less the priority) of jobs.
const RANKS: [(i32, f64); 3] = [(4, 0.8), (1, 0.1), (7, 0.1)];
const SAMPLE: u64 = 4000;

#[derive(Debug)]
pub struct Arrivals {
    dice: Dice,
    films: Dice,
    until: Ms,
    /// Jobs a millisecond in an hour of 1.
    rate: f64,
}

impl Arrivals {
    pub fn new(settings: &Settings, machines: &[Machine], profile: &Profile, classes: &Classes) -> Self {
        let until = (settings.hours * HOUR as f64) as Ms;
        let mut sampled = Dice::new(settings.seed, 9);
        let of_one: f64 = (0..SAMPLE).map(|_| films::draw(&mut sampled, profile, classes).work()).sum::<f64>() / SAMPLE as f64;
        let mean_hour = (0..until).step_by(MINUTE as usize).map(busy).sum::<f64>() / (until / MINUTE).max(1) as f64;
        let work_per_ms = capacity(settings, machines, until) / 1000.0 * settings.load;
        Self {
            dice: Dice::new(settings.seed, 1),
            films: Dice::new(settings.seed, 2),
            until,
            rate: work_per_ms / of_one / mean_hour,
        }
    }

    /// When the next job comes: a Poisson process whose rate changes by the hour, by thinning (Lewis and Shedler 1979).
    pub fn next(&mut self, now: Ms) -> Option<Ms> {
        let busiest = HOURS.iter().copied().fold(0.0, f64::max);
        let mut at = now as f64;
        while self.rate > 0.0 {
            at += self.dice.exponential(1.0 / (self.rate * busiest));
            if at >= self.until as f64 {
                return None;
            }
            if self.dice.chance(busy(at as Ms) / busiest) {
                return Some((at as Ms).max(now));
            }
        }
        None
    }

    /// Whose it is, how urgent, and what.
    pub fn draw(&mut self, profile: &Profile, classes: &Classes) -> (u32, i32, Film) {
        let teams: Vec<(u32, f64)> = (0..).zip(TEAMS).map(|(team, (_, share))| (team, share)).collect();
        let (team, rank) = (self.films.pick(&teams), self.films.pick(&RANKS));
        (team, rank, films::draw(&mut self.films, profile, classes))
    }
}

fn busy(at: Ms) -> f64 {
    HOURS[(at % DAY / HOUR) as usize]
}

/// Work a second that the fleet can do, in the mean over the run: what its machines would serve if people came and went as in
/// a trace of their own.
fn capacity(settings: &Settings, machines: &[Machine], until: Ms) -> f64 {
    let start_after = 5 * MINUTE;
    let of = |(number, machine): (u64, &Machine)| {
        let whole = machine.speed * machine.places.len() as f64;
        if settings.ideal {
            return whole;
        }
        let mut person = Person::new(settings.seed, number);
        let (mut now, mut served) = (0, 0);
        while now < until {
            let (end, next) = person.next(now);
            if person.now == Presence::Away {
                served += end.min(until).saturating_sub(now + start_after);
            }
            (now, person.now) = (end, next);
        }
        whole * served as f64 / until as f64
    };
    (0..).zip(machines).map(of).sum()
}
