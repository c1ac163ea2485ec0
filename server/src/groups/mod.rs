//! Groups of agents, and the policy that the agents of a group work by.

pub mod http;
pub mod store;

use std::time::Duration;

use axum::http::StatusCode;
use offpeak_api::{ids::AgentId, policy::Policy};
use sea_orm::ConnectionTrait;

use crate::{agents, error::ApiError};

/// A policy may change at any minute; a machine's kernel hardly ever.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Groups that a team may have: they are listed in one go.
pub const MOST_GROUPS: u64 = 500;

/// Reads a policy that a person wrote. Engines pass over fields that they do not know, so that a server may be newer than
/// they are; from a person, such a field is a slip, and work at the wrong hours may come of it.
pub fn parse_policy(document: &serde_json::Value) -> Result<Policy, ApiError> {
    let bad = |detail: String| ApiError::unfit("bad_policy", detail).hint("See /docs for the fields of a policy.");
    if !document.is_object() {
        // An empty list would read as a policy of defaults.
        return Err(bad("This is invalid: a policy is a JSON object.".to_owned()));
    }
    let policy: Policy = serde_json::from_value(document.clone()).map_err(|error| bad(format!("{error}.")))?;
    policy.check().map_err(|rule| bad(rule.to_owned()))?;
    match unknown_field(document, &serde_json::to_value(&policy)?) {
        Some(field) => Err(bad(format!("A policy has no field {field:?}."))),
        None => Ok(policy),
    }
}

/// Refuses an agent whose ffmpeg is not walled off in full, where its group wants that.
pub async fn check_unboxed(db: &impl ConnectionTrait, agent: &AgentId) -> Result<(), ApiError> {
    let row = agents::store::get(db, agent.as_str()).await?;
    if !store::policy_of(db, &row.group_id).await?.require_sandbox {
        return Ok(());
    }
    let detail = "The policy of this agent's group wants ffmpeg walled off in full, which it is not on this machine.";
    Err(ApiError::new(StatusCode::FORBIDDEN, "sandbox_required", detail)
        .hint("`offpeak-agent check` says what is missing; docs/sandbox.md says what to do about it.")
        .retry_after(ASK_AGAIN_AFTER))
}

/// A field that was given and did not come back.
fn unknown_field<'a>(given: &'a serde_json::Value, known: &serde_json::Value) -> Option<&'a str> {
    use serde_json::Value::{Array, Object};
    match (given, known) {
        (Object(given), Object(known)) => given.iter().find_map(|(name, value)| match known.get(name) {
            Some(known) => unknown_field(value, known),
            None => Some(name.as_str()),
        }),
        (Array(given), Array(known)) => given.iter().zip(known).find_map(|(given, known)| unknown_field(given, known)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slips_are_told() {
        for (document, said) in [
            (json!({ "mains_onyl": true }), "mains_onyl"),
            (json!({ "schedule": [{ "days": ["mon"], "from": "18:00", "to": "08:00", "until": "x" }] }), "until"),
            (json!({ "schedule": [{ "days": ["mon"], "from": "6 pm", "to": "08:00" }] }), "18:30"),
            (json!({ "other_cpu_below": 30 }), "other_cpu_below"),
            (json!([]), "invalid"),
        ] {
            let refused = parse_policy(&document).expect_err(said);
            assert!(refused.detail.contains(said), "{}", refused.detail);
        }
        let policy = parse_policy(&json!({ "max_cores": 4 })).expect("a policy");
        assert_eq!(policy, Policy { max_cores: Some(4), ..Policy::default() });
    }
}
