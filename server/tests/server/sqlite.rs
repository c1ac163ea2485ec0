//! The server over HTTP, in this process: SQLite, real storage in a folder, a clock in the test's hand.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod agent_states;
mod all_at_once;
mod any_bytes;
mod any_order;
mod at_a_glance;
mod blame;
mod database;
mod description;
mod ends;
mod epochs;
mod estimates;
mod fairness;
mod fleet;
mod harness;
mod in_a_bucket;
mod invariants;
mod jobs;
mod leases;
mod lies;
mod limits;
mod old_data;
mod people;
mod product;
mod races;
mod restarts;
mod retries;
mod secrets;
mod signed;
mod stealing;
mod storage;
mod terminal;
mod tokens;
mod webhooks;
mod who_may_call;
