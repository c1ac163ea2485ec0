//! Sends what is due, a few messages to each receiver at a time, so that one that is slow holds up nobody else.

use std::{collections::HashMap, error::Error as _, sync::Arc, time::Duration};

use offpeak_outbound::{AllowList, Client, Failed, Limits, SystemLookup};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use tokio::task::JoinSet;
use url::Url;

use super::{
    Ending, KEPT_FOR, disabled_because, next_try, signatures,
    store::{self, Outcome, Then},
};
use crate::{
    app::App,
    clock::Instant,
    entity::{webhook, webhook_delivery},
    error::ApiError,
};

/// A receiver answers first and works then; the specification advises 15 to 30 s.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const BODY_WITHIN: Duration = Duration::from_secs(2);
/// A server that has not noted an answer by then is dead.
const CLAIMED_FOR: Duration = Duration::from_secs(45);
const AT_ONCE_TO_ONE: usize = 4;
const AT_ONCE: usize = 64;
/// Of an answer, enough to recognise an error by.
const ANSWER_BYTES: usize = 1024;
/// Events wake the sender; what another server wrote on SQLite's side of things, or what is due again, it finds by looking.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A farm at work has hundreds of events a second, few of which are anybody's message.
const GATHER_FOR: Duration = Duration::from_millis(100);
const FORGOTTEN_AT_ONCE: u64 = 500;

/// The client for all webhooks of a server.
pub fn client(allow: AllowList) -> reqwest::Result<Client> {
    // Silence is noticed by the limit on the whole answer, which has a sentence for it.
    let limits = Limits { connect: CONNECT_WITHIN, silence: 2 * ANSWER_WITHIN, redirects: 0 };
    Client::new(allow, Arc::new(SystemLookup), limits)
}

/// What this server is sending.
#[derive(Debug, Default)]
struct Sending {
    tasks: JoinSet<String>,
    /// Messages under way, by webhook.
    under_way: HashMap<String, usize>,
}

impl Sending {
    /// Begins with what is due and fits. Returns whether anything was begun.
    async fn begin(&mut self, app: &App) -> Result<bool, ApiError> {
        let mut begun = false;
        for id in store::due(&app.db.reader, app.clock.now()).await? {
            let of_this = self.under_way.get(&id).copied().unwrap_or(0);
            let room = AT_ONCE_TO_ONE.saturating_sub(of_this).min(AT_ONCE.saturating_sub(self.tasks.len()));
            if room == 0 {
                continue;
            }
            let now = app.clock.now();
            let tx = app.db.write().await?;
            let claimed = store::claim(&tx.tx, &id, room as u64, now, now + CLAIMED_FOR).await?;
            tx.commit().await?;
            if claimed.is_empty() {
                continue;
            }
            begun = true;
            *self.under_way.entry(id.clone()).or_default() += claimed.len();
            for delivery in claimed {
                let (app, id) = (app.clone(), id.clone());
                self.tasks.spawn(async move {
                    if let Err(error) = send(&app, delivery).await {
                        tracing::warn!(webhook.id = id, %error, "a message was sent, and its answer could not be noted");
                    }
                    id
                });
            }
        }
        Ok(begun)
    }

    /// The next one that ends; waits for ever when there is none.
    async fn one_ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(id)) => {
                if let Some(count) = self.under_way.get_mut(&id) {
                    *count -= 1;
                    if *count == 0 {
                        self.under_way.remove(&id);
                    }
                }
            }
            Some(Err(error)) => {
                tracing::error!(%error, "sending a message panicked");
                // Which one is not known: too little room for one webhook would be for ever.
                self.under_way.clear();
            }
            None => std::future::pending().await,
        }
    }
}

