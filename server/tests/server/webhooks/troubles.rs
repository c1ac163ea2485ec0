//! Receivers that fail, dawdle, move away or never come back, and servers that die.

use std::time::Duration;

use offpeak_api::webhook::{DeliveryState, WebhookDeliveryDetail};
use offpeak_server::webhooks::{DISABLED_AFTER, TRIED_FOR, send as sender, store};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    cancelled_job, change, deliveries, detail, hook,
    receiver::{Receiver, Reply},
    send, show,
};
use crate::harness::Server;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_tried_again_until_it_is_taken() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    receiver.will([Reply::Status(500, "out of\u{0} order"), Reply::RetryAfter(600)]);
    cancelled_job(&server).await;
    send(&server).await;
    send(&server).await;
    assert_eq!(receiver.messages().len(), 1, "not again at once");
    assert!(show(&server, &hook).await.failing_since.is_some());
    server.clock.advance(Duration::from_secs(7));
    send(&server).await;
    server.clock.advance(Duration::from_secs(590));
    send(&server).await;
    assert_eq!(receiver.messages().len(), 2, "the receiver asked for ten minutes");
    server.clock.advance(Duration::from_secs(20));
    send(&server).await;

    let messages = receiver.messages();
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|message| message.is_signed_with(&hook.secret)));
    assert!(messages.iter().all(|message| message.header("webhook-id") == messages[0].header("webhook-id")));
    assert!(messages[0].header("webhook-timestamp") < messages[2].header("webhook-timestamp"));
    let [delivery] = &deliveries(&server, &hook).await[..] else { panic!("one delivery") };
    assert_eq!((delivery.state, delivery.attempts, delivery.next_attempt_at), (DeliveryState::Delivered, 3, None));
    assert_eq!(delivery.id.to_string(), messages[0].header("webhook-id"));
    let detail = detail(&server, delivery).await;
    assert_eq!(detail.payload, serde_json::from_str::<Value>(&messages[0].body).unwrap());
    let tries: Vec<_> = detail.tries.iter().map(|t| (t.number, t.status, t.error.is_some(), t.answer.as_str())).collect();
    assert_eq!(
        tries,
        [(3, Some(204), false, ""), (2, Some(503), true, ""), (1, Some(500), true, "out of order")],
        "the youngest first"
    );
    assert_eq!(show(&server, &hook).await.failing_since, None, "a success ends it");

    // Sent again: the same message under the same id.
    let path = format!("/v1/webhooks/{}/deliveries/{}/redeliver", hook.webhook.id, delivery.id);
    let again: WebhookDeliveryDetail = server.post(&path, json!({})).await.ok();
    assert_eq!(again.delivery.state, DeliveryState::Waiting);
    send(&server).await;
    let messages = receiver.messages();
    assert_eq!(messages.len(), 4);
    assert_eq!((&messages[3].body, messages[3].header("webhook-id")), (&messages[0].body, messages[0].header("webhook-id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_message_is_given_up_and_after_three_the_webhook() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    receiver.will(vec![Reply::Status(500, ""); 1000]);
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    cancelled_job(&server).await;
    for _ in 0..26 {
        send(&server).await;
        server.clock.advance(HOUR);
    }
    let [delivery] = &deliveries(&server, &hook).await[..] else { panic!("one delivery") };
    assert_eq!(delivery.state, DeliveryState::Failed);
    // The quick ones at the beginning coincide with the hourly looks of this test.
    assert!((5..=14).contains(&delivery.attempts), "{}", delivery.attempts);
    let shown = show(&server, &hook).await;
    assert!(shown.enabled && shown.failing_since.is_some());

    server.clock.advance(DISABLED_AFTER - TRIED_FOR);
    cancelled_job(&server).await;
    cancelled_job(&server).await;
    send(&server).await;
    let shown = show(&server, &hook).await;
    assert!(!shown.enabled && shown.disabled_at.is_some());
    assert!(shown.disabled_reason.unwrap().contains("3 days"));
    assert!(deliveries(&server, &hook).await.iter().all(|delivery| delivery.state == DeliveryState::Failed));
    let before = receiver.messages().len();
    cancelled_job(&server).await;
    server.clock.advance(HOUR);
    send(&server).await;
    assert_eq!(receiver.messages().len(), before, "nothing more is sent");
    assert_eq!(deliveries(&server, &hook).await.len(), 3, "or written");
    let path = format!("/v1/webhooks/{}/deliveries/{}/redeliver", hook.webhook.id, delivery.id);
    assert_eq!(server.post(&path, json!({})).await.problem(409), "webhook_disabled");

    // Mended, and brought back.
    let brought_back = change(&server, &hook, json!({ "enabled": true })).await;
    assert!(brought_back.enabled && brought_back.failing_since.is_none() && brought_back.disabled_reason.is_none());
    server.post(&path, json!({})).await.ok::<WebhookDeliveryDetail>();
    send(&server).await;
    assert_eq!(receiver.messages().len(), before + 1);
    assert!(show(&server, &hook).await.enabled, "the three days begin anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_disabled_at_once() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    receiver.will([Reply::Status(410, "no more")]);
    cancelled_job(&server).await;
    send(&server).await;
    let shown = show(&server, &hook).await;
    assert!(!shown.enabled && shown.disabled_reason.as_ref().unwrap().contains("410"), "{shown:?}");
    let delivery = &deliveries(&server, &hook).await[0];
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Failed, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let server = Server::start().await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    receiver.will([Reply::RedirectTo(elsewhere.url.clone())]);
    cancelled_job(&server).await;
    send(&server).await;
    assert_eq!((receiver.messages().len(), elsewhere.messages().len()), (1, 0));
    let detail = detail(&server, &deliveries(&server, &hook).await[0]).await;
    assert_eq!((detail.delivery.state, detail.tries[0].status), (DeliveryState::Waiting, Some(307)));
    assert!(detail.tries[0].error.as_ref().unwrap().contains("redirects are not followed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let server = Server::start().await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    let to_slow = hook(&server, &slow, json!(["job.cancelled"])).await;
    hook(&server, &quick, json!(["job.cancelled"])).await;
    slow.will(vec![Reply::Never; 100]);
    let sending = tokio::spawn(sender::keep_sending(server.app.clone()));
    let began = std::time::Instant::now();
    for _ in 0..8 {
        cancelled_job(&server).await;
    }
    quick.until(8).await;
    assert!(began.elapsed() < sender::ANSWER_WITHIN, "the quick one had all of it long before: {:?}", began.elapsed());
    assert!(slow.messages().len() <= 4, "only a few at a time: {}", slow.messages().len());
    // The answers that did not come are noted.
    tokio::time::timeout(Duration::from_secs(60), async {
        while show(&server, &to_slow).await.failing_since.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("patience ends");
    let first = deliveries(&server, &to_slow).await.pop().unwrap();
    let attempt = detail(&server, &first).await.tries.pop().unwrap();
    assert_eq!(attempt.status, None);
    assert!(attempt.error.unwrap().contains("no answer within") && attempt.duration_milliseconds >= 14_000);
    sending.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_and_a_server_that_died_are_made_good() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    change(&server, &hook, json!({ "url": format!("http://{nobody}/") })).await;
    cancelled_job(&server).await;
    send(&server).await;
    let delivery = deliveries(&server, &hook).await.pop().unwrap();
    let attempt = detail(&server, &delivery).await.tries.pop().unwrap();
    assert!(attempt.error.unwrap().to_lowercase().contains("refused"));
    change(&server, &hook, json!({ "url": receiver.url })).await;

    // A server takes the message and dies.
    server.clock.advance(Duration::from_secs(10));
    let now = server.clock.now();
    let tx = server.app.db.write().await.unwrap();
    let until = now + Duration::from_secs(45);
    let claimed = store::claim(&tx.tx, hook.webhook.id.as_str(), 10, now, until).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claimed.len(), 1);
    let path = format!("/v1/webhooks/{}/deliveries/{}/redeliver", hook.webhook.id, delivery.id);
    assert_eq!(server.post(&path, json!({})).await.problem(409), "delivery_under_way");
    send(&server).await;
    assert_eq!(receiver.messages().len(), 0, "it could still be alive");
    server.clock.advance(Duration::from_secs(46));
    send(&server).await;
    assert_eq!(receiver.messages().len(), 1);
    // Should it be alive after all, its late word changes nothing.
    let outcome = store::Outcome { at: now, duration: HOUR, status: None, error: Some("late".into()), answer: String::new() };
    let tx = server.app.db.write().await.unwrap();
    assert!(!store::settle(&tx.tx, &claimed[0], &outcome, store::Then::GivenUp).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(deliveries(&server, &hook).await[0].state, DeliveryState::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_deleted_gets_nothing_more() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    receiver.will([Reply::Status(500, "")]);
    cancelled_job(&server).await;
    send(&server).await;
    let path = format!("/v1/webhooks/{}", hook.webhook.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    server.clock.advance(HOUR);
    send(&server).await;
    assert_eq!(receiver.messages().len(), 1);
    assert_eq!(server.get(&path).await.problem(404), "webhook_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_kept_for_a_month() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!(["job.cancelled"])).await;
    cancelled_job(&server).await;
    send(&server).await;
    for (days, left) in [(29, 1), (2, 0)] {
        server.clock.advance(24 * days * HOUR);
        sender::forget_old(&server.app, server.clock.now()).await.unwrap();
        assert_eq!(deliveries(&server, &hook).await.len(), left);
    }
}
