//! Uploads over real HTTP, with connections that break and processes that die.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod expiry;
mod fetching;
mod resuming;

use base64::{Engine, prelude::BASE64_STANDARD};
use offpeak_api::{
    ids::SourceId,
    job::{Source, SourceState},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::http;
use crate::{
    app::App,
    auth::{hex, store as auth_store},
    blob::BlobKey,
    test_server::{TestServer, refusal},
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(http::options, http::create))
        .routes(routes!(http::head, http::patch, http::terminate, http::overridden))
        .routes(routes!(http::get_source, http::delete_source))
}

/// Bytes that no two offsets share a long stretch of.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn tus(server: &TestServer, method: Method, path: &str) -> RequestBuilder {
    server.request(method, path).header("tus-resumable", "1.0.0")
}

fn number(response: &Response, header: &str) -> Option<u64> {
    response.headers().get(header).map(|value| value.to_str().unwrap().parse().unwrap())
}

async fn begin(server: &TestServer, length: usize) -> SourceId {
    let created = tus(server, Method::POST, "/v1/uploads").header("upload-length", length).send().await.unwrap();
    location(&created)
}

fn location(created: &Response) -> SourceId {
    assert_eq!(created.status(), StatusCode::CREATED);
    assert_eq!(created.headers()["tus-resumable"], "1.0.0");
    created.headers()["location"].to_str().unwrap().strip_prefix("/v1/uploads/").unwrap().parse().unwrap()
}

fn piece(server: &TestServer, id: &SourceId, offset: usize, bytes: &[u8]) -> RequestBuilder {
    tus(server, Method::PATCH, &format!("/v1/uploads/{id}"))
        .header("upload-offset", offset)
        .header("content-type", "application/offset+octet-stream")
        .body(bytes.to_vec())
}

