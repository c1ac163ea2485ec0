//! One file a table. Only `store.rs` files use these.

pub mod agent;
pub mod agent_event;
pub mod agent_group;
pub mod agent_hour;
pub mod arrival;
pub mod build_seen;
pub mod failure;
pub mod fleet_sample;
pub mod init_vote;
pub mod job;
pub mod job_event;
pub mod lease;
pub mod manifests_due;
pub mod output_file;
pub mod profile;
pub mod rendition;
pub mod segment;
pub mod setting;
pub mod silence;
pub mod source;
pub mod task;
pub mod team;
pub mod token;
pub mod webhook;
pub mod webhook_attempt;
pub mod webhook_delivery;
