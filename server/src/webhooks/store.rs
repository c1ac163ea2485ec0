//! SQL of webhooks and their deliveries.

use std::time::Duration;

use offpeak_api::{
    ids::{DeliveryId, TeamId, WebhookId},
    webhook::{DeliveryState, WebhookEvent},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Statement, sea_query::SelectStatement,
};

use super::wants;
use crate::{
    clock::Instant,
    entity::{agent, job, webhook, webhook_attempt, webhook_delivery},
    error::ApiError,
};

/// Webhooks of the job's team that want to hear of this.
pub async fn who_wants_of_job(db: &impl ConnectionTrait, id: &str, event: WebhookEvent) -> Result<Vec<String>, ApiError> {
    let team = job::Entity::find_by_id(id.to_owned()).select_only().column(job::Column::TeamId);
    who_wants(db, team.into_query(), event).await
}

/// Webhooks of the agent's team that want to hear of this.
pub async fn who_wants_of_agent(db: &impl ConnectionTrait, id: &str, event: WebhookEvent) -> Result<Vec<String>, ApiError> {
    let team = agent::Entity::find_by_id(id.to_owned()).select_only().column(agent::Column::TeamId);
    who_wants(db, team.into_query(), event).await
}

async fn who_wants(db: &impl ConnectionTrait, team: SelectStatement, event: WebhookEvent) -> Result<Vec<String>, ApiError> {
    let all: Vec<(String, String)> = webhook::Entity::find()
        .select_only()
        .columns([webhook::Column::Id, webhook::Column::Events])
        .filter(webhook::Column::TeamId.in_subquery(team))
        .filter(webhook::Column::DisabledAtMs.is_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(all.into_iter().filter(|(_, events)| wants(events, event)).map(|(id, _)| id).collect())
}

pub async fn list(db: &impl ConnectionTrait, team: &TeamId) -> Result<Vec<webhook::Model>, ApiError> {
    let all = webhook::Entity::find().filter(webhook::Column::TeamId.eq(team.as_str()));
    Ok(all.order_by_asc(webhook::Column::Id).all(db).await?)
}

pub async fn count(db: &impl ConnectionTrait, team: &TeamId) -> Result<u64, ApiError> {
    Ok(webhook::Entity::find().filter(webhook::Column::TeamId.eq(team.as_str())).count(db).await?)
}

/// A webhook of this team.
pub async fn find(db: &impl ConnectionTrait, team: &TeamId, id: &WebhookId) -> Result<webhook::Model, ApiError> {
    let found = webhook::Entity::find_by_id(id.to_string()).filter(webhook::Column::TeamId.eq(team.as_str())).one(db).await?;
    found.ok_or_else(|| not_found(id))
}

/// A webhook of this team, which nobody else changes until this transaction ends.
pub async fn find_for_change(tx: &impl ConnectionTrait, team: &TeamId, id: &WebhookId) -> Result<webhook::Model, ApiError> {
    let found = webhook::Entity::find_by_id(id.to_string()).filter(webhook::Column::TeamId.eq(team.as_str()));
    found.lock_exclusive().one(tx).await?.ok_or_else(|| not_found(id))
}

fn not_found(id: &WebhookId) -> ApiError {
    ApiError::not_found("webhook_not_found", format!("There is no webhook {id}.")).hint("GET /v1/webhooks lists them.")
}

/// A webhook that nobody else changes until this transaction ends, if it is still there.
pub async fn lock(tx: &impl ConnectionTrait, id: &str) -> Result<Option<webhook::Model>, ApiError> {
    Ok(webhook::Entity::find_by_id(id.to_owned()).lock_exclusive().one(tx).await?)
}

/// The webhook of a delivery, if it is still there.
pub async fn get(db: &impl ConnectionTrait, id: &str) -> Result<Option<webhook::Model>, ApiError> {
    Ok(webhook::Entity::find_by_id(id.to_owned()).one(db).await?)
}

pub async fn insert(tx: &impl ConnectionTrait, row: webhook::Model) -> Result<(), ApiError> {
    webhook::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes a few columns; `id` is among them.
pub async fn update(tx: &impl ConnectionTrait, change: webhook::ActiveModel) -> Result<(), ApiError> {
    webhook::Entity::update(change).exec_without_returning(tx).await?;
    Ok(())
}

/// With all that was sent, or was to be.
pub async fn delete(tx: &impl ConnectionTrait, id: &str) -> Result<(), ApiError> {
    let of_webhook = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::Id)
        .filter(webhook_delivery::Column::WebhookId.eq(id))
        .into_query();
    webhook_attempt::Entity::delete_many().filter(webhook_attempt::Column::DeliveryId.in_subquery(of_webhook)).exec(tx).await?;
    webhook_delivery::Entity::delete_many().filter(webhook_delivery::Column::WebhookId.eq(id)).exec(tx).await?;
    webhook::Entity::delete_by_id(id.to_owned()).exec(tx).await?;
    Ok(())
}

/// A message to be sent at once, and again until `give_up`.
pub async fn insert_delivery(
    tx: &impl ConnectionTrait,
    webhook: &str,
    kind: WebhookEvent,
    body: String,
    give_up: Instant,
    now: Instant,
) -> Result<webhook_delivery::Model, ApiError> {
    let row = webhook_delivery::Model {
        id: DeliveryId::new().to_string(),
        webhook_id: webhook.to_owned(),
        kind: kind.as_str().to_owned(),
        body,
        state: DeliveryState::Waiting.as_str().to_owned(),
        created_at_ms: now.ms(),
        attempts: 0,
        tries: 0,
        due_at_ms: Some(now.ms()),
        sending_until_ms: None,
        give_up_at_ms: give_up.ms(),
        delivered_at_ms: None,
    };
    webhook_delivery::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    Ok(row)
}

/// Endpoints in one look: more are found by the next.
const ENDPOINTS_AT_ONCE: u64 = 200;

/// Webhooks for which something is due.
pub async fn due(db: &impl ConnectionTrait, now: Instant) -> Result<Vec<String>, ApiError> {
    Ok(webhook_delivery::Entity::find()
        .select_only()
        .distinct()
        .column(webhook_delivery::Column::WebhookId)
        .filter(webhook_delivery::Column::DueAtMs.lte(now.ms()))
        .limit(ENDPOINTS_AT_ONCE)
        .into_tuple()
        .all(db)
        .await?)
}

/// Takes up to so many of a webhook's due deliveries: until `until` no other server takes them. Those that another server is just
/// taking are passed over.
pub async fn claim(
    tx: &impl ConnectionTrait,
    webhook: &str,
    most: u64,
    now: Instant,
    until: Instant,
) -> Result<Vec<webhook_delivery::Model>, ApiError> {
    let found = "SELECT id FROM webhook_delivery WHERE webhook_id = $1 AND due_at_ms <= $2 ORDER BY due_at_ms, id LIMIT $3";
    let found = match tx.get_database_backend() {
        // An array is made once; a list might be asked for again, and lock more than its limit.
        DbBackend::Postgres => format!("= ANY(ARRAY({found} FOR UPDATE SKIP LOCKED))"),
        _ => format!("IN ({found})"),
    };
    let sql = format!(
        "UPDATE webhook_delivery SET due_at_ms = $4, sending_until_ms = $4, attempts = attempts + 1, tries = tries + 1 \
         WHERE id {found} RETURNING *"
    );
    let values = [webhook.into(), now.ms().into(), most.cast_signed().into(), until.ms().into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(webhook_delivery::Model::find_by_statement(statement).all(tx).await?)
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub at: Instant,
    pub duration: Duration,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub answer: String,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Delivered,
    Again(Instant),
    GivenUp,
}

/// Notes an attempt. False when the delivery is another server's by now, or gone: then nothing is noted.
pub async fn settle(
    tx: &impl ConnectionTrait,
    delivery: &webhook_delivery::Model,
    outcome: &Outcome,
    then: Then,
) -> Result<bool, ApiError> {
    let (state, due, delivered) = match then {
        Then::Delivered => (DeliveryState::Delivered, None, Some(outcome.at.ms())),
        Then::Again(at) => (DeliveryState::Waiting, Some(at.ms()), None),
        Then::GivenUp => (DeliveryState::Failed, None, None),
    };
    let settled = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, state.as_str().into())
        .col_expr(webhook_delivery::Column::DueAtMs, due.into())
        .col_expr(webhook_delivery::Column::SendingUntilMs, Option::<i64>::None.into())
        .col_expr(webhook_delivery::Column::DeliveredAtMs, delivered.into())
        .filter(webhook_delivery::Column::Id.eq(delivery.id.as_str()))
        .filter(webhook_delivery::Column::Attempts.eq(delivery.attempts))
        .exec(tx)
        .await?;
    if settled.rows_affected == 0 {
        return Ok(false);
    }
    let row = webhook_attempt::ActiveModel {
        delivery_id: Set(delivery.id.clone()),
        number: Set(delivery.attempts),
        at_ms: Set(outcome.at.ms()),
        duration_ms: Set(i64::try_from(outcome.duration.as_millis()).unwrap_or(i64::MAX)),
        status: Set(outcome.status.map(i32::from)),
        error: Set(outcome.error.clone()),
        answer: Set(outcome.answer.clone()),
    };
    row.insert(tx).await?;
    Ok(true)
}

/// Something got through.
pub async fn note_success(tx: &impl ConnectionTrait, webhook: &str) -> Result<(), ApiError> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::FailingSinceMs, Option::<i64>::None.into())
        .filter(webhook::Column::Id.eq(webhook))
        .filter(webhook::Column::FailingSinceMs.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Something did not. Keeps the first time.
pub async fn note_failure(tx: &impl ConnectionTrait, webhook: &str, now: Instant) -> Result<(), ApiError> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::FailingSinceMs, now.ms().into())
        .filter(webhook::Column::Id.eq(webhook))
        .filter(webhook::Column::FailingSinceMs.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Disables a webhook, unless it is already; what waits for it is given up. True when it was enabled.
pub async fn disable(tx: &impl ConnectionTrait, webhook: &str, reason: &str, now: Instant) -> Result<bool, ApiError> {
    let disabled = webhook::Entity::update_many()
        .col_expr(webhook::Column::DisabledAtMs, now.ms().into())
        .col_expr(webhook::Column::DisabledReason, reason.into())
        .filter(webhook::Column::Id.eq(webhook))
        .filter(webhook::Column::DisabledAtMs.is_null())
        .exec(tx)
        .await?;
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::State, DeliveryState::Failed.as_str().into())
        .col_expr(webhook_delivery::Column::DueAtMs, Option::<i64>::None.into())
        .filter(webhook_delivery::Column::WebhookId.eq(webhook))
        .filter(webhook_delivery::Column::DueAtMs.is_not_null())
        .exec(tx)
        .await?;
    Ok(disabled.rows_affected > 0)
}

