//! The queues of ready tasks: fair between teams, in order within a team, one for each class of capability.
//!
//! Every waiting task has a row in `ready`, and its team one anonymous row in `slot` (the rules of its tag are in
//! [`super::rules::fair`]). A claim takes the slot with the least tag over the classes that the agent serves, and then that
//! team's first task. What must hold: of each class, a team has as many slots as ready tasks. Both tables are read by their
//! keys only, so a claim costs O(log n) of what waits.
//!
//! Locks are taken in one order everywhere: slot, ready, job, task, lease, agent, flow. Claims pass over what another claim
//! holds, and so does whoever has locked a job or a task already and takes something out of the queue: what is left there is
//! found to be over by the claim that holds it. SQLite has one writer.

mod add;
mod claim;
mod claim_postgres;
mod claim_sqlite;
mod pin;
mod remove;

pub use add::{Waiting, add, put_back};
pub use claim::{Claimant, Claimed, anything_for, claim};
pub use claim_postgres::{AtOnce, claim_at_once};
pub use pin::{lock_job, set_build};
pub use remove::{remove_if_free, remove_job};

use sea_orm::{ConnectionTrait, Statement, Value};

/// A statement that both databases read: parameters are `$1`, `$2` …
fn statement(db: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// `$first, $first+1, …`, `count` of them.
fn parameters(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    names.join(", ")
}
