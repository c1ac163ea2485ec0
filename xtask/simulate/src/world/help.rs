//! Those who wait help those who work: tails are stolen, and what cannot be cut gets a second holder.

use std::time::Duration;

use offpeak_server::lease::{
    TaskKind,
    rules::{
        backup::{self, Candidate},
        steal::{self, Steal, Thief, Victim},
    },
};

use super::World;
use crate::{
    events::{Ms, SECOND},
    figures::Cause,
    rows::{Lease, Task},
};

/// Victims looked at for each thief: those that will take longest.
const WINDOW: usize = 8;
/// Thieves who find nothing in a row before the look ends.
const MISSES: u32 = 3;

/// What cannot be cut is looked at less often: it takes long before a backup pays.
const BACKUPS_EVERY: Ms = 5 * SECOND;

/// A lease that may be a victim.
#[derive(Debug, Clone, Copy)]
struct Held {
    lease: u32,
    victim: Victim,
}

impl World {
    pub(super) fn help_out(&mut self) {
        if self.idle.len() == 0 || self.active.is_empty() {
            return;
        }
        if self.settings.steal {
            self.steal_round();
        }
        if self.settings.backup && self.now.is_multiple_of(BACKUPS_EVERY) {
            self.backup_round();
        }
    }

    fn steal_round(&mut self) {
        let mut held: Vec<(f64, u32)> = self.active.iter().filter_map(|lease| self.rough_seconds_left(*lease)).collect();
        // The longest come first; equal ones in an order that does not depend on how the list came about.
        held.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut held = held.into_iter().map(|(_, lease)| lease);
        let mut window: Vec<Held> = Vec::with_capacity(WINDOW);
        let mut misses = vec![0; self.idle.groups()];
        loop {
            while window.len() < WINDOW
                && let Some(lease) = held.next()
            {
                let victim = self.victim(lease);
                if victim.rows_to_steal() > 0 {
                    window.push(Held { lease, victim });
                }
            }
            let can_try = |group: &usize| misses[*group] < MISSES && self.idle.waits(*group);
            let Some(group) = (0..self.idle.groups()).find(can_try).filter(|_| !window.is_empty()) else { return };
            let Some(thief) = self.idle.any(group, &mut self.dice) else { return };
            match self.steal_for(thief, &window) {
                Some((stolen, changed)) => {
                    window.retain(|held| held.lease != stolen);
                    window.extend(changed);
                }
                None => misses[group] += 1,
            }
        }
    }

    /// A first, cheap look, as an index on the expected end would give it: most leases have no row to spare.
    fn rough_seconds_left(&self, lease: u32) -> Option<(f64, u32)> {
        let Lease { kind, task, place, row, row_started, row_ends, frozen, .. } = self.leases[lease];
        let Task { last, holders, .. } = self.tasks[task];
        if kind != TaskKind::Encode || holders[1].is_some() {
            return None;
        }
        if frozen.is_some() {
            let since = self.suspended_since(self.places[place as usize].machine);
            return since.map(|since| ((self.now - since) as f64 * 1e3, lease));
        }
        let rows = f64::from(last.saturating_sub(row + 1));
        (rows > 0.0).then_some((rows * (row_ends - row_started) as f64 / 1000.0, lease))
    }

    /// What the server knows of a holder from its last heartbeat and commit.
    fn victim(&self, lease: u32) -> Victim {
        let Lease { task, job, place, row, row_started, row_ends, frozen, uploading, .. } = self.leases[lease];
        let number = self.places[place as usize].machine;
        let Task { cursor, last, .. } = self.tasks[task];
        let suspended = if self.leases[lease].at_work { self.suspended_since(number) } else { None };
        let beat = self.last_beat(lease);
        let position = match frozen {
            Some(part) => f64::from(row + u32::from(uploading)) + part,
            None => f64::from(row) + (beat as f64 - row_started as f64) / (row_ends - row_started) as f64,
        };
        let row_work = self.jobs[job as usize].film.row_work;
        Victim {
            cursor,
            last,
            encoded_rows: position - f64::from(cursor),
            rows_per_second: Some(self.machines[number as usize].speed / row_work),
            work_per_row: row_work,
            suspended_for: suspended.map(|since| Duration::from_millis(self.now - since)),
            silent_for: Duration::from_millis(self.now - beat),
            held_by_thief: false,
        }
    }

