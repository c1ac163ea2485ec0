//! Who was seen lately, so that it is not written down at every call.
//!
//! Only a saving of time: what is not at hand is written once more.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use offpeak_api::{ids::AgentId, lease::Capabilities};

use super::store;
use crate::{app::App, clock::Instant, error::ApiError};

/// How exactly is known when an agent was last heard of: writing that down at every call would cost a transaction each.
const SEEN_EVERY: Duration = Duration::from_secs(25);
/// More than a farm has; what is at hand is forgotten rather than kept for ever.
const MOST: usize = 50_000;

/// When this process last wrote that an agent was seen, and with which capabilities.
#[derive(Debug, Default)]
pub struct Seen(Mutex<HashMap<AgentId, (Instant, Option<u64>)>>);

impl Seen {
    /// True when it is time to write; it counts as written then.
    fn is_news(&self, agent: &AgentId, capabilities: Option<u64>, now: Instant) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.get(agent).copied();
        let fresh = known
            .is_some_and(|(at, told)| now < at + SEEN_EVERY && at <= now && (capabilities.is_none() || capabilities == told));
        if !fresh {
            if seen.len() >= MOST {
                seen.clear();
            }
            seen.insert(agent.clone(), (now, capabilities.or(known.and_then(|(_, told)| told))));
        }
        !fresh
    }

    fn forget(&self, agent: &AgentId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(agent);
    }
}

/// Notes that an agent showed itself, with what it can do if it told.
pub async fn note(app: &App, agent: &AgentId, capabilities: Option<&Capabilities>, now: Instant) -> Result<(), ApiError> {
    let json = capabilities.map(serde_json::to_value).transpose()?;
    let told = json.as_ref().map(|json| {
        let mut hasher = DefaultHasher::new();
        json.to_string().hash(&mut hasher);
        hasher.finish()
    });
    if !app.seen.is_news(agent, told, now) {
        return Ok(());
    }
    let written = async {
        let tx = app.db.write().await?;
        store::mark_seen(&tx.tx, agent, json, now).await?;
        tx.commit().await.map_err(ApiError::from)
    };
    let written = written.await;
    if written.is_err() {
        app.seen.forget(agent);
    }
    written
}