/// A page of a webhook's deliveries, youngest first, and whether more follow.
pub async fn deliveries(
    db: &impl ConnectionTrait,
    webhook: &str,
    state: Option<DeliveryState>,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<webhook_delivery::Model>, bool), ApiError> {
    let mut select = webhook_delivery::Entity::find().filter(webhook_delivery::Column::WebhookId.eq(webhook));
    if let Some(state) = state {
        select = select.filter(webhook_delivery::Column::State.eq(state.as_str()));
    }
    if let Some(after) = after {
        select = select.filter(webhook_delivery::Column::Id.lt(after));
    }
    let mut rows = select.order_by_desc(webhook_delivery::Column::Id).limit(limit as u64 + 1).all(db).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok((rows, more))
}

/// A delivery of this webhook; locked, in a transaction that is to change it.
pub async fn delivery(db: &impl ConnectionTrait, webhook: &str, id: &DeliveryId) -> Result<webhook_delivery::Model, ApiError> {
    let found = webhook_delivery::Entity::find_by_id(id.to_string())
        .filter(webhook_delivery::Column::WebhookId.eq(webhook))
        .lock_exclusive()
        .one(db)
        .await?;
    found.ok_or_else(|| ApiError::not_found("delivery_not_found", format!("There is no delivery {id} of this webhook.")))
}

