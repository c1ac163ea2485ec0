//! Holders at work: rows are encoded, uploaded and committed; orders come back.

use offpeak_server::lease::TaskKind;

use super::World;
use crate::{
    events::{Event, Turn},
    figures::Cause,
    rows::Lease,
};

impl World {
    pub(super) fn row_commits(&mut self, turn: Turn) {
        if self.leases[turn.lease].turn != turn.stamp {
            return;
        }
        let lease = turn.lease;
        let Lease { task, kind, place, row, active, row_ends, known_last, .. } = self.leases[lease];
        if !active {
            // 409: somebody else has it.
            self.stop(lease, self.leases[lease].lost_to);
            self.ask(place);
            return;
        }
        self.figures.commits += 1;
        if kind != TaskKind::Encode {
            self.complete(lease);
            return;
        }
        let cursor = self.tasks[task].cursor;
        assert!(row <= cursor, "a holder is ahead of the cursor");
        let work = self.jobs[self.tasks[task].job as usize].film.work_of(row);
        if row < cursor || row >= self.tasks[task].last {
            // The other holder was first, or the row was stolen.
            let cause = if row < cursor { Cause::Backup } else { Cause::Stolen };
            self.figures.waste(cause, work, 1);
        } else {
            self.commit(task, row, work);
        }
        let last = self.tasks[task].last;
        if row + 1 >= last {
            if row + 1 < known_last && self.leases[lease].frozen.is_none() {
                // It went on encoding what is not its own any more.
                let wasted = self.part_encoded(lease, row + 1, row_ends, self.now);
                self.figures.waste(Cause::Stolen, wasted, 0);
            }
            self.complete(lease);
            return;
        }
        let machine = self.places[place as usize].machine;
        let next_ms = self.row_ms(self.leases[lease].job, kind, row + 1, machine);
        let going_on = &mut self.leases[lease];
        going_on.known_last = last;
        going_on.row += 1;
        going_on.uploading = false;
        if going_on.frozen.is_some() {
            return;
        }
        going_on.row_started = row_ends;
        going_on.row_ends = row_ends + next_ms;
        self.plan_commit(lease);
    }

    fn commit(&mut self, task: u32, row: u32, work: f64) {
        let committed = &mut self.tasks[task];
        assert_eq!(row, committed.cursor, "rows are committed in order");
        committed.cursor += 1;
        let job = committed.job;
        self.jobs[job as usize].commit(row);
        if self.jobs[job as usize].is_half_done() {
            self.promise(job);
        }
        self.figures.use_row(work);
        self.look_if_playable(job);
    }

    pub(super) fn sound_begins(&mut self, turn: Turn) {
        let lease = &self.leases[turn.lease];
        if lease.stamp == turn.stamp && lease.active && lease.at_work && lease.frozen.is_none() {
            let job = lease.job;
            self.jobs[job as usize].sound_has_begun = true;
            self.look_if_playable(job);
        }
    }

    pub(super) fn look_if_playable(&mut self, job: u32) {
        let job = &mut self.jobs[job as usize];
        if job.playable_at.is_none() && job.is_playable() {
            job.playable_at = Some(self.now);
            self.figures.to_playable.push(self.now - job.arrived);
        }
    }

    /// Plans the commit of the row that is being encoded.
    fn plan_commit(&mut self, lease: u32) {
        let turn = self.stamp();
        self.leases[lease].turn = turn;
        let at = self.leases[lease].row_ends.max(self.now) + self.upload_ms(lease);
        self.events.plan(at, Event::RowCommits(Turn { lease, stamp: turn }));
    }

    /// The next heartbeat's orders.
    pub(super) fn holder_learns(&mut self, turn: Turn) {
        let lease = turn.lease;
        let Lease { stamp, active, at_work, task, place, row, row_ends, known_last, frozen, .. } = self.leases[lease];
        if stamp != turn.stamp || !at_work {
            return;
        }
        if !active {
            self.stop(lease, self.leases[lease].lost_to);
            self.ask(place);
            return;
        }
        let last = self.tasks[task].last;
        if row + 1 >= last && row + 1 < known_last && self.now > row_ends && frozen.is_none() {
            let wasted = self.part_encoded(lease, row + 1, row_ends, self.now);
            self.figures.waste(Cause::Stolen, wasted, 0);
        }
        self.leases[lease].known_last = last;
    }

