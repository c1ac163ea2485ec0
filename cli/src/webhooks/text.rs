//! Webhooks and deliveries as text for people.

use offpeak_api::{
    plain::one_line,
    webhook::{DeliveryAttempt, Webhook, WebhookDelivery, WebhookDeliveryDetail},
};

use crate::fleet::text::table;

/// One line a webhook, below names of the columns.
pub fn table_of(webhooks: &[Webhook]) -> String {
    if webhooks.is_empty() {
        return "no webhooks; make one with: offpeak webhooks add URL".to_owned();
    }
    let mut rows = vec![["ID", "EVENTS", "STATE", "URL"].map(str::to_owned)];
    rows.extend(webhooks.iter().map(|webhook| {
        let events: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
        let events = if events.is_empty() { "all".to_owned() } else { events.join(",") };
        [webhook.id.to_string(), events, state(webhook), webhook.url.clone()]
    }));
    table(&rows)
}

fn state(webhook: &Webhook) -> String {
    match (&webhook.disabled_reason, webhook.failing_since) {
        (Some(reason), _) => format!("disabled: {reason}"),
        (None, Some(since)) => format!("failing since {}", since.format("%Y-%m-%d %H:%M UTC")),
        (None, None) => "enabled".to_owned(),
    }
}

pub fn table_of_deliveries(deliveries: &[WebhookDelivery]) -> String {
    if deliveries.is_empty() {
        return "nothing was sent to this webhook".to_owned();
    }
    let mut rows = vec![["ID", "EVENT", "STATE", "ATTEMPTS", "MADE"].map(str::to_owned)];
    rows.extend(deliveries.iter().map(|delivery| {
        let made = delivery.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let state = match delivery.next_attempt_at {
            Some(at) if delivery.attempts > 0 => format!("waiting, next at {}", at.format("%H:%M:%S UTC")),
            Some(_) | None => delivery.state.as_str().to_owned(),
        };
        [delivery.id.to_string(), delivery.kind.as_str().to_owned(), state, delivery.attempts.to_string(), made]
    }));
    table(&rows)
}

/// One delivery with its attempts.
pub fn delivery(shown: &WebhookDeliveryDetail) -> String {
    let head = format!("{}  {}  {}", shown.delivery.id, shown.delivery.kind.as_str(), shown.delivery.state.as_str());
    std::iter::once(head).chain(shown.tries.iter().map(attempt)).collect::<Vec<_>>().join("\n")
}

/// What came of the last attempt.
pub fn last_answer(shown: &WebhookDeliveryDetail) -> String {
    shown.tries.first().map_or_else(|| "it was not tried".to_owned(), attempt)
}

fn attempt(attempt: &DeliveryAttempt) -> String {
    let came = match (&attempt.error, attempt.status) {
        (Some(error), _) => error.clone(),
        (None, Some(status)) => format!("it answered {status}"),
        (None, None) => "no answer".to_owned(),
    };
    let answer = if attempt.answer.trim().is_empty() { String::new() } else { format!(": {}", attempt.answer.trim()) };
    one_line(&format!(
        "attempt {} at {}, {} ms: {came}{answer}",
        attempt.number,
        attempt.at.format("%H:%M:%S UTC"),
        attempt.duration_milliseconds
    ))
}
