//! What was sent to a webhook, and what it answered; sending again, and tests.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use offpeak_api::{
    ids::{DeliveryId, WebhookId},
    problem::Problem,
    webhook::{
        DeliveryAttempt, DeliveryState, ListDeliveries, WebhookData, WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryList,
        WebhookEvent, WebhookPayload,
    },
};
use sea_orm::ConnectionTrait;

use super::{TRIED_FOR, http, store};
use crate::{
    app::App,
    auth::may::{May, WebhooksRead, WebhooksWrite},
    clock::Instant,
    entity::{webhook, webhook_attempt, webhook_delivery},
    error::ApiError,
    page,
};

fn wire(row: webhook_delivery::Model) -> Result<WebhookDelivery, ApiError> {
    let time = |ms: Option<i64>| ms.map(|ms| Instant(ms).to_utc());
    let unknown = |what: &str| ApiError::internal(format!("{} is of an unknown {what}", row.id));
    Ok(WebhookDelivery {
        id: row.id.parse().map_err(ApiError::internal)?,
        webhook: row.webhook_id.parse().map_err(ApiError::internal)?,
        kind: WebhookEvent::parse(&row.kind).ok_or_else(|| unknown("kind"))?,
        state: DeliveryState::parse(&row.state).ok_or_else(|| unknown("state"))?,
        created_at: Instant(row.created_at_ms).to_utc(),
        attempts: row.attempts.cast_unsigned(),
        next_attempt_at: time(row.due_at_ms),
        delivered_at: time(row.delivered_at_ms),
    })
}

fn attempt(row: webhook_attempt::Model) -> DeliveryAttempt {
    DeliveryAttempt {
        number: row.number.cast_unsigned(),
        at: Instant(row.at_ms).to_utc(),
        duration_milliseconds: row.duration_ms.cast_unsigned(),
        status: row.status.and_then(|status| u16::try_from(status).ok()),
        error: row.error,
        answer: row.answer,
    }
}

async fn detail(db: &impl ConnectionTrait, row: webhook_delivery::Model) -> Result<WebhookDeliveryDetail, ApiError> {
    let tries = store::attempts(db, &row.id).await?.into_iter().map(attempt).collect();
    Ok(WebhookDeliveryDetail { payload: serde_json::from_str(&row.body)?, delivery: wire(row)?, tries })
}

/// List a webhook's deliveries
///
/// Youngest first, in pages, as far back as 30 days.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks", security(("bearer" = ["webhooks:read"])),
    params(("id" = WebhookId, Path), ListDeliveries), responses(
    (status = 200, description = "A page of deliveries", body = WebhookDeliveryList),
    (status = 404, description = "No such webhook", body = Problem),
    (status = 422, description = "A filter does not fit", body = Problem),
))]
pub async fn list_deliveries(
    State(app): State<App>,
    auth: May<WebhooksRead>,
    Path(id): Path<WebhookId>,
    query: Result<Query<ListDeliveries>, QueryRejection>,
) -> Result<Json<WebhookDeliveryList>, ApiError> {
    let query = page::query(query)?;
    let unknown = |name: &str| ApiError::unfit("bad_filter", format!("There is no state {name:?}."));
    let state = query.state.map(|name| DeliveryState::parse(&name).ok_or_else(|| unknown(&name))).transpose()?;
    let limit = page::limit(query.limit)?;
    page::check_cursor::<DeliveryId>(query.cursor.as_deref())?;
    store::find(&app.db.reader, &auth.team_id, &id).await?;
    let after = query.cursor.as_deref();
    let (rows, more) = store::deliveries(&app.db.reader, id.as_str(), state, after, limit as usize).await?;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.clone());
    Ok(Json(WebhookDeliveryList { deliveries: rows.into_iter().map(wire).collect::<Result<_, _>>()?, next_cursor }))
}

