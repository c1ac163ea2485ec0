//! The types of Offpeak's HTTP API: what the server, the engine and the command line say to each other.
//!
//! One file a concern. Words are those of the glossary in ARCHITECTURE.md; ranges are half-open; durations on the wire
//! carry their unit in the name (`…_seconds`); addresses may be relative and are then resolved against the server's own.

pub mod access;
pub mod agent;
pub mod enrolment;
pub mod facts;
pub mod figures;
pub mod fleet;
pub mod ids;
pub mod job;
pub mod lease;
pub mod map;
pub mod media;
pub mod page;
pub mod people;
pub mod plain;
pub mod policy;
pub mod problem;
pub mod profile;
pub mod team;
pub mod upload;
pub mod webhook;
pub mod work;
