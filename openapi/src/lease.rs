//! The lease protocol: ask for work, renew, upload, commit, and end in one of three ways.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    facts::Facts,
    ids::{AgentId, JobId, LeaseId, TaskId},
    work::{SourceAddress, Work},
};

/// The oldest protocol that this server speaks; engines send theirs as `protocol`.
pub const PROTOCOL: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The one-time enrolment code.
    pub code: String,
    /// How people will recognise the machine; its host name is a good choice.
    #[schema(
        min_length = 1,
        max_length = 120,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnrolResponse {
    pub agent_id: AgentId,
    /// Bearer token of this agent: shown once.
    pub token: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaseRequest {
    /// Chosen by the engine; a repeat of the same request gets the same lease.
    pub request_id: String,
    /// A random word of the engine's process, chosen at its start. When another process asks under the same agent, the leases
    /// that the earlier one held wait again at once: it is taken to be gone. Up to 64 visible ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub instance: Option<String>,
    pub protocol: u32,
    /// How long to wait for work before 204, at most 30.
    #[schema(maximum = 30)]
    pub wait_seconds: u32,
    pub capabilities: Capabilities,
    /// Share of the processor that other programs use now, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// For how long the machine will probably be left alone. A span that would take it longer is cut, and its tail left to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_idle_seconds: Option<u64>,
}

/// What an engine can do, proven by test encodes at its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Capabilities {
    /// `0.1.0`: the engine's own version.
    pub engine: String,
    /// ffmpeg's version and the SHA-256 of its binary: init segments are compared within one build.
    pub ffmpeg: String,
    /// `libx264`, `aac` …
    pub encoders: Vec<String>,
    pub cores: u32,
    /// Memory that one lease may use, in MiB: the machine's, less what its person and system need, divided by the engine's
    /// number of leases. 0 is unknown.
    #[serde(default)]
    pub memory_mib: u64,
    /// `linux`, `macos`, `windows`.
    pub os: String,
    /// How far ffmpeg is walled off on this machine; absent when the engine does not know, which counts as not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxReport>,
}

/// The box that ffmpeg runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SandboxReport {
    pub state: SandboxState,
    /// The walls that do not stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4)]
    pub missing: Vec<Wall>,
    /// Why they do not, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SandboxState {
    /// All walls stand.
    Full,
    Partial,
    None,
}

impl SandboxState {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

/// What ffmpeg is walled off from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wall {
    /// Everything but the engine's loopback.
    Network,
    /// Everything but its own program and libraries, read only.
    Files,
    /// Starting programs, looking into others, sending signals, and all else that encoding does not take.
    SystemCalls,
    /// More memory, processor time, threads and descriptors than its task can need.
    Resources,
}

impl Wall {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Files => "files",
            Self::SystemCalls => "system calls",
            Self::Resources => "resources",
        }
    }
}

