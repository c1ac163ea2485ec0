//! Webhooks: make, read, change, delete, rotate their secrets.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header::LOCATION},
};
use offpeak_api::{
    ids::WebhookId,
    problem::Problem,
    webhook::{ChangeWebhook, CreateWebhook, RotateSecret, Webhook, WebhookEvent, WebhookList, WebhookWithSecret},
};
use offpeak_outbound::AllowList;
use sea_orm::ActiveValue::Set;
use url::Url;

use super::{MOST_WEBHOOKS, new_secret, store};
use crate::{
    app::App,
    auth::may::{May, WebhooksRead, WebhooksWrite},
    clock::Instant,
    entity::webhook,
    error::{ApiError, Body},
};

const LONGEST_URL: usize = 2048;
const LONGEST_DESCRIPTION: usize = 200;
const MOST_EVENTS: usize = 16;
const USUAL_OVERLAP_HOURS: u32 = 24;
const LONGEST_OVERLAP_HOURS: u32 = 168;

pub(super) fn wire(row: webhook::Model, now: Instant) -> Result<Webhook, ApiError> {
    let time = |ms: Option<i64>| ms.map(|ms| Instant(ms).to_utc());
    let events = row.events.split(' ').filter(|name| !name.is_empty()).filter_map(WebhookEvent::parse);
    Ok(Webhook {
        id: row.id.parse().map_err(ApiError::internal)?,
        url: row.url,
        description: row.description,
        events: events.collect(),
        enabled: row.disabled_at_ms.is_none(),
        disabled_at: time(row.disabled_at_ms),
        disabled_reason: row.disabled_reason,
        failing_since: time(row.failing_since_ms),
        previous_secret_until: time(row.old_secret_until_ms.filter(|until| *until > now.ms())),
        created_at: Instant(row.created_at_ms).to_utc(),
    })
}

fn check_url(text: &str, allow: &AllowList) -> Result<String, ApiError> {
    let url = Url::parse(text).ok().filter(|url| url.as_str().len() <= LONGEST_URL).ok_or_else(|| {
        ApiError::unfit("bad_url", format!("{text:?} is not an address of at most {LONGEST_URL} characters."))
            .hint("Give the address that is to be called, such as https://example.com/offpeak.")
    })?;
    offpeak_outbound::check_url(&url, allow).map_err(|refused| ApiError::unfit(refused.code(), format!("{refused}.")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ApiError::unfit("bad_url", "A webhook's address is shown to the whole team: it holds no password.")
            .hint("Check the signature of each message instead; a hard-to-guess path works too."));
    }
    Ok(url.into())
}

fn check_description(text: &str) -> Result<String, ApiError> {
    match text.chars().count() <= LONGEST_DESCRIPTION && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(ApiError::unfit(
            "bad_description",
            format!("A description is one line of at most {LONGEST_DESCRIPTION} characters."),
        )),
    }
}

fn check_events(events: &[WebhookEvent]) -> Result<String, ApiError> {
    if events.len() > MOST_EVENTS {
        return Err(ApiError::unfit("bad_events", format!("`events` has at most {MOST_EVENTS} entries.")));
    }
    let mut names: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.join(" "))
}

/// Make a webhook
///
/// The answer's secret is shown once: whoever receives messages checks their signatures with it.
#[utoipa::path(post, path = "/v1/webhooks", tag = "webhooks", security(("bearer" = ["webhooks:write"])), request_body = CreateWebhook, responses(
    (status = 201, description = "The webhook and its secret", body = WebhookWithSecret),
    (status = 409, description = "There are too many", body = Problem),
    (status = 422, description = "The address, or something else, does not fit", body = Problem),
))]
pub async fn create_webhook(
    State(app): State<App>,
    auth: May<WebhooksWrite>,
    Body(request): Body<CreateWebhook>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<WebhookWithSecret>), ApiError> {
    let now = app.clock.now();
    let secret = new_secret();
    let row = webhook::Model {
        id: WebhookId::new().to_string(),
        team_id: auth.team_id.to_string(),
        url: check_url(&request.url, &app.config.outbound_allow)?,
        description: check_description(&request.description)?,
        events: check_events(&request.events)?,
        secret: secret.clone(),
        old_secret: None,
        old_secret_until_ms: None,
        disabled_at_ms: None,
        disabled_reason: None,
        failing_since_ms: None,
        created_at_ms: now.ms(),
    };
    let tx = app.db.write().await?;
    if store::count(&tx.tx, &auth.team_id).await? >= MOST_WEBHOOKS {
        return Err(ApiError::conflict("too_many_webhooks", format!("A team has at most {MOST_WEBHOOKS} webhooks.")));
    }
    store::insert(&tx.tx, row.clone()).await?;
    tx.commit().await?;
    tracing::info!(webhook.id = row.id, "made webhook");
    let location = [(LOCATION, format!("/v1/webhooks/{}", row.id))];
    Ok((StatusCode::CREATED, location, Json(WebhookWithSecret { webhook: wire(row, now)?, secret })))
}

/// List webhooks
#[utoipa::path(get, path = "/v1/webhooks", tag = "webhooks", security(("bearer" = ["webhooks:read"])), responses(
    (status = 200, description = "All webhooks of the team", body = WebhookList),
))]
pub async fn list_webhooks(State(app): State<App>, auth: May<WebhooksRead>) -> Result<Json<WebhookList>, ApiError> {
    let now = app.clock.now();
    let rows = store::list(&app.db.reader, &auth.team_id).await?;
    Ok(Json(WebhookList { webhooks: rows.into_iter().map(|row| wire(row, now)).collect::<Result<_, _>>()? }))
}

