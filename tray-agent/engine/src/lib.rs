//! The headless engine: leases tasks from an Offpeak server, does them with a bundled ffmpeg, hands the results back.
//!
//! `presence/` sees what the desk's person does, `policy/` says what follows, `watch.rs` makes the engine do so; `lease/` talks
//! to the server; the other folders each do one kind of work and know no lease; `task.rs` is what passes
//! between them.

pub mod audio;
pub mod backoff;
pub mod capabilities;
pub mod check;
pub mod client;
pub mod contribution;
pub mod desk;
pub mod encode;
pub mod enrolment;
pub mod fetch;
pub mod ffmpeg;
pub mod file;
pub mod forecast;
pub mod fragment;
pub mod http;
mod kept;
pub mod lease;
pub mod link;
pub mod loopback;
mod platform;
#[cfg(all(unix, not(target_os = "linux")))]
pub use platform::undertaker;
pub mod policy;
pub mod presence;
pub mod probe;
pub mod run;
pub mod sandbox;
pub mod settings;
pub mod status;
pub mod steps;
pub mod supervise;
pub mod task;
#[cfg(test)]
mod testing;
pub mod watch;
pub mod why;
pub mod wishes;
mod words;