const ATTEMPTS_SHOWN: u64 = 20;

/// The last attempts, youngest first.
pub async fn attempts(db: &impl ConnectionTrait, delivery: &str) -> Result<Vec<webhook_attempt::Model>, ApiError> {
    Ok(webhook_attempt::Entity::find()
        .filter(webhook_attempt::Column::DeliveryId.eq(delivery))
        .order_by_desc(webhook_attempt::Column::Number)
        .limit(ATTEMPTS_SHOWN)
        .all(db)
        .await?)
}

/// To be sent now, and again until `give_up`.
pub async fn send_again(tx: &impl ConnectionTrait, id: &str, give_up: Instant, now: Instant) -> Result<(), ApiError> {
    let row = webhook_delivery::ActiveModel {
        id: Set(id.to_owned()),
        state: Set(DeliveryState::Waiting.as_str().to_owned()),
        tries: Set(0),
        due_at_ms: Set(Some(now.ms())),
        give_up_at_ms: Set(give_up.ms()),
        ..Default::default()
    };
    webhook_delivery::Entity::update(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Deliveries that are over and were made before this time, at most so many.
pub async fn old(db: &impl ConnectionTrait, before: Instant, most: u64) -> Result<Vec<String>, ApiError> {
    Ok(webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::Id)
        .filter(webhook_delivery::Column::CreatedAtMs.lt(before.ms()))
        .filter(webhook_delivery::Column::DueAtMs.is_null())
        .limit(most)
        .into_tuple()
        .all(db)
        .await?)
}

pub async fn forget(tx: &impl ConnectionTrait, deliveries: &[String]) -> Result<(), ApiError> {
    let ids = || deliveries.iter().map(String::as_str);
    webhook_attempt::Entity::delete_many().filter(webhook_attempt::Column::DeliveryId.is_in(ids())).exec(tx).await?;
    webhook_delivery::Entity::delete_many().filter(webhook_delivery::Column::Id.is_in(ids())).exec(tx).await?;
    Ok(())
}
