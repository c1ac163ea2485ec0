//! The Offpeak server: a set of functions over a database and a blob store.
//!
//! A folder a step of the flow; in each, `mod.rs` holds the rules, `http.rs` the handlers, `store.rs` all SQL.

pub mod app;
pub mod auth;
pub mod blob;
pub mod clock;
pub mod config;
pub mod db;
pub mod entity;
pub mod error;
pub mod package;
pub mod plan;
pub mod settings;
#[cfg(test)]
mod test_server;
pub mod wake;
pub mod web;
