//! Jobs and sources as clients see them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    facts::{Facts, Warning},
    ids::{AgentId, JobId, SourceId, TeamId},
};

/// Free words of the submitter, kept with the job: at most 32 entries of 64 and 512 characters.
pub type Metadata = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "source": { "upload": "src_01J8ZC5V2M0N6QW3T7RX9KPEHD" },
    "profile": "hls-h264",
    "priority": 5,
    "metadata": { "title": "All hands, November" }
}))]
pub struct CreateJob {
    pub source: JobSource,
    #[serde(default = "default_profile")]
    #[schema(example = "hls-h264")]
    pub profile: String,
    /// 0 to 9; 9 is the most urgent.
    #[serde(default = "default_priority")]
    #[schema(minimum = 0, maximum = 9)]
    pub priority: u8,
    /// When the job should be complete. Among jobs of equal priority of a team, the nearest deadline comes first; it is a
    /// wish, and a job that misses it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DateTime<Utc>>,
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub metadata: Metadata,
}

fn default_profile() -> String {
    "hls-h264".to_owned()
}

fn default_priority() -> u8 {
    5
}

/// A finished upload, or an address to fetch from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", try_from = "GivenSource")]
pub enum JobSource {
    #[schema(title = "UploadedSource")]
    Upload(SourceId),
    #[schema(title = "FetchedSource")]
    Url(String),
}

/// A source as it was given. Read by way of this, a body that names both or none is told so; read as a union, it would be
/// told that it is no JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenSource {
    upload: Option<SourceId>,
    url: Option<String>,
}

impl TryFrom<GivenSource> for JobSource {
    type Error = &'static str;

