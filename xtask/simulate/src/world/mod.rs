//! The fleet, the server and the day, in virtual time.
//!
//! One event after the other. What the server decides comes from `offpeak_server::lease::rules` and `offpeak_server::plan`;
//! what people and machines do from published traces. Heartbeats are not events: what a server knows from the last one is
//! computed when it matters. While it runs, the world asserts what must hold: rows are committed in order and once, a task has
//! at most two holders, a finished job has no open task.

mod desk;
mod encode;
mod finish;
mod grant;
mod help;
mod promise;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

use offpeak_api::profile::Profile;
use offpeak_server::{config::LeaseTimes, lease::TaskKind};
pub use promise::Promise;

use self::promise::Past;
use crate::{
    arrivals::Arrivals,
    dice::Dice,
    events::{Event, Events, HOUR, MINUTE, Ms, SECOND},
    figures::Figures,
    fleet::{Classes, Machine, Place},
    idle::Idle,
    queue::{Queue, Waiting},
    rows::{Job, JobState, Lease, Task},
    sharing::Sharing,
    slab::Slab,
};

/// The server's own defaults.
const LEASE: LeaseTimes = LeaseTimes { lifetime: Duration::from_secs(30) };
/// Fairness is looked at over stretches of these lengths.
pub const FAIRNESS_OVER: [Ms; 2] = [30 * MINUTE, 2 * HOUR];
/// After the last job has come, the fleet gets this long to finish.
const AFTERWARDS: Ms = 12 * HOUR;
/// Teams: their weights, and the share of the work that each submits. The first submits far more than its share.
pub const TEAMS: [(f64, f64); 8] =
    [(1.0, 0.40), (1.0, 0.15), (1.0, 0.10), (1.0, 0.10), (2.0, 0.10), (2.0, 0.05), (4.0, 0.05), (1.0, 0.05)];

#[derive(Debug, Clone)]
pub struct Settings {
    pub agents: u32,
    pub hours: f64,
    pub seed: u64,
    /// Work that comes, as a share of what the fleet could do in the same time.
    pub load: f64,
    pub steal: bool,
    pub backup: bool,
    /// Other than the profile says.
    pub span_seconds: Option<f64>,
    /// Nobody comes, goes or breaks, and all machines are alike.
    pub ideal: bool,
}

