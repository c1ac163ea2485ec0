//! Teams: who owns sources and jobs, and among whom the farm is shared.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{PersonId, TeamId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "team_01J8ZC5V2M0N6QW3T7RX9KPEHD", "name": "newsroom", "weight": 2.0, "created_at": "2026-11-02T08:00:00Z"
}))]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    /// Its share of the farm while others want it too: a team of weight 2 gets twice what one of weight 1 gets.
    pub weight: f64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamList {
    /// By name.
    pub teams: Vec<Team>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "newsroom", "weight": 2.0 }))]
pub struct CreateTeam {
    /// One line; no other team has it.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// 0.01 to 100; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.01, maximum = 100)]
    pub weight: Option<f64>,
}

/// What is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "weight": 2.0 }))]
pub struct ChangeTeam {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    /// Counts for jobs that are made from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.01, maximum = 100)]
    pub weight: Option<f64>,
}

/// A person of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    pub person: PersonId,
    pub email: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemberList {
    /// By email.
    pub members: Vec<Member>,
}