impl Capabilities {
    /// Whether ffmpeg is walled off on all sides.
    pub fn is_boxed(&self) -> bool {
        self.sandbox.as_ref().is_some_and(|sandbox| sandbox.state == SandboxState::Full)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    pub id: LeaseId,
    pub job: JobId,
    pub task: TaskId,
    pub expires_in_seconds: u64,
    pub heartbeat_every_seconds: u64,
    pub work: Work,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    pub state: HolderState,
    /// Why, when suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default)]
    pub progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HolderState {
    Encoding,
    Suspended,
}

/// How far the holder is beyond what it committed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Frames encoded under this lease, committed or not (of the slowest rendition).
    #[serde(default)]
    pub frames: u64,
    /// Frames a second over the last half minute.
    #[serde(default)]
    pub frames_per_second: f64,
    /// For tasks that have no frames: bytes moved and, if known, bytes to move.
    #[serde(default)]
    pub bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
}

/// What the holder is to do from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Orders {
    pub action: Action,
    /// The task's `cursor` now. It can be beyond what this lease committed, when the task has a second holder: rows before it
    /// are not wanted any more.
    #[serde(default)]
    pub cursor: u32,
    /// The task's `last` now: it is lowered when somebody idle takes the tail.
    pub last: u32,
    pub to_end: bool,
    pub expires_in_seconds: u64,
    /// A fresh address of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceAddress>,
    /// Rows of this commit that lie at or past `last` and were not accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Continue,
    /// End at once; nothing more of this lease counts.
    Stop,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadUrlsRequest {
    #[schema(min_items = 1, max_items = 256)]
    pub objects: Vec<UploadObject>,
}

/// An object that is about to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadObject {
    pub name: ObjectName,
    /// Counts the engine's tries at this task under one lease. Keys are written once, and another try may give other bytes.
    #[serde(default)]
    pub attempt: u32,
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "object", rename_all = "snake_case")]
pub enum ObjectName {
    #[schema(title = "InitObject")]
    Init { rendition: String },
    #[schema(title = "SegmentObject")]
    Segment { rendition: String, index: u32 },
    /// The file of a `file` task.
    #[schema(title = "FileObject")]
    File,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Init { rendition } => write!(f, "the init segment of {rendition:?}"),
            Self::Segment { rendition, index } => write!(f, "segment {index} of {rendition:?}"),
            Self::File => f.write_str("the file"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadUrls {
    /// In the order of the request.
    pub addresses: Vec<UploadAddress>,
}

/// PUT the object's bytes here, with these headers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadAddress {
    /// Absolute, or relative to the server's address.
    pub url: String,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    pub expires_in_seconds: u64,
}

/// Whole rows from the cursor on, uploaded before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitRequest {
    #[schema(min_items = 1, max_items = 1024)]
    pub segments: Vec<SegmentReport>,
    /// The init segment of every rendition in `segments`; needed until the server has pinned one, welcome later.
    #[serde(default)]
    pub inits: Vec<InitReport>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SegmentReport {
    pub rendition: String,
    pub index: u32,
    #[serde(default)]
    pub attempt: u32,
    /// Video frames, or AAC frames.
    pub frames: u32,
    /// Decode time of the first sample (`tfdt`), in the track's timescale.
    pub start_ticks: u64,
    /// Sum of the samples' durations, in the track's timescale.
    pub duration_ticks: u64,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InitReport {
    pub rendition: String,
    #[serde(default)]
    pub attempt: u32,
    pub bytes: u64,
    pub sha256: String,
    /// SHA-256 of the init segment with its edit lists left out: equal for all spans of one build.
    pub fingerprint: String,
    /// RFC 6381, read from the sample entry: `avc1.64001f`, `mp4a.40.2`.
    pub codecs: String,
    pub timescale: u32,
    /// `media_time` of the edit list: how many ticks of each track come before presentation time 0.
    pub media_time: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRequest {
    pub result: TaskResult,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskResult {
    #[schema(title = "FetchResult")]
    Fetch {},
    #[schema(title = "ProbeResult")]
    Probe { facts: Box<Facts> },
    #[schema(title = "EncodeResult")]
    Encode {
        /// For a span to the end: the number of frames of the presentation (the index after its last frame).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_frame: Option<u64>,
        #[serde(default)]
        warnings: Vec<crate::facts::Warning>,
    },
    #[schema(title = "AudioResult")]
    Audio {
        /// Segments of the whole track.
        segments: u32,
        #[serde(default)]
        warnings: Vec<crate::facts::Warning>,
    },
    #[schema(title = "FileResult")]
    File {
        #[serde(default)]
        attempt: u32,
        bytes: u64,
        sha256: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseRequest {
    pub reason: ReleaseReason,
}

/// Why a lease is handed back without blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    UserReturned,
    Shutdown,
    Schedule,
    Battery,
    LowMemory,
    Drained,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FailRequest {
    /// Stable name, such as `no_index` or `ffmpeg_crashed`.
    pub code: String,
    /// What happened and what to do, in words for the person who submitted the job.
    pub message: String,
    pub blame: Blame,
    /// The last lines of ffmpeg's log.
    #[serde(default)]
    pub log_tail: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The source itself: no other agent would do better, so the job fails now.
    Source,
    /// This machine, or nobody knows: another agent may try.
    Agent,
}
