//! Which parts of a job are made, by which machine, and who is at which part now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ids::AgentId, job::RenditionKind, lease::HolderState};

/// The work on a job's segments, as far as it is planned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct JobMap {
    /// How much a segment plays, but for the last; absent until the job is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_seconds: Option<f64>,
    /// One for the pictures, one for the sound. All renditions of a track are made together, segment by segment.
    pub tracks: Vec<MapTrack>,
    /// Every agent that is named above.
    pub agents: Vec<MapAgent>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MapTrack {
    pub kind: RenditionKind,
    /// Their ids, in the plan's order.
    pub renditions: Vec<String>,
    /// As planned or, at the end, true.
    pub segments_total: u32,
    /// What is committed, front to back.
    pub made: Vec<MadeRun>,
    /// What is not, front to back.
    pub open: Vec<OpenSpan>,
}

/// Segments `[first, last)` that one agent made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MadeRun {
    pub first: u32,
    pub last: u32,
    /// Absent when it is no longer known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
}

/// Segments `[first, last)` of one task that are yet to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenSpan {
    pub first: u32,
    pub last: u32,
    /// Who is at it: nobody while it waits, two when a second agent was set beside a slow one.
    pub holders: Vec<SpanHolder>,
    /// It failed for good, and so did the job.
    pub failed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpanHolder {
    pub agent: AgentId,
    pub state: HolderState,
    /// Why it is suspended, in the agent's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Nothing was heard of it for longer than its lease lasts: whoever asks next gets the span.
    pub silent: bool,
    pub frames_per_second: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MapAgent {
    pub id: AgentId,
    pub name: String,
}
