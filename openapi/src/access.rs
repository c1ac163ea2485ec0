//! What programs may do: scopes, API tokens, and the codes with which machines enrol.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{GroupId, TeamId, TokenId};

/// One thing that a program may do. Scopes hold within the token's team; those of agents and `admin` for the whole farm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Read jobs, their events and outputs, sources and profiles.
    #[serde(rename = "jobs:read")]
    JobsRead,
    /// Make, cancel, retry and delete jobs; make and delete profiles.
    #[serde(rename = "jobs:write")]
    JobsWrite,
    /// Upload and delete sources.
    #[serde(rename = "uploads:write")]
    UploadsWrite,
    /// Read agents, groups, policies and enrolment codes.
    #[serde(rename = "agents:read")]
    AgentsRead,
    /// Change agents, groups and policies; make enrolment codes.
    #[serde(rename = "agents:write")]
    AgentsWrite,
    /// Read webhooks and their deliveries.
    #[serde(rename = "webhooks:read")]
    WebhooksRead,
    /// Make, change and delete webhooks.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
    /// List, make and revoke the team's tokens, with no scope beyond one's own.
    #[serde(rename = "tokens:write")]
    TokensWrite,
    /// Everything, in every team; people and teams too.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    pub const ALL: [Self; 9] = [
        Self::JobsRead,
        Self::JobsWrite,
        Self::UploadsWrite,
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::WebhooksRead,
        Self::WebhooksWrite,
        Self::TokensWrite,
        Self::Admin,
    ];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobsRead => "jobs:read",
            Self::JobsWrite => "jobs:write",
            Self::UploadsWrite => "uploads:write",
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::WebhooksRead => "webhooks:read",
            Self::WebhooksWrite => "webhooks:write",
            Self::TokensWrite => "tokens:write",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "token_01J8ZC5V2M0N6QW3T7RX9KPEHD", "name": "intranet", "team": "team_01J8ZC5V2M0N6QW3T7RX9KPEHD",
    "scopes": ["jobs:read", "jobs:write", "uploads:write"], "created_at": "2026-11-02T08:00:00Z",
    "expires_at": "2027-11-02T08:00:00Z", "last_used_at": "2026-11-25T09:31:00Z"
}))]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub team: TeamId,
    pub scopes: Vec<Scope>,
    pub created_at: DateTime<Utc>,
    /// Absent when it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// To the minute; absent when it was never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// Youngest first.
    pub tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "intranet", "scopes": ["jobs:read", "jobs:write", "uploads:write"], "expires_in_days": 365 }))]
pub struct CreateToken {
    /// What it is for, as people will recognise it: one line.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    #[schema(min_items = 1)]
    pub scopes: Vec<Scope>,
    /// 1 to 3650; it never expires when this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3650)]
    pub expires_in_days: Option<u32>,
}

/// A new token with its secret, which is told this once and kept nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    pub token: Token,
    /// Sent as `Authorization: Bearer SECRET`.
    #[schema(example = "ofp_abcdefghijklmnopqrstuvwxyz234567")]
    pub secret: String,
}

/// A code with which machines enrol, without the code itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "token_01J8ZC5V2M0N6QW3T7RX9KPEHD", "name": "third floor", "group": "grp_01J8ZC5V2M0N6QW3T7RX9KPEHD",
    "uses_left": 12, "created_at": "2026-11-25T08:00:00Z", "expires_at": "2026-11-26T08:00:00Z"
}))]
pub struct EnrolmentCode {
    pub id: TokenId,
    pub name: String,
    /// The group that machines join; the default one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    pub uses_left: u32,
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentCodeList {
    /// Those that can still be used, youngest first.
    pub enrolment_codes: Vec<EnrolmentCode>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "third floor", "uses": 20, "expires_in_hours": 8 }))]
pub struct CreateEnrolmentCode {
    /// What it is for, as people will recognise it: one line. `enrolment code` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    /// The group that machines join; the default one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// How many machines may use it: 1 to 10000, one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub uses: Option<u32>,
    /// 1 to 2160 (90 days); 24 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2160)]
    pub expires_in_hours: Option<u32>,
}

/// A new code, which is told this once and kept nowhere.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedEnrolmentCode {
    pub enrolment_code: EnrolmentCode,
    /// For `offpeak-agent enrol` or `OFFPEAK_ENROL_CODE`.
    #[schema(example = "ofe_abcdefghijklmnopqrstuvwxyz234567")]
    pub code: String,
    /// The same with the server's address and, where machines need it, the fingerprint of its certificate: all that the tray app,
    /// `offpeak-agent enrol` or `OFFPEAK_ENROL_CODE` ask for. Absent when the server does not know under which address machines
    /// find it (`OFFPEAK_PUBLIC_URL`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "offpeak://farm.example.com/ofe_abcdefghijklmnopqrstuvwxyz234567")]
    pub link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).expect("a scope is text"), scope.as_str());
        }
        assert_eq!(Scope::parse("jobs"), None);
    }
}
