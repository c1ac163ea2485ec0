//! What will happen, in order. Events of one moment happen in the order in which they were planned.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Milliseconds since the midnight on which the day begins.
pub type Ms = u64;
pub const SECOND: Ms = 1000;
pub const MINUTE: Ms = 60 * SECOND;
pub const HOUR: Ms = 60 * MINUTE;
pub const DAY: Ms = 24 * HOUR;

/// A lease, and the stamp that it must still bear: what was planned for an earlier turn of it does not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    pub lease: u32,
    pub stamp: u32,
}

/// A machine, and the number of the change after which this was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub machine: u32,
    pub number: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A source was uploaded and its job made.
    JobArrives,
    /// Somebody sits down, goes, or switches off.
    PersonChanges(u32),
    /// No input for long enough.
    EngineStarts(Change),
    EngineResumes(Change),
    /// Suspended for too long: what is held goes back.
    EngineReleases(Change),
    /// A row was encoded and uploaded, and is committed now.
    RowCommits(Turn),
    /// The first two segments of a sound track are there.
    SoundBegins(Turn),
    TaskFails(Turn),
    /// The holder's next heartbeat.
    HolderLearns(Turn),
    LeaseExpires(Turn),
    /// A machine that was set aside may try a test encode.
    MachineProves(u32),
    /// Every second: what a server looks at while engines wait.
    Tick,
}

#[derive(Debug, Default)]
pub struct Events {
    heap: BinaryHeap<Reverse<(Ms, u64, Event)>>,
    planned: u64,
}

impl Events {
    pub fn plan(&mut self, at: Ms, event: Event) {
        self.planned += 1;
        self.heap.push(Reverse((at, self.planned, event)));
    }

    pub fn next(&mut self) -> Option<(Ms, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }

    /// How many were planned so far.
    pub fn planned(&self) -> u64 {
        self.planned
    }
}
