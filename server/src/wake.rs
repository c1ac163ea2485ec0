//! Wakes those who wait in this process: long polls for work, and watchers of jobs. Only a hint: whoever waits also looks
//! again by itself, because another server may have made the change.

use std::time::Duration;

use tokio::sync::watch;

/// How long a waiter trusts the silence before it looks for itself.
pub const LOOK_ANYWAY: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct Wake {
    work: watch::Sender<u64>,
    events: watch::Sender<u64>,
}

impl Default for Wake {
    fn default() -> Self {
        Self { work: watch::Sender::new(0), events: watch::Sender::new(0) }
    }
}

impl Wake {
    /// There may be something to lease.
    pub fn work(&self) {
        self.work.send_modify(|n| *n += 1);
    }

    /// Something happened to a job.
    pub fn events(&self) {
        self.events.send_modify(|n| *n += 1);
    }

    /// Take this before looking: a wake-up between the look and the wait is then not lost.
    pub fn work_waiter(&self) -> Waiter {
        Waiter(self.work.subscribe())
    }

    pub fn event_waiter(&self) -> Waiter {
        Waiter(self.events.subscribe())
    }
}

#[derive(Debug)]
pub struct Waiter(watch::Receiver<u64>);

impl Waiter {
    /// Returns at a wake-up since the last call, or after `at_most`.
    pub async fn wait(&mut self, at_most: Duration) {
        // A closed channel or a time-out both mean the same to the caller: look again.
        let _ = tokio::time::timeout(at_most, self.0.changed()).await;
    }
}
