//! How fairly the fleet was shared: Jain's index (Jain, Chiu and Hawe, DEC-TR-301, 1984) over what teams were given for their
//! weight, in every stretch of some length in which two or more of them had work waiting all the time. 1 is perfect, 1/n is one
//! for all. Slots are anonymous, so that a team may be given a long span for the slot of a short one, and the other way round
//! later: the longer the stretch, the nearer to what its account says.

use crate::{
    events::{MINUTE, Ms},
    queue::Queue,
};

#[derive(Debug)]
pub struct Sharing {
    window: Ms,
    weights: Vec<f64>,
    /// The classes that every machine serves: who waits for a rare machine is no measure of fairness.
    common: u32,
    given: Vec<f64>,
    had_work: Vec<bool>,
    indices: Vec<f64>,
}

impl Sharing {
    pub fn new(window: Ms, weights: &[f64], common: u32) -> Self {
        Self {
            window,
            weights: weights.to_vec(),
            common,
            given: vec![0.0; weights.len()],
            had_work: vec![true; weights.len()],
            indices: Vec::new(),
        }
    }

    /// Estimated work that a team was given, less what came back.
    pub fn given(&mut self, team: u32, work: f64) {
        self.given[team as usize] += work;
    }

    /// Every minute.
    pub fn look(&mut self, now: Ms, queue: &Queue) {
        for (team, had_work) in self.had_work.iter_mut().enumerate() {
            *had_work &= queue.waiting(team, self.common) > 0;
        }
        if !now.is_multiple_of(self.window) {
            return;
        }
        let teams = (0..self.weights.len()).filter(|team| self.had_work[*team]);
        let shares: Vec<f64> = teams.map(|team| self.given[team].max(0.0) / self.weights[team]).collect();
        if shares.len() >= 2 {
            self.indices.push(jain(&shares));
        }
        self.given.fill(0.0);
        self.had_work.fill(true);
    }

    /// The mean over the stretches that counted.
    pub fn index(&self) -> Option<f64> {
        (!self.indices.is_empty()).then(|| self.indices.iter().sum::<f64>() / self.indices.len() as f64)
    }

    pub fn hours(&self) -> f64 {
        self.indices.len() as f64 * (self.window / MINUTE) as f64 / 60.0
    }
}

fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    if squares == 0.0 { 1.0 } else { sum * sum / (shares.len() as f64 * squares) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index() {
        assert_eq!(jain(&[2.0, 2.0, 2.0]), 1.0);
        assert_eq!(jain(&[1.0, 0.0, 0.0, 0.0]), 0.25);
        assert_eq!(jain(&[0.0, 0.0]), 1.0);
    }
}