    /// The engine lets go of a lease; what it encoded and did not commit is lost.
    pub(super) fn stop(&mut self, lease: u32, cause: Cause) {
        let (wasted, rows) = self.encoded_in_vain(lease);
        self.figures.waste(cause, wasted, rows);
        self.end_at_work(lease);
    }

    /// What is encoded and not committed: work, and whole rows.
    fn encoded_in_vain(&self, lease: u32) -> (f64, u64) {
        let Lease { kind, job, row, row_started, row_ends, known_last, frozen, uploading, .. } = self.leases[lease];
        if kind != TaskKind::Encode {
            return (0.0, 0);
        }
        let film = &self.jobs[job as usize].film;
        match frozen {
            Some(part) if uploading => (film.work_of(row) + part * self.work_before(lease, row + 1), 1),
            Some(part) => (part * film.work_of(row), 0),
            None if self.now < row_ends => (self.part_encoded(lease, row, row_started, self.now), 0),
            None if row + 1 < known_last => (film.work_of(row) + self.part_encoded(lease, row + 1, row_ends, self.now), 1),
            None => (film.work_of(row), 1),
        }
    }

    fn work_before(&self, lease: u32, row: u32) -> f64 {
        let Lease { job, known_last, .. } = self.leases[lease];
        if row < known_last { self.jobs[job as usize].film.work_of(row) } else { 0.0 }
    }

    /// Work done on a row that was begun at `since`.
    fn part_encoded(&self, lease: u32, row: u32, since: u64, until: u64) -> f64 {
        let Lease { job, kind, place, .. } = self.leases[lease];
        let whole = self.row_ms(job, kind, row, self.places[place as usize].machine);
        let part = until.saturating_sub(since) as f64 / whole as f64;
        self.jobs[job as usize].film.work_of(row) * part.min(1.0)
    }

    /// ffmpeg stands still. A row that is encoded is uploaded all the same.
    pub(super) fn freeze(&mut self, lease: u32) {
        let Lease { job, kind, place, row, row_started, row_ends, known_last, .. } = self.leases[lease];
        let part = |since: u64, ms: u64| (self.now.saturating_sub(since) as f64 / ms as f64).min(1.0);
        if self.now >= row_ends {
            let next = (row + 1 < known_last).then(|| self.row_ms(job, kind, row + 1, self.places[place as usize].machine));
            let frozen = next.map_or(0.0, |ms| part(row_ends, ms));
            let standing = &mut self.leases[lease];
            (standing.frozen, standing.uploading) = (Some(frozen), true);
        } else {
            let frozen = part(row_started, row_ends - row_started);
            let turn = self.stamp();
            let standing = &mut self.leases[lease];
            (standing.frozen, standing.turn) = (Some(frozen), turn);
        }
    }

    pub(super) fn thaw(&mut self, lease: u32) {
        let Lease { job, kind, place, row, frozen, uploading, .. } = self.leases[lease];
        let Some(part) = frozen else { return };
        let row_ms = self.row_ms(job, kind, row, self.places[place as usize].machine);
        let done = (part * row_ms as f64) as u64;
        let going_on = &mut self.leases[lease];
        going_on.frozen = None;
        if uploading {
            // A slow line: the row before is still under way, and its commit goes on with the next.
            going_on.uploading = false;
            going_on.row_ends = self.now;
            return;
        }
        going_on.row_started = self.now.saturating_sub(done);
        going_on.row_ends = going_on.row_started + row_ms;
        if kind == TaskKind::Audio {
            let Lease { stamp, row_ends, .. } = *going_on;
            self.events.plan(row_ends, Event::SoundBegins(Turn { lease, stamp }));
        }
        self.plan_commit(lease);
    }
}