    /// The victim's lease, and how it stands afterwards if it still has something.
    fn steal_for(&mut self, thief: u32, window: &[Held]) -> Option<(u32, Option<Held>)> {
        let number = self.places[thief as usize].machine;
        let machine = &self.machines[number as usize];
        let may = |held: &&Held| {
            let task = &self.tasks[self.leases[held.lease].task];
            machine.mask & (1 << task.class) != 0 && !task.failed_by.contains(&number)
        };
        let candidates: Vec<Held> = window.iter().filter(may).copied().collect();
        let victims: Vec<Victim> = candidates
            .iter()
            .map(|held| Victim {
                held_by_thief: self.places[self.leases[held.lease].place as usize].machine == number,
                ..held.victim
            })
            .collect();
        let Steal { victim, mid } = steal::choose(Thief { work_per_second: Some(machine.speed) }, &victims)?;
        let victim = candidates[victim];
        self.idle.remove(thief, machine.mask, &mut self.places);
        self.figures.steals += 1;
        let lease = victim.lease;
        if mid == victim.victim.cursor {
            let task = self.leases[lease].task;
            self.leases[lease].lost_to = Cause::Suspended;
            self.tell(lease);
            self.end_for_server(lease);
            self.grant(thief, task, 0);
            return Some((lease, None));
        }
        let task = self.leases[lease].task;
        self.tell(lease);
        let tail = self.cut(task, mid);
        self.grant(thief, tail, 0);
        let rest = Held { lease, victim: Victim { last: mid, ..victim.victim } };
        Some((lease, (rest.victim.rows_to_steal() > 0).then_some(rest)))
    }

    /// The tail from `mid` on becomes a task of its own, charged already.
    fn cut(&mut self, task: u32, mid: u32) -> u32 {
        let Task { job, kind, class, last, tag, cursor, .. } = self.tasks[task];
        assert!(cursor < mid && mid < last, "both parts have rows");
        self.tasks[task].last = mid;
        let failed_by = self.tasks[task].failed_by.clone();
        let tail =
            self.tasks.add(Task { job, kind, class, first: mid, cursor: mid, last, holders: [None, None], tag, failed_by });
        self.jobs[job as usize].open.push(tail);
        tail
    }

    fn backup_round(&mut self) {
        let slow: Vec<u32> = self.active.iter().copied().filter(|lease| self.may_be_slow(*lease)).collect();
        for lease in slow {
            if self.idle.len() == 0 {
                return;
            }
            for group in 0..self.idle.groups() {
                let Some(place) = self.idle.any(group, &mut self.dice) else { continue };
                if self.leases[lease].active && self.is_backup_worth_it(lease, place) {
                    self.idle.remove(place, self.idle.mask(group), &mut self.places);
                    self.figures.backups += 1;
                    let task = self.leases[lease].task;
                    self.grant(place, task, 1);
                    break;
                }
            }
        }
    }

    /// A first look that costs little.
    fn may_be_slow(&self, lease: u32) -> bool {
        let Lease { kind, task, row, known_last, .. } = self.leases[lease];
        self.tasks[task].holders[1].is_none() && (kind != TaskKind::Encode || row + 1 >= known_last.min(self.tasks[task].last))
    }

    fn is_backup_worth_it(&self, lease: u32, place: u32) -> bool {
        let Lease { kind, task, job, granted, place: holder, .. } = self.leases[lease];
        let asker = self.places[place as usize].machine;
        let machine = &self.machines[asker as usize];
        let Task { class, cursor, last, .. } = self.tasks[task];
        if machine.mask & (1 << class) == 0 || self.tasks[task].failed_by.contains(&asker) {
            return false;
        }
        let number = self.places[holder as usize].machine;
        let suspended = if self.leases[lease].at_work { self.suspended_since(number) } else { None };
        let (rows_to_steal, seconds_left, seconds_anew) = match kind {
            TaskKind::Encode => {
                let victim = self.victim(lease);
                let anew = f64::from(last - cursor) * victim.work_per_row / machine.speed;
                (victim.rows_to_steal(), Some(victim.seconds_left()), anew)
            }
            TaskKind::Fetch | TaskKind::Probe | TaskKind::Audio | TaskKind::File => (0, None, self.usual_seconds(job, kind)),
        };
        backup::is_worth_it(&Candidate {
            kind,
            rows_to_steal,
            backups: self.tasks[task].holders.iter().flatten().count() as u32 - 1,
            held_by_asker: number == asker,
            suspended_for: suspended.map(|since| Duration::from_millis(self.now - since)),
            held_for: Duration::from_millis(self.now - granted),
            seconds_left,
            seconds_anew: Some(seconds_anew),
        })
    }
}
