//! What is counted while a day goes by.

use crate::{events::Ms, world::FAIRNESS_OVER};

/// Why something was encoded in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The machine was gone without a word.
    Vanished,
    /// Somebody was back for ten minutes, or switched it off.
    Released,
    /// Taken from a machine that was held up.
    Suspended,
    /// The victim went on with rows that were stolen, until it heard of it.
    Stolen,
    /// One of two holders was second.
    Backup,
    Failed,
}

impl Cause {
    pub const ALL: [Self; 6] = [Self::Vanished, Self::Released, Self::Suspended, Self::Stolen, Self::Backup, Self::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Released => "released",
            Self::Suspended => "suspended, stolen",
            Self::Stolen => "victim went on",
            Self::Backup => "second of two",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    pub seconds: f64,
    pub arrived: u64,
    pub completed: u64,
    pub failed: u64,
    /// Of those, because nobody was left to try.
    pub given_up: u64,
    pub unfinished: u64,
    pub to_playable: Vec<Ms>,
    pub to_complete: Vec<Ms>,
    /// Estimated work: that came, that the fleet could have done while it served, that counts, that was done in vain.
    pub work_arrived: f64,
    pub capacity: f64,
    pub work_used: f64,
    pub work_wasted: [f64; 6],
    pub rows_used: u64,
    /// Whole rows that were encoded and not used.
    pub rows_wasted: u64,
    pub claims: u64,
    pub steals: u64,
    pub backups: u64,
    pub commits: u64,
    pub heartbeats: u64,
    pub releases: u64,
    pub vanished: u64,
    pub expiries: u64,
    pub failures: u64,
    pub set_aside: u64,
    pub events: u64,
    /// Jain's index over stretches of each length, if ever two teams had work waiting, and for how long that was.
    pub fairness: [Option<f64>; FAIRNESS_OVER.len()],
    /// Seconds that were told of jobs, p50 and p90, and how many it took.
    pub promises: Vec<(f64, f64, f64)>,
    pub shared_hours: [f64; FAIRNESS_OVER.len()],
    leases_until_last_minute: u64,
    pub most_leases_in_a_minute: u64,
}

impl Figures {
    pub fn job_arrived(&mut self, work: f64) {
        self.arrived += 1;
        self.work_arrived += work;
    }

    pub fn use_row(&mut self, work: f64) {
        self.rows_used += 1;
        self.work_used += work;
    }

    pub fn waste(&mut self, cause: Cause, work: f64, whole_rows: u64) {
        self.work_wasted[cause as usize] += work;
        self.rows_wasted += whole_rows;
    }

    pub fn minute(&mut self) {
        let leases = self.leases();
        self.most_leases_in_a_minute = self.most_leases_in_a_minute.max(leases - self.leases_until_last_minute);
        self.leases_until_last_minute = leases;
    }

    pub fn leases(&self) -> u64 {
        self.claims + self.steals + self.backups
    }

    pub fn completion(&self) -> f64 {
        self.completed as f64 / self.arrived.max(1) as f64
    }

    pub fn waste_share(&self) -> f64 {
        Cause::ALL.into_iter().map(|cause| self.wasted_by(cause)).sum()
    }

    pub fn wasted_by(&self, cause: Cause) -> f64 {
        self.work_wasted[cause as usize] / self.work_used.max(1.0)
    }

    pub fn whole_rows_wasted(&self) -> f64 {
        self.rows_wasted as f64 / self.rows_used.max(1) as f64
    }

    /// How many times the promised p50 it took, in so large a share of jobs at most.
    pub fn of_promised(&self, share: f64) -> Option<f64> {
        let mut ratios: Vec<f64> = self.promises.iter().map(|(p50, _, took)| took / p50.max(1.0)).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get((ratios.len() as f64 * share) as usize).copied()
    }

    /// How far the promised p90 lies above the p50, in the median.
    pub fn p90_over_p50(&self) -> Option<f64> {
        let mut ratios: Vec<f64> = self.promises.iter().map(|(p50, p90, _)| p90 / p50.max(1.0)).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }

    /// The share of jobs that were complete within the promised p90.
    pub fn within_p90(&self) -> f64 {
        let kept = self.promises.iter().filter(|(_, p90, took)| took <= p90).count();
        kept as f64 / self.promises.len().max(1) as f64
    }

    pub fn load(&self) -> f64 {
        self.work_arrived / self.capacity.max(1.0)
    }

    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds.max(1.0)
    }
}

/// The value below which this share of all lies.
pub fn quantile(values: &[Ms], share: f64) -> Ms {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place).or(sorted.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_a_hundred() {
        let values: Vec<Ms> = (0..100).rev().collect();
        assert_eq!([0.0, 0.5, 0.95, 0.99, 1.0].map(|share| quantile(&values, share)), [0, 50, 95, 99, 99]);
        assert_eq!(quantile(&[], 0.5), 0);
    }
}
