//! Groups of agents, and figures of the whole fleet.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{agent::AgentState, ids::GroupId, policy::Policy};

/// Agents that work by the same policy. Every agent belongs to one; those that nobody moved, to the team's default group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// Agents join here when they enrol, or when their group is deleted.
    pub is_default: bool,
    /// How many agents are in it, revoked ones left out.
    pub agents: u64,
    /// Changed with PUT /v1/policies/{group}.
    pub policy: Policy,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// By name, the default one first.
    pub groups: Vec<Group>,
    /// Pass as `cursor` to get the next page; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Studio" }))]
pub struct NameGroup {
    /// 1 to 120 characters, and no other group of the team has it.
    #[schema(
        min_length = 1,
        max_length = 120,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$"
    )]
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FleetQuery {
    /// In how many seconds everything that waits should be done, for `machines_wanted`: 60 to 86400, 600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 60, maximum = 86_400)]
    pub within_seconds: Option<u32>,
}

/// The whole fleet now, machines and jobs of all teams.
///
/// Work is counted in frames × pixels × codec factor, in millions: an hour of 1080p at 25 frames a second in one H.264 rung is
/// 187,000.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetFigures {
    pub at: DateTime<Utc>,
    /// How many machines are in each state, revoked ones left out.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({ "encoding": 12, "user_active": 31, "offline": 7 }))]
    pub machines: BTreeMap<AgentState, u64>,
    /// Machines that were heard of in the last 90 seconds.
    pub online: u64,
    /// Machines that encode, or would begin at once, and are given work.
    pub available: u64,
    pub speed: FleetSpeed,
    pub queue: Queue,
    /// Work of leased tasks that is not committed.
    pub leased_work: f64,
    /// What one machine does in a second, measured over the last day; null when nothing was encoded in it.
    #[serde(default)]
    pub machine_work_per_second: Option<f64>,
    /// Seconds until all work is done at the present speed; null when nothing is being encoded.
    #[serde(default)]
    pub backlog_seconds: Option<u64>,
    /// For an autoscaler: how many machines that encode all the time would do all work, waiting and leased, in
    /// `within_seconds`. 0 without work; 1 while no speed was measured.
    pub machines_wanted: u64,
    pub within_seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct FleetSpeed {
    /// Machines that encode.
    pub encoding: u64,
    /// Seconds of video encoded in a second, in all rungs: multiples of real time.
    pub real_time: f64,
    pub work_per_second: f64,
}

/// What waits for a machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    pub tasks: u64,
    pub work: f64,
    pub classes: Vec<ClassQueue>,
}

/// What waits for machines of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClassQueue {
    /// What a machine must be able to do: `none`, `aac`, or an encoder with its memory, such as `libx264:1g`.
    pub class: String,
    pub tasks: u64,
    pub work: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetHistory {
    /// Oldest first, one a minute, or every so many minutes when the range is longer than a day.
    pub samples: Vec<FleetSample>,
}

/// The fleet as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetSample {
    pub at: DateTime<Utc>,
    #[schema(value_type = BTreeMap<String, u64>)]
    pub machines: BTreeMap<AgentState, u64>,
    pub speed: FleetSpeed,
    pub queue: Queue,
    pub leased_work: f64,
}
