//! Messages, written in the transaction of the change that they tell of.

use offpeak_api::webhook::{WebhookData, WebhookEvent, WebhookPayload};
use sea_orm::ConnectionTrait;

use super::store;
use crate::{
    agents::{store as agent_store, wire},
    app::App,
    clock::Instant,
    error::ApiError,
    jobs::progress,
};

/// Something happened to a job. Call it last in the transaction: the message shows the job as it is now.
pub async fn job(app: &App, tx: &impl ConnectionTrait, job: &str, event: WebhookEvent, now: Instant) -> Result<(), ApiError> {
    let wanted = store::who_wants_of_job(tx, job, event).await?;
    if wanted.is_empty() {
        return Ok(());
    }
    let job = progress::snapshot(app, tx, job).await?;
    write(tx, &wanted, event, WebhookData::Job(Box::new(job)), now).await
}

/// Something happened to an agent.
pub async fn agent(tx: &impl ConnectionTrait, agent: &str, event: WebhookEvent, now: Instant) -> Result<(), ApiError> {
    let wanted = store::who_wants_of_agent(tx, agent, event).await?;
    if wanted.is_empty() {
        return Ok(());
    }
    let row = agent_store::get(tx, agent).await?;
    let Some(agent) = wire::agents(tx, vec![row], now).await?.pop() else { return Ok(()) };
    write(tx, &wanted, event, WebhookData::Agent(Box::new(agent)), now).await
}

async fn write(
    tx: &impl ConnectionTrait,
    webhooks: &[String],
    kind: WebhookEvent,
    data: WebhookData,
    now: Instant,
) -> Result<(), ApiError> {
    let body = serde_json::to_string(&WebhookPayload { kind, timestamp: now.to_utc(), data })?;
    for webhook in webhooks {
        store::insert_delivery(tx, webhook, kind, body.clone(), now + super::TRIED_FOR, now).await?;
    }
    Ok(())
}
