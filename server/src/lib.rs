//! The Offpeak server: a set of functions over a database and a blob store.
//!
//! A folder a step of the flow; in each, `mod.rs` holds the rules, `http.rs` the handlers, `store.rs` all SQL.

pub mod agents;
pub mod announce;
pub mod app;
pub mod auth;
pub mod blob;
pub mod clock;
pub mod commit;
pub mod config;
pub mod db;
pub mod deliver;
pub mod description;
pub mod entity;
pub mod error;
pub mod finish;
pub mod fleet;
pub mod front;
pub mod groups;
pub mod health;
pub mod jobs;
pub mod lease;
pub mod notify;
pub mod package;
pub mod page;
pub mod people;
pub mod plan;
pub mod private;
pub mod profile;
pub mod router;
pub mod serving;
pub mod settings;
pub mod teams;
#[cfg(test)]
mod test_server;
pub mod tick;
pub mod tls;
pub mod tokens;
pub mod upload;
pub mod wake;
pub mod web;
pub mod webhooks;
