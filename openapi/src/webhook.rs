//! Webhooks: a team's own servers are told what happened, after the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    agent::Agent,
    ids::{DeliveryId, WebhookId},
    job::Job,
};

/// What a webhook can tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A player could start.
    #[serde(rename = "job.playable")]
    JobPlayable,
    #[serde(rename = "job.completed")]
    JobCompleted,
    #[serde(rename = "job.failed")]
    JobFailed,
    #[serde(rename = "job.cancelled")]
    JobCancelled,
    #[serde(rename = "agent.enrolled")]
    AgentEnrolled,
    /// It failed too often, or made what was not to be believed, and gets nothing until it has proved itself.
    #[serde(rename = "agent.quarantined")]
    AgentQuarantined,
    /// Asked for with `POST /v1/webhooks/{id}/test`.
    #[serde(rename = "webhook.test")]
    Test,
}

impl WebhookEvent {
    pub const ALL: [Self; 7] = [
        Self::JobPlayable,
        Self::JobCompleted,
        Self::JobFailed,
        Self::JobCancelled,
        Self::AgentEnrolled,
        Self::AgentQuarantined,
        Self::Test,
    ];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobPlayable => "job.playable",
            Self::JobCompleted => "job.completed",
            Self::JobFailed => "job.failed",
            Self::JobCancelled => "job.cancelled",
            Self::AgentEnrolled => "agent.enrolled",
            Self::AgentQuarantined => "agent.quarantined",
            Self::Test => "webhook.test",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == text)
    }
}

/// What is posted to a webhook, as `application/json`.
///
/// Signed: `webhook-signature` holds, for each valid secret, `v1,` and the base64 of HMAC-SHA256 over
/// `{webhook-id}.{webhook-timestamp}.{body}`, separated by spaces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookPayload {
    #[serde(rename = "type")]
    pub kind: WebhookEvent,
    /// When it happened. The header `webhook-timestamp` says when it was sent.
    pub timestamp: DateTime<Utc>,
    pub data: WebhookData,
}

/// What it happened to, as the API showed it at that moment. For a job that is over, that is what it shows from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookData {
    #[schema(title = "WebhookJob")]
    Job(Box<Job>),
    #[schema(title = "WebhookAgent")]
    Agent(Box<Agent>),
    #[schema(title = "WebhookItself")]
    Webhook(Box<Webhook>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    pub id: WebhookId,
    pub url: String,
    pub description: String,
    /// All, also those that are yet to come, when empty.
    pub events: Vec<WebhookEvent>,
    pub enabled: bool,
    #[serde(default)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why it is not enabled: a person's wish, or what its server answered.
    #[serde(default)]
    pub disabled_reason: Option<String>,
    /// Nothing has got through since then. After three days without one success it is disabled.
    #[serde(default)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Until then messages are signed with the secret before this one, too.
    #[serde(default)]
    pub previous_secret_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// A webhook with its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookWithSecret {
    #[serde(flatten)]
    pub webhook: Webhook,
    /// `whsec_` and the base64 of the key.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    pub secret: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookList {
    /// Oldest first.
    pub webhooks: Vec<Webhook>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://example.com/offpeak", "events": ["job.completed", "job.failed"] }))]
pub struct CreateWebhook {
    /// `https` or `http`, at a public address unless the server's administrator allows it, without a name and a password.
    #[schema(max_length = 2048)]
    pub url: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub description: String,
    /// All when empty or absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    pub events: Vec<WebhookEvent>,
}

/// What is to be changed; the rest stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "enabled": true }))]
pub struct ChangeWebhook {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2048)]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 16)]
    pub events: Option<Vec<WebhookEvent>>,
    /// What was still to be sent to it when it is disabled is given up, and can be sent again later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overlap_hours": 24 }))]
pub struct RotateSecret {
    /// How long messages are signed with the old secret, too: 0 to 168; 24 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 168)]
    pub overlap_hours: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be sent, for the first time or again.
    Waiting,
    /// Answered with 2xx.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One event on its way to one webhook. Kept for 30 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDelivery {
    /// The header `webhook-id`, the same in all attempts: whoever has seen it before has seen the message before.
    pub id: DeliveryId,
    pub webhook: WebhookId,
    #[serde(rename = "type")]
    pub kind: WebhookEvent,
    pub state: DeliveryState,
    pub created_at: DateTime<Utc>,
    pub attempts: u32,
    /// Present while it waits.
    #[serde(default)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub delivered_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDeliveryDetail {
    #[serde(flatten)]
    pub delivery: WebhookDelivery,
    /// As it is sent.
    #[schema(value_type = WebhookPayload)]
    pub payload: serde_json::Value,
    /// The last twenty, youngest first.
    pub tries: Vec<DeliveryAttempt>,
}

/// One call of the receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryAttempt {
    pub number: u32,
    pub at: DateTime<Utc>,
    pub duration_milliseconds: u64,
    /// What it answered with, if it did.
    #[serde(default)]
    pub status: Option<u16>,
    /// Why it was no success.
    #[serde(default)]
    pub error: Option<String>,
    /// The answer's first bytes.
    pub answer: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDeliveryList {
    /// Youngest first.
    pub deliveries: Vec<WebhookDelivery>,
    /// Pass as `cursor` to get the next page; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDeliveries {
    /// Only deliveries in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "failed")]
    pub state: Option<String>,
    /// From the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_called_the_same_everywhere() {
        for event in WebhookEvent::ALL {
            assert_eq!(serde_json::to_value(event).expect("a word"), event.as_str());
            assert_eq!(WebhookEvent::parse(event.as_str()), Some(event));
        }
        for state in DeliveryState::ALL {
            assert_eq!(serde_json::to_value(state).expect("a word"), state.as_str());
        }
    }
}
