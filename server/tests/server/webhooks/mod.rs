//! Webhooks: what is sent, to whom, and what happens when nobody is there to take it.

mod api;
mod events;
pub mod receiver;
mod troubles;

use offpeak_api::{
    job::Job,
    webhook::{Webhook, WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryList, WebhookWithSecret},
};
use offpeak_server::webhooks::send;
use serde_json::{Value, json};

use self::receiver::Receiver;
use crate::harness::Server;

/// A webhook of the server's team that leads to this receiver.
pub async fn hook(server: &Server, receiver: &Receiver, events: Value) -> WebhookWithSecret {
    server.post("/v1/webhooks", json!({ "url": receiver.url, "events": events })).await.ok()
}

async fn show(server: &Server, hook: &WebhookWithSecret) -> Webhook {
    server.get(&format!("/v1/webhooks/{}", hook.webhook.id)).await.ok()
}

async fn change(server: &Server, hook: &WebhookWithSecret, change: Value) -> Webhook {
    let path = format!("/v1/webhooks/{}", hook.webhook.id);
    server.call(&server.token, reqwest::Method::PATCH, &path, Some(change)).await.ok()
}

async fn deliveries(server: &Server, hook: &WebhookWithSecret) -> Vec<WebhookDelivery> {
    server.get(&format!("/v1/webhooks/{}/deliveries", hook.webhook.id)).await.ok::<WebhookDeliveryList>().deliveries
}

async fn detail(server: &Server, delivery: &WebhookDelivery) -> WebhookDeliveryDetail {
    server.get(&format!("/v1/webhooks/{}/deliveries/{}", delivery.webhook, delivery.id)).await.ok()
}

async fn send(server: &Server) {
    send::send_due(&server.app).await.unwrap();
}

/// The cheapest message there is: a job that is cancelled at once.
pub async fn cancelled_job(server: &Server) -> Job {
    let job = server.new_job().await;
    server.post(&format!("/v1/jobs/{}/cancel", job.id), json!({})).await.ok()
}
