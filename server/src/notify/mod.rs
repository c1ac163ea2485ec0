//! What happened, in the order it happened: rows written with the change itself, read by watchers of a job.

pub mod http;
pub mod store;
pub mod team;

pub use store::{event, record};
