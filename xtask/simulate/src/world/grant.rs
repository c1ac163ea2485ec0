//! Leases begin and end.

use offpeak_server::lease::TaskKind;

use super::{LEASE, World};
use crate::{
    dice::mix,
    events::{Event, Ms, SECOND, Turn},
    figures::Cause,
    fleet::Engine,
    rows::Lease,
};

/// A request, its answer, and waking up.
const ROUND_TRIP: Ms = 100;
/// Share of leases that fail for no reason that lasts.
const FAILURES: f64 = 0.001;
/// A machine on which everything fails does so quickly.
const BROKEN_AFTER: Ms = 2 * SECOND;

impl World {
    /// A place without work looks for some, and waits if there is none.
    pub(super) fn ask(&mut self, place: u32) {
        let number = self.places[place as usize].machine;
        let machine = &self.machines[number as usize];
        if machine.engine != Engine::Serving || machine.set_aside || self.places[place as usize].lease.is_some() {
            return;
        }
        let mask = machine.mask;
        let tasks = &self.tasks;
        match self.queue.claim(mask, |task| tasks[task].failed_by.contains(&number)) {
            Some(claimed) => {
                self.tried.remove(&claimed.task);
                self.tasks[claimed.task].tag = claimed.tag;
                let left = self.work_left(claimed.task);
                let team = self.jobs[self.tasks[claimed.task].job as usize].team;
                self.sharing.iter_mut().for_each(|sharing| sharing.given(team, left));
                self.figures.claims += 1;
                self.grant(place, claimed.task, 0);
            }
            None => self.idle.add(place, mask, &mut self.places),
        }
    }

    /// Waiting work goes to waiting places, until one of them is short.
    pub(super) fn serve_waiting(&mut self) {
        for group in 0..self.idle.groups() {
            let mut refused = 0;
            while refused < 4 && self.queue.has_for(self.idle.mask(group)) {
                let Some(place) = self.idle.any(group, &mut self.dice) else { break };
                self.idle.remove(place, self.idle.mask(group), &mut self.places);
                self.ask(place);
                // It may have failed all that waits: somebody else will not have.
                refused += u32::from(self.places[place as usize].lease.is_none());
            }
        }
    }

    /// `slot` is 0 for the primary lease, 1 for a backup.
    pub(super) fn grant(&mut self, place: u32, task: u32, slot: usize) {
        let stamp = self.stamp();
        let turn = self.stamp();
        let number = self.places[place as usize].machine;
        let held = &mut self.tasks[task];
        let (job, kind, class, tag, row, last) = (held.job, held.kind, held.class, held.tag, held.cursor, held.last);
        let starts = self.now + ROUND_TRIP + self.start_up(kind);
        let row_ends = starts + self.row_ms(job, kind, row, number);
        let lease = self.leases.add(Lease {
            task,
            job,
            kind,
            class,
            tag,
            place,
            stamp,
            turn,
            granted: self.now,
            active: true,
            at_work: true,
            row,
            row_started: starts,
            row_ends,
            frozen: None,
            uploading: false,
            known_last: last,
            vanished: None,
            lost_to: Cause::Backup,
            listed_at: self.active.len() as u32,
        });
        self.active.push(lease);
        let holders = &mut self.tasks[task].holders;
        assert!(holders[slot].is_none(), "a task has one primary lease and one backup");
        holders[slot] = Some(lease);
        assert!(self.places[place as usize].lease.replace(lease).is_none(), "a place holds one lease");
        self.queue.lease_begins(class, tag);
        self.events.plan(row_ends + self.upload_ms(lease), Event::RowCommits(Turn { lease, stamp: turn }));
        if kind == TaskKind::Audio {
            let first_segments = (row_ends - starts).min(2 * SECOND);
            self.events.plan(starts + first_segments, Event::SoundBegins(Turn { lease, stamp }));
        }
        let machine = &self.machines[number as usize];
        if machine.broken.contains(&self.now) {
            self.events.plan(self.now + BROKEN_AFTER, Event::TaskFails(Turn { lease, stamp }));
        } else if !self.settings.ideal && self.dice.chance(FAILURES) {
            let whole = (row_ends - starts) * Ms::from(last - row);
            let at = starts + (whole as f64 * self.dice.unit()) as Ms;
            self.events.plan(at, Event::TaskFails(Turn { lease, stamp }));
        }
    }

    /// From the answer to the first frame: ffmpeg starts, reads the source's index and decodes up to a GOP.
    fn start_up(&mut self, kind: TaskKind) -> Ms {
        match kind {
            _ if self.settings.ideal => 0,
            TaskKind::Encode => 600 + (self.dice.unit() * 1500.0) as Ms,
            TaskKind::Fetch | TaskKind::Probe | TaskKind::Audio | TaskKind::File => 300,
        }
    }

