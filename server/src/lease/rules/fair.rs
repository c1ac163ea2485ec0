//! Weighted fair sharing between teams.
//!
//! Start-time fair queueing (Goyal, Vin and Cheng, "Start-time Fair Queuing: A Scheduling Algorithm for Integrated Services
//! Packet Switching Networks", SIGCOMM 1996), which is self-clocked like Golestani's ("A Self-Clocked Fair Queueing Scheme
//! for Broadband Applications", INFOCOM 1994): virtual time is read off the tags of the work at hand, nothing has to simulate
//! an ideal server. A slot's tag is the virtual time at which its work starts; the least tag is served next. Start tags, not
//! Golestani's finish tags, because a newcomer's first task then comes next whatever it costs: one short clip waits for no
//! more than the tasks that are already running.
//!
//! - **Slots are anonymous.** They carry a class, a team and a tag, no task. A claim takes the least tag over the classes that
//!   the agent serves, and then that team's first ready task over *all* those classes. When its class is another than the
//!   slot's, a slot of the team in the task's class becomes one of the class that was found: every class keeps as many slots
//!   as tasks. Without that, the probe of an urgent clip would wait behind the whole backlog of its own team.
//! - **A task that was charged before** (given back, taken over, the tail of a span) is not charged again. Its slot comes back
//!   with the tag that it was claimed with, which is no greater than any that waits: it comes next.
//! - **What holds** while two teams have work waiting all the time (Goyal et al., theorem 1): with the work W that each was
//!   given and its weight w, `|W1/w1 − W2/w2| ≤ c1/w1 + c2/w2`, c being each one's dearest task.

/// A team's share when nothing else is said.
pub const USUAL_WEIGHT: f64 = 1.0;

/// Weights outside are cut: with 0 a tag would be infinite and its team would never be served.
const WEIGHTS: std::ops::RangeInclusive<f64> = 1e-3..=1e6;

/// Tags of new slots, one for each of `costs` (estimated work), and the team's new last tag.
///
/// `last_tag` is where the team's charged work ends, `virtual_time` what [`virtual_time`] says. A team that was idle starts at
/// the present: it has banked nothing. One that has waiting work goes on where that ends.
pub fn tags(last_tag: f64, weight: f64, virtual_time: f64, costs: &[f64]) -> (Vec<f64>, f64) {
    let weight = if weight.is_finite() { weight.clamp(*WEIGHTS.start(), *WEIGHTS.end()) } else { USUAL_WEIGHT };
    let mut next = last_tag.max(virtual_time);
    let mut tags = Vec::with_capacity(costs.len());
    for cost in costs {
        tags.push(next);
        // A cost that is no number must not poison the tags of everybody: it counts as nothing.
        next += if cost.is_finite() { cost.max(0.0) / weight } else { 0.0 };
    }
    (tags, next)
}

/// Where virtual time is read, for work of one class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Signs {
    /// The greatest tag among the active leases of the class,
    pub in_service_in_class: Option<f64>,
    /// and of all classes.
    pub in_service: Option<f64>,
    /// The least tag that waits in any class.
    pub least_waiting: Option<f64>,
    /// The last tag of the team that is furthest ahead.
    pub greatest_last_tag: Option<f64>,
}

