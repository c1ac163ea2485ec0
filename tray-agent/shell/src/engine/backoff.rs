//! How long to wait before a dead engine is started again.

use std::time::Duration;

/// A crash by chance is over at once; one with a cause is not cured by trying every second.
const PAUSES_SECONDS: [u64; 6] = [1, 2, 5, 15, 60, 300];
/// An engine that has lived for so long was well: what kills it now is something new.
const GOOD_RUN: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub struct Backoff {
    tries: usize,
}

impl Backoff {
    pub fn after_a_run_of(&mut self, lived: Duration) -> Duration {
        if lived >= GOOD_RUN {
            self.tries = 0;
        }
        let seconds = PAUSES_SECONDS[self.tries.min(PAUSES_SECONDS.len() - 1)];
        self.tries += 1;
        Duration::from_secs(seconds)
    }

    /// Whether the last pause was not the first in a row.
    pub fn is_repeated(&self) -> bool {
        self.tries > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_good_run() {
        let mut backoff = Backoff::default();
        for (lived, pause) in [(0, 1), (3, 2), (0, 5), (599, 15), (0, 60), (0, 300), (0, 300), (600, 1), (0, 2)] {
            assert_eq!(backoff.after_a_run_of(Duration::from_secs(lived)), Duration::from_secs(pause), "{lived}");
            assert_eq!(backoff.is_repeated(), pause != 1, "{lived}");
        }
    }
}
