//! What goes wrong, and when: drawn from a seed and from nothing else, so that a run can be repeated.

use std::{collections::VecDeque, time::Duration};

use crate::proxy::Weather;

/// Numbers from a seed: SplitMix64 (Steele, Lea and Flood, 2014), the same on every machine and in every version.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from `0.0..1.0`.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between two numbers of seconds.
    pub fn seconds(&mut self, least: f64, most: f64) -> Duration {
        Duration::from_secs_f64(least + (most - least) * self.share())
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// SIGKILL.
    Kill {
        engine: usize,
    },
    /// It is started again on the same state folder.
    Start {
        engine: usize,
    },
    /// SIGSTOP, to the engine alone or to its ffmpeg as well.
    Freeze {
        engine: usize,
        with_children: bool,
    },
    Thaw {
        engine: usize,
    },
    /// The network between an engine and the server.
    Weather {
        engine: usize,
        weather: Weather,
    },
    HalfClose {
        engine: usize,
    },
    KillServer,
    StartServer,
    /// One of the requests that this engine sent a while ago is sent again.
    Replay {
        engine: usize,
        draw: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// After the start.
    pub at: Duration,
    pub fault: Fault,
}

/// Who lets things go wrong, one after the other.
#[derive(Debug, Clone, Copy)]
enum Actor {
    /// Kills and freezes one engine.
    Body {
        engine: usize,
    },
    /// Disturbs one engine's network.
    Network {
        engine: usize,
    },
    Server,
    /// Repeats what one engine said.
    Echo {
        engine: usize,
    },
}

/// An endless schedule, in the order of time.
#[derive(Debug)]
pub struct Schedule {
    lease: Duration,
    actors: Vec<(Actor, Draw, VecDeque<Event>)>,
}

impl Schedule {
    /// For so many engines, whose leases live for `lease` without a heartbeat.
    pub fn new(seed: u64, engines: usize, lease: Duration) -> Self {
        let of_engine = |engine| [Actor::Body { engine }, Actor::Network { engine }, Actor::Echo { engine }];
        let actors = (0..engines).flat_map(of_engine).chain([Actor::Server]);
        let mut seeds = Draw::new(seed);
        let actors = actors.map(|actor| (actor, Draw::new(seeds.bits()), VecDeque::new())).collect();
        Self { lease, actors }
    }
}

impl Iterator for Schedule {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        for (actor, draw, events) in &mut self.actors {
            // An actor's next fault begins after its last one has ended, so the last event is kept to tell when that was.
            while events.len() < 2 {
                let from = events.back().map_or(Duration::ZERO, |last| last.at);
                events.extend(actor.act(from, self.lease, draw));
            }
        }
        let (_, _, events) = self.actors.iter_mut().min_by_key(|(_, _, events)| events.front().map(|event| event.at))?;
        events.pop_front()
    }
}

impl Actor {
    /// The next fault after `from`, and its end.
    fn act(self, from: Duration, lease: Duration, draw: &mut Draw) -> Vec<Event> {
        let lease = lease.as_secs_f64();
        match self {
            Self::Body { engine } => {
                let at = from + draw.seconds(3.0, 7.0);
                if draw.share() < 0.6 {
                    let back = at + draw.seconds(0.0, 1.5);
                    return vec![Event { at, fault: Fault::Kill { engine } }, Event { at: back, fault: Fault::Start { engine } }];
                }
                let with_children = draw.share() < 0.5;
                let back = at + draw.seconds(lease * 1.1, lease * 2.0);
                vec![
                    Event { at, fault: Fault::Freeze { engine, with_children } },
                    Event { at: back, fault: Fault::Thaw { engine } },
                ]
            }
            Self::Network { engine } => {
                let at = from + draw.seconds(8.0, 20.0);
                let back = at + draw.seconds(0.5, lease * 1.5);
                let weather = match draw.bits() % 5 {
                    0 => return vec![Event { at, fault: Fault::HalfClose { engine } }],
                    1 => Weather::Slow(draw.seconds(0.05, 0.4)),
                    2 => Weather::Still,
                    3 => Weather::Deaf,
                    _ => Weather::Refused,
                };
                vec![
                    Event { at, fault: Fault::Weather { engine, weather } },
                    Event { at: back, fault: Fault::Weather { engine, weather: Weather::Fine } },
                ]
            }
            Self::Server => {
                let at = from + draw.seconds(20.0, 40.0);
                let back = at + draw.seconds(0.2, lease * 1.5);
                vec![Event { at, fault: Fault::KillServer }, Event { at: back, fault: Fault::StartServer }]
            }
            Self::Echo { engine } => {
                let at = from + draw.seconds(1.0, 4.0);
                vec![Event { at, fault: Fault::Replay { engine, draw: draw.bits() } }]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, count: usize) -> Vec<Event> {
        Schedule::new(seed, 4, Duration::from_secs(4)).take(count).collect()
    }

    #[test]
    fn a_seed_says_all() {
        assert_eq!(first(7, 500), first(7, 500));
        assert_ne!(first(7, 500), first(8, 500));
        // Another language's SplitMix64 gives the same.
        assert_eq!(Draw::new(1_234_567).bits(), 6_457_827_717_110_365_317);
    }

    #[test]
    fn events_come_in_order_and_every_fault_ends() {
        let events = first(1, 2000);
        assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at));
        for engine in 0..4 {
            let mut down = false;
            for event in &events {
                match event.fault {
                    Fault::Kill { engine: of } | Fault::Freeze { engine: of, .. } if of == engine => {
                        assert!(!std::mem::replace(&mut down, true), "{event:?}");
                    }
                    Fault::Start { engine: of } | Fault::Thaw { engine: of } if of == engine => {
                        assert!(std::mem::replace(&mut down, false), "{event:?}");
                    }
                    _ => {}
                }
            }
        }
        let minutes = events.last().expect("events").at.as_secs_f64() / 60.0;
        let hits = events.iter().filter(|event| matches!(event.fault, Fault::Kill { .. } | Fault::Freeze { .. })).count();
        let each = minutes * 60.0 * 4.0 / hits as f64;
        assert!((6.0..10.0).contains(&each), "an engine is hit every {each:.1} s, five seconds after it came back");
    }
}
