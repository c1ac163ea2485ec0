//! How long to wait before a call is made again.

use std::time::Duration;

/// Exponential backoff with full jitter: each wait is drawn evenly from zero to a bound that doubles, so that engines which
/// lost the server in the same moment do not come back in the same moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    bound: Duration,
    most: Duration,
}

impl Backoff {
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { bound: first.min(most), most }
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.bound.mul_f64(rand::random_range(0.0..=1.0));
        self.bound = (self.bound * 2).min(self.most);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_under_a_bound_that_doubles_up_to_the_most() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        for bound_ms in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000] {
            assert!(backoff.next_wait() <= Duration::from_millis(bound_ms));
        }
    }

    #[test]
    fn two_engines_do_not_wait_in_step() {
        let waits = || {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
            std::array::from_fn::<Duration, 8, _>(|_| backoff.next_wait())
        };
        assert_ne!(waits(), waits());
    }
}
