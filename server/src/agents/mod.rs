//! Agents: how a machine joins, and who is there.

pub mod http;
pub mod store;
