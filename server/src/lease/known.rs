//! Leases as this process last saw or left them, so that the call after a commit need not look again.
//!
//! Only a saving of time, and harmless: what is at hand is used for writes alone that name all they rest on as conditions. Where
//! one does not hold, because another server, a thief or a cancelled job was there meanwhile, the lease is read anew.

use std::sync::Arc;

use offpeak_api::ids::LeaseId;
use quick_cache::sync::Cache;

use super::store::View;
use crate::{auth::AgentAuth, clock::Instant};

/// More than a server has of engines at work; a few kilobytes each.
const MOST: usize = 10_000;

#[derive(Debug)]
pub struct KnownLeases(Cache<String, Arc<View>>);

impl Default for KnownLeases {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl KnownLeases {
    pub fn keep(&self, view: View) {
        self.0.insert(view.lease.id.clone(), Arc::new(view));
    }

    /// The lease, if it is at hand, this agent's, and in time. Whoever takes it puts back what it makes of it.
    pub fn take(&self, id: &LeaseId, holder: &AgentAuth, now: Instant) -> Option<Arc<View>> {
        let (_, view) = self.0.remove(id.as_str())?;
        (view.lease.agent_id == holder.agent_id.as_str() && view.lease.expires_at_ms >= now.ms()).then_some(view)
    }
}
