//! Sources that an agent fetches: who may append, and what a change of hands does.

use offpeak_api::ids::{AgentId, JobId, LeaseId, TaskId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::json;

use super::*;
use crate::{
    entity::{job, lease, task},
    test_server::START,
    upload::{reset_fetch_source, store},
};

/// A job of this source with one task, leased by nobody.
pub async fn insert_job(server: &TestServer, source: &SourceId, kind: &str, state: &str) -> (String, String) {
    let (job_id, task_id) = (JobId::new().to_string(), TaskId::new().to_string());
    let job = job::ActiveModel {
        id: Set(job_id.clone()),
        team_id: Set(server.team.to_string()),
        source_id: Set(source.to_string()),
        profile_name: Set("hls-h264".to_owned()),
        profile: Set(json!({})),
        state: Set(state.to_owned()),
        priority: Set(5),
        metadata: Set(json!({})),
        facts: Set(None),
        plan: Set(None),
        warnings: Set(json!([])),
        error: Set(None),
        end_frame: Set(None),
        progress: Set(0.0),
        created_at_ms: Set(START.ms()),
        started_at_ms: Set(None),
        playable_at_ms: Set(None),
        ended_at_ms: Set(None),
        ..Default::default()
    };
    job::Entity::insert(job).exec_without_returning(&server.app.db.reader).await.unwrap();
    let task = task::ActiveModel {
        id: Set(task_id.clone()),
        job_id: Set(job_id.clone()),
        team_id: Set(server.team.to_string()),
        kind: Set(kind.to_owned()),
        state: Set("leased".to_owned()),
        rank: Set(4),
        ordinal: Set(0),
        first: Set(0),
        cursor: Set(0),
        last: Set(0),
        to_end: Set(false),
        spec: Set(json!({})),
        estimated_work: Set(1.0),
        lease_id: Set(None),
        failures: Set(0),
        created_at_ms: Set(START.ms()),
        done_at_ms: Set(None),
        ..Default::default()
    };
    task::Entity::insert(task).exec_without_returning(&server.app.db.reader).await.unwrap();
    (job_id, task_id)
}

async fn insert_lease(server: &TestServer, agent: &AgentId, job_id: &str, task_id: &str, state: &str) -> String {
    let id = LeaseId::new().to_string();
    let row = lease::ActiveModel {
        id: Set(id.clone()),
        task_id: Set(task_id.to_owned()),
        job_id: Set(job_id.to_owned()),
        agent_id: Set(agent.to_string()),
        request_id: Set("r".to_owned()),
        state: Set(state.to_owned()),
        prefix: Set("p".to_owned()),
        progress: Set(None),
        holder_state: Set("encoding".to_owned()),
        created_at_ms: Set(START.ms()),
        expires_at_ms: Set(START.ms() + 30_000),
        ended_at_ms: Set(None),
        ..Default::default()
    };
    lease::Entity::insert(row).exec_without_returning(&server.app.db.reader).await.unwrap();
    id
}

async fn set_lease(server: &TestServer, id: &str, state: &str) {
    let row = lease::ActiveModel { id: Set(id.to_owned()), state: Set(state.to_owned()), ..Default::default() };
    row.update(&server.app.db.reader).await.unwrap();
}

async fn agent(server: &TestServer) -> (AgentId, String) {
    auth_store::create_agent(&server.app.db.reader, &server.team, "desk", START).await.unwrap()
}

async fn fetch_source(server: &TestServer) -> SourceId {
    let url = "https://example.com/films/a%20film.mp4?x=1";
    store::create_fetch_source(
        &server.app.db.reader,
        &server.team,
        url,
        START,
        server.app.clock.now() + server.app.config.upload_kept_for,
    )
    .await
    .unwrap()
}

fn from_agent(server: &TestServer, token: &str, id: &SourceId, offset: usize, bytes: Vec<u8>) -> RequestBuilder {
    server
        .anonymous(Method::PATCH, &format!("/v1/uploads/{id}"))
        .bearer_auth(token)
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", offset)
        .header("content-type", "application/offset+octet-stream")
        .body(bytes)
}

#[tokio::test]
async fn the_agent_that_fetches_may_append_and_no_other() {
    let server = TestServer::start(routes()).await;
    let id = fetch_source(&server).await;
    let ((one, token), (two, other_token)) = (agent(&server).await, agent(&server).await);
    let (job_id, task_id) = insert_job(&server, &id, "fetch", "queued").await;
    assert_eq!(
        from_agent(&server, &token, &id, 0, vec![1]).send().await.unwrap().status(),
        StatusCode::NOT_FOUND,
        "no lease yet"
    );
    let lease = insert_lease(&server, &one, &job_id, &task_id, "active").await;
    // A lease of another kind of task of the same job gives no right to its source.
    let (_, probe) = insert_job(&server, &id, "probe", "queued").await;
    insert_lease(&server, &two, &job_id, &probe, "active").await;
    assert_eq!(from_agent(&server, &other_token, &id, 0, vec![1]).send().await.unwrap().status(), StatusCode::NOT_FOUND);

    let bytes = noise(500_000);
    let kept = from_agent(&server, &token, &id, 0, bytes[..300_000].to_vec()).send().await.unwrap();
    assert_eq!(kept.status(), StatusCode::NO_CONTENT);
    let asked = server.anonymous(Method::HEAD, &format!("/v1/uploads/{id}")).bearer_auth(&token).header("tus-resumable", "1.0.0");
    assert_eq!(number(&asked.send().await.unwrap(), "upload-offset"), Some(300_000));
    set_lease(&server, &lease, "lost").await;
    assert_eq!(
        from_agent(&server, &token, &id, 300_000, bytes[300_000..].to_vec()).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
    set_lease(&server, &lease, "active").await;
    let last = from_agent(&server, &token, &id, 300_000, bytes[300_000..].to_vec()).header("upload-length", 500_000);
    assert_eq!(last.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, &bytes).await;
    assert_eq!(source(&server, &id).await.filename.as_deref(), Some("a film.mp4"));
}

#[tokio::test]
async fn the_next_agent_begins_anew_and_the_late_one_changes_nothing() {
    let server = TestServer::start(routes()).await;
    let id = fetch_source(&server).await;
    let ((one, late), (two, token)) = (agent(&server).await, agent(&server).await);
    let (job_id, task_id) = insert_job(&server, &id, "fetch", "queued").await;
    let lease = insert_lease(&server, &one, &job_id, &task_id, "active").await;
    from_agent(&server, &late, &id, 0, noise(200_000)).send().await.unwrap();

    // It is in the middle of a piece when another agent gets the lease.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let chunks = futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let request = from_agent(&server, &late, &id, 200_000, Vec::new()).body(reqwest::Body::wrap_stream(Box::pin(chunks)));
    let running = tokio::spawn(request.send());
    sender.send(Ok(vec![7; 100_000])).await.unwrap();
    set_lease(&server, &lease, "lost").await;
    insert_lease(&server, &two, &job_id, &task_id, "active").await;
    reset_fetch_source(&server.app, &id).await.unwrap();
    drop(sender);
    let answer = running.await.unwrap().unwrap();
    assert!(matches!(answer.status().as_u16(), 404 | 409 | 410), "{answer:?}");

    let bytes = noise(150_000);
    let whole = from_agent(&server, &token, &id, 0, bytes.clone()).header("upload-length", 150_000).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, &bytes).await;

    // A third one, because the second died before it could say that it was done.
    reset_fetch_source(&server.app, &id).await.unwrap();
    assert_eq!(offset(&server, &id).await, 0);
    let shorter = noise(90_000);
    let whole = from_agent(&server, &token, &id, 0, shorter.clone()).header("upload-length", 90_000).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, &shorter).await;
}