/// Read a delivery
///
/// With what is sent, and what was answered.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries/{delivery}", tag = "webhooks", security(("bearer" = ["webhooks:read"])),
    params(("id" = WebhookId, Path), ("delivery" = DeliveryId, Path)), responses(
    (status = 200, description = "The delivery", body = WebhookDeliveryDetail),
    (status = 404, description = "No such webhook, or no such delivery of it", body = Problem),
))]
pub async fn get_delivery(
    State(app): State<App>,
    auth: May<WebhooksRead>,
    Path((id, delivery)): Path<(WebhookId, DeliveryId)>,
) -> Result<Json<WebhookDeliveryDetail>, ApiError> {
    store::find(&app.db.reader, &auth.team_id, &id).await?;
    let row = store::delivery(&app.db.reader, id.as_str(), &delivery).await?;
    Ok(Json(detail(&app.db.reader, row).await?))
}

/// Send a delivery again
///
/// The same message, with the same `webhook-id`, now and for another day if need be; whether it was delivered, given up, or still
/// waits for its next attempt.
#[utoipa::path(post, path = "/v1/webhooks/{id}/deliveries/{delivery}/redeliver", tag = "webhooks", security(("bearer" = ["webhooks:write"])),
    params(("id" = WebhookId, Path), ("delivery" = DeliveryId, Path)), responses(
    (status = 202, description = "The delivery, about to be sent", body = WebhookDeliveryDetail),
    (status = 404, description = "No such webhook, or no such delivery of it", body = Problem),
    (status = 409, description = "It is being sent at this moment, or the webhook is disabled", body = Problem),
))]
pub async fn redeliver(
    State(app): State<App>,
    auth: May<WebhooksWrite>,
    Path((id, delivery)): Path<(WebhookId, DeliveryId)>,
) -> Result<(StatusCode, Json<WebhookDeliveryDetail>), ApiError> {
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let webhook = store::find_for_change(&tx.tx, &auth.team_id, &id).await?;
    must_be_enabled(&webhook)?;
    let row = store::delivery(&tx.tx, id.as_str(), &delivery).await?;
    if row.sending_until_ms.is_some_and(|until| until > now.ms()) {
        return Err(ApiError::conflict("delivery_under_way", "This message is being sent at this moment.")
            .hint("Look at it again in some seconds."));
    }
    store::send_again(&tx.tx, delivery.as_str(), now + TRIED_FOR, now).await?;
    let row = store::delivery(&tx.tx, id.as_str(), &delivery).await?;
    let shown = detail(&tx.tx, row).await?;
    tx.commit().await?;
    app.wake.events();
    Ok((StatusCode::ACCEPTED, Json(shown)))
}

fn must_be_enabled(webhook: &webhook::Model) -> Result<(), ApiError> {
    let Some(reason) = webhook.disabled_at_ms.and(webhook.disabled_reason.as_ref()) else { return Ok(()) };
    Err(ApiError::conflict("webhook_disabled", format!("This webhook is disabled. {reason}"))
        .hint("PATCH /v1/webhooks/{id} with `enabled: true` brings it back."))
}

/// Send a test message
///
/// `webhook.test`, whatever events the webhook wants, in one attempt. It shows up among the deliveries with what was answered.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = "webhooks", security(("bearer" = ["webhooks:write"])), params(("id" = WebhookId, Path)), responses(
    (status = 202, description = "The delivery, about to be sent", body = WebhookDeliveryDetail),
    (status = 404, description = "No such webhook", body = Problem),
    (status = 409, description = "The webhook is disabled", body = Problem),
))]
pub async fn test_webhook(
    State(app): State<App>,
    auth: May<WebhooksWrite>,
    Path(id): Path<WebhookId>,
) -> Result<(StatusCode, Json<WebhookDeliveryDetail>), ApiError> {
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let webhook = store::find_for_change(&tx.tx, &auth.team_id, &id).await?;
    must_be_enabled(&webhook)?;
    let data = WebhookData::Webhook(Box::new(http::wire(webhook, now)?));
    let payload = WebhookPayload { kind: WebhookEvent::Test, timestamp: now.to_utc(), data };
    let body = serde_json::to_string(&payload)?;
    // Given up after the first attempt: whoever tests wants to know now.
    let row = store::insert_delivery(&tx.tx, id.as_str(), WebhookEvent::Test, body, now, now).await?;
    let shown = detail(&tx.tx, row).await?;
    tx.commit().await?;
    app.wake.events();
    Ok((StatusCode::ACCEPTED, Json(shown)))
}
