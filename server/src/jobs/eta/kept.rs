//! Figures at hand for a moment, so that a page of jobs that is looked at every second costs a handful of queries.
//!
//! Only a saving of time, and of figures that are estimates: what is not at hand is asked for.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{clock::Instant, error::ApiError};

/// More than anybody looks at; what is at hand is forgotten rather than kept for ever.
const MOST: usize = 1000;

#[derive(Debug)]
pub struct Kept<K, V>(Mutex<HashMap<K, (Instant, Arc<V>)>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V> Kept<K, V> {
    fn all(&self) -> MutexGuard<'_, HashMap<K, (Instant, Arc<V>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept under `key`, if it is not older than this; else what `ask` brings.
    pub async fn get(
        &self,
        key: K,
        now: Instant,
        at_most: Duration,
        ask: impl Future<Output = Result<V, ApiError>>,
    ) -> Result<Arc<V>, ApiError> {
        let fresh = |(at, _): &&(Instant, Arc<V>)| *at <= now && now.since(*at) < at_most;
        if let Some((_, value)) = self.all().get(&key).filter(fresh) {
            return Ok(Arc::clone(value));
        }
        // Two who ask at once both ask: that is rarer than it is worth a lock over a query.
        let value = Arc::new(ask.await?);
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, (now, Arc::clone(&value)));
        Ok(value)
    }
}
