//! People come and go, and engines make room for them (design: start after 5 minutes without input, suspend at the first input,
//! go on after one minute, release after ten).

use offpeak_server::lease::TaskKind;

use super::{LEASE, World};
use crate::{
    events::{Change, Event, MINUTE, Ms, Turn},
    figures::Cause,
    fleet::Engine,
    person::Presence,
};

const START_AFTER: Ms = 5 * MINUTE;
const RESUME_AFTER: Ms = MINUTE;
const RELEASE_AFTER: Ms = 10 * MINUTE;
/// Share of the comings at which the machine is gone without a word: pulled from its dock, reset, crashed.
const VANISHES: f64 = 0.1;

impl World {
    pub(super) fn open_the_office(&mut self) {
        for number in 0..self.machines.len() as u32 {
            if self.settings.ideal {
                self.serve(number);
                continue;
            }
            if self.machines[number as usize].person.now == Presence::Away {
                self.machines[number as usize].away_since = Some(0);
                self.serve(number);
            }
            self.plan_next(number);
        }
    }

    fn plan_next(&mut self, number: u32) {
        let (at, _) = self.machines[number as usize].peek(self.now);
        self.events.plan(at, Event::PersonChanges(number));
    }

    fn change(&mut self, number: u32) -> Change {
        let machine = &mut self.machines[number as usize];
        machine.change += 1;
        Change { machine: number, number: machine.change }
    }

    pub(super) fn person_changes(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        let was = machine.person.now;
        let next = machine.take_next();
        machine.away_since = (next == Presence::Away).then_some(self.now);
        if next != was {
            match next {
                Presence::Away => self.person_goes(number),
                Presence::InUse => self.person_comes(number),
                Presence::Off => self.switched_off(number),
            }
        }
        self.plan_next(number);
    }

    fn person_goes(&mut self, number: u32) {
        let engine = self.machines[number as usize].engine;
        match engine {
            // What releases it is planned with an earlier change, so it is planned anew.
            Engine::Suspended(since) => {
                let change = self.change(number);
                self.events.plan(self.now + RESUME_AFTER, Event::EngineResumes(change));
                self.events.plan((since + RELEASE_AFTER).max(self.now), Event::EngineReleases(change));
            }
            Engine::Closed | Engine::Serving => {
                let change = self.change(number);
                self.events.plan(self.now + START_AFTER, Event::EngineStarts(change));
            }
        }
    }

    fn person_comes(&mut self, number: u32) {
        let change = self.change(number);
        match self.machines[number as usize].engine {
            Engine::Serving => {
                self.note_serving(number, self.now);
                if self.dice.chance(VANISHES) {
                    self.vanish(number);
                } else {
                    self.suspend(number, change);
                }
            }
            Engine::Suspended(since) => {
                self.events.plan((since + RELEASE_AFTER).max(self.now), Event::EngineReleases(change));
            }
            Engine::Closed => {}
        }
    }

    fn switched_off(&mut self, number: u32) {
        self.change(number);
        self.close(number);
    }

    fn suspend(&mut self, number: u32, change: Change) {
        let places = self.leave_idle(number);
        let held: Vec<u32> = places.filter_map(|place| self.places[place as usize].lease).collect();
        if held.is_empty() {
            self.machines[number as usize].engine = Engine::Closed;
            return;
        }
        held.into_iter().for_each(|lease| self.freeze(lease));
        self.machines[number as usize].engine = Engine::Suspended(self.now);
        self.events.plan(self.now + RELEASE_AFTER, Event::EngineReleases(change));
    }

    /// Nobody is told; the leases run out.
    fn vanish(&mut self, number: u32) {
        self.figures.vanished += 1;
        for place in self.leave_idle(number) {
            let Some(lease) = self.places[place as usize].lease else { continue };
            self.leases[lease].vanished = Some(self.now);
            let expires = self.last_beat(lease) + LEASE.lifetime.as_millis() as Ms;
            let stamp = self.leases[lease].stamp;
            self.events.plan(expires, Event::LeaseExpires(Turn { lease, stamp }));
            // What it was about to commit does not come.
            self.leases[lease].turn = 0;
            self.stop(lease, Cause::Vanished);
        }
        self.machines[number as usize].engine = Engine::Closed;
    }

