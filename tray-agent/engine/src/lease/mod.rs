//! The lease loop: ask for work, have a step do it, upload and commit what comes out, and end the lease in one of three ways.
//!
//! In: an enrolled [`Client`](crate::client::Client), proven capabilities and the steps. Out: committed rows on the server.
//! What must hold: rows are committed whole and in order; a lost lease stops its step at once; what was finished is not
//! lost while the lease may still be ours, however long the server is away; a shutdown hands every lease back.

mod ask;
mod bench;
mod deliver;
mod ending;
mod hold;
mod orders;
mod report;
mod rows;
mod steps;
mod upload;

use std::time::Duration;

pub use ask::{EngineEnd, LeaseLoop};
pub use report::{for_the_server, report_states};
pub use steps::{Outlets, Steps};
pub use upload::FileUpload;

/// How patient the loop is. Only tests have other values than the default's.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long the server may hold a request for work before it says that there is none.
    pub ask_wait: Duration,
    /// The first and the longest wait between two tries of a call.
    pub retry_first: Duration,
    pub retry_most: Duration,
    /// Bounds the rate of reports of the engine's state.
    pub report_least: Duration,
    /// Bounds the heartbeat's rate whatever the server says.
    pub heartbeat_least: Duration,
    /// How long finished rows may take to be committed when the engine stops.
    pub shutdown_limit: Duration,
    /// How long the server may answer every call with an internal error before a lease is given up.
    pub trouble_limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            // Under the 30 s that the protocol allows and under the idle limits of common proxies (60 s).
            ask_wait: Duration::from_secs(25),
            retry_first: Duration::from_millis(500),
            retry_most: Duration::from_secs(30),
            // Nobody looks more closely.
            report_least: Duration::from_secs(3),
            heartbeat_least: Duration::from_secs(1),
            // Operating systems kill what is left of a service after 5 to 20 s; the release still has to go out after this.
            shutdown_limit: Duration::from_secs(5),
            trouble_limit: Duration::from_secs(15 * 60),
        }
    }
}
