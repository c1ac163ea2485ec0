//! What the person at the desk leaves to the engine: work, stand still, or let go.
//!
//! In: whoever watches the desk (presence, schedule, battery …) sets it. Out: running programs are frozen and go on, leases are
//! suspended or handed back. What must hold: time in which the engine had to stand still never counts against a limit.

use std::{future::Future, sync::Arc, time::Duration};

use offpeak_api::lease::ReleaseReason;
use tokio::{sync::watch, time::Instant};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Ask for work, and do it.
    Work,
    /// Use no CPU; leases live on.
    Suspended { reason: String },
    /// Hold nothing: leases are handed back.
    Nothing { why: ReleaseReason },
}

impl Allowed {
    fn is_work(&self) -> bool {
        match self {
            Self::Work => true,
            Self::Suspended { .. } | Self::Nothing { .. } => false,
        }
    }

    fn is_suspended(&self) -> bool {
        match self {
            Self::Suspended { .. } => true,
            Self::Work | Self::Nothing { .. } => false,
        }
    }
}

/// Instead of standing still, where that is not to be had.
const HAND_BACK: Allowed = Allowed::Nothing { why: ReleaseReason::UserReturned };

#[derive(Debug)]
struct Now {
    allowed: Allowed,
    since: Instant,
    /// Time in which work was allowed, before `since`.
    worked_before: Duration,
    /// How often work was told to stop.
    stops: u64,
    /// Something did not stand still when it should have.
    is_unruly: bool,
}

impl Now {
    fn worked(&self) -> Duration {
        if self.allowed.is_work() { self.worked_before + self.since.elapsed() } else { self.worked_before }
    }
}

/// The switch, and a clock that stands still while work does. Clones share both.
#[derive(Debug, Clone)]
pub struct Desk(Arc<watch::Sender<Now>>);

impl Default for Desk {
    /// Nobody is there: work is allowed.
    fn default() -> Self {
        let now =
            Now { allowed: Allowed::Work, since: Instant::now(), worked_before: Duration::ZERO, stops: 0, is_unruly: false };
        Self(Arc::new(watch::Sender::new(now)))
    }
}

impl Desk {
    pub fn set(&self, allowed: Allowed) {
        self.0.send_if_modified(|now| {
            let is_unruly = now.is_unruly && !allowed.is_work();
            let allowed = if is_unruly && allowed.is_suspended() { HAND_BACK } else { allowed };
            if now.allowed == allowed {
                return false;
            }
            let stops = now.stops + u64::from(now.allowed.is_work());
            *now = Now { worked_before: now.worked(), since: Instant::now(), allowed, stops, is_unruly };
            true
        });
    }

    /// What should stand still does not: until work is allowed again, leases are handed back instead.
    pub fn cannot_stand_still(&self) {
        self.0.send_if_modified(|now| match now.allowed {
            Allowed::Suspended { .. } => {
                (now.allowed, now.is_unruly) = (HAND_BACK, true);
                true
            }
            Allowed::Work | Allowed::Nothing { .. } => false,
        });
    }

    pub fn allowed(&self) -> Allowed {
        self.0.borrow().allowed.clone()
    }

    /// Waits until `is_so`, and returns what is allowed then.
    pub async fn until(&self, is_so: impl Fn(&Allowed) -> bool) -> Allowed {
        let mut seen = self.0.subscribe();
        let found = seen.wait_for(|now| is_so(&now.allowed)).await.map(|now| now.allowed.clone());
        match found {
            Ok(allowed) => allowed,
            // The sender lives as long as `self`.
            Err(_closed) => std::future::pending().await,
        }
    }

    /// Waits until work is allowed.
    pub async fn until_work(&self) {
        self.until(Allowed::is_work).await;
    }

    /// Waits until nothing may be held any more, and returns why.
    pub async fn until_nothing(&self) -> ReleaseReason {
        let mut allowed = self.allowed();
        loop {
            match allowed {
                Allowed::Nothing { why } => return why,
                Allowed::Work | Allowed::Suspended { .. } => allowed = self.changed(&allowed).await,
            }
        }
    }

    /// Waits until something else is allowed than `before`.
    pub async fn changed(&self, before: &Allowed) -> Allowed {
        self.until(|allowed| allowed != before).await
    }

    /// How long work has been allowed since the engine's start: a clock for limits on programs that may be frozen.
    pub fn worked(&self) -> Duration {
        self.0.borrow().worked()
    }

    /// How often work was told to stop: where the number has changed, something stood still in between.
    pub fn stops(&self) -> u64 {
        self.0.borrow().stops
    }

    /// Waits until [`Self::worked`] has come to `moment`.
    pub async fn sleep_until(&self, moment: Duration) {
        loop {
            self.until_work().await;
            let left = moment.saturating_sub(self.worked());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = self.changed(&Allowed::Work) => {}
            }
        }
    }

    /// The future's output; nothing when it takes longer than `limit`, not counting time in which work was not allowed.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let until = self.worked() + limit;
        tokio::select! {
            biased;
            done = future => Some(done),
            () = self.sleep_until(until) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspended() -> Allowed {
        Allowed::Suspended { reason: "the mouse moved".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn limits_do_not_count_time_in_which_work_was_not_allowed() {
        let desk = Desk::default();
        let done = desk.timeout(Duration::from_secs(10), std::future::pending::<()>());
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            desk.set(suspended());
            tokio::time::sleep(Duration::from_secs(3600)).await;
            desk.set(Allowed::Nothing { why: ReleaseReason::Battery });
            tokio::time::sleep(Duration::from_secs(3600)).await;
            assert_eq!(desk.worked(), Duration::from_secs(9));
            desk.set(Allowed::Work);
        };
        let begun = Instant::now();
        let (done, ()) = tokio::join!(done, meanwhile);
        assert!(done.is_none());
        assert_eq!(begun.elapsed().as_secs(), 7210);
        assert_eq!(desk.worked().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_set_already_changes_nothing() {
        let desk = Desk::default();
        desk.set(suspended());
        let before = suspended();
        let other = tokio::time::timeout(Duration::from_secs(60), desk.changed(&before));
        let meanwhile = async { desk.set(suspended()) };
        assert!(tokio::join!(other, meanwhile).0.is_err());
        desk.set(Allowed::Work);
        assert_eq!(desk.changed(&suspended()).await, Allowed::Work);
        desk.until_work().await;
    }
}