    fn leave_idle(&mut self, number: u32) -> std::ops::Range<u32> {
        let machine = &self.machines[number as usize];
        let (places, mask) = (machine.places.clone(), machine.mask);
        for place in places.clone() {
            self.idle.remove(place, mask, &mut self.places);
        }
        places
    }

    fn is_current(&self, change: Change) -> bool {
        self.machines[change.machine as usize].change == change.number
    }

    pub(super) fn engine_starts(&mut self, change: Change) {
        if self.is_current(change) {
            self.serve(change.machine);
        }
    }

    fn serve(&mut self, number: u32) {
        let machine = &mut self.machines[number as usize];
        if machine.engine == Engine::Serving {
            return;
        }
        machine.engine = Engine::Serving;
        machine.serving_since = self.now;
        for place in machine.places.clone() {
            self.ask(place);
        }
    }

    pub(super) fn engine_resumes(&mut self, change: Change) {
        if !self.is_current(change) || !matches!(self.machines[change.machine as usize].engine, Engine::Suspended(_)) {
            return;
        }
        self.machines[change.machine as usize].engine = Engine::Closed;
        for place in self.machines[change.machine as usize].places.clone() {
            if let Some(lease) = self.places[place as usize].lease {
                self.thaw(lease);
            }
        }
        self.serve(change.machine);
    }

    pub(super) fn engine_releases(&mut self, change: Change) {
        let machine = &self.machines[change.machine as usize];
        if !self.is_current(change) || !matches!(machine.engine, Engine::Suspended(_)) {
            return;
        }
        let away_since = machine.away_since;
        self.close(change.machine);
        if let Some(since) = away_since {
            let change = self.change(change.machine);
            self.events.plan((since + START_AFTER).max(self.now), Event::EngineStarts(change));
        }
    }

    /// What is held goes back without blame.
    fn close(&mut self, number: u32) {
        if self.machines[number as usize].engine == Engine::Serving {
            self.note_serving(number, self.now);
        }
        for place in self.leave_idle(number) {
            let Some(lease) = self.places[place as usize].lease else { continue };
            self.figures.releases += 1;
            let active = self.leases[lease].active;
            self.stop(lease, Cause::Released);
            if active {
                self.give_back(lease);
            }
        }
        self.machines[number as usize].engine = Engine::Closed;
        self.serve_waiting();
    }

    pub(super) fn lease_expires(&mut self, turn: Turn) {
        let lease = &self.leases[turn.lease];
        if lease.stamp == turn.stamp && lease.active {
            self.figures.expiries += 1;
            self.give_back(turn.lease);
            self.serve_waiting();
        }
    }

    /// Adds what a machine could have done since it began to serve.
    pub(super) fn note_serving(&mut self, number: u32, until: Ms) {
        let machine = &mut self.machines[number as usize];
        if machine.engine == Engine::Serving {
            let seconds = (until - machine.serving_since) as f64 / 1000.0;
            self.figures.capacity += seconds * machine.speed * machine.places.len() as f64;
            machine.serving_since = until;
            machine.served_until = Some(until);
        }
    }

    /// True while the machine stands still under somebody's hands.
    pub(super) fn suspended_since(&self, number: u32) -> Option<Ms> {
        match self.machines[number as usize].engine {
            Engine::Suspended(since) => Some(since),
            Engine::Closed | Engine::Serving => None,
        }
    }

    /// How long such a task takes on a common machine, as the median of the past would say.
    pub(super) fn usual_seconds(&self, job: u32, kind: TaskKind) -> f64 {
        let film = &self.jobs[job as usize].film;
        match kind {
            TaskKind::Fetch | TaskKind::Probe => 2.0,
            TaskKind::Audio => 1.0 + film.seconds / 100.0,
            TaskKind::File => 2.0 + film.row_bytes * f64::from(film.rows) / 2.0 / 10e6,
            TaskKind::Encode => film.row_work / 30.0,
        }
    }
}