    /// How long a machine takes for a row; pictures differ, by the same factor whoever encodes them.
    pub(super) fn row_ms(&self, job: u32, kind: TaskKind, row: u32, machine: u32) -> Ms {
        let film = &self.jobs[job as usize].film;
        let machine = &self.machines[machine as usize];
        let seconds = match kind {
            TaskKind::Encode if self.settings.ideal => film.work_of(row) / machine.speed,
            TaskKind::Encode => film.work_of(row) * difficulty(job, row) / machine.speed,
            TaskKind::Fetch | TaskKind::Probe => 1.5,
            // A hundred times as fast as it plays, on a common machine.
            TaskKind::Audio => 0.3 + film.seconds / 100.0 * (30.0 / machine.speed),
            // Half of the bytes are the best rung's; they come and go over the whole line.
            TaskKind::File => {
                let bytes = film.row_bytes * f64::from(film.rows) / 2.0;
                1.0 + bytes / (machine.bytes_per_ms * machine.places.len() as f64) / 1000.0
            }
        };
        (seconds * 1000.0).ceil() as Ms
    }

    pub(super) fn upload_ms(&self, lease: u32) -> Ms {
        let Lease { kind, job, place, .. } = self.leases[lease];
        let machine = &self.machines[self.places[place as usize].machine as usize];
        match kind {
            _ if self.settings.ideal => 0,
            TaskKind::Encode => 50 + (self.jobs[job as usize].film.row_bytes / machine.bytes_per_ms) as Ms,
            TaskKind::Fetch | TaskKind::Probe | TaskKind::Audio | TaskKind::File => 50,
        }
    }

    /// Estimated work of what is not committed.
    pub(super) fn work_left(&self, task: u32) -> f64 {
        let task = &self.tasks[task];
        match task.kind {
            TaskKind::Encode => (task.cursor..task.last).map(|row| self.jobs[task.job as usize].film.work_of(row)).sum(),
            TaskKind::Fetch | TaskKind::Probe | TaskKind::Audio | TaskKind::File => 1.0,
        }
    }

    /// The server does not count on this lease any more.
    pub(super) fn end_for_server(&mut self, lease: u32) {
        let ended = &mut self.leases[lease];
        assert!(ended.active);
        ended.active = false;
        let (task, class, tag, granted, listed_at) = (ended.task, ended.class, ended.tag, ended.granted, ended.listed_at);
        self.active.swap_remove(listed_at as usize);
        if let Some(moved) = self.active.get(listed_at as usize) {
            self.leases[*moved].listed_at = listed_at;
        }
        let holders = &mut self.tasks[task].holders;
        let slot = holders.iter().position(|holder| *holder == Some(lease)).expect("a holder");
        holders[slot] = None;
        if holders[0].is_none() {
            // A backup whose primary is gone is the primary now.
            holders.swap(0, 1);
        }
        self.queue.lease_ends(class, tag);
        self.figures.heartbeats += (self.now - granted) / LEASE.heartbeat_every().as_millis() as Ms;
        self.free_if_over(lease);
    }

    /// The engine does nothing more for it.
    pub(super) fn end_at_work(&mut self, lease: u32) {
        let ended = &mut self.leases[lease];
        assert!(ended.at_work);
        ended.at_work = false;
        let place = ended.place;
        assert_eq!(self.places[place as usize].lease.take(), Some(lease));
        self.free_if_over(lease);
    }

    fn free_if_over(&mut self, lease: u32) {
        let over = &mut self.leases[lease];
        if !over.active && !over.at_work {
            (over.stamp, over.turn) = (0, 0);
            self.leases.remove(lease);
        }
    }

    /// The task waits again with what is left of it, if nobody else holds it.
    pub(super) fn give_back(&mut self, lease: u32) {
        let task = self.leases[lease].task;
        self.end_for_server(lease);
        if self.tasks[task].holders[0].is_some() {
            return;
        }
        let waiting = self.waiting(task);
        let left = self.work_left(task);
        self.sharing.iter_mut().for_each(|sharing| sharing.given(waiting.team, -left));
        self.queue.put(&waiting, self.tasks[task].tag);
        if !self.tasks[task].failed_by.is_empty() {
            self.tried.insert(task);
        }
    }

    /// When the holder last beat.
    pub(super) fn last_beat(&self, lease: u32) -> Ms {
        let Lease { granted, vanished, .. } = self.leases[lease];
        let every = LEASE.heartbeat_every().as_millis() as Ms;
        granted + (vanished.unwrap_or(self.now) - granted) / every * every
    }

    /// The holder, if it is still there, hears of a change with its next heartbeat.
    pub(super) fn tell(&mut self, lease: u32) {
        if !self.leases[lease].at_work {
            return;
        }
        let next = self.last_beat(lease) + LEASE.heartbeat_every().as_millis() as Ms;
        let stamp = self.leases[lease].stamp;
        self.events.plan(next, Event::HolderLearns(Turn { lease, stamp }));
    }
}

/// How hard the pictures of a row are: nearly log-normal with σ = 0.25, from the row's own number.
fn difficulty(job: u32, row: u32) -> f64 {
    let bits = mix((u64::from(job) << 32) | u64::from(row));
    let uniform = |n: u32| f64::from((bits >> (16 * n)) as u16) / 65_536.0;
    // The sum of four has a variance of a third.
    let normal = ((0..4).map(uniform).sum::<f64>() - 2.0) * 3.0_f64.sqrt();
    (0.25 * normal).exp()
}
