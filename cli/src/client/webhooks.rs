//! Webhooks and their deliveries.

use offpeak_api::{
    ids::{DeliveryId, WebhookId},
    webhook::{
        ChangeWebhook, CreateWebhook, ListDeliveries, RotateSecret, Webhook, WebhookDeliveryDetail, WebhookDeliveryList,
        WebhookList, WebhookWithSecret,
    },
};
use reqwest::Method;

use super::Client;
use crate::error::CliError;

impl Client {
    pub async fn webhooks(&self) -> Result<WebhookList, CliError> {
        self.get("/v1/webhooks").await
    }

    pub async fn create_webhook(&self, wanted: &CreateWebhook) -> Result<WebhookWithSecret, CliError> {
        let url = self.resolve("/v1/webhooks")?;
        self.call(self.request(Method::POST, url).json(wanted)).await
    }

    pub async fn change_webhook(&self, id: &WebhookId, change: &ChangeWebhook) -> Result<Webhook, CliError> {
        let url = self.resolve(&format!("/v1/webhooks/{id}"))?;
        self.call(self.request(Method::PATCH, url).json(change)).await
    }

    pub async fn delete_webhook(&self, id: &WebhookId) -> Result<(), CliError> {
        let url = self.resolve(&format!("/v1/webhooks/{id}"))?;
        self.send(self.request(Method::DELETE, url).timeout(super::ANSWER_WITHIN)).await.map(drop)
    }

    pub async fn rotate_secret(&self, id: &WebhookId, rotate: &RotateSecret) -> Result<WebhookWithSecret, CliError> {
        let url = self.resolve(&format!("/v1/webhooks/{id}/secret"))?;
        self.call(self.request(Method::POST, url).json(rotate)).await
    }

    pub async fn test_webhook(&self, id: &WebhookId) -> Result<WebhookDeliveryDetail, CliError> {
        self.post(&format!("/v1/webhooks/{id}/test")).await
    }

    pub async fn deliveries(&self, id: &WebhookId, wanted: &ListDeliveries) -> Result<WebhookDeliveryList, CliError> {
        let ListDeliveries { state, cursor, limit } = wanted;
        let pairs = [("state", state.clone()), ("cursor", cursor.clone()), ("limit", limit.map(|limit| limit.to_string()))];
        self.get_with(&format!("/v1/webhooks/{id}/deliveries"), pairs).await
    }

    pub async fn delivery(&self, id: &WebhookId, delivery: &DeliveryId) -> Result<WebhookDeliveryDetail, CliError> {
        self.get(&format!("/v1/webhooks/{id}/deliveries/{delivery}")).await
    }

    pub async fn redeliver(&self, id: &WebhookId, delivery: &DeliveryId) -> Result<WebhookDeliveryDetail, CliError> {
        self.post(&format!("/v1/webhooks/{id}/deliveries/{delivery}/redeliver")).await
    }
}
