//! Agents as people and programs see them, and what an agent tells of itself between leases.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ids::{AgentId, GroupId, JobId, LeaseId, TaskId},
    lease::{Capabilities, HolderState},
    policy::Policy,
};

/// What an engine is doing, or what keeps it from it. Exactly one is true: the first of this list that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// It cannot work; the code says why.
    Broken,
    /// Its token is good for nothing any more.
    Revoked,
    /// A person, or too many failures, took it out.
    SetAside,
    Updating,
    /// Stopped by the person at the desk until they say otherwise,
    Paused,
    /// or for some hours.
    Snoozed,
    /// It ends what it holds and gets nothing more.
    Draining,
    OffSchedule,
    /// Full screen, or in a call.
    Presenting,
    UserActive,
    OnBattery,
    Metered,
    BusyCpu,
    BusyMemory,
    NoServer,
    /// It holds work and does none of it for the moment.
    Suspended,
    Encoding,
    /// Getting work, or handing it over.
    Leasing,
    Waiting,
    /// Said by an engine that stops, and by the server of one that is silent for 90 seconds.
    Offline,
}

impl AgentState {
    /// In order of precedence.
    pub const ALL: [Self; 20] = [
        Self::Broken,
        Self::Revoked,
        Self::SetAside,
        Self::Updating,
        Self::Paused,
        Self::Snoozed,
        Self::Draining,
        Self::OffSchedule,
        Self::Presenting,
        Self::UserActive,
        Self::OnBattery,
        Self::Metered,
        Self::BusyCpu,
        Self::BusyMemory,
        Self::NoServer,
        Self::Suspended,
        Self::Encoding,
        Self::Leasing,
        Self::Waiting,
        Self::Offline,
    ];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Revoked => "revoked",
            Self::SetAside => "set_aside",
            Self::Updating => "updating",
            Self::Paused => "paused",
            Self::Snoozed => "snoozed",
            Self::Draining => "draining",
            Self::OffSchedule => "off_schedule",
            Self::Presenting => "presenting",
            Self::UserActive => "user_active",
            Self::OnBattery => "on_battery",
            Self::Metered => "metered",
            Self::BusyCpu => "busy_cpu",
            Self::BusyMemory => "busy_memory",
            Self::NoServer => "no_server",
            Self::Suspended => "suspended",
            Self::Encoding => "encoding",
            Self::Leasing => "leasing",
            Self::Waiting => "waiting",
            Self::Offline => "offline",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// True when the machine encodes, or would begin at once if there were work.
    pub fn is_available(self) -> bool {
        match self {
            Self::Encoding | Self::Leasing | Self::Waiting => true,
            Self::Broken
            | Self::Revoked
            | Self::SetAside
            | Self::Updating
            | Self::Paused
            | Self::Snoozed
            | Self::Draining
            | Self::OffSchedule
            | Self::Presenting
            | Self::UserActive
            | Self::OnBattery
            | Self::Metered
            | Self::BusyCpu
            | Self::BusyMemory
            | Self::NoServer
            | Self::Suspended
            | Self::Offline => false,
        }
    }
}

/// What people and the server make of an agent, whatever it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Active,
    /// It ends what it holds and gets nothing more, until a person resumes it.
    Draining,
    /// It gets nothing: until it has proved itself, if its failures were the reason; else until a person resumes it.
    SetAside,
    /// For good.
    Revoked,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Active, Self::Draining, Self::SetAside, Self::Revoked];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
            Self::SetAside => "set_aside",
            Self::Revoked => "revoked",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }
}

/// Who or what set an agent aside, and so who can undo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideBy {
    /// Only a person brings it back.
    Person,
    /// Three failures in a row, on different jobs: it comes back by itself when its test encodes succeed.
    Failures,
    /// What it sent was not what it said: only a person brings it back.
    Distrust,
}

/// Sent at every change of state, and otherwise once a minute: an agent that is silent for 90 seconds counts as offline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "user_active", "reason": "Somebody is typing." }))]
pub struct StateReport {
    pub state: AgentState,
    /// Stable name of the fault, when broken: `ffmpeg_missing`, `disk_full` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Sent after test encodes that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofReport {
    /// With the encoders that the test encodes proved, at least one.
    pub capabilities: Capabilities,
}

