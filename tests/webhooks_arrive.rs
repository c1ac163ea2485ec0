//! `offpeak webhooks` makes a webhook, and what happens on a real server arrives there.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode};
use offpeak_api::{
    job::JobSource,
    webhook::{WebhookDeliveryList, WebhookEvent, WebhookPayload, WebhookWithSecret},
};
use offpeak_tests::system::System;

const LIMIT: Duration = Duration::from_secs(60);

/// What came, and what is answered.
#[derive(Debug)]
struct Held {
    bodies: Vec<String>,
    answer: StatusCode,
}

async fn take(State(held): State<Arc<Mutex<Held>>>, body: String) -> (StatusCode, &'static str) {
    let mut held = held.lock().expect("no panic");
    held.bodies.push(body);
    (held.answer, "as the test wants")
}

async fn offpeak(system: &System, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = tokio::process::Command::from(system.cli());
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await.expect("offpeak ends").expect("offpeak starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_tested_and_told() {
    let system = System::start_with(0, &[("OFFPEAK_OUTBOUND_ALLOW", "127.0.0.1")]).await;
    let held = Arc::new(Mutex::new(Held { bodies: Vec::new(), answer: StatusCode::NO_CONTENT }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(take).with_state(Arc::clone(&held));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let (code, stdout, stderr) = offpeak(&system, &["webhooks", "add", "http://10.0.0.1/", "--json"]).await;
    assert!(code == Some(1) && stderr.contains("address_not_allowed"), "{stdout}{stderr}");
    let (_, stdout, stderr) =
        offpeak(&system, &["webhooks", "add", &url, "--events", "job.cancelled,job.failed", "--json"]).await;
    let made: WebhookWithSecret = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}"));
    let id = made.webhook.id.as_str();
    let (code, stdout, stderr) = offpeak(&system, &["webhooks", "test", id]).await;
    assert!(code == Some(0) && stdout.contains("it answered 204"), "{stdout}{stderr}");
    held.lock().expect("no panic").answer = StatusCode::IM_A_TEAPOT;
    let (code, _, stderr) = offpeak(&system, &["webhooks", "test", id]).await;
    assert!(code == Some(1) && stderr.contains("it answered 418: as the test wants"), "{stderr}");
    held.lock().expect("no panic").answer = StatusCode::NO_CONTENT;

    let source = system.client.upload_bytes(vec![1_u8; 100].into()).await;
    let job = system.client.create_job(JobSource::Upload(source), "hls-h264").await;
    let (code, _, stderr) = offpeak(&system, &["cancel", job.id.as_str()]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let deadline = tokio::time::Instant::now() + LIMIT;
    while held.lock().expect("no panic").bodies.len() < 3 {
        assert!(tokio::time::Instant::now() < deadline, "nothing came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told: WebhookPayload = serde_json::from_str(&held.lock().expect("no panic").bodies[2]).expect("a payload");
    assert_eq!(told.kind, WebhookEvent::JobCancelled);

    let (_, stdout, _) = offpeak(&system, &["webhooks", "deliveries", id, "--json"]).await;
    let list: WebhookDeliveryList = serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}"));
    assert_eq!(list.deliveries.len(), 3);
    let (_, stdout, _) = offpeak(&system, &["webhooks"]).await;
    assert!(stdout.contains(id) && stdout.contains("job.cancelled,job.failed"), "{stdout}");
    let (code, _, stderr) = offpeak(&system, &["webhooks", "remove", id]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let (_, stdout, _) = offpeak(&system, &["webhooks"]).await;
    assert!(stdout.contains("no webhooks"), "{stdout}");
}
