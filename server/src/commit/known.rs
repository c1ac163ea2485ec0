//! Renditions at hand, from the moment on when their init segments are pinned: nothing that commits need of them changes from
//! then on within an epoch.
//!
//! Only a saving of time: what is not at hand, or of another epoch, is read.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::store;
use crate::{
    app::App,
    entity::{rendition, task},
    error::ApiError,
};

/// Of jobs and kinds of tasks; a few kilobytes each.
const MOST: usize = 10_000;

type Renditions = Arc<Vec<rendition::Model>>;

#[derive(Debug)]
pub struct KnownRenditions(Cache<String, (i64, Renditions)>);

impl Default for KnownRenditions {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

/// The renditions that this task makes segments of, in the plan's order, when the epochs of all of its job's add up to `epochs`.
pub async fn renditions_of(app: &App, task: &task::Model, epochs: i64) -> Result<Renditions, ApiError> {
    let key = format!("{} {}", task.job_id, task.kind);
    if let Some((of, renditions)) = app.known_renditions.0.get(&key)
        && of == epochs
    {
        return Ok(renditions);
    }
    let renditions = Arc::new(store::renditions_of_task(&app.db.reader, task).await?);
    if renditions.iter().all(|rendition| rendition.init.is_some()) {
        app.known_renditions.0.insert(key, (epochs, Arc::clone(&renditions)));
    }
    Ok(renditions)
}
