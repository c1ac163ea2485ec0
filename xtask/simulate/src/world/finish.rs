//! Tasks end: what that means for their job, and who is to blame.

use offpeak_server::lease::{TaskKind, rules::blame};

use super::{NewTask, World};
use crate::{
    events::{Event, Ms, Turn},
    figures::Cause,
    fleet::Machine,
    rows::{JobState, Lease},
};

impl World {
    /// Nothing is left of the lease's task.
    pub(super) fn complete(&mut self, lease: u32) {
        let Lease { task, kind, job, place, .. } = self.leases[lease];
        if kind == TaskKind::Encode {
            assert_eq!(self.tasks[task].cursor, self.tasks[task].last, "a span is complete when all its rows are");
        }
        let machine = self.places[place as usize].machine as usize;
        self.machines[machine].failed_jobs.clear();
        self.machines[machine].times_set_aside = 0;
        self.end_for_server(lease);
        self.end_at_work(lease);
        self.supersede(task);
        self.tasks.remove(task);
        let open = &mut self.jobs[job as usize].open;
        open.retain(|other| *other != task);
        let was_last = open.is_empty();
        if kind == TaskKind::Audio {
            self.jobs[job as usize].sound_has_begun = true;
            self.look_if_playable(job);
        }
        if was_last {
            self.next_stage(job, kind);
        }
        self.ask(place);
    }

    /// Whoever else holds the task has lost it.
    fn supersede(&mut self, task: u32) {
        while let Some(other) = self.tasks[task].holders[0] {
            self.tell(other);
            self.end_for_server(other);
        }
    }

    fn next_stage(&mut self, number: u32, done: TaskKind) {
        let job = &self.jobs[number as usize];
        match done {
            TaskKind::Fetch | TaskKind::Probe => {
                let film = &job.film;
                let sound = film.has_sound.then_some(NewTask { kind: TaskKind::Audio, first: 0, last: 1, cost: 1.0 });
                let spans = film.spans.iter().zip(&film.span_work);
                let spans =
                    spans.map(|(span, cost)| NewTask { kind: TaskKind::Encode, first: span.first, last: span.last, cost: *cost });
                let tasks: Vec<NewTask> = sound.into_iter().chain(spans).collect();
                self.add_tasks(number, &tasks);
                self.promise(number);
            }
            TaskKind::Audio | TaskKind::Encode if job.film.has_file => {
                self.add_tasks(number, &[NewTask { kind: TaskKind::File, first: 0, last: 1, cost: 1.0 }]);
            }
            TaskKind::Audio | TaskKind::Encode | TaskKind::File => {
                assert_eq!(job.rows_left, 0, "a job is complete when all its rows are");
                self.figures.completed += 1;
                self.figures.to_complete.push(self.now - job.arrived);
                self.note_completed(number);
                self.jobs[number as usize].close(JobState::Completed);
                self.running -= 1;
            }
        }
    }

    pub(super) fn task_fails(&mut self, turn: Turn) {
        let lease = turn.lease;
        let Lease { stamp, active, at_work, task, job, place, frozen, .. } = self.leases[lease];
        if stamp != turn.stamp || !at_work || frozen.is_some() {
            return;
        }
        let machine = self.places[place as usize].machine;
        self.stop(lease, Cause::Failed);
        if active {
            self.figures.failures += 1;
            self.tasks[task].failed_by.push(machine);
            let names = names(&self.tasks[task].failed_by);
            if blame::is_for_good(&borrowed(&names)) {
                self.end_for_server(lease);
                self.fail_job(job);
            } else {
                self.give_back(lease);
            }
            self.machines[machine as usize].failed_jobs.push(job);
            self.judge(machine);
        }
        self.ask(place);
        self.serve_waiting();
    }

    fn judge(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        let names = names(&machine.failed_jobs);
        if machine.set_aside || !blame::is_suspect(&borrowed(&names)) {
            return;
        }
        machine.set_aside = true;
        machine.times_set_aside += 1;
        self.figures.set_aside += 1;
        let wait = blame::cool_down(machine.times_set_aside).as_millis() as Ms;
        let (places, mask) = (machine.places.clone(), machine.mask);
        for place in places {
            self.idle.remove(place, mask, &mut self.places);
        }
        self.events.plan(self.now + wait, Event::MachineProves(number));
    }

    /// A test encode, which fails as everything does while the machine is broken.
    pub(super) fn machine_proves(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        if machine.broken.contains(&self.now) {
            machine.times_set_aside += 1;
            let wait = blame::cool_down(machine.times_set_aside).as_millis() as Ms;
            self.events.plan(self.now + wait, Event::MachineProves(number));
            return;
        }
        machine.set_aside = false;
        machine.failed_jobs.clear();
        for place in machine.places.clone() {
            self.ask(place);
        }
    }

    /// Fails the jobs whose next task was failed by everybody who is there.
    pub(super) fn give_up_stuck(&mut self) {
        let stuck: Vec<u32> = self.tried.iter().copied().filter(|task| self.nobody_is_left(*task)).collect();
        for task in stuck {
            // An earlier one may have taken its job, and this task, with it.
            if self.tried.contains(&task) {
                self.figures.given_up += 1;
                self.fail_job(self.tasks[task].job);
            }
        }
    }

    fn nobody_is_left(&self, task: u32) -> bool {
        let task = &self.tasks[task];
        let within = blame::EXPECTED_BACK_WITHIN.as_millis() as Ms;
        let able =
            |machine: &Machine| machine.was_seen(self.now, within) && !machine.set_aside && machine.mask & (1 << task.class) != 0;
        let able = (0..).zip(&self.machines).filter(|(_, machine)| able(machine));
        // Names cost something: one who has not tried says as much as ten thousand.
        let untried = able.clone().filter(|(number, _)| !task.failed_by.contains(number)).take(1);
        let tried = able.filter(|(number, _)| task.failed_by.contains(number));
        let expected: Vec<u32> = untried.chain(tried).map(|(number, _)| number).collect();
        let (failed_by, expected) = (names(&task.failed_by), names(&expected));
        blame::nobody_is_left(&borrowed(&failed_by), expected.iter().map(String::as_str))
    }

    /// Ends everything that is open in the job.
    fn fail_job(&mut self, number: u32) {
        self.figures.failed += 1;
        self.running -= 1;
        for task in std::mem::take(&mut self.jobs[number as usize].open) {
            if self.tasks[task].holders[0].is_some() {
                self.supersede(task);
            } else {
                // The one that failed just now is in nobody's hands and not in the queue.
                let waiting = self.waiting(task);
                self.queue.take_out_if_there(&waiting);
            }
            self.tried.remove(&task);
            self.tasks.remove(task);
        }
        self.jobs[number as usize].close(JobState::Failed);
    }
}

fn names(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(u32::to_string).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
