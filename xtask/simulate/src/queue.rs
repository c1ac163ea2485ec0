//! The fair queue in memory: the twin of the server's tables `ready`, `slot` and `flow`, with the server's own rule of tags.

use std::collections::{BTreeMap, BTreeSet};

use offpeak_server::lease::rules::fair::{self, Signs};

/// Rank, job, ordinal, task: the order inside a team. Jobs are numbered as they come; identifiers of the server are in that
/// order too.
type Place = (i32, u32, u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub class: u8,
    pub team: u32,
    pub rank: i32,
    pub job: u32,
    pub ordinal: u32,
    pub task: u32,
}

impl Waiting {
    fn place(&self) -> Place {
        (self.rank, self.job, self.ordinal, self.task)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claimed {
    pub task: u32,
    pub tag: f64,
}

#[derive(Debug)]
pub struct Queue {
    weights: Vec<f64>,
    last_tags: Vec<f64>,
    greatest_last_tag: f64,
    /// By class: tag, number, team. Tags are not negative, so that their bits sort as they do.
    slots: Vec<BTreeSet<(u64, u64, u32)>>,
    /// By class and team: tag, number.
    slots_of: Vec<Vec<BTreeSet<(u64, u64)>>>,
    ready: Vec<Vec<BTreeSet<Place>>>,
    /// By class: the tags of active leases, and how many have each.
    in_service: Vec<BTreeMap<u64, u32>>,
    numbered: u64,
}

impl Queue {
    pub fn new(classes: usize, weights: &[f64]) -> Self {
        let teams = weights.len();
        Self {
            weights: weights.to_vec(),
            last_tags: vec![0.0; teams],
            greatest_last_tag: 0.0,
            slots: vec![BTreeSet::new(); classes],
            slots_of: vec![vec![BTreeSet::new(); teams]; classes],
            ready: vec![vec![BTreeSet::new(); teams]; classes],
            in_service: vec![BTreeMap::new(); classes],
            numbered: 0,
        }
    }

    /// Tasks of one team and class, with their costs.
    pub fn add(&mut self, tasks: &[(Waiting, f64)]) {
        let Some((first, _)) = tasks.first() else { return };
        let greatest = |tags: &BTreeMap<u64, u32>| tags.last_key_value().map(|(bits, _)| f64::from_bits(*bits));
        let now = fair::virtual_time(Signs {
            in_service_in_class: greatest(&self.in_service[usize::from(first.class)]),
            in_service: self.in_service.iter().filter_map(greatest).reduce(f64::max),
            least_waiting: self.slots.iter().filter_map(|slots| Some(f64::from_bits(slots.first()?.0))).reduce(f64::min),
            greatest_last_tag: Some(self.greatest_last_tag),
        });
        let team = first.team as usize;
        let costs: Vec<f64> = tasks.iter().map(|(_, cost)| *cost).collect();
        let (tags, last_tag) = fair::tags(self.last_tags[team], self.weights[team], now, &costs);
        self.last_tags[team] = last_tag;
        self.greatest_last_tag = self.greatest_last_tag.max(last_tag);
        for ((waiting, _), tag) in tasks.iter().zip(tags) {
            assert_eq!((waiting.team, waiting.class), (first.team, first.class));
            self.put(waiting, tag);
        }
    }

    /// A task that was charged before comes back with its tag.
    pub fn put(&mut self, waiting: &Waiting, tag: f64) {
        let (class, team) = (usize::from(waiting.class), waiting.team as usize);
        assert!(self.ready[class][team].insert(waiting.place()), "{waiting:?} waits already");
        self.add_slot(class, team, tag.to_bits());
    }

    fn add_slot(&mut self, class: usize, team: usize, tag: u64) {
        self.numbered += 1;
        self.slots[class].insert((tag, self.numbered, team as u32));
        self.slots_of[class][team].insert((tag, self.numbered));
    }

    /// A task that will not be done goes, if it waits, with the last slot of its team and class.
    pub fn take_out_if_there(&mut self, waiting: &Waiting) {
        let (class, team) = (usize::from(waiting.class), waiting.team as usize);
        if !self.ready[class][team].remove(&waiting.place()) {
            return;
        }
        let (tag, number) = self.slots_of[class][team].pop_last().expect("a slot for each task");
        self.slots[class].remove(&(tag, number, team as u32));
    }

    /// The next task for an agent that serves the classes of `mask` and is not `barred` from it.
    pub fn claim(&mut self, mask: u32, barred: impl Fn(u32) -> bool) -> Option<Claimed> {
        let served = || (0..self.slots.len()).filter(move |class| mask & (1 << class) != 0);
        // Teams all of whose work this agent has failed before; nearly always none.
        let mut without: Vec<u32> = Vec::new();
        loop {
            let next =
                |class: usize| self.slots[class].iter().find(|(.., team)| !without.contains(team)).map(|slot| (*slot, class));
            let ((tag, number, team), found_in) = served().filter_map(next).min()?;
            let first = |class: usize| {
                let place = self.ready[class][team as usize].iter().find(|(.., task)| !barred(*task))?;
                Some((*place, class))
            };
            let Some((place, class)) = served().filter_map(first).min() else {
                without.push(team);
                continue;
            };
            self.ready[class][team as usize].remove(&place);
            self.slots[found_in].remove(&(tag, number, team));
            self.slots_of[found_in][team as usize].remove(&(tag, number));
            if class != found_in {
                // Each class keeps as many slots as tasks: one of the task's class changes over.
                let (later, number) = self.slots_of[class][team as usize].pop_first().expect("a slot for each task");
                self.slots[class].remove(&(later, number, team));
                self.add_slot(found_in, team as usize, later);
            }
            return Some(Claimed { task: place.3, tag: f64::from_bits(tag) });
        }
    }

    pub fn lease_begins(&mut self, class: u8, tag: f64) {
        *self.in_service[usize::from(class)].entry(tag.to_bits()).or_default() += 1;
    }

    pub fn lease_ends(&mut self, class: u8, tag: f64) {
        let tags = &mut self.in_service[usize::from(class)];
        let left = tags.get_mut(&tag.to_bits()).expect("a lease that began");
        *left -= 1;
        if *left == 0 {
            tags.remove(&tag.to_bits());
        }
    }

    /// How many tasks of a team wait in these classes.
    pub fn waiting(&self, team: usize, mask: u32) -> usize {
        let in_mask = |(class, _): &(usize, &Vec<BTreeSet<Place>>)| mask & (1 << class) != 0;
        self.ready.iter().enumerate().filter(in_mask).map(|(_, teams)| teams[team].len()).sum()
    }

    /// True when somebody who serves `mask` would find a slot.
    pub fn has_for(&self, mask: u32) -> bool {
        self.slots.iter().enumerate().any(|(class, slots)| mask & (1 << class) != 0 && !slots.is_empty())
    }
}