/// The present in virtual time: the tag of what was last put in service; when nothing is, of what will be next; else where all
/// work that was ever charged ends (Goyal's rule for the end of a busy period), so that all who come then start as equals.
///
/// Not the least tag that waits in the class: where one team alone waits, with a task that comes after a backlog of its own,
/// that lies far ahead. A newcomer who started there would wait for the other's whole backlog. And not the least of all
/// classes: where a class has no agents time stands still, and starting there would be credit for having been idle.
pub fn virtual_time(signs: Signs) -> f64 {
    signs.in_service_in_class.or(signs.in_service).or(signs.least_waiting).or(signs.greatest_last_tag).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, VecDeque};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_running_sums() {
        for (last_tag, weight, now, costs, expected, last) in [
            (0.0, 1.0, 0.0, &[3.0, 1.0, 2.0][..], &[0.0, 3.0, 4.0][..], 6.0),
            (10.0, 1.0, 4.0, &[3.0, 1.0], &[10.0, 13.0], 14.0),
            (4.0, 1.0, 10.0, &[3.0, 1.0], &[10.0, 13.0], 14.0),
            (0.0, 2.0, 0.0, &[3.0, 1.0], &[0.0, 1.5], 2.0),
            (5.0, 1.0, 7.0, &[], &[], 7.0),
            (0.0, 0.0, 0.0, &[1.0, f64::NAN, -1.0, 1.0], &[0.0, 1000.0, 1000.0, 1000.0], 2000.0),
            (0.0, f64::NAN, 0.0, &[1.0, 1.0], &[0.0, 1.0], 2.0),
        ] {
            assert_eq!(tags(last_tag, weight, now, costs), (expected.to_vec(), last), "{last_tag} {weight} {now} {costs:?}");
        }
    }

    #[test]
    fn virtual_time_is_what_is_in_service() {
        let signs = Signs {
            in_service_in_class: Some(3.0),
            in_service: Some(2.0),
            least_waiting: Some(4.0),
            greatest_last_tag: Some(9.0),
        };
        let without_class = Signs { in_service_in_class: None, ..signs };
        let without_leases = Signs { in_service: None, ..without_class };
        let idle = Signs { least_waiting: None, ..without_leases };
        for (signs, expected) in [(signs, 3.0), (without_class, 2.0), (without_leases, 4.0), (idle, 9.0), (Signs::default(), 0.0)]
        {
            assert_eq!(virtual_time(signs), expected, "{signs:?}");
        }
    }

    /// What the server keeps in its tables. Classes are numbers; an agent of class n serves all up to n.
    #[derive(Default)]
    struct Queue {
        weights: Vec<f64>,
        last_tags: Vec<f64>,
        /// The costs of each team's waiting tasks by class, first come first served.
        waiting: Vec<BTreeMap<usize, VecDeque<f64>>>,
        /// Tag, team, a number for order, class. As tags are not negative, their bits sort as they do.
        slots: BTreeSet<(u64, usize, u64, usize)>,
        /// The tag last claimed in each class: nothing in these tests ends before its successor begins.
        in_service: BTreeMap<usize, f64>,
        made: u64,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Claimed {
        team: usize,
        cost: f64,
        class: usize,
        tag: f64,
    }

    impl Queue {
        fn of(weights: &[f64]) -> Self {
            let teams = weights.len();
            Self {
                weights: weights.to_vec(),
                last_tags: vec![0.0; teams],
                waiting: vec![BTreeMap::new(); teams],
                ..Self::default()
            }
        }

        fn add(&mut self, team: usize, class: usize, costs: &[f64]) {
            let now = virtual_time(Signs {
                in_service_in_class: self.in_service.get(&class).copied(),
                in_service: self.in_service.values().copied().reduce(f64::max),
                least_waiting: self.slots.first().map(|(tag, ..)| f64::from_bits(*tag)),
                greatest_last_tag: self.last_tags.iter().copied().reduce(f64::max),
            });
            let (tags, last) = tags(self.last_tags[team], self.weights[team], now, costs);
            self.last_tags[team] = last;
            self.waiting[team].entry(class).or_default().extend(costs);
            tags.into_iter().for_each(|tag| self.slot(team, class, tag));
        }

        fn give_back(&mut self, claimed: Claimed) {
            self.waiting[claimed.team].entry(claimed.class).or_default().push_front(claimed.cost);
            self.slot(claimed.team, claimed.class, claimed.tag);
        }

        fn slot(&mut self, team: usize, class: usize, tag: f64) {
            self.made += 1;
            self.slots.insert((tag.to_bits(), team, self.made, class));
        }

        fn claim(&mut self, agent: usize) -> Option<Claimed> {
            let slot = *self.slots.iter().find(|(.., class)| *class <= agent)?;
            self.slots.remove(&slot);
            let (tag, team, _, class) = slot;
            let cost = self.waiting[team].get_mut(&class).and_then(VecDeque::pop_front).expect("a slot for each task");
            let tag = f64::from_bits(tag);
            self.in_service.insert(class, tag);
            Some(Claimed { team, cost, class, tag })
        }

        fn waits(&self, team: usize) -> usize {
            self.waiting[team].values().map(VecDeque::len).sum()
        }
    }

    #[test]
    fn an_idle_team_banks_nothing() {
        let mut queue = Queue::of(&[1.0, 1.0]);
        queue.add(0, 0, &[1.0; 1000]);
        (0..500).for_each(|_| assert_eq!(queue.claim(0).map(|claimed| claimed.team), Some(0)));
        // 500 tasks behind, the second team comes: from now on they take turns, nothing is made up for.
        queue.add(1, 0, &[1.0; 500]);
        let second = (0..200).filter(|_| queue.claim(0).is_some_and(|claimed| claimed.team == 1)).count();
        assert!((100..=101).contains(&second), "{second}");
    }

    #[test]
    fn a_short_clip_comes_next() {
        let mut queue = Queue::of(&[1.0, 1.0]);
        (0..50).for_each(|_| queue.add(0, 0, &[5000.0; 120]));
        (0..77).for_each(|_| assert!(queue.claim(0).is_some()));
        queue.add(1, 0, &[9.0]);
        let place = (0..).find(|_| queue.claim(0).is_some_and(|claimed| claimed.team == 1));
        assert_eq!(place, Some(0));
    }

    #[test]
    fn the_probe_of_a_backlogged_team_carries_no_newcomer_away() {
        let (probe, encode) = (0, 1);
        let mut queue = Queue::of(&[1.0, 1.0]);
        queue.add(0, encode, &[5000.0; 1000]);
        (0..10).for_each(|_| assert!(queue.claim(encode).is_some()));
        // Its next film's probe waits behind five million units of its own; the newcomer's must not.
        queue.add(0, probe, &[1.0]);
        queue.add(1, probe, &[1.0]);
        assert_eq!(queue.claim(encode).map(|claimed| (claimed.team, claimed.class)), Some((1, probe)));
        queue.add(1, encode, &[5000.0; 10]);
        let first = (0..).find(|_| queue.claim(encode).is_some_and(|claimed| claimed.team == 1));
        assert!(first <= Some(1), "the newcomer's first span waited for {first:?} others");
    }

    #[test]
    fn a_class_without_agents_holds_nobody_back() {
        let mut queue = Queue::of(&[1.0, 1.0, 1.0]);
        queue.add(0, 9, &[1.0]);
        queue.add(1, 0, &[1.0; 1000]);
        (0..500).for_each(|_| assert!(queue.claim(0).is_some()));
        queue.add(2, 0, &[1.0; 500]);
        let third = (0..200).filter(|_| queue.claim(0).is_some_and(|claimed| claimed.team == 2)).count();
        assert!((100..=101).contains(&third), "{third}");
    }

    #[test]
    fn a_task_given_back_is_not_charged_twice() {
        let mut queue = Queue::of(&[1.0, 1.0]);
        queue.add(0, 0, &[1.0; 400]);
        queue.add(1, 0, &[1.0; 400]);
        // The first team's machines hand every third task back; it still gets its half of what is finished.
        let mut finished = [0_u32, 0];
        for turn in 0..600 {
            let claimed = queue.claim(0).expect("work");
            if claimed.team == 0 && turn % 3 == 0 { queue.give_back(claimed) } else { finished[claimed.team] += 1 }
        }
        assert!(finished[0].abs_diff(finished[1]) <= 2, "{finished:?}");
    }

    proptest! {
        /// Goyal's theorem 1, over every stretch of claims, whatever the weights, the costs and the moments of arrival.
        #[test]
        fn two_teams_with_work_differ_by_one_task_each(
            weights in prop::collection::vec(0.1..10.0_f64, 2..5),
            costs in prop::collection::vec(0.1..100.0_f64, 2..5),
            batches in prop::collection::vec(1..20_usize, 30),
        ) {
            let teams = weights.len().min(costs.len());
            let mut queue = Queue::of(&weights[..teams]);
            let mut dearest = vec![0.0_f64; teams];
            let mut given = vec![vec![0.0]; teams];
            for (turn, batch) in batches.iter().enumerate() {
                for team in 0..teams {
                    // Enough that nobody runs dry: each team is backlogged all the time.
                    while queue.waits(team) < 40 {
                        let cost = costs[team] * (0.1 + ((turn * 7 + queue.waits(team) * 3) % 10) as f64 / 11.0);
                        dearest[team] = dearest[team].max(cost);
                        queue.add(team, 0, &[cost]);
                    }
                }
                for _ in 0..*batch {
                    let Claimed { team: served, cost, .. } = queue.claim(0).expect("work");
                    for (team, sums) in given.iter_mut().enumerate() {
                        let sum = sums[sums.len() - 1] + if team == served { cost / weights[team] } else { 0.0 };
                        sums.push(sum);
                    }
                }
            }
            for a in 0..teams {
                for b in 0..a {
                    // The greatest difference over all stretches is the range of the difference from the start.
                    let apart = given[a].iter().zip(&given[b]).map(|(x, y)| x - y);
                    let (low, high) = apart.fold((0.0_f64, 0.0_f64), |(low, high), d| (low.min(d), high.max(d)));
                    let bound = dearest[a] / weights[a] + dearest[b] / weights[b];
                    prop_assert!(high - low <= bound * (1.0 + 1e-9), "{} > {bound}", high - low);
                }
            }
        }

        #[test]
        fn nothing_is_lost_and_tags_never_go_back(
            steps in prop::collection::vec((0..3_usize, 0.1..50.0_f64, 0..4_u32), 1..200),
        ) {
            let mut queue = Queue::of(&[1.0, 2.0, 0.5]);
            let (mut added, mut claimed, mut last_tag) = (0, 0, 0.0_f64);
            for (team, cost, what) in steps {
                if what > 0 {
                    queue.add(team, 0, &[cost, cost]);
                    added += 2;
                } else if let Some(got) = queue.claim(0) {
                    prop_assert!(got.tag >= last_tag, "{} after {last_tag}", got.tag);
                    last_tag = got.tag;
                    claimed += 1;
                }
            }
            while queue.claim(0).is_some() {
                claimed += 1;
            }
            prop_assert_eq!(added, claimed);
        }
    }
}