    fn try_from(given: GivenSource) -> Result<Self, Self::Error> {
        match (given.upload, given.url) {
            (Some(upload), None) => Ok(Self::Upload(upload)),
            (None, Some(url)) => Ok(Self::Url(url)),
            (Some(_), Some(_)) => Err("`source` has either `upload` or `url`, not both"),
            (None, None) => Err("`source` needs `upload` (the id of a finished upload) or `url`"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Probing,
    Encoding,
    /// All segments are there; files are being made.
    Finishing,
    Completed,
    Failed,
    Cancelled,
}

impl JobState {
    pub fn is_over(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Queued | Self::Probing | Self::Encoding | Self::Finishing => false,
        }
    }

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Probing => "probing",
            Self::Encoding => "encoding",
            Self::Finishing => "finishing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    pub id: JobId,
    pub team: TeamId,
    pub source: SourceId,
    /// The name of the source's file, from its upload or its address; absent when neither tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    pub profile: String,
    pub priority: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DateTime<Utc>>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub metadata: Metadata,
    pub state: JobState,
    pub progress: JobProgress,
    /// Seconds until completion, as likely more as less: from the speed of the machines that are there now, what is queued ahead,
    /// the team's fair share, and what is left of the job. Null when the job is over or nothing is known to estimate from: no
    /// machine is available, or no job of the profile came to its end before and this one is not probed yet.
    #[serde(default)]
    pub eta_seconds: Option<u64>,
    /// Seconds until completion that about nine of ten jobs keep: with as few machines as in the worst tenth of the last day,
    /// and slow ones at the end. Never less than `eta_seconds`.
    #[serde(default)]
    pub eta_p90_seconds: Option<u64>,
    pub created_at: DateTime<Utc>,
    #[serde(default)]
    pub started_at: Option<DateTime<Utc>>,
    /// From when on a player could start.
    #[serde(default)]
    pub playable_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub ended_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub facts: Option<Facts>,
    #[serde(default)]
    pub warnings: Vec<Warning>,
    #[serde(default)]
    pub outputs: Outputs,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<JobError>,
}

/// Progress never goes backwards while a job runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    /// 0 to 1 over all stages.
    pub fraction: f64,
    /// 0 to 1: the source's way into storage (1 for uploads) and its probe.
    pub probe: f64,
    /// Frames of the presentation, planned or, at the end, true.
    pub frames_total: u64,
    /// How many times as fast as it plays the film is encoded now, by all machines together; 0 when nobody is at its pictures.
    #[serde(default)]
    pub throughput: f64,
    pub renditions: Vec<RenditionProgress>,
    /// Files made, of those that the profile asks for.
    pub files_done: u32,
    pub files_total: u32,
    /// Agents that hold leases of this job now.
    pub agents: Vec<AgentAtWork>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RenditionProgress {
    pub id: String,
    pub kind: RenditionKind,
    #[serde(default)]
    pub width: Option<u32>,
    #[serde(default)]
    pub height: Option<u32>,
    pub segments_done: u32,
    pub segments_total: u32,
    /// Video frames committed (AAC frames for audio). Neither this nor `segments_done` and `bytes` go back when the rendition has
    /// to begin again.
    pub frames_done: u64,
    /// Of the whole rendition: planned or, at the end, true.
    #[serde(default)]
    pub frames_total: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenditionKind {
    Video,
    Audio,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentAtWork {
    pub agent: AgentId,
    pub name: String,
    /// `probe`, `encode` …
    pub task_kind: String,
    /// Segment indices `[first, last)` and how far it is, for encode and audio.
    pub first: u32,
    pub cursor: u32,
    pub last: u32,
    pub frames_per_second: f64,
}

/// Addresses of what came out; absolute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Outputs {
    /// HLS multivariant playlist, from `playable_at` on.
    #[serde(default)]
    pub hls: Option<String>,
    /// DASH manifest, from `playable_at` on.
    #[serde(default)]
    pub dash: Option<String>,
    /// The player page.
    #[serde(default)]
    pub watch: Option<String>,
    #[serde(default)]
    pub files: Vec<OutputFile>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutputFile {
    pub name: String,
    pub url: String,
    pub bytes: u64,
    pub sha256: String,
    pub content_type: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobError {
    /// Stable name, such as `no_video_index` or `fetch_failed`.
    pub code: String,
    /// What happened, and what to do, in words for a person.
    pub message: String,
    /// The last lines of the log of the failure that decided.
    #[serde(default)]
    pub log_tail: Vec<String>,
    /// Every failure of the task that decided, oldest first; nothing when the result itself said that the job cannot succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<TaskFailure>,
}

impl JobError {
    /// An error that no machine is part of.
    pub fn of_source(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), log_tail: Vec::new(), failures: Vec::new() }
    }
}

/// One failure: on which machine, of what, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskFailure {
    pub agent: AgentId,
    pub agent_name: String,
    /// `probe`, `encode` …
    pub task_kind: String,
    /// The segments `[first, last)` that were left of the task, for encode and audio.
    pub first: u32,
    pub last: u32,
    /// As the agent said; `lease_expired` when it fell silent again and again.
    pub code: String,
    pub message: String,
    #[serde(default)]
    pub log_tail: Vec<String>,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    pub jobs: Vec<Job>,
    /// Pass as `cursor` to get the next page; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListJobs {
    /// Only jobs in these states, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only jobs made with the profile of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub profile: Option<String>,
    /// Only jobs of this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<SourceId>)]
    pub source: Option<SourceId>,
    /// Only jobs that have this text in their id, their metadata, or the name or address of their source, in capital letters
    /// or not: 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 200, pattern = "^[^\\u0000]*$")]
    pub search: Option<String>,
    /// `next_cursor` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<JobId>)]
    pub cursor: Option<String>,
    /// 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// One thing that happened to a job: the `data` of a server-sent event, whose `id` is `sequence` and whose `event` is `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobEvent {
    pub sequence: i64,
    /// `job.created`, `job.probed`, `lease.granted`, `segments.committed`, `lease.ended`, `job.playable`, `job.completed` …
    pub kind: String,
    pub at: DateTime<Utc>,
    pub job: JobId,
    /// What is particular to the kind.
    pub data: serde_json::Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Bytes are still arriving.
    Uploading,
    Ready,
    /// Its bytes are gone: kept for as long as the server's setting says, or deleted.
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    pub id: SourceId,
    pub state: SourceState,
    #[serde(default)]
    pub filename: Option<String>,
    /// Bytes, once known.
    #[serde(default)]
    pub bytes: Option<u64>,
    pub received_bytes: u64,
    /// Of the whole file, when ready; of one that went straight into a bucket, S3's composite one: the SHA-256 of the parts'
    /// SHA-256s, a dash, and how many parts there are.
    #[serde(default)]
    pub sha256: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}
