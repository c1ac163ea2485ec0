//! Groups of agents.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ids::GroupId, policy::Policy};

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
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Studio" }))]
pub struct NameGroup {
    /// 1 to 120 characters, and no other group of the team has it.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
}
