//! What passes between the lease loop and the steps that do the work: a context in, finished pieces out, one result.
//!
//! The lease loop (`lease/`) owns the network side: it renews the lease, uploads what a step makes and commits it. A step
//! (`probe/`, `encode/`, `audio/`, `file/`, `fetch/`) owns the media side and knows no lease.

use std::{path::PathBuf, sync::Arc, sync::Mutex};

use bytes::Bytes;
use offpeak_api::{
    lease::{Blame, Progress},
    work::SourceAddress,
};
pub use offpeak_boxes::InitHeader;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{desk::Desk, sandbox::Sandbox};

/// Where the bundled programs are, and how much of the machine they may use.
#[derive(Debug, Clone)]
pub struct Tools {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
    /// Threads for one task.
    pub threads: u32,
    /// What they run in.
    pub sandbox: Sandbox,
}

/// What every step gets.
#[derive(Debug, Clone)]
pub struct TaskContext {
    pub tools: Tools,
    pub http: crate::http::Http,
    /// The server's address, against which relative addresses are resolved.
    pub server: Url,
    /// The source's address; a heartbeat replaces it before it expires. `None` for work without a source.
    pub source: watch::Receiver<Option<SourceAddress>>,
    /// Where the task ends now: a heartbeat may lower it.
    pub end: watch::Receiver<TaskEnd>,
    /// Cancelled when the lease is lost, given back, or the engine stops: ffmpeg dies at once.
    pub stop: CancellationToken,
    pub progress: ProgressCell,
    /// Whether work is allowed; what a step starts stands still while it is not, and no limit counts that time.
    pub desk: Desk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskEnd {
    pub last: u32,
    pub to_end: bool,
}

/// Progress, written by the step and read by heartbeats.
#[derive(Debug, Clone, Default)]
pub struct ProgressCell(Arc<Mutex<Progress>>);

impl ProgressCell {
    pub fn set(&self, progress: Progress) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = progress;
    }

    pub fn get(&self) -> Progress {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A finished piece of media on its way to storage. A step sends an init segment before the first segment of its
/// rendition, segments of a rendition in rising order, and only pieces whose frames were counted and found right. The
/// channel is short: a slow network holds ffmpeg back instead of filling memory.
#[derive(Debug, Clone)]
pub enum Piece {
    Init { rendition: String, attempt: u32, data: Bytes, header: InitHeader },
    Segment { rendition: String, index: u32, attempt: u32, frames: u32, start_ticks: u64, duration_ticks: u64, data: Bytes },
}

pub type Pieces = mpsc::Sender<Piece>;

/// Why a step ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// `stop` was cancelled.
    #[error("stopped")]
    Stopped,
    /// Work stood still for somebody at the desk, and cannot go on from there: nobody is to blame, and the lease is handed back.
    #[error("disturbed: {0}")]
    Disturbed(String),
    #[error("{}: {}", .0.code, .0.message)]
    Failed(Failure),
}

/// What `POST …/fail` carries.
#[derive(Debug, Clone)]
pub struct Failure {
    pub code: &'static str,
    pub message: String,
    pub blame: Blame,
    pub log_tail: Vec<String>,
}

impl TaskError {
    /// The source is at fault: no other machine would do better.
    pub fn source(code: &'static str, message: impl Into<String>) -> Self {
        Self::Failed(Failure { code, message: message.into(), blame: Blame::Source, log_tail: Vec::new() })
    }

    /// This machine is at fault, or nobody knows.
    pub fn agent(code: &'static str, message: impl Into<String>) -> Self {
        Self::Failed(Failure { code, message: message.into(), blame: Blame::Agent, log_tail: Vec::new() })
    }

    pub fn with_log(self, lines: Vec<String>) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(Failure { log_tail: lines, ..failure }),
            Self::Stopped => Self::Stopped,
            Self::Disturbed(why) => Self::Disturbed(why),
        }
    }
}
