//! Plans at hand: a plan never changes once it is made, so a process need not read it from the database for every call.
//!
//! Only a saving of time: whatever is not at hand is read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use offpeak_api::facts::Facts;

use super::store;
use crate::{app::App, error::ApiError, lease::spec, plan::Plan, upload};

/// What a job's tasks are made from.
#[derive(Debug)]
pub struct Planned {
    pub facts: Facts,
    pub plan: Plan,
    pub source_id: String,
    /// Of the source as it arrived.
    pub source_bytes: u64,
    /// When it was last found to be playable.
    playable: Mutex<Option<Instant>>,
}

/// A job that could be played still can, unless its renditions begin again, which is rare and may happen on another server.
const PLAYABLE_FOR: Duration = Duration::from_secs(10);

impl Planned {
    /// Whether it is still worth asking if a player could start.
    pub fn may_become_playable(&self) -> bool {
        let found = self.playable.lock().unwrap_or_else(PoisonError::into_inner);
        found.is_none_or(|at| at.elapsed() >= PLAYABLE_FOR)
    }

    pub fn is_playable(&self) {
        *self.playable.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Jobs kept; the facts of a long film may take a megabyte.
const KEPT: usize = 256;

#[derive(Debug, Default)]
pub struct Plans(Mutex<HashMap<String, Arc<Planned>>>);

/// The job's facts and plan. Fails when it was not planned yet.
pub async fn of(app: &App, job: &str) -> Result<Arc<Planned>, ApiError> {
    if let Some(planned) = app.plans.at_hand(job) {
        return Ok(planned);
    }
    let row = store::get(&app.db.reader, job).await?;
    let (facts, plan) = spec::facts_and_plan(&row)?;
    let source = upload::store::get(&app.db.reader, &row.source_id.parse().map_err(ApiError::internal)?).await?;
    let playable = Mutex::new(None);
    let source_bytes = source.length.unwrap_or(0).cast_unsigned();
    let planned = Arc::new(Planned { facts, plan, source_id: row.source_id, source_bytes, playable });
    app.plans.keep(job, planned.clone());
    Ok(planned)
}

impl Plans {
    fn at_hand(&self, job: &str) -> Option<Arc<Planned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned()
    }

    fn keep(&self, job: &str, planned: Arc<Planned>) {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= KEPT {
            // Those at work are read again soon enough; which were used last is not worth keeping account of.
            plans.clear();
        }
        plans.insert(job.to_owned(), planned);
    }
}
