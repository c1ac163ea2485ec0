//! What is told, and to whom.

use offpeak_api::{
    job::JobState,
    lease::{Orders, TaskResult},
    webhook::WebhookEvent,
};
use offpeak_server::{entity::webhook_delivery, webhooks::outbox};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::{cancelled_job, hook, receiver::Receiver, send};
use crate::harness::{Agent, Server, facts};

async fn written(server: &Server) -> u64 {
    webhook_delivery::Entity::find().count(&server.app.db.reader).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_told_of_as_the_api_shows_it() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, json!([])).await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 4.0, true).await;
    while let Some(lease) = agent.lease(&server).await {
        agent.do_task(&server, &lease).await;
        // A receiver asks the API when it is told: it must not find less than it was told.
        send(&server).await;
        for message in receiver.messages().iter().filter(|message| message.kind() == WebhookEvent::JobPlayable) {
            assert!(message.data()["job"]["outputs"]["hls"].is_string(), "{}", message.body);
        }
    }
    let shown: Value = server.get(&format!("/v1/jobs/{}", job.id)).await.ok();
    assert_eq!(shown["state"], "completed");
    // What is due at the same time goes out at the same time, and may arrive in any order.
    let mut messages = receiver.messages();
    messages.sort_by_key(|message| message.kind());
    let kinds: Vec<WebhookEvent> = messages.iter().map(|message| message.kind()).collect();
    assert_eq!(kinds, [WebhookEvent::JobPlayable, WebhookEvent::JobCompleted, WebhookEvent::AgentEnrolled]);
    let [playable, completed, enrolled] = &messages[..] else { panic!("three messages") };
    assert_eq!(completed.data()["job"], shown, "no difference to what polling shows");
    assert_eq!(playable.data()["job"]["id"], shown["id"]);
    assert_eq!(enrolled.data()["agent"]["name"], "one");
    for message in receiver.messages() {
        assert!(message.is_signed_with(&hook.secret));
        assert!(!message.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "the check can fail");
        assert_eq!(message.header("content-type"), "application/json");
        assert_eq!(message.header("webhook-timestamp"), (crate::harness::START.ms() / 1000).to_string());
        let mut altered = message.clone();
        altered.body = altered.body.replace("one", "two").replace("job_", "job-");
        assert!(!altered.is_signed_with(&hook.secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_segment_that_completes_a_job_tells_where_it_plays() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    hook(&server, &receiver, json!(["job.playable", "job.completed"])).await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 2.0, false).await;
    while let Some(lease) = agent.lease(&server).await {
        agent.do_task(&server, &lease).await;
    }
    send(&server).await;
    let shown: Value = server.get(&format!("/v1/jobs/{}", job.id)).await.ok();
    let messages = receiver.messages();
    assert!(shown["outputs"]["hls"].is_string() && messages.len() == 2, "{:?}", receiver.kinds());
    let completed = messages.iter().find(|message| message.kind() == WebhookEvent::JobCompleted).unwrap();
    assert_eq!(completed.data()["job"], shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_or_is_cancelled_is_told_as_it_is_shown() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    hook(&server, &receiver, json!(["job.failed", "job.cancelled"])).await;
    let agent = Agent::enrol(&server, "one").await;

    // A probe that says that it cannot be, an engine that blames the source, and a plan that was begun when it was cancelled.
    let mut nothing = facts(4.0, false);
    nothing.video = None;
    let unplannable = server.new_job().await;
    let probe = agent.lease(&server).await.unwrap();
    agent.complete(&server, &probe.id, TaskResult::Probe { facts: Box::new(nothing) }).await.ok::<Orders>();
    let broken = server.planned_job(&agent, 8.0, true).await;
    let lease = agent.lease(&server).await.unwrap();
    agent.fail(&server, &lease.id, "source").await.ok::<Orders>();
    let begun = server.planned_job(&agent, 8.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let commit = agent.upload_rows(&server, &lease, 0..2, 50).await;
    agent.commit(&server, &lease, &commit).await.ok::<Orders>();
    server.job(&begun.id).await;
    server.post(&format!("/v1/jobs/{}/cancel", begun.id), json!({})).await.ok::<Value>();
    // Cancelling again changes nothing, and tells nothing.
    server.post(&format!("/v1/jobs/{}/cancel", begun.id), json!({})).await.ok::<Value>();

    send(&server).await;
    let told: Vec<(WebhookEvent, Value)> =
        receiver.messages().iter().map(|message| (message.kind(), message.data()["job"].take())).collect();
    let mut expected = Vec::new();
    for (event, id) in
        [(WebhookEvent::JobFailed, unplannable.id), (WebhookEvent::JobFailed, broken.id), (WebhookEvent::JobCancelled, begun.id)]
    {
        expected.push((event, server.get(&format!("/v1/jobs/{id}")).await.ok::<Value>()));
    }
    assert_eq!(told.len(), 3);
    for one in &expected {
        assert!(told.contains(one), "{one:#?}\n is not among \n{told:#?}");
    }
    assert!(told.iter().filter(|(event, _)| *event == WebhookEvent::JobFailed).all(|(_, job)| job["error"]["code"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_set_aside_is_told_of() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    hook(&server, &receiver, json!(["agent.quarantined"])).await;
    let agent = Agent::enrol(&server, "desk").await;
    for _ in 0..3 {
        server.new_job().await;
    }
    for _ in 0..3 {
        let lease = agent.lease(&server).await.unwrap();
        agent.fail(&server, &lease.id, "agent").await.ok::<Orders>();
    }
    send(&server).await;
    assert_eq!(receiver.kinds(), ["agent.quarantined"]);
    let told = receiver.messages()[0].data();
    assert_eq!((&told["agent"]["standing"], &told["agent"]["set_aside_by"]), (&json!("set_aside"), &json!("failures")));
    assert!(told["agent"]["standing_reason"].as_str().unwrap().contains("3 jobs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_that_nobody_wants() {
    let server = Server::start().await;
    cancelled_job(&server).await;
    assert_eq!(written(&server).await, 0, "without webhooks");

    let (receiver, others) = (Receiver::start().await, Receiver::start().await);
    let other_team = server.for_new_team("other", 1.0).await;
    hook(&other_team, &others, json!([])).await;
    let off = hook(&server, &receiver, json!([])).await;
    super::change(&server, &off, json!({ "enabled": false })).await;
    hook(&server, &receiver, json!(["job.completed", "agent.enrolled"])).await;
    cancelled_job(&server).await;
    assert_eq!(written(&server).await, 0, "of another event, another team, or disabled");
    hook(&server, &receiver, json!(["job.cancelled"])).await;
    let job = cancelled_job(&server).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(written(&server).await, 1);
    send(&server).await;
    assert_eq!((receiver.kinds(), others.kinds()), (vec!["job.cancelled"], vec![]));
    cancelled_job(&other_team).await;
    send(&server).await;
    assert_eq!((receiver.messages().len(), others.kinds()), (1, vec!["job.cancelled"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_not_committed_is_not_told_of() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    hook(&server, &receiver, json!(["job.failed"])).await;
    let job = server.new_job().await;
    let tell = async |commit: bool| {
        let tx = server.app.db.write().await.unwrap();
        outbox::job(&server.app, &tx.tx, job.id.as_str(), WebhookEvent::JobFailed, server.clock.now()).await.unwrap();
        if commit {
            tx.commit().await.unwrap();
        }
    };
    tell(false).await;
    assert_eq!(written(&server).await, 0);
    tell(true).await;
    assert_eq!(written(&server).await, 1);
}
