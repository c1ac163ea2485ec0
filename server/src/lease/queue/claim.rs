//! Claims: which task is next for an agent.

use offpeak_api::ids::AgentId;
use sea_orm::{ConnectionTrait, DbBackend, Value};

use super::{claim_postgres, claim_sqlite, parameters, statement};
use crate::error::ApiError;

/// The agent that asks.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    pub agent: &'a AgentId,
    /// Classes that it serves: at least one.
    pub classes: &'a [String],
    /// Its build of ffmpeg.
    pub build: &'a str,
}

/// A task that left the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    pub task_id: String,
    /// Of the task.
    pub class: String,
    /// The tag of the slot that it took.
    pub tag: f64,
}

/// What one try brought.
#[derive(Debug)]
pub(super) enum Tried {
    Claimed(Claimed),
    /// The team with the least tag has nothing that this agent may take: it failed it all, or has another build.
    NothingOf(String),
    /// A slot without a task, which is gone now.
    Stale,
    Nothing,
}

/// Takes the next task for the claimant out of the queue: the least tag over its classes, and that team's first task.
///
/// A task is never given to an agent that failed it, nor to another build of ffmpeg than the one that its job began with.
pub async fn claim(tx: &impl ConnectionTrait, who: Claimant<'_>) -> Result<Option<Claimed>, ApiError> {
    let mut passed_over = Vec::new();
    loop {
        let tried = match tx.get_database_backend() {
            DbBackend::Postgres => claim_postgres::try_once(tx, who, &passed_over).await?,
            _ => claim_sqlite::try_once(tx, who, &passed_over).await?,
        };
        match tried {
            Tried::Claimed(claimed) => return Ok(Some(claimed)),
            Tried::NothingOf(team) => passed_over.push(team),
            Tried::Stale => {}
            Tried::Nothing => return Ok(None),
        }
    }
}

/// A look without locks: true when a slot waits in one of the classes.
pub async fn anything_for(db: &impl ConnectionTrait, classes: &[String]) -> Result<bool, ApiError> {
    let sql = format!("SELECT 1 FROM slot WHERE class IN ({}) LIMIT 1", parameters(1, classes.len()));
    Ok(db.query_one_raw(statement(db, &sql, classes.iter().map(|class| Value::from(class.as_str())))).await?.is_some())
}