/// What an agent is told in return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentOrders {
    /// The policy of its group; the person at the desk may be stricter.
    pub policy: Policy,
    pub standing: Standing,
    /// Why it is not active.
    #[serde(default)]
    pub standing_reason: Option<String>,
    /// Set aside by failures: seconds until it may prove itself.
    #[serde(default)]
    pub prove_after_seconds: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    pub id: AgentId,
    pub name: String,
    pub group: GroupId,
    pub state: AgentState,
    /// Stable name of the fault, when broken.
    #[serde(default)]
    pub state_code: Option<String>,
    #[serde(default)]
    pub state_reason: Option<String>,
    pub state_since: DateTime<Utc>,
    pub standing: Standing,
    #[serde(default)]
    pub standing_reason: Option<String>,
    /// When it was set aside.
    #[serde(default)]
    pub set_aside_by: Option<SetAsideBy>,
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Holds at least one lease.
    pub working: bool,
    /// Frames a second, over all of its leases.
    pub frames_per_second: f64,
    /// Seconds of video encoded in a second, in all rungs, over all of its leases.
    pub real_time_speed: f64,
    pub capabilities: Option<Capabilities>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentList {
    pub agents: Vec<Agent>,
    /// Pass as `cursor` to get the next page; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListAgents {
    /// Only agents in these states, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only agents of these standings, separated by commas; all but `revoked` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
    /// Only agents of this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<GroupId>)]
    pub group: Option<GroupId>,
    /// Only agents whose name contains this, in capitals or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `next_cursor` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<AgentId>)]
    pub cursor: Option<String>,
    /// 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// One agent with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentDetail {
    #[serde(flatten)]
    pub agent: Agent,
    pub enrolled_at: DateTime<Utc>,
    /// Different jobs that it failed tasks of, since a task of its last succeeded. With the third it is set aside.
    pub jobs_failed_in_a_row: u32,
    /// Set aside by failures: seconds until it may prove itself.
    #[serde(default)]
    pub prove_after_seconds: Option<u64>,
    pub leases: Vec<AgentLease>,
    /// The last twenty, youngest first.
    pub failures: Vec<AgentFailure>,
    /// The last fifty, youngest first, of at most 31 days.
    pub events: Vec<AgentEvent>,
}

/// What an agent holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentLease {
    pub id: LeaseId,
    pub job: JobId,
    pub task: TaskId,
    /// `probe`, `encode` …
    pub kind: String,
    /// Segment indices `[first, last)` and how far it is, for encode and audio.
    pub first: u32,
    pub cursor: u32,
    pub last: u32,
    pub state: HolderState,
    pub frames_per_second: f64,
    /// Seconds of video encoded in a second.
    pub real_time_speed: f64,
    pub granted_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentFailure {
    pub at: DateTime<Utc>,
    pub job: JobId,
    pub task: TaskId,
    /// Stable name, such as `ffmpeg_crashed`.
    pub code: String,
    pub message: String,
    pub log_tail: Vec<String>,
}

/// Something that happened to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentEvent {
    /// `agent.enrolled`, `agent.renamed`, `agent.moved`, `agent.drained`, `agent.resumed`, `agent.set_aside`, `agent.quarantined`,
    /// `agent.proved` or `agent.revoked`.
    pub kind: String,
    pub at: DateTime<Utc>,
    /// What is particular to the kind.
    pub data: serde_json::Value,
}

/// What is to be changed; the rest stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAgent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 120,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
}

/// Why a person drains an agent, or sets it aside.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeStanding {
    /// Shown with the agent and at its desk, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HistoryRange {
    /// A day before `to` when absent; at most 31 days before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentHistory {
    /// Oldest first, without those of which nothing is known.
    pub hours: Vec<AgentHour>,
}

/// One hour of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentHour {
    /// When it began: a full hour, UTC.
    pub hour: DateTime<Utc>,
    /// How long the agent was in each state.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({ "user_active": 2_400_000, "encoding": 1_200_000 }))]
    pub milliseconds: BTreeMap<AgentState, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_called_the_same_everywhere_and_sorted() {
        assert!(AgentState::ALL.is_sorted());
        for state in AgentState::ALL {
            assert_eq!(serde_json::to_value(state).expect("a word"), state.as_str());
            assert_eq!(AgentState::parse(state.as_str()), Some(state));
        }
        for standing in Standing::ALL {
            assert_eq!(serde_json::to_value(standing).expect("a word"), standing.as_str());
        }
    }
}
