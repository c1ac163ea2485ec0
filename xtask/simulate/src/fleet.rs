//! Machines, and the places on them where a lease is held.

use offpeak_server::lease::rules::classes;

use crate::{
    dice::Dice,
    events::{HOUR, Ms},
    person::{Person, Presence},
};

/// Capability classes as bits: bit n is the n-th of these names.
#[derive(Debug)]
pub struct Classes(Vec<String>);

impl Classes {
    pub fn all() -> Self {
        Self(classes::served(&encoders(), u32::MAX))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The class's number.
    pub fn number(&self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).expect("a class that somebody serves")
    }

    fn mask(&self, names: &[String]) -> u32 {
        names.iter().map(|name| 1 << self.number(name)).sum()
    }
}

fn encoders() -> Vec<String> {
    vec!["libx264".to_owned(), "aac".to_owned()]
}

/// What the engine on a machine is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// It asks for no work.
    Closed,
    Serving,
    /// Since when. Leases live on.
    Suspended(Ms),
}

#[derive(Debug)]
pub struct Machine {
    pub person: Person,
    pub engine: Engine,
    /// Counts changes: what was planned before the last one does not happen.
    pub change: u32,
    pub serving_since: Ms,
    /// When it last stopped asking for work.
    pub served_until: Option<Ms>,
    /// Since when nobody has touched it.
    pub away_since: Option<Ms>,
    /// What its person does next, and when.
    next: Option<(Ms, Presence)>,
    /// Its places: `[first, end)`.
    pub places: std::ops::Range<u32>,
    /// The classes that it serves.
    pub mask: u32,
    /// Estimated work a second of one place.
    pub speed: f64,
    pub bytes_per_ms: f64,
    /// Everything fails in this time.
    pub broken: std::ops::Range<Ms>,
    pub set_aside: bool,
    pub times_set_aside: u32,
    /// Jobs of failures since the last success.
    pub failed_jobs: Vec<u32>,
}

/// Shares of machines by cores.
const CORES: [(u32, f64); 4] = [(2, 0.15), (4, 0.5), (6, 0.2), (8, 0.15)];
/// Memory for each lease, in MiB.
const MEMORY_MIB: [(u32, f64); 3] = [(1024, 0.45), (2048, 0.40), (4096, 0.15)];
/// An engine holds a lease a core, at most this many (docs/decisions/leases-at-once.md).
const MOST_PLACES: u32 = 4;
/// Estimated work a second on one core of a common machine: a minute of 1080p25 (5,460 units) took 183 s of one core there.
const CORE_SPEED: f64 = 30.0;
/// A second thread is worth this much of the first.
const SECOND_THREAD: f64 = 0.85;
/// Share of machines on which something is wrong for a while, and for how long.
const BROKEN: f64 = 0.02;
const BROKEN_HOURS: f64 = 2.0;

impl Machine {
    pub fn new(seed: u64, number: u32, first_place: u32, classes: &Classes) -> Self {
        let mut dice = Dice::new(seed, 2_000_000 + u64::from(number));
        let cores = dice.pick(&CORES);
        let places = cores.min(MOST_PLACES);
        let threads = f64::from(cores / places);
        let memory_mib = dice.pick(&MEMORY_MIB);
        let broken_from = (dice.unit() * 24.0 * HOUR as f64) as Ms;
        let broken_for = if dice.chance(BROKEN) { dice.exponential(BROKEN_HOURS * HOUR as f64) as Ms } else { 0 };
        Self {
            person: Person::new(seed, u64::from(number)),
            engine: Engine::Closed,
            change: 0,
            serving_since: 0,
            served_until: None,
            away_since: None,
            next: None,
            places: first_place..first_place + places,
            mask: classes.mask(&classes::served(&encoders(), memory_mib)),
            speed: dice.log_normal(CORE_SPEED, 0.35) * (1.0 + SECOND_THREAD * (threads - 1.0)),
            // 20 to 200 Mbit/s for uploads, shared by its places.
            bytes_per_ms: dice.between(20.0, 200.0) * 125.0 / f64::from(places),
            broken: broken_from..broken_from + broken_for,
            set_aside: false,
            times_set_aside: 0,
            failed_jobs: Vec::new(),
        }
    }

    /// A common machine that serves everything and never breaks.
    pub fn ideal(seed: u64, number: u32, first_place: u32, classes: &Classes) -> Self {
        Self {
            places: first_place..first_place + 1,
            mask: classes.mask(&classes::served(&encoders(), u32::MAX)),
            speed: CORE_SPEED,
            bytes_per_ms: 1e6,
            broken: 0..0,
            ..Self::new(seed, number, first_place, classes)
        }
    }

    /// When its person's next change comes, and to what.
    pub fn peek(&mut self, now: Ms) -> (Ms, Presence) {
        *self.next.get_or_insert_with(|| self.person.next(now))
    }

    /// That change happens now.
    pub fn take_next(&mut self) -> Presence {
        if let Some((_, next)) = self.next.take() {
            self.person.now = next;
        }
        self.person.now
    }

    /// True when the server has heard of it within this time.
    pub fn was_seen(&self, now: Ms, within: Ms) -> bool {
        match self.engine {
            Engine::Closed => self.served_until.is_some_and(|at| now - at <= within),
            Engine::Serving | Engine::Suspended(_) => true,
        }
    }
}

/// A place of a machine.
#[derive(Debug, Default, Clone, Copy)]
pub struct Place {
    pub machine: u32,
    pub lease: Option<u32>,
    /// Where it stands among those who wait, if it does.
    pub waits_at: Option<u32>,
}