async fn offset(server: &TestServer, id: &SourceId) -> usize {
    let asked = tus(server, Method::HEAD, &format!("/v1/uploads/{id}")).send().await.unwrap();
    assert_eq!((asked.status(), &asked.headers()["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
    usize::try_from(number(&asked, "upload-offset").unwrap()).unwrap()
}

async fn source(server: &TestServer, id: &SourceId) -> Source {
    server.request(Method::GET, &format!("/v1/sources/{id}")).send().await.unwrap().json().await.unwrap()
}

/// The source is ready, and storage holds just these bytes.
async fn assert_ready(server: &TestServer, id: &SourceId, bytes: &[u8]) {
    let source = source(server, id).await;
    assert_eq!((source.state, source.bytes, source.sha256), (SourceState::Ready, Some(bytes.len() as u64), Some(sha256(bytes))));
    assert!(std::fs::read(server.storage().join(BlobKey::source(id).as_str())).unwrap() == bytes);
    assert!(!server.upload_path(id).exists());
}

#[tokio::test]
async fn a_file_goes_up_in_pieces() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(1_000_001);
    let name = BASE64_STANDARD.encode("Sommer/Film 1.mp4");
    let created = tus(&server, Method::POST, "/v1/uploads")
        .header("upload-length", bytes.len())
        .header("upload-metadata", format!("filename {name},note"))
        .send()
        .await
        .unwrap();
    assert_eq!(created.headers()["upload-expires"], "Wed, 15 Nov 2023 22:13:20 GMT");
    let id = location(&created);

    let first = piece(&server, &id, 0, &bytes[..600_000]).send().await.unwrap();
    assert_eq!((first.status(), number(&first, "upload-offset")), (StatusCode::NO_CONTENT, Some(600_000)));
    let asked = tus(&server, Method::HEAD, &format!("/v1/uploads/{id}")).send().await.unwrap();
    assert_eq!((number(&asked, "upload-offset"), number(&asked, "upload-length")), (Some(600_000), Some(1_000_001)));
    assert_eq!(asked.headers()["upload-metadata"].to_str().unwrap(), format!("filename {name},note"));
    let halfway = source(&server, &id).await;
    assert_eq!((halfway.state, halfway.received_bytes, halfway.sha256), (SourceState::Uploading, 600_000, None));
    assert_eq!(halfway.filename.as_deref(), Some("Film 1.mp4"));

    let wrong = piece(&server, &id, 500_000, &bytes[500_000..]).send().await.unwrap();
    assert_eq!(wrong.headers()["tus-resumable"], "1.0.0");
    assert_eq!(refusal(wrong).await, (409, "wrong_offset".to_owned()));
    let too_much = piece(&server, &id, 600_000, &bytes[599_999..]).send().await.unwrap();
    assert_eq!(refusal(too_much).await, (413, "source_too_large".to_owned()));

    let last = piece(&server, &id, 600_000, &bytes[600_000..]).send().await.unwrap();
    assert_eq!((last.status(), number(&last, "upload-offset")), (StatusCode::NO_CONTENT, Some(1_000_001)));
    assert_ready(&server, &id, &bytes).await;
    assert_eq!(offset(&server, &id).await, bytes.len());
    assert_eq!(
        piece(&server, &id, bytes.len(), &[]).send().await.unwrap().status(),
        StatusCode::NO_CONTENT,
        "a repeat is harmless"
    );
    assert_eq!(refusal(piece(&server, &id, bytes.len(), b"x").send().await.unwrap()).await.0, 413);
}

#[tokio::test]
async fn a_small_file_goes_up_with_its_creation_and_an_empty_one_too() {
    let server = TestServer::start(routes()).await;
    let create = |length: usize| {
        tus(&server, Method::POST, "/v1/uploads")
            .header("upload-length", length)
            .header("content-type", "application/offset+octet-stream")
    };
    let whole = create(5).body("hello").send().await.unwrap();
    assert_eq!(number(&whole, "upload-offset"), Some(5));
    assert_ready(&server, &location(&whole), b"hello").await;
    let part = create(5).body("he").send().await.unwrap();
    assert_eq!(number(&part, "upload-offset"), Some(2));
    let id = location(&part);
    assert_eq!(piece(&server, &id, 2, b"llo").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, b"hello").await;
    assert_eq!(refusal(create(5).body("hello!").send().await.unwrap()).await.0, 413);

    let empty = begin(&server, 0).await;
    assert_ready(&server, &empty, b"").await;
}

#[tokio::test]
async fn the_length_may_come_last() {
    let server = TestServer::start(routes()).await;
    let created = tus(&server, Method::POST, "/v1/uploads").header("upload-defer-length", 1).send().await.unwrap();
    let id = location(&created);
    piece(&server, &id, 0, b"hel").send().await.unwrap();
    let asked = tus(&server, Method::HEAD, &format!("/v1/uploads/{id}")).send().await.unwrap();
    assert_eq!((number(&asked, "upload-defer-length"), number(&asked, "upload-length")), (Some(1), None));
    let short = piece(&server, &id, 3, b"lo").header("upload-length", 2).send().await.unwrap();
    assert_eq!(refusal(short).await, (400, "wrong_length".to_owned()));
    assert_eq!(piece(&server, &id, 3, b"lo").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(source(&server, &id).await.state, SourceState::Uploading, "nobody knows yet that this was all");
    let end = piece(&server, &id, 5, b"").header("upload-length", 5).send().await.unwrap();
    assert_eq!(end.status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, b"hello").await;
}

#[tokio::test]
async fn a_piece_with_another_checksum_is_not_kept() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(3_000_000);
    let id = begin(&server, bytes.len()).await;
    let sha1 = |bytes: &[u8]| format!("sha1 {}", BASE64_STANDARD.encode(Sha1::digest(bytes)));
    let sha256 = |bytes: &[u8]| format!("sha256 {}", BASE64_STANDARD.encode(Sha256::digest(bytes)));
    let (first, second) = bytes.split_at(1_700_000);
    let good = piece(&server, &id, 0, first).header("upload-checksum", sha1(first)).send().await.unwrap();
    assert_eq!(good.status(), StatusCode::NO_CONTENT);
    for wrong in [sha1(first), sha256(first)] {
        let bad = piece(&server, &id, 1_700_000, second).header("upload-checksum", wrong).send().await.unwrap();
        assert_eq!(refusal(bad).await, (460, "checksum_mismatch".to_owned()));
        assert_eq!(offset(&server, &id).await, 1_700_000);
    }
    let unknown = piece(&server, &id, 1_700_000, second).header("upload-checksum", "md5 AAAA").send().await.unwrap();
    assert_eq!(refusal(unknown).await, (400, "bad_tus_header".to_owned()));
    let good = piece(&server, &id, 1_700_000, second).header("upload-checksum", sha256(second)).send().await.unwrap();
    assert_eq!(good.status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, &bytes).await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let server = TestServer::start_with(routes(), |settings| settings.max_source_bytes = Some(1000)).await;
    let can = server.anonymous(Method::OPTIONS, "/v1/uploads").send().await.unwrap();
    assert_eq!((can.status(), number(&can, "tus-max-size")), (StatusCode::NO_CONTENT, Some(1000)));
    assert!(can.headers()["tus-extension"].to_str().unwrap().contains("checksum"));

    let create = || tus(&server, Method::POST, "/v1/uploads");
    let large = create().header("upload-length", 1001).send().await.unwrap();
    assert_eq!(number(&large, "tus-max-size"), Some(1000));
    assert_eq!(refusal(large).await, (413, "source_too_large".to_owned()));
    assert_eq!(refusal(create().send().await.unwrap()).await, (400, "bad_tus_header".to_owned()));
    let old = server.request(Method::POST, "/v1/uploads").header("tus-resumable", "0.2.2").send().await.unwrap();
    assert_eq!(
        (&old.headers()["tus-version"], &old.headers()["tus-resumable"]),
        (&"1.0.0".parse().unwrap(), &"1.0.0".parse().unwrap())
    );
    assert_eq!(refusal(old).await, (412, "wrong_tus_version".to_owned()));
    let anonymous = server.anonymous(Method::POST, "/v1/uploads").header("tus-resumable", "1.0.0").send().await.unwrap();
    assert_eq!(anonymous.headers()["tus-resumable"], "1.0.0");
    assert_eq!(refusal(anonymous).await, (401, "no_token".to_owned()));

    let deferred = location(&create().header("upload-defer-length", 1).send().await.unwrap());
    let too_much = piece(&server, &deferred, 0, &[0; 1001]).send().await.unwrap();
    assert_eq!(refusal(too_much).await, (413, "source_too_large".to_owned()));
    let json = piece(&server, &deferred, 0, b"{}").header("content-type", "application/json");
    let json = json.build().map(|mut request| {
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        request
    });
    assert_eq!(refusal(server.client.execute(json.unwrap()).await.unwrap()).await, (415, "wrong_content_type".to_owned()));
    for id in [SourceId::new().to_string(), "job_x".to_owned()] {
        let unknown = tus(&server, Method::PATCH, &format!("/v1/uploads/{id}")).send().await.unwrap();
        assert_eq!(refusal(unknown).await, (404, "source_not_found".to_owned()));
    }
}

#[tokio::test]
async fn another_teams_upload_is_as_unknown_as_none() {
    let server = TestServer::start(routes()).await;
    let id = begin(&server, 5).await;
    let stranger = offpeak_api::ids::TeamId::new();
    let token = crate::test_server::program_token(&server.app, &stranger).await.unwrap();
    let path = format!("/v1/uploads/{id}");
    for (method, path) in [
        (Method::PATCH, path.clone()),
        (Method::DELETE, path),
        (Method::GET, format!("/v1/sources/{id}")),
        (Method::DELETE, format!("/v1/sources/{id}")),
    ] {
        let request = server.anonymous(method.clone(), &path).bearer_auth(&token).header("tus-resumable", "1.0.0");
        assert_eq!(refusal(request.send().await.unwrap()).await, (404, "source_not_found".to_owned()), "{method} {path}");
    }
    let (_, agent) = auth_store::create_agent(&server.app.db.reader, &server.team, "a", server.app.clock.now()).await.unwrap();
    let request =
        server.anonymous(Method::PATCH, &format!("/v1/uploads/{id}")).bearer_auth(agent).header("tus-resumable", "1.0.0");
    assert_eq!(refusal(request.send().await.unwrap()).await, (404, "source_not_found".to_owned()));
}

#[tokio::test]
async fn an_upload_can_be_given_up_and_its_bytes_go() {
    let server = TestServer::start(routes()).await;
    let id = begin(&server, 10).await;
    piece(&server, &id, 0, b"hello").send().await.unwrap();
    assert!(server.upload_path(&id).exists());
    let post = tus(&server, Method::POST, &format!("/v1/uploads/{id}")).header("x-http-method-override", "DELETE");
    assert_eq!(post.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert!(!server.upload_path(&id).exists());
    assert_eq!(source(&server, &id).await.state, SourceState::Deleted);
    assert_eq!(refusal(piece(&server, &id, 5, b"world").send().await.unwrap()).await, (410, "upload_gone".to_owned()));
}
