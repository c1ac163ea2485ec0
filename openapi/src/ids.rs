//! Identifiers: a prefix that says what they name, and a ULID, so that logs can be searched and ids sort by time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// A text that is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an identifier like {prefix}_01J8ZC5V2M0N6QW3T7RX9KPEHD")]
pub struct BadId {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier; its first half is the time, so ids made later sort later.
            #[expect(clippy::new_without_default, reason = "each call gives another value, which `default` would hide")]
            pub fn new() -> Self {
                Self(format!("{}_{}", $prefix, ulid::Ulid::new()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9A-HJKMNP-TV-Z]{26}$")))
                    .examples([concat!($prefix, "_01J8ZC5V2M0N6QW3T7RX9KPEHD")])
                    .into()
            }
        }

        impl ToSchema for $name {}

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = BadId { prefix: $prefix };
                let (prefix, ulid) = text.split_once('_').ok_or(bad.clone())?;
                if prefix != $prefix || ulid.len() != 26 {
                    return Err(bad);
                }
                ulid::Ulid::from_string(ulid).map_err(|_| bad)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/** Names a team. */ TeamId, "team");
id!(/** Names an installed worker. */ AgentId, "agent");
id!(/** Names a group of agents. A team's default group bears the team's own number. */ GroupId, "grp");
id!(/** Names a token (never the secret itself). */ TokenId, "token");
id!(/** Names a person. */ PersonId, "person");
id!(/** Names a session of a person (never the secret itself). */ SessionId, "session");
id!(/** Names an invitation (never its code). */ InvitationId, "inv");
id!(/** Names an upload; the finished upload is the source of the same id. */ SourceId, "src");
id!(/** Names a job. */ JobId, "job");
id!(/** Names a task. */ TaskId, "task");
id!(/** Names a lease. */ LeaseId, "lease");
id!(/** Names a webhook. */ WebhookId, "hook");
id!(/** Names an event on its way to a webhook. */ DeliveryId, "msg");

impl GroupId {
    /// The group of agents that nobody put into another: every team has one, and everybody can name it without a look.
    pub fn default_of(team: &TeamId) -> Self {
        Self(format!("{}_{}", Self::PREFIX, &team.0[TeamId::PREFIX.len() + 1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_names() {
        let id = JobId::new();
        assert_eq!(id.to_string().parse::<JobId>(), Ok(id.clone()));
        assert!(id.to_string().parse::<TaskId>().is_err());
        for bad in ["", "job_", "job", "job_short", "job_../../../etc/passwd/xxxxxxxx", "01J8ZC5V2M0N6QW3T7RX9KPEHD"] {
            assert!(bad.parse::<JobId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_default_group_is_named_after_its_team() {
        let team: TeamId = "team_01J8ZC5V2M0N6QW3T7RX9KPEHD".parse().expect("an id");
        assert_eq!("grp_01J8ZC5V2M0N6QW3T7RX9KPEHD".parse(), Ok(GroupId::default_of(&team)));
    }
}