/// Read a webhook
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "webhooks", security(("bearer" = ["webhooks:read"])), params(("id" = WebhookId, Path)), responses(
    (status = 200, description = "The webhook", body = Webhook),
    (status = 404, description = "No such webhook", body = Problem),
))]
pub async fn get_webhook(
    State(app): State<App>,
    auth: May<WebhooksRead>,
    Path(id): Path<WebhookId>,
) -> Result<Json<Webhook>, ApiError> {
    Ok(Json(wire(store::find(&app.db.reader, &auth.team_id, &id).await?, app.clock.now())?))
}

/// Change a webhook
///
/// `enabled: true` brings back one that was disabled, whoever or whatever disabled it.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "webhooks", security(("bearer" = ["webhooks:write"])), params(("id" = WebhookId, Path)),
    request_body = ChangeWebhook, responses(
    (status = 200, description = "The webhook, changed", body = Webhook),
    (status = 404, description = "No such webhook", body = Problem),
    (status = 422, description = "The address, or something else, does not fit", body = Problem),
))]
pub async fn change_webhook(
    State(app): State<App>,
    auth: May<WebhooksWrite>,
    Path(id): Path<WebhookId>,
    Body(request): Body<ChangeWebhook>,
) -> Result<Json<Webhook>, ApiError> {
    let now = app.clock.now();
    let url = request.url.map(|url| check_url(&url, &app.config.outbound_allow)).transpose()?;
    let description = request.description.map(|text| check_description(&text)).transpose()?;
    let events = request.events.map(|events| check_events(&events)).transpose()?;
    let tx = app.db.write().await?;
    let row = store::find_for_change(&tx.tx, &auth.team_id, &id).await?;
    let mut change = webhook::ActiveModel {
        id: Set(row.id),
        url: Set(url.unwrap_or(row.url)),
        description: Set(description.unwrap_or(row.description)),
        events: Set(events.unwrap_or(row.events)),
        ..Default::default()
    };
    match (request.enabled, row.disabled_at_ms.is_some()) {
        (Some(true), true) => {
            change.disabled_at_ms = Set(None);
            change.disabled_reason = Set(None);
            change.failing_since_ms = Set(None);
        }
        (Some(false), false) => {
            store::disable(&tx.tx, id.as_str(), "A person disabled it.", now).await?;
        }
        (Some(true), false) | (Some(false), true) | (None, _) => {}
    }
    store::update(&tx.tx, change).await?;
    let row = store::find(&tx.tx, &auth.team_id, &id).await?;
    tx.commit().await?;
    Ok(Json(wire(row, now)?))
}

/// Delete a webhook
///
/// With its deliveries; what was still to be sent is not sent.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "webhooks", security(("bearer" = ["webhooks:write"])), params(("id" = WebhookId, Path)), responses(
    (status = 204, description = "Gone"),
    (status = 404, description = "No such webhook", body = Problem),
))]
pub async fn delete_webhook(
    State(app): State<App>,
    auth: May<WebhooksWrite>,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, ApiError> {
    let tx = app.db.write().await?;
    store::find_for_change(&tx.tx, &auth.team_id, &id).await?;
    store::delete(&tx.tx, id.as_str()).await?;
    tx.commit().await?;
    tracing::info!(webhook.id = %id, "deleted webhook");
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate a webhook's secret
///
/// Until the old one ends, messages carry signatures of both, so that a receiver can change over without a gap. Of secrets
/// before that, none is valid any more.
#[utoipa::path(post, path = "/v1/webhooks/{id}/secret", tag = "webhooks", security(("bearer" = ["webhooks:write"])), params(("id" = WebhookId, Path)),
    request_body = RotateSecret, responses(
    (status = 200, description = "The webhook and its new secret", body = WebhookWithSecret),
    (status = 404, description = "No such webhook", body = Problem),
    (status = 422, description = "The overlap does not fit", body = Problem),
))]
pub async fn rotate_secret(
    State(app): State<App>,
    auth: May<WebhooksWrite>,
    Path(id): Path<WebhookId>,
    Body(request): Body<RotateSecret>,
) -> Result<Json<WebhookWithSecret>, ApiError> {
    let hours = request.overlap_hours.unwrap_or(USUAL_OVERLAP_HOURS);
    if hours > LONGEST_OVERLAP_HOURS {
        return Err(ApiError::unfit("bad_overlap", format!("`overlap_hours` is 0 to {LONGEST_OVERLAP_HOURS}.")));
    }
    let now = app.clock.now();
    let tx = app.db.write().await?;
    let row = store::find_for_change(&tx.tx, &auth.team_id, &id).await?;
    let secret = new_secret();
    let until = now + Duration::from_secs(u64::from(hours) * 3600);
    let change = webhook::ActiveModel {
        id: Set(row.id),
        secret: Set(secret.clone()),
        old_secret: Set((hours > 0).then_some(row.secret)),
        old_secret_until_ms: Set((hours > 0).then_some(until.ms())),
        ..Default::default()
    };
    store::update(&tx.tx, change).await?;
    let row = store::find(&tx.tx, &auth.team_id, &id).await?;
    tx.commit().await?;
    tracing::info!(webhook.id = %id, overlap_hours = hours, "rotated a webhook's secret");
    Ok(Json(WebhookWithSecret { webhook: wire(row, now)?, secret }))
}
