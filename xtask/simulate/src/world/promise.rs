//! What the server would tell people of a job's end, by its own rule, and what came true.

use offpeak_server::{
    jobs::eta::{Busy, Ebb, Fleet, Left, Piece, Queue, Rival, Speed, estimate, file_seconds},
    lease::TaskKind,
};

use super::{TEAMS, World};
use crate::{
    events::{MINUTE, Ms},
    fleet::Engine,
    rows::{Job, JobState, Lease, Task},
};

/// As the server looks back.
const DAY_MINUTES: usize = 24 * 60;
/// Jobs of larger fleets are so many that a part of them says enough.
const AGENTS_PER_JOB: u32 = 100;
/// How often the past is looked at.
const PAST_EVERY: Ms = 10 * MINUTE;

/// An estimate, with when it was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    pub made: Ms,
    pub p50: f64,
    pub p90: f64,
}

/// What estimates are made from besides the present.
#[derive(Debug, Default)]
pub struct Past {
    /// Machines that were there, minute by minute.
    available: Vec<f64>,
    ebb: Ebb,
    /// Spans in progress and the machines that held them, summed over minutes.
    spans: f64,
    machines: f64,
    /// Work of the jobs that were completed, and how many.
    completed: (f64, f64),
    /// Jobs before this one are over.
    oldest: usize,
}

impl World {
    /// Every minute.
    pub(super) fn note_past(&mut self) {
        let machines = self.machines.iter().filter(|machine| machine.engine == Engine::Serving && !machine.set_aside).count();
        let (spans, at_work) = self.in_progress();
        let past = &mut self.past;
        past.available.push(machines as f64);
        past.spans += spans;
        past.machines += at_work;
        if self.now.is_multiple_of(PAST_EVERY) {
            past.ebb = Ebb::of(&past.available[past.available.len().saturating_sub(DAY_MINUTES)..]);
        }
    }

    pub(super) fn note_completed(&mut self, job: u32) {
        let job = &self.jobs[job as usize];
        let (work, jobs) = self.past.completed;
        self.past.completed = (work + job.film.work(), jobs + 1.0);
        for promise in &job.promises {
            let took = (self.now - promise.made) as f64 / 1000.0;
            self.figures.promises.push((promise.p50, promise.p90, took));
        }
    }

    /// Spans in progress, and the machines that hold them.
    fn in_progress(&self) -> (f64, f64) {
        let mut holders: Vec<u32> = self.moving().map(|lease| self.places[self.leases[lease].place as usize].machine).collect();
        let spans = holders.len();
        holders.sort_unstable();
        holders.dedup();
        (spans as f64, holders.len() as f64)
    }

    fn moving(&self) -> impl Iterator<Item = u32> {
        let is_moving = |lease: &u32| {
            let Lease { kind, frozen, vanished, .. } = self.leases[*lease];
            kind == TaskKind::Encode && frozen.is_none() && vanished.is_none()
        };
        self.active.iter().copied().filter(is_moving)
    }

    /// Tells, for some of the jobs, when this one will be complete.
    pub(super) fn promise(&mut self, number: u32) {
        if !number.is_multiple_of(self.settings.agents.div_ceil(AGENTS_PER_JOB)) || self.settings.ideal {
            return;
        }
        while self.jobs[self.past.oldest].state != JobState::Running {
            self.past.oldest += 1;
        }
        let (queue, left) = (self.queue_of(number), self.left_of(number));
        if let Some(eta) = estimate(&self.fleet_now(), &queue, &left) {
            let promise = Promise { made: self.now, p50: eta.p50, p90: eta.p90 };
            self.jobs[number as usize].promises.push(promise);
        }
    }

    fn fleet_now(&self) -> Fleet {
        let there = self.machines.iter().filter(|machine| machine.engine == Engine::Serving && !machine.set_aside);
        let mut speeds: Vec<f64> = there.map(|machine| machine.speed).collect();
        speeds.sort_unstable_by(f64::total_cmp);
        let machines = speeds.len() as f64;
        let usual = speeds.iter().sum::<f64>() / machines.max(1.0);
        let (spans, holders) = self.in_progress();
        let now_at_once = if holders > 0.0 { spans / holders } else { 1.0 };
        let usually = if self.past.machines > 0.0 { self.past.spans / self.past.machines } else { 1.0 };
        Fleet {
            capacity: machines * usual * now_at_once.max(usually).max(1.0),
            speed: (usual > 0.0).then(|| Speed { usual, slow: speeds[speeds.len() / 10] }),
            ebb: self.past.ebb,
        }
    }

    fn left_of(&self, number: u32) -> Left {
        let job = &self.jobs[number as usize];
        let mut left = Left { row_work: job.film.row_work, doubt: 1.0, ..Left::default() };
        for task in &job.open {
            let Task { kind, holders, .. } = self.tasks[*task];
            match (kind, holders[0]) {
                (TaskKind::Encode, None) => {
                    left.waiting_work += self.work_left(*task);
                    left.waiting_spans += 1;
                }
                (TaskKind::Encode, Some(lease)) => {
                    let Lease { place, .. } = self.leases[lease];
                    let speed = self.machines[self.places[place as usize].machine as usize].speed;
                    left.held.push(Piece { work: self.work_left(*task), speed });
                }
                (TaskKind::Audio, _) => left.sound_seconds = job.film.seconds,
                (TaskKind::Fetch | TaskKind::Probe | TaskKind::File, _) => {}
            }
        }
        if job.film.has_file {
            let usual = file_seconds(job.film.work());
            left.after = (usual, usual * 3.0);
        }
        left
    }

    fn queue_of(&self, number: u32) -> Queue {
        let Job { team, rank, .. } = &self.jobs[number as usize];
        let (work, jobs) = self.past.completed;
        let unplanned = if jobs > 0.0 { work / jobs } else { 0.0 };
        let (mut ahead, mut behind, mut rivals) = (0.0, 0.0, [0.0; TEAMS.len()]);
        let oldest = self.past.oldest;
        let running = (oldest as u32..).zip(&self.jobs[oldest..]).filter(|(_, job)| job.state == JobState::Running);
        for (other, job) in running.filter(|(other, _)| *other != number) {
            let waits = |task: &&u32| self.tasks[**task].holders[0].is_none();
            let work_of = |task: &u32| match self.tasks[*task].kind {
                TaskKind::Fetch | TaskKind::Probe => unplanned,
                TaskKind::Encode | TaskKind::Audio | TaskKind::File => self.work_left(*task),
            };
            let work: f64 = job.open.iter().filter(waits).map(work_of).sum();
            if job.team != *team {
                rivals[job.team as usize] += work;
            } else if (job.rank, other) < (*rank, number) {
                ahead += work;
            } else {
                behind += work;
            }
        }
        let mut busy = Busy::default();
        for lease in self.moving().filter(|lease| self.leases[*lease].job != number) {
            busy.work += self.work_left(self.leases[lease].task);
            busy.speed += self.machines[self.places[self.leases[lease].place as usize].machine as usize].speed;
        }
        let rivals = TEAMS.iter().zip(rivals).filter(|(_, work)| *work > 0.0);
        Queue {
            weight: TEAMS[*team as usize].0,
            ahead,
            behind,
            rivals: rivals.map(|((weight, _), work)| Rival { weight: *weight, work }).collect(),
            busy,
        }
    }
}
