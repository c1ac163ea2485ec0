//! How many requests for work look into the database at once.
//!
//! The database answers a few at a time whatever they do, and a look that waits for it holds twenty times the memory of a
//! request that waits for its turn: when ten thousand engines come back after an outage, that decides how much the server needs.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Several times what the database answers at once, so that writers on SQLite still find others to share a commit with.
const AT_ONCE: usize = 64;

#[derive(Debug)]
pub struct Looks(Semaphore);

impl Default for Looks {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Looks {
    /// Waits for a turn, first come first served; dropping the answer ends it.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.acquire().await.ok()
    }
}
