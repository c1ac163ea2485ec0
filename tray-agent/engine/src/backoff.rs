//! How long to wait before a call is made again.

use std::time::Duration;

use crate::desk::Desk;

/// How long the server or storage may be away before a step that needs it gives up: two minutes, and time to come back.
pub const OUTAGE: Duration = Duration::from_secs(140);

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

/// Backoff of a step that reads or writes by itself: it goes on through an outage of the server, and no longer. Time in which
/// work stood still does not count.
#[derive(Debug)]
pub struct Patience {
    backoff: Backoff,
    /// By the desk's clock.
    in_trouble_since: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        // Steps come back sooner than other calls: each holds a lease that others could have.
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10));
        Self { backoff, in_trouble_since: None }
    }
}

impl Patience {
    /// Waits before the next try, at least until work is allowed; false when it has gone wrong for [`OUTAGE`].
    pub async fn wait(&mut self, desk: &Desk) -> bool {
        let since = *self.in_trouble_since.get_or_insert_with(|| desk.worked());
        if desk.worked().saturating_sub(since) >= OUTAGE {
            return false;
        }
        tokio::time::sleep(self.backoff.next_wait()).await;
        desk.until_work().await;
        true
    }

    /// Something was moved: what goes wrong from now on is another trouble.
    pub fn renew(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::desk::Allowed;

    #[test]
    fn waits_stay_under_a_bound_that_doubles_up_to_the_most() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        for bound_ms in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000] {
            assert!(backoff.next_wait() <= Duration::from_millis(bound_ms));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn patience_outlives_an_outage_of_two_minutes_and_ends() {
        let (mut patience, desk, begun) = (Patience::default(), Desk::default(), Instant::now());
        while patience.wait(&desk).await {}
        assert!((130..160).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        patience.renew();
        assert!(patience.wait(&desk).await);
        // It waits for whoever is at the desk, and does not hold that against the server.
        desk.set(Allowed::Suspended { reason: "somebody types".to_owned() });
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, patience.wait(&desk)).await.is_err());
        desk.set(Allowed::Work);
        assert!(patience.wait(&desk).await);
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
