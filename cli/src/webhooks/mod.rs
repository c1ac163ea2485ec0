//! `offpeak webhooks`: who is told what happens, and how that went.

pub mod args;
mod text;

use std::time::Duration;

use offpeak_api::{
    ids::WebhookId,
    webhook::{
        ChangeWebhook, CreateWebhook, DeliveryState, ListDeliveries, RotateSecret, WebhookDeliveryDetail, WebhookEvent,
        WebhookWithSecret,
    },
};
use serde_json::json;

use crate::{client::Client, commands::print, error::CliError};

/// The server waits 15 s for an answer, and begins within two.
const TESTED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub async fn webhooks(client: &Client, asked: args::Webhooks, json: bool) -> Result<(), CliError> {
    match asked.command.unwrap_or(args::Webhook::List) {
        args::Webhook::List => {
            let list = client.list_webhooks().await?;
            print(json, &list, || text::table_of(&list.webhooks))
        }
        args::Webhook::Add { address: url, events, description } => {
            let events = events.iter().filter_map(|name| WebhookEvent::parse(name)).collect();
            let made = client.create_webhook(&CreateWebhook { url, description, events }).await?;
            with_secret(json, &made)
        }
        args::Webhook::Remove { id } => {
            client.delete_webhook(&id).await?;
            print(json, &json!({ "removed": id }), || format!("{id} removed"))
        }
        args::Webhook::Test { id } => test(client, &id, json).await,
        args::Webhook::Rotate { id, overlap } => {
            with_secret(json, &client.rotate_secret(&id, &RotateSecret { overlap_hours: Some(overlap) }).await?)
        }
        args::Webhook::Enable { id } => set_enabled(client, &id, true, json).await,
        args::Webhook::Disable { id } => set_enabled(client, &id, false, json).await,
        args::Webhook::Deliveries { id, delivery: Some(delivery), .. } => {
            let shown = client.get_delivery(&id, &delivery).await?;
            print(json, &shown, || text::delivery(&shown))
        }
        args::Webhook::Deliveries { id, delivery: None, state, limit } => {
            let list = client.list_deliveries(&id, &ListDeliveries { state, cursor: None, limit: Some(limit) }).await?;
            print(json, &list, || text::table_of_deliveries(&list.deliveries))
        }
        args::Webhook::Redeliver { id, delivery } => {
            let again = client.redeliver(&id, &delivery).await?;
            print(json, &again, || format!("{delivery} is sent again; see offpeak webhooks deliveries {id} {delivery}"))
        }
    }
}

/// The secret is shown now and never again.
fn with_secret(json: bool, made: &WebhookWithSecret) -> Result<(), CliError> {
    print(json, made, || {
        let id = &made.webhook.id;
        format!(
            "{id}  {}\nsecret {}\nKeep the secret: it is not shown again. Try it with: offpeak webhooks test {id}",
            made.webhook.url, made.secret
        )
    })
}

async fn set_enabled(client: &Client, id: &WebhookId, enabled: bool, json: bool) -> Result<(), CliError> {
    let webhook = client.change_webhook(id, &ChangeWebhook { enabled: Some(enabled), ..ChangeWebhook::default() }).await?;
    print(json, &webhook, || format!("{id} {}", if enabled { "enabled" } else { "disabled" }))
}

/// Sends a test message and waits for what comes of it. An error when it was not taken.
async fn test(client: &Client, id: &WebhookId, json: bool) -> Result<(), CliError> {
    let begun = client.test_webhook(id).await?;
    let ended = tokio::time::timeout(TESTED_WITHIN, ended(client, id, begun)).await.unwrap_or_else(|_| {
        Err(CliError::Usage("the message was not sent in time; does `offpeak-server serve` run, or only its API?".to_owned()))
    })?;
    let taken = ended.delivery.state == DeliveryState::Delivered;
    if taken || json {
        print(json, &ended, || text::delivery(&ended))?;
    }
    match taken {
        true => Ok(()),
        false => Err(CliError::NotTaken { reason: text::last_answer(&ended) }),
    }
}

async fn ended(client: &Client, id: &WebhookId, mut delivery: WebhookDeliveryDetail) -> Result<WebhookDeliveryDetail, CliError> {
    while delivery.delivery.state == DeliveryState::Waiting {
        tokio::time::sleep(LOOK_EVERY).await;
        delivery = client.get_delivery(id, &delivery.delivery.id).await?;
    }
    Ok(delivery)
}
