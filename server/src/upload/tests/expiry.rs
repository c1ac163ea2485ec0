//! How long sources stay.

use std::time::Duration;

use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{fetching::insert_job, *};
use crate::{entity::job, upload::expire};

const HOUR: Duration = Duration::from_secs(3600);

async fn tick(server: &TestServer) {
    expire(&server.app, server.app.clock.now()).await.unwrap();
}

async fn state(server: &TestServer, id: &SourceId) -> SourceState {
    source(server, id).await.state
}

#[tokio::test]
async fn an_unfinished_upload_is_given_up_a_day_after_its_last_piece() {
    let server = TestServer::start(routes()).await;
    let id = begin(&server, 10).await;
    server.app.clock.advance(HOUR * 20);
    piece(&server, &id, 0, b"hello").send().await.unwrap();
    server.app.clock.advance(HOUR * 23);
    tick(&server).await;
    assert_eq!(offset(&server, &id).await, 5);
    server.app.clock.advance(HOUR);
    assert_eq!(refusal(piece(&server, &id, 5, b"world").send().await.unwrap()).await, (410, "upload_gone".to_owned()));
    tick(&server).await;
    assert_eq!(state(&server, &id).await, SourceState::Deleted);
    assert!(!server.upload_path(&id).exists());
}

#[tokio::test]
async fn a_source_stays_while_a_job_needs_it_and_a_week_longer() {
    let server = TestServer::start(routes()).await;
    let id = begin(&server, 0).await;
    let (job_id, _) = insert_job(&server, &id, "probe", "encoding").await;
    let path = server.storage().join(BlobKey::source(&id).as_str());
    server.app.clock.advance(HOUR * 24 * 30);
    tick(&server).await;
    assert_eq!(state(&server, &id).await, SourceState::Ready);
    let in_use = server.request(Method::DELETE, &format!("/v1/sources/{id}")).send().await.unwrap();
    assert_eq!(refusal(in_use).await, (409, "source_in_use".to_owned()));

    let ended = server.app.clock.now().ms();
    let over =
        job::ActiveModel { id: Set(job_id), state: Set("completed".into()), ended_at_ms: Set(Some(ended)), ..Default::default() };
    over.update(&server.app.db.reader).await.unwrap();
    for _ in 0..7 {
        server.app.clock.advance(HOUR * 24 - Duration::from_millis(1));
        tick(&server).await;
        assert_eq!(state(&server, &id).await, SourceState::Ready);
        assert!(path.exists());
    }
    server.app.clock.advance(HOUR);
    tick(&server).await;
    assert_eq!(state(&server, &id).await, SourceState::Deleted);
    assert!(!path.exists());
}

#[tokio::test]
async fn deleting_a_source_deletes_its_bytes() {
    let server = TestServer::start(routes()).await;
    let id = begin(&server, 0).await;
    let path = server.storage().join(BlobKey::source(&id).as_str());
    assert!(path.exists());
    for _ in 0..2 {
        let deleted = server.request(Method::DELETE, &format!("/v1/sources/{id}")).send().await.unwrap();
        assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    }
    assert!(!path.exists());
    assert_eq!(state(&server, &id).await, SourceState::Deleted);
}

#[tokio::test]
async fn a_file_without_an_upload_is_swept() {
    let server = TestServer::start(routes()).await;
    let (orphan, kept) = (server.upload_path(&SourceId::new()), begin(&server, 5).await);
    std::fs::write(&orphan, "x").unwrap();
    piece(&server, &kept, 0, b"he").send().await.unwrap();
    tick(&server).await;
    assert!(!orphan.exists());
    assert_eq!(offset(&server, &kept).await, 2);
    assert!(server.upload_path(&kept).exists());
}
