//! Webhooks as programs see them.

use std::time::Duration;

use offpeak_api::webhook::{
    DeliveryState, Webhook, WebhookDeliveryDetail, WebhookDeliveryList, WebhookEvent, WebhookList, WebhookWithSecret,
};
use reqwest::Method;
use serde_json::json;

use super::{
    cancelled_job, change, deliveries, detail, hook,
    receiver::{Receiver, Reply},
    send, show,
};
use crate::harness::Server;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_webhook_is_told_why() {
    let server = Server::start().await;
    let good = "https://example.com/hook";
    let cases = [
        (json!({ "url": "nowhere" }), "bad_url"),
        (json!({ "url": "ftp://example.com/" }), "bad_url"),
        (json!({ "url": "https://user:pass@example.com/" }), "bad_url"),
        (json!({ "url": format!("https://example.com/{}", "x".repeat(2048)) }), "bad_url"),
        (json!({ "url": "http://10.0.0.1/" }), "address_not_allowed"),
        (json!({ "url": "http://2852039166/latest/meta-data" }), "address_not_allowed"),
        (json!({ "url": "http://[::ffff:127.0.0.1]:9/" }), "address_not_allowed"),
        (json!({ "url": good, "events": ["job.exploded"] }), "invalid_body"),
        (json!({ "url": good, "events": vec!["job.failed"; 17] }), "bad_events"),
        (json!({ "url": good, "description": "x".repeat(201) }), "bad_description"),
        (json!({ "url": good, "description": "a\nb" }), "bad_description"),
        (json!({ "url": good, "secret": "whsec_mine" }), "invalid_body"),
        (json!({}), "invalid_body"),
    ];
    for (body, code) in cases {
        assert_eq!(server.post("/v1/webhooks", &body).await.problem(422), code, "{body}");
    }
    let made: WebhookWithSecret = server.post("/v1/webhooks", json!({ "url": good })).await.ok();
    let path = format!("/v1/webhooks/{}", made.webhook.id);
    for (body, code) in [(json!({ "url": "http://127.0.0.2/" }), "address_not_allowed"), (json!({ "colour": 1 }), "invalid_body")]
    {
        assert_eq!(server.call(&server.token, Method::PATCH, &path, Some(body)).await.problem(422), code);
    }
    assert_eq!(server.post(&format!("{path}/secret"), json!({ "overlap_hours": 169 })).await.problem(422), "bad_overlap");
    for (query, code) in
        [("state=x", "bad_filter"), ("limit=0", "bad_limit"), ("cursor=x", "bad_cursor"), ("limit=x", "bad_filter")]
    {
        assert_eq!(server.get(&format!("{path}/deliveries?{query}")).await.problem(422), code, "{query}");
    }
    for _ in 1..50 {
        server.post("/v1/webhooks", json!({ "url": good })).await.ok::<WebhookWithSecret>();
    }
    assert_eq!(server.post("/v1/webhooks", json!({ "url": good })).await.problem(409), "too_many_webhooks");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_made_shown_changed_and_listed() {
    let server = Server::start().await;
    let request = json!({ "url": "https://example.com/hook", "description": "Ours", "events": ["job.failed", "job.completed"] });
    let made: WebhookWithSecret = server.post("/v1/webhooks", request).await.ok();
    assert!(made.secret.starts_with("whsec_") && made.secret.len() == 50, "{}", made.secret.len());
    assert_eq!(made.webhook.events, [WebhookEvent::JobCompleted, WebhookEvent::JobFailed]);
    let shown = server.get(&format!("/v1/webhooks/{}", made.webhook.id)).await.ok::<serde_json::Value>();
    assert!(!shown.to_string().contains("whsec_"), "the secret is shown once");
    assert_eq!(serde_json::from_value::<Webhook>(shown).unwrap(), made.webhook);
    let changed = change(&server, &made, json!({ "url": "https://example.org/", "description": "", "events": [] })).await;
    assert_eq!((changed.url.as_str(), changed.events.len(), changed.enabled), ("https://example.org/", 0, true));
    let disabled = change(&server, &made, json!({ "enabled": false })).await;
    assert!(!disabled.enabled && disabled.disabled_reason.unwrap().contains("person"));
    assert_eq!(server.get("/v1/webhooks").await.ok::<WebhookList>().webhooks.len(), 1);
    let test = format!("/v1/webhooks/{}/test", made.webhook.id);
    assert_eq!(server.post(&test, json!({})).await.problem(409), "webhook_disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_are_valid_while_one_takes_over() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    let path = format!("/v1/webhooks/{}/secret", hook.webhook.id);
    let rotated: WebhookWithSecret = server.post(&path, json!({ "overlap_hours": 2 })).await.ok();
    assert_ne!(rotated.secret, hook.secret);
    assert!(rotated.webhook.previous_secret_until.is_some());
    for (hours, old_is_valid) in [(0, true), (1, true), (1, false)] {
        server.clock.advance(Duration::from_secs(3600 * hours));
        cancelled_job(&server).await;
        send(&server).await;
        let message = receiver.messages().pop().unwrap();
        assert!(message.is_signed_with(&rotated.secret));
        assert_eq!(message.is_signed_with(&hook.secret), old_is_valid, "{hours} h");
        assert_eq!(message.header("webhook-signature").split(' ').count(), 1 + usize::from(old_is_valid));
    }
    assert_eq!(show(&server, &hook).await.previous_secret_until, None);
    // A secret that got out is replaced without an overlap.
    let at_once: WebhookWithSecret = server.post(&path, json!({ "overlap_hours": 0 })).await.ok();
    cancelled_job(&server).await;
    send(&server).await;
    let message = receiver.messages().pop().unwrap();
    assert!(message.is_signed_with(&at_once.secret) && !message.is_signed_with(&rotated.secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_once_and_its_answer_shown() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.completed"])).await;
    let path = format!("/v1/webhooks/{}/test", hook.webhook.id);
    receiver.will([Reply::Status(418, "a teapot")]);
    let begun: WebhookDeliveryDetail = server.post(&path, json!({})).await.ok();
    assert_eq!((begun.delivery.kind, begun.delivery.state), (WebhookEvent::Test, DeliveryState::Waiting));
    send(&server).await;
    let ended = detail(&server, &begun.delivery).await;
    assert_eq!((ended.delivery.state, ended.tries.len()), (DeliveryState::Failed, 1));
    assert_eq!((ended.tries[0].status, ended.tries[0].answer.as_str()), (Some(418), "a teapot"));
    let message = receiver.messages().pop().unwrap();
    assert!(message.is_signed_with(&hook.secret));
    assert_eq!(message.data()["webhook"]["id"], hook.webhook.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_in_pages() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    receiver.will([Reply::Status(500, ""); 1]);
    for _ in 0..5 {
        cancelled_job(&server).await;
        send(&server).await;
    }
    let path = format!("/v1/webhooks/{}/deliveries", hook.webhook.id);
    let first: WebhookDeliveryList = server.get(&format!("{path}?limit=3")).await.ok();
    let cursor = first.next_cursor.unwrap();
    let second: WebhookDeliveryList = server.get(&format!("{path}?limit=3&cursor={cursor}")).await.ok();
    assert_eq!((first.deliveries.len(), second.deliveries.len(), second.next_cursor), (3, 2, None));
    let pages: Vec<_> = first.deliveries.into_iter().chain(second.deliveries).collect();
    assert_eq!(pages, deliveries(&server, &hook).await);
    let waiting: WebhookDeliveryList = server.get(&format!("{path}?state=waiting")).await.ok();
    assert_eq!(waiting.deliveries.len(), 1);
    assert_eq!(waiting.deliveries[0], pages[4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_teams_webhooks_are_not_there() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    cancelled_job(&server).await;
    send(&server).await;
    let delivery = &deliveries(&server, &hook).await[0];
    let other = server.for_new_team("other", 1.0).await;
    assert_eq!(other.get("/v1/webhooks").await.ok::<WebhookList>().webhooks, []);
    let path = format!("/v1/webhooks/{}", hook.webhook.id);
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/secret")),
        (Method::POST, format!("{path}/test")),
        (Method::GET, format!("{path}/deliveries")),
        (Method::GET, format!("{path}/deliveries/{}", delivery.id)),
        (Method::POST, format!("{path}/deliveries/{}/redeliver", delivery.id)),
    ] {
        let answer = other.call(&other.token, method.clone(), &path, Some(json!({}))).await;
        assert_eq!(answer.problem(404), "webhook_not_found", "{method} {path}");
    }
    // A delivery is one of its own webhook only.
    let second: WebhookWithSecret = server.post("/v1/webhooks", json!({ "url": receiver.url })).await.ok();
    let path = format!("/v1/webhooks/{}/deliveries/{}", second.webhook.id, delivery.id);
    assert_eq!(server.get(&path).await.problem(404), "delivery_not_found");
    assert_eq!(receiver.messages().len(), 1);
}