/// Sends for as long as the server lives.
pub async fn keep_sending(app: App) {
    let mut sending = Sending::default();
    let mut waiter = app.wake.event_waiter();
    loop {
        if let Err(error) = sending.begin(&app).await {
            tracing::warn!(%error, "cannot look for messages to webhooks; trying again");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tokio::select! {
            () = sending.one_ended() => {}
            () = waiter.wait(LOOK_EVERY) => tokio::time::sleep(GATHER_FOR).await,
        }
    }
}

/// Sends all that is due, and waits for the answers: for `tick` on its own, and for tests.
pub async fn send_due(app: &App) -> Result<(), ApiError> {
    let mut sending = Sending::default();
    while sending.begin(app).await? || !sending.tasks.is_empty() {
        if !sending.tasks.is_empty() {
            sending.one_ended().await;
        }
    }
    Ok(())
}

/// Deliveries that were kept long enough go.
pub async fn forget_old(app: &App, now: Instant) -> Result<(), ApiError> {
    let old = store::old(&app.db.reader, now - KEPT_FOR, FORGOTTEN_AT_ONCE).await?;
    if !old.is_empty() {
        let tx = app.db.write().await?;
        store::forget(&tx.tx, &old).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// One attempt, and what comes of it.
async fn send(app: &App, delivery: webhook_delivery::Model) -> Result<(), ApiError> {
    let Some(webhook) = store::get(&app.db.reader, &delivery.webhook_id).await? else { return Ok(()) };
    let began = std::time::Instant::now();
    let at = app.clock.now();
    let said = call(app, &webhook, &delivery, at).await;
    let ending = said.status.map_or(Ending::Refused, Ending::of_status);
    let error = match (ending, said.status) {
        (Ending::Taken, _) => None,
        (Ending::Gone | Ending::Refused, Some(status @ 300..=399)) => {
            Some(format!("it answered {status}, and redirects are not followed"))
        }
        (Ending::Gone | Ending::Refused, Some(status)) => Some(format!("it answered {status}")),
        (Ending::Gone | Ending::Refused, None) => said.error,
    };
    let outcome = Outcome { at, duration: began.elapsed(), status: said.status, error, answer: said.answer };
    settle(app, &webhook, &delivery, ending, outcome, said.retry_after).await
}

/// What a receiver said.
#[derive(Debug, Default)]
struct Said {
    status: Option<u16>,
    retry_after: Option<Duration>,
    error: Option<String>,
    answer: String,
}

async fn call(app: &App, webhook: &webhook::Model, delivery: &webhook_delivery::Model, at: Instant) -> Said {
    let old = webhook.old_secret.as_deref().filter(|_| webhook.old_secret_until_ms.is_some_and(|until| until > at.ms()));
    let secrets = [Some(webhook.secret.as_str()), old].into_iter().flatten();
    let failed = |error: String| Said { error: Some(error), ..Said::default() };
    let Some(signature) = signatures(secrets, &delivery.id, at, &delivery.body) else {
        return failed("its secret cannot be read; rotate it".to_owned());
    };
    let Ok(url) = Url::parse(&webhook.url) else { return failed("its address cannot be read; change it".to_owned()) };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let timestamp = (at.ms() / 1000).to_string();
    for (name, value) in [
        ("webhook-id", delivery.id.as_str()),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ] {
        match HeaderValue::from_str(value) {
            Ok(value) => headers.insert(name, value),
            Err(error) => return failed(error.to_string()),
        };
    }
    let calling = tokio::time::timeout(ANSWER_WITHIN, app.webhooks.post(&url, headers, delivery.body.clone()));
    let Ok(answered) = calling.await else {
        return failed(format!("there was no answer within {} s", ANSWER_WITHIN.as_secs()));
    };
    match answered {
        Ok(mut answer) => Said {
            status: Some(answer.status().as_u16()),
            retry_after: retry_after(&answer),
            error: None,
            answer: first_bytes(&mut answer).await,
        },
        Err(Failed::Refused(refused)) => failed(refused.to_string()),
        Err(Failed::Unreachable(error)) => failed(innermost(&error)),
    }
}

/// Only seconds: a date would need a clock that agrees.
fn retry_after(answer: &Response) -> Option<Duration> {
    let asked = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    matches!(answer.status().as_u16(), 429 | 503).then(|| Duration::from_secs(asked))
}

/// As text, whatever it is. A body that breaks off or dawdles changes nothing about the status.
async fn first_bytes(answer: &mut Response) -> String {
    let mut bytes = Vec::new();
    let until = tokio::time::Instant::now() + BODY_WITHIN;
    while bytes.len() < ANSWER_BYTES {
        match tokio::time::timeout_at(until, answer.chunk()).await.unwrap_or(Ok(None)) {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - bytes.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    // PostgreSQL keeps no NUL in a text.
    String::from_utf8_lossy(&bytes).replace('\0', "")
}

/// Without the address, which its outer layers repeat.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut words = if error.is_timeout() { "it took too long".to_owned() } else { "the connection failed".to_owned() };
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words.replace('\0', "")
}

async fn settle(
    app: &App,
    webhook: &webhook::Model,
    delivery: &webhook_delivery::Model,
    ending: Ending,
    outcome: Outcome,
    retry_after: Option<Duration>,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    let tries = delivery.tries.cast_unsigned();
    let disabled = disabled_because(ending, webhook.failing_since_ms.map(Instant), now);
    let then = match ending {
        Ending::Taken => Then::Delivered,
        Ending::Gone => Then::GivenUp,
        Ending::Refused if disabled.is_some() => Then::GivenUp,
        Ending::Refused => {
            next_try(tries, now, Instant(delivery.give_up_at_ms), retry_after, rand::random()).map_or(Then::GivenUp, Then::Again)
        }
    };
    let tx = app.db.write().await?;
    // Whoever disables the webhook meanwhile gives up what waits: it comes before this, or after.
    let Some(current) = store::lock(&tx.tx, &webhook.id).await? else { return Ok(()) };
    let then = if current.disabled_at_ms.is_some() && matches!(then, Then::Again(_)) { Then::GivenUp } else { then };
    if !store::settle(&tx.tx, delivery, &outcome, then).await? {
        return Ok(());
    }
    match ending {
        Ending::Taken => store::note_success(&tx.tx, &webhook.id).await?,
        Ending::Gone | Ending::Refused => store::note_failure(&tx.tx, &webhook.id, now).await?,
    }
    if let Some(reason) = disabled
        && store::disable(&tx.tx, &webhook.id, &reason, now).await?
    {
        tracing::warn!(webhook.id, reason, "disabled webhook");
    }
    tx.commit().await?;
    match &outcome.error {
        None => tracing::debug!(webhook.id, delivery.id, delivery.kind, "delivered message"),
        Some(error) => tracing::info!(webhook.id, delivery.id, delivery.kind, error, ?then, "a webhook did not take a message"),
    }
    Ok(())
}
