//! Plans at hand: a plan never changes once it is made, so a process need not read it from the database for every call.
//!
//! Only a saving of time: whatever is not at hand is read.

use std::sync::Arc;

use offpeak_api::facts::Facts;
use quick_cache::{Weighter, sync::Cache};

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
}

/// Together they may take so many bytes: some ten thousand films of a few minutes, or a hundred of a day. A fair queue goes
/// round among all teams, so as many jobs are in use at once as there are teams at work.
const KEPT_BYTES: u64 = 64 << 20;
const KEPT_JOBS: usize = 10_000;

/// Roughly, in bytes: what grows is the list of keyframes.
#[derive(Debug, Clone)]
struct Size;

impl Weighter<String, Arc<Planned>> for Size {
    fn weight(&self, _: &String, planned: &Arc<Planned>) -> u64 {
        const REST: usize = 4096;
        let keyframes = planned.facts.video.as_ref().map_or(0, |video| video.keyframes_seconds.len());
        (REST + keyframes * size_of::<f64>()) as u64
    }
}

#[derive(Debug)]
pub struct Plans(Cache<String, Arc<Planned>, Size>);

impl Default for Plans {
    fn default() -> Self {
        Self(Cache::with_weighter(KEPT_JOBS, KEPT_BYTES, Size))
    }
}

/// The job's facts and plan. Fails when it was not planned yet.
pub async fn of(app: &App, job: &str) -> Result<Arc<Planned>, ApiError> {
    if let Some(planned) = app.plans.0.get(job) {
        return Ok(planned);
    }
    let row = store::get(&app.db.reader, job).await?;
    let (facts, plan) = spec::facts_and_plan(&row)?;
    let source = upload::store::get(&app.db.reader, &row.source_id.parse().map_err(ApiError::internal)?).await?;
    let source_bytes = source.length.unwrap_or(0).cast_unsigned();
    let planned = Arc::new(Planned { facts, plan, source_id: row.source_id, source_bytes });
    app.plans.0.insert(job.to_owned(), planned.clone());
    Ok(planned)
}
