//! Places that wait for work: those of machines that serve the same classes stand together, in no order.

use crate::{dice::Dice, fleet::Place};

#[derive(Debug, Default)]
pub struct Idle {
    groups: Vec<(u32, Vec<u32>)>,
    waiting: usize,
}

impl Idle {
    pub fn len(&self) -> usize {
        self.waiting
    }

    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    pub fn waits(&self, group: usize) -> bool {
        !self.groups[group].1.is_empty()
    }

    pub fn mask(&self, group: usize) -> u32 {
        self.groups[group].0
    }

    /// Somebody of a group: which long poll wakes first is chance.
    pub fn any(&self, group: usize, dice: &mut Dice) -> Option<u32> {
        let places = &self.groups[group].1;
        (!places.is_empty()).then(|| places[dice.below(places.len())])
    }

    pub fn add(&mut self, place: u32, mask: u32, places: &mut [Place]) {
        let group = self.groups.iter().position(|(known, _)| *known == mask).unwrap_or_else(|| {
            self.groups.push((mask, Vec::new()));
            self.groups.len() - 1
        });
        let waiting = &mut self.groups[group].1;
        places[place as usize].waits_at = Some(waiting.len() as u32);
        waiting.push(place);
        self.waiting += 1;
    }

    pub fn remove(&mut self, place: u32, mask: u32, places: &mut [Place]) {
        let Some(at) = places[place as usize].waits_at.take() else { return };
        let Some((_, waiting)) = self.groups.iter_mut().find(|(known, _)| *known == mask) else { return };
        waiting.swap_remove(at as usize);
        if let Some(moved) = waiting.get(at as usize) {
            places[*moved as usize].waits_at = Some(at);
        }
        self.waiting -= 1;
    }
}
