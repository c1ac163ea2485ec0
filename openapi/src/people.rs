//! People, their sessions and teams, and the links by which they come in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ids::{InvitationId, PersonId, SessionId, TeamId};

/// What a person may do. Whoever belongs to a team may do there what its members do, whatever their role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Looks after the fleet and the jobs of every team.
    Operator,
    /// Sources, jobs, profiles, webhooks and tokens of their teams.
    Member,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Admin, Self::Operator, Self::Member];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Member => "member",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "person_01J8ZC5V2M0N6QW3T7RX9KPEHD", "email": "ada@example.com", "name": "Ada", "role": "operator", "disabled": false,
    "teams": [{ "id": "team_01J8ZC5V2M0N6QW3T7RX9KPEHD", "name": "default" }],
    "created_at": "2026-11-02T08:00:00Z", "last_seen_at": "2026-11-25T09:31:00Z"
}))]
pub struct Person {
    pub id: PersonId,
    /// In lower case.
    pub email: String,
    pub name: String,
    pub role: Role,
    /// Cannot log in, and is logged out everywhere.
    pub disabled: bool,
    /// The teams that they belong to, by name.
    pub teams: Vec<TeamName>,
    pub created_at: DateTime<Utc>,
    /// To the minute; absent when they never logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamName {
    pub id: TeamId,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PersonList {
    /// By email.
    pub people: Vec<Person>,
}

/// What is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "role": "operator" }))]
pub struct ChangePerson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.com", "password": "a long sentence is a good one" }))]
pub struct Login {
    #[schema(max_length = 254)]
    pub email: String,
    #[schema(max_length = 1024)]
    pub password: String,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    pub person: Person,
    /// When they have to log in again, if they are not away for a day before that.
    pub expires_at: DateTime<Utc>,
    /// Of the server that answers.
    #[schema(example = "0.1.0")]
    pub server_version: String,
}

/// What people change about themselves. What is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Ada Lovelace" }))]
pub struct ChangeSelf {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
}

/// Where somebody is logged in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "session_01J8ZC5V2M0N6QW3T7RX9KPEHD", "is_current": true, "created_at": "2026-11-24T08:00:00Z",
    "last_used_at": "2026-11-25T09:31:00Z", "expires_at": "2026-12-08T08:00:00Z",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
}))]
pub struct OpenSession {
    pub id: SessionId,
    /// The one that asks.
    pub is_current: bool,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub last_used_at: DateTime<Utc>,
    /// It ends a day after its last use, and here at the latest.
    pub expires_at: DateTime<Utc>,
    /// What the browser called itself when it logged in; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenSessionList {
    /// Those that can still be used: the one that asks, and then the one that was used last.
    pub sessions: Vec<OpenSession>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogOut {
    /// End all sessions of this person.
    #[serde(default)]
    #[param(nullable = false)]
    pub everywhere: Option<bool>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "current": "a long sentence is a good one", "new": "another long sentence is better" }))]
pub struct ChangePassword {
    #[schema(max_length = 1024)]
    pub current: String,
    #[schema(min_length = 10, max_length = 1024)]
    pub new: String,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Makes the first administrator.
    Setup,
    /// Makes a new person.
    Invitation,
    /// Gives a person a new password.
    Reset,
}

impl LinkKind {
    pub const ALL: [Self; 3] = [Self::Setup, Self::Invitation, Self::Reset];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The code of a link, and who its bearer is.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "ofl_abcdefghijklmnopqrstuvwxyz234567", "email": "ada@example.com", "name": "Ada",
    "password": "a long sentence is a good one"
}))]
pub struct UseLink {
    #[schema(max_length = 128)]
    pub code: String,
    /// For the first administrator; an invitation and a reset know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// Made of the email when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    pub name: Option<String>,
    #[schema(min_length = 10, max_length = 1024)]
    pub password: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "grace@example.com", "role": "member", "teams": ["team_01J8ZC5V2M0N6QW3T7RX9KPEHD"] }))]
pub struct Invite {
    #[schema(max_length = 254)]
    pub email: String,
    pub role: Role,
    /// The teams that they will belong to.
    #[serde(default)]
    pub teams: Vec<TeamId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub teams: Vec<TeamId>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvitationList {
    /// Those that can still be used, youngest first.
    pub invitations: Vec<Invitation>,
}

/// A link that is told this once; whoever opens it first has it.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "kind": "reset", "email": "ada@example.com", "expires_at": "2026-11-26T08:00:00Z",
    "url": "https://video.example.com/reset?code=ofl_abcdefghijklmnopqrstuvwxyz234567"
}))]
pub struct CreatedLink {
    pub kind: LinkKind,
    pub email: String,
    pub url: String,
    pub expires_at: DateTime<Utc>,
}
