//! Agents at hand, for the calls that they make all day: a look into the database for each would cost as much as what such a
//! call does.
//!
//! Only a saving of time, and harmless: an agent that is revoked loses its leases at once, and a call under a lost lease is
//! refused whoever makes it. What an agent is given is never decided by this: claims look at its standing themselves.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::AgentAuth;

const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// More than a farm has; what is at hand is forgotten rather than kept for ever.
const MOST: usize = 50_000;

/// By the hash of their token.
#[derive(Debug, Default)]
pub struct KnownAgents(Mutex<HashMap<String, (AgentAuth, Instant)>>);

impl KnownAgents {
    fn known(&self) -> MutexGuard<'_, HashMap<String, (AgentAuth, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn find(&self, hash: &str) -> Option<AgentAuth> {
        self.known().get(hash).filter(|(_, since)| since.elapsed() < TRUSTED_FOR).map(|(agent, _)| agent.clone())
    }

    pub fn keep(&self, hash: String, agent: AgentAuth) {
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(hash, (agent, Instant::now()));
    }

    /// Somebody's standing changed: who calls from now on is asked for anew.
    pub fn forget(&self) {
        self.known().clear();
    }
}