#[derive(Debug)]
pub struct World {
    settings: Settings,
    profile: Profile,
    classes: Classes,
    now: Ms,
    events: Events,
    /// What chance decides on the server's side: who wakes first, what fails.
    dice: Dice,
    arrivals: Arrivals,
    machines: Vec<Machine>,
    places: Vec<Place>,
    idle: Idle,
    queue: Queue,
    jobs: Vec<Job>,
    running: usize,
    tasks: Slab<Task>,
    leases: Slab<Lease>,
    active: Vec<u32>,
    /// Waiting tasks that somebody has failed.
    tried: BTreeSet<u32>,
    stamps: u32,
    /// Over stretches of these lengths.
    sharing: [Sharing; FAIRNESS_OVER.len()],
    past: Past,
    pub figures: Figures,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        let classes = Classes::all();
        let profile = crate::films::profile(settings.span_seconds);
        let (mut machines, mut places) = (Vec::new(), Vec::new());
        for number in 0..settings.agents {
            let machine = match settings.ideal {
                true => Machine::ideal(settings.seed, number, places.len() as u32, &classes),
                false => Machine::new(settings.seed, number, places.len() as u32, &classes),
            };
            places.extend(machine.places.clone().map(|_| Place { machine: number, ..Place::default() }));
            machines.push(machine);
        }
        let common = machines.iter().fold(u32::MAX, |mask, machine| mask & machine.mask);
        let weights = TEAMS.map(|(weight, _)| weight);
        let queue = Queue::new(classes.len(), &weights);
        let arrivals = Arrivals::new(&settings, &machines, &profile, &classes);
        Self {
            dice: Dice::new(settings.seed, 3),
            settings,
            profile,
            classes,
            now: 0,
            events: Events::default(),
            arrivals,
            machines,
            places,
            idle: Idle::default(),
            queue,
            jobs: Vec::new(),
            running: 0,
            tasks: Slab::default(),
            leases: Slab::default(),
            active: Vec::new(),
            tried: BTreeSet::new(),
            stamps: 0,
            sharing: FAIRNESS_OVER.map(|window| Sharing::new(window, &weights, common)),
            past: Past::default(),
            figures: Figures::default(),
        }
    }

    /// Lives through the day and what is needed afterwards.
    pub fn run(mut self) -> Figures {
        let end = (self.settings.hours * HOUR as f64) as Ms;
        if let Some(first) = self.arrivals.next(0) {
            self.events.plan(first, Event::JobArrives);
        }
        self.open_the_office();
        self.events.plan(SECOND, Event::Tick);
        while let Some((at, event)) = self.events.next() {
            assert!(at >= self.now, "time goes on");
            self.now = at;
            if at > end + AFTERWARDS || (at > end && self.running == 0) {
                break;
            }
            self.happens(event);
        }
        self.close_the_books();
        self.figures
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::JobArrives => self.job_arrives(),
            Event::PersonChanges(machine) => self.person_changes(machine),
            Event::EngineStarts(change) => self.engine_starts(change),
            Event::EngineResumes(change) => self.engine_resumes(change),
            Event::EngineReleases(change) => self.engine_releases(change),
            Event::RowCommits(turn) => self.row_commits(turn),
            Event::SoundBegins(turn) => self.sound_begins(turn),
            Event::TaskFails(turn) => self.task_fails(turn),
            Event::HolderLearns(turn) => self.holder_learns(turn),
            Event::LeaseExpires(turn) => self.lease_expires(turn),
            Event::MachineProves(machine) => self.machine_proves(machine),
            Event::Tick => self.tick(),
        }
    }

    fn job_arrives(&mut self) {
        let (team, rank, film) = self.arrivals.draw(&self.profile, &self.classes);
        self.submit(team, rank, film);
        if let Some(next) = self.arrivals.next(self.now) {
            self.events.plan(next, Event::JobArrives);
        }
    }

    fn submit(&mut self, team: u32, rank: i32, film: crate::films::Film) {
        let number = self.jobs.len() as u32;
        self.figures.job_arrived(film.work());
        self.jobs.push(Job::new(team, rank, self.now, film));
        self.running += 1;
        self.add_tasks(number, &[NewTask { kind: TaskKind::Probe, first: 0, last: 1, cost: 1.0 }]);
    }

    /// What a server looks at every second.
    fn tick(&mut self) {
        self.help_out();
        if self.now.is_multiple_of(LEASE.tick_every().as_millis() as Ms) {
            self.give_up_stuck();
        }
        if self.now.is_multiple_of(MINUTE) {
            self.sharing.iter_mut().for_each(|sharing| sharing.look(self.now, &self.queue));
            self.figures.minute();
            self.note_past();
        }
        self.events.plan(self.now + SECOND, Event::Tick);
    }

    fn close_the_books(&mut self) {
        let until = self.now;
        for machine in 0..self.machines.len() {
            self.note_serving(machine as u32, until);
        }
        for job in &self.jobs {
            match job.state {
                JobState::Running => self.figures.unfinished += 1,
                JobState::Completed => assert!(job.open.is_empty() && job.rows_left == 0),
                JobState::Failed => assert!(job.open.is_empty()),
            }
        }
        self.figures.seconds = until as f64 / 1000.0;
        self.figures.events = self.events.planned();
        self.figures.fairness = self.sharing.each_ref().map(Sharing::index);
        self.figures.shared_hours = self.sharing.each_ref().map(Sharing::hours);
    }
}

/// A task that does not exist yet.
#[derive(Debug, Clone, Copy)]
struct NewTask {
    kind: TaskKind,
    first: u32,
    last: u32,
    cost: f64,
}

impl World {
    /// New tasks of one job, charged to its team.
    fn add_tasks(&mut self, job: u32, new: &[NewTask]) {
        let mut by_class: Vec<Vec<(Waiting, f64)>> = vec![Vec::new(); self.classes.len()];
        for new in new {
            let class = self.class_of(job, new.kind);
            let task = self.tasks.add(Task {
                job,
                kind: new.kind,
                class,
                first: new.first,
                cursor: new.first,
                last: new.last,
                holders: [None, None],
                tag: 0.0,
                failed_by: Vec::new(),
            });
            self.jobs[job as usize].open.push(task);
            by_class[usize::from(class)].push((self.waiting(task), new.cost));
        }
        for tasks in by_class {
            self.queue.add(&tasks);
        }
        self.serve_waiting();
    }

    fn class_of(&self, job: u32, kind: TaskKind) -> u8 {
        use offpeak_server::lease::rules::classes::needed;
        match kind {
            TaskKind::Encode => self.jobs[job as usize].film.class,
            TaskKind::Fetch | TaskKind::Probe | TaskKind::Audio | TaskKind::File => self.classes.number(&needed(kind, 0)) as u8,
        }
    }

    /// Where a task stands in its team's order.
    fn waiting(&self, task: u32) -> Waiting {
        let Task { job, kind, class, first, .. } = self.tasks[task];
        let ordinal = match kind {
            TaskKind::Fetch => 0,
            TaskKind::Probe => 1,
            TaskKind::Audio => 2,
            TaskKind::Encode => 100 + first,
            TaskKind::File => 1_000_000,
        };
        let Job { team, rank, .. } = self.jobs[job as usize];
        Waiting { class, team, rank, job, ordinal, task }
    }

    fn stamp(&mut self) -> u32 {
        self.stamps += 1;
        self.stamps
    }
}
