//! What is special about storage that speaks S3: bytes go past the server, and the bucket checks them.

use std::time::Duration;

use offpeak_api::{
    job::{JobState, Source, SourceState},
    lease::{Lease, ObjectName, Orders, TaskResult, UploadAddress, UploadObject, UploadUrls, UploadUrlsRequest},
    upload::{DirectUpload, SentParts},
    work::Work,
};
use offpeak_server::{auth::hex, tick};
use reqwest::{Method, Response, StatusCode, redirect};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    harness::{Agent, Server},
    storage::Storage,
};

async fn start() -> Server {
    Server::start_on(Storage::bucket().await).await
}

/// Bytes that no two parts share.
fn noise(length: usize) -> Vec<u8> {
    (0..length.div_ceil(4) as u32).flat_map(|i| i.wrapping_mul(2_654_435_761).rotate_left(7).to_le_bytes()).take(length).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

async fn put(server: &Server, address: &UploadAddress, body: &[u8]) -> Response {
    let mut request = server.http.put(server.url(&address.url)).body(body.to_vec());
    for (name, value) in address.headers.iter().filter(|(name, _)| *name != "content-length") {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

async fn address(server: &Server, agent: &Agent, lease: &Lease, index: u32, body: &[u8]) -> UploadAddress {
    let name = ObjectName::Segment { rendition: "h264-360p".into(), index };
    let object = UploadObject { name, attempt: 0, bytes: body.len() as u64, sha256: sha256(body) };
    let path = format!("/v1/leases/{}/upload-urls", lease.id);
    let mut urls: UploadUrls = agent.post(server, &path, UploadUrlsRequest { objects: vec![object] }).await.ok();
    urls.addresses.remove(0)
}

#[tokio::test]
async fn an_address_is_good_for_one_object() {
    let server = start().await;
    let agent = Agent::enrol(&server, "one").await;
    server.planned_job(&agent, 4.0, false).await;
    let lease = agent.lease(&server).await.unwrap();
    let good = address(&server, &agent, &lease, 0, b"segment").await;
    assert!(good.url.starts_with(&server.storage.server().endpoint()), "{}", good.url);
    for header in ["x-amz-checksum-sha256", "if-none-match", "content-type", "cache-control"] {
        assert!(good.headers.contains_key(header), "{header} is signed: {:?}", good.headers);
    }
    assert_eq!(put(&server, &good, b"segmend").await.status(), StatusCode::BAD_REQUEST, "another hash");
    assert_eq!(put(&server, &good, b"segments").await.status(), StatusCode::FORBIDDEN, "another length");
    let other_key = UploadAddress { url: good.url.replace("/0.m4s", "/1.m4s"), ..good.clone() };
    assert_eq!(put(&server, &other_key, b"segment").await.status(), StatusCode::FORBIDDEN);
    for header in ["x-amz-checksum-sha256", "if-none-match"] {
        let mut less = good.clone();
        less.headers.remove(header);
        assert_eq!(put(&server, &less, b"segment").await.status(), StatusCode::FORBIDDEN, "without {header}");
    }
    let mut swapped = good.clone();
    swapped.headers.extend(address(&server, &agent, &lease, 0, b"segmend").await.headers);
    assert_eq!(put(&server, &swapped, b"segmend").await.status(), StatusCode::FORBIDDEN, "another address's headers");
    assert_eq!(server.storage.keys("jobs/"), [""; 0], "nothing was stored");

    assert_eq!(put(&server, &good, b"segment").await.status(), StatusCode::OK);
    assert_eq!(put(&server, &good, b"segment").await.status(), StatusCode::PRECONDITION_FAILED, "keys are written once");
    let second = address(&server, &agent, &lease, 0, b"segmend").await;
    assert_eq!(put(&server, &second, b"segmend").await.status(), StatusCode::PRECONDITION_FAILED);
    let [key] = &server.storage.keys("jobs/")[..] else { panic!("one object is stored") };
    assert_eq!(std::fs::read(server.storage.path(key)).unwrap(), b"segment");
}

/// A job that is complete.
async fn film(server: &Server) -> offpeak_api::job::Job {
    let agent = Agent::enrol(server, "one").await;
    let job = server.planned_job(&agent, 4.0, true).await;
    while let Some(lease) = agent.lease(server).await {
        agent.do_task(server, &lease).await;
    }
    server.job(&job.id).await
}

#[tokio::test]
async fn players_are_sent_to_the_bucket() {
    let server = start().await;
    let job = film(&server).await;
    assert_eq!(job.state, JobState::Completed);
    let text =
        server.http.get(server.url(&format!("/media/{}/h264-360p.m3u8", job.id))).send().await.unwrap().text().await.unwrap();
    let segment = text.lines().find(|line| line.ends_with("/0.m4s")).unwrap();
    let stored = std::fs::read(server.storage.path(&format!("jobs/{}/{segment}", job.id))).unwrap();

    let stay = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let url = server.url(&format!("/media/{}/{segment}", job.id));
    let answer = stay.get(url.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=900");
    assert!(answer.headers()["location"].to_str().unwrap().starts_with(&server.storage.server().endpoint()));

    let followed = server.http.get(url.clone()).header("range", "bytes=2-5").send().await.unwrap();
    assert_eq!(followed.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(followed.headers()["content-type"], "video/iso.segment");
    assert_eq!(followed.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(followed.bytes().await.unwrap(), stored[2..6]);
    let head = server.http.head(url.clone()).send().await.unwrap();
    assert_eq!((head.status(), head.headers()["content-length"].to_str().unwrap()), (StatusCode::OK, &*stored.len().to_string()));
    let saved = server.http.get(format!("{url}?download")).send().await.unwrap();
    assert_eq!(saved.headers()["content-disposition"], "attachment; filename=\"0.m4s\"");

    // What is in the bucket is what the server answers, and can be played from there.
    for name in ["multivariant.m3u8", "manifest.mpd", "h264-360p.m3u8", "h264-180p.m3u8"] {
        let told = server.http.get(server.url(&format!("/media/{}/{name}", job.id))).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(std::fs::read(server.storage.path(&format!("jobs/{}/{name}", job.id))).unwrap(), told, "{name}");
    }
    assert!(!text.contains("://"), "addresses are relative: {text}");

    let path = format!("/v1/jobs/{}", job.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.storage.keys("jobs/"), [""; 0]);
}

#[tokio::test]
async fn manifests_that_could_not_be_written_are_written_later() {
    let server = start().await;
    let agent = Agent::enrol(&server, "one").await;
    let job = server.planned_job(&agent, 4.0, false).await;
    let mut held = vec![];
    while let Some(lease) = agent.lease(&server).await {
        held.push(lease);
    }
    let lease = held.pop().unwrap();
    for lease in &held {
        agent.do_task(&server, lease).await;
    }
    let Work::Encode(work) = &lease.work else { panic!("{:?}", lease.work) };
    let commit = agent.upload_rows(&server, &lease, work.rows.cursor..work.rows.last, 50).await;
    agent.commit(&server, &lease, &commit).await.ok::<Orders>();
    server.storage.server().faults().refuse_puts(1);
    let end = TaskResult::Encode { end_frame: Some(100), warnings: vec![] };
    agent.complete(&server, &lease.id, end).await.ok::<Orders>();
    assert_eq!(server.job(&job.id).await.state, JobState::Completed);
    // By their whole names: the folder of a lease may begin with any letter.
    let manifests = || {
        let written = server.storage.keys(&format!("jobs/{}/", job.id));
        written.iter().filter(|key| key.ends_with("/multivariant.m3u8") || key.ends_with("/manifest.mpd")).count()
    };
    assert_eq!((manifests(), server.storage.server().faults().left()), (0, 0));
    let playlist = server.http.get(server.url(&format!("/media/{}/multivariant.m3u8", job.id))).send().await.unwrap();
    assert_eq!(playlist.status(), StatusCode::OK, "made on request until then");
    tick::tick(&server.app).await.unwrap();
    assert_eq!(manifests(), 2);
}

/// A tus request.
fn tus(server: &Server, method: Method, path: &str) -> reqwest::RequestBuilder {
    server.http.request(method, server.url(path)).bearer_auth(&server.token).header("tus-resumable", "1.0.0")
}

async fn begin(server: &Server, length: usize) -> String {
    let answer = tus(server, Method::POST, "/v1/uploads").header("upload-length", length).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn append(server: &Server, upload: &str, offset: usize, piece: &[u8]) -> Response {
    let request = tus(server, Method::PATCH, upload).header("upload-offset", offset);
    request.header("content-type", "application/offset+octet-stream").body(piece.to_vec()).send().await.unwrap()
}

async fn offset(server: &Server, upload: &str) -> usize {
    let answer = tus(server, Method::HEAD, upload).send().await.unwrap();
    answer.headers()["upload-offset"].to_str().unwrap().parse().unwrap()
}

async fn source(server: &Server, upload: &str) -> Source {
    server.get(&upload.replace("uploads", "sources")).await.ok()
}

#[tokio::test]
async fn uploads_through_the_server_arrive_in_parts() {
    let server = start().await;
    let data = noise(20_000_003);
    let upload = begin(&server, data.len()).await;
    // Pieces that end before, at and behind the end of a part of 8 MiB.
    let ends = [3, 5_000_000, 8 << 20, (8 << 20) + 1, 19_999_999, data.len()];
    let mut start = 0;
    for end in ends {
        assert_eq!(offset(&server, &upload).await, start);
        let answer = append(&server, &upload, start, &data[start..end]).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{}", answer.text().await.unwrap());
        start = end;
    }
    let source = source(&server, &upload).await;
    assert_eq!((source.state, source.sha256), (SourceState::Ready, Some(sha256(&data))));
    assert!(std::fs::read(server.storage.path(&format!("sources/{}", source.id))).unwrap() == data);
    assert_eq!(server.storage.keys("uploads/"), [""; 0], "the ends of pieces are gone");
    assert_eq!(server.storage.server().open_uploads(), 0);
}

#[tokio::test]
async fn of_two_that_append_at_one_place_one_goes_on() {
    let server = start().await;
    let data = noise(9_000_000);
    let upload = begin(&server, data.len()).await;
    let (one, two) =
        tokio::join!(append(&server, &upload, 0, &data[..8_500_000]), append(&server, &upload, 0, &data[..8_500_000]));
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    assert_eq!(append(&server, &upload, 8_500_000, &data[8_500_000..]).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(source(&server, &upload).await.sha256, Some(sha256(&data)));
    assert_eq!(server.storage.server().open_uploads(), 0);
}

#[tokio::test]
async fn an_upload_that_was_not_made_an_object_becomes_one_later() {
    let server = start().await;
    let data = noise(9_000_000);
    let upload = begin(&server, data.len()).await;
    assert_eq!(append(&server, &upload, 0, &data[..8_500_000]).await.status(), StatusCode::NO_CONTENT);
    server.storage.server().faults().refuse_posts(1);
    assert_eq!(append(&server, &upload, 8_500_000, &data[8_500_000..]).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(source(&server, &upload).await.state, SourceState::Uploading);
    assert_eq!(offset(&server, &upload).await, data.len());
    let source = source(&server, &upload).await;
    assert_eq!((source.state, source.sha256), (SourceState::Ready, Some(sha256(&data))));
}

#[tokio::test]
async fn uploads_that_are_given_up_leave_nothing() {
    let server = start().await;
    let data = noise(9_000_000);
    for expires in [false, true] {
        let upload = begin(&server, data.len() + 1).await;
        assert_eq!(append(&server, &upload, 0, &data).await.status(), StatusCode::NO_CONTENT);
        assert_eq!((server.storage.server().open_uploads(), server.storage.keys("uploads/").len()), (1, 1));
        if expires {
            server.clock.advance(Duration::from_secs(25 * 3600));
            tick::tick(&server.app).await.unwrap();
        } else {
            assert_eq!(tus(&server, Method::DELETE, &upload).send().await.unwrap().status(), StatusCode::NO_CONTENT);
        }
        assert_eq!((server.storage.server().open_uploads(), server.storage.keys("uploads/")), (0, vec![]));
    }
}

async fn begin_direct(server: &Server, data: &[u8]) -> DirectUpload {
    server.post("/v1/uploads/direct", json!({ "filename": "a/film.mp4", "bytes": data.len() })).await.ok()
}

async fn part_address(server: &Server, upload: &DirectUpload, number: u32, part: &[u8]) -> UploadAddress {
    let body = json!({ "parts": [{ "number": number, "sha256": sha256(part) }] });
    let mut urls: UploadUrls = server.post(&format!("/v1/uploads/{}/parts", upload.id), body).await.ok();
    urls.addresses.remove(0)
}

#[tokio::test]
async fn clients_may_send_parts_to_the_bucket_themselves() {
    let server = start().await;
    let data = noise(20_000_003);
    let upload = begin_direct(&server, &data).await;
    assert_eq!((upload.part_bytes, upload.parts), (8 << 20, 3));
    let complete = format!("/v1/uploads/{}/complete", upload.id);
    let parts: Vec<&[u8]> = data.chunks(upload.part_bytes as usize).collect();

    let first = part_address(&server, &upload, 1, parts[0]).await;
    assert_eq!(put(&server, &first, parts[1]).await.status(), StatusCode::BAD_REQUEST, "another hash");
    assert_eq!(put(&server, &first, &parts[0][1..]).await.status(), StatusCode::FORBIDDEN, "another length");
    for number in [3, 1] {
        let part = parts[number as usize - 1];
        let address = part_address(&server, &upload, number, part).await;
        assert_eq!(put(&server, &address, part).await.status(), StatusCode::OK);
    }
    assert_eq!(server.post(&complete, json!({})).await.problem(409), "parts_missing");
    let sent: SentParts = server.get(&format!("/v1/uploads/{}/parts", upload.id)).await.ok();
    assert_eq!(sent.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((sent.parts[0].sha256.clone(), sent.more), (Some(sha256(parts[0])), false));
    let rest: SentParts = server.get(&format!("/v1/uploads/{}/parts?after=1", upload.id)).await.ok();
    assert_eq!(rest.parts, sent.parts[1..]);

    // Not through the server, too.
    let refused = append(&server, &format!("/v1/uploads/{}", upload.id), 0, &data).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert_eq!(put(&server, &part_address(&server, &upload, 2, parts[1]).await, parts[1]).await.status(), StatusCode::OK);
    let source: Source = server.post(&complete, json!({})).await.ok();
    assert_eq!((source.state, source.filename.as_deref()), (SourceState::Ready, Some("film.mp4")));
    let hashes: Vec<u8> = parts.iter().flat_map(Sha256::digest).collect();
    assert_eq!(source.sha256, Some(format!("{}-3", sha256(&hashes))));
    assert_eq!(server.post(&complete, json!({})).await.ok::<Source>(), source, "a repeat is harmless");
    assert!(std::fs::read(server.storage.path(&format!("sources/{}", source.id))).unwrap() == data);

    let bad = json!({ "parts": [{ "number": 4, "sha256": sha256(b"") }] });
    let other = begin_direct(&server, &data).await;
    assert_eq!(server.post(&format!("/v1/uploads/{}/parts", other.id), bad).await.problem(422), "bad_parts");
    assert_eq!(server.storage.server().open_uploads(), 1);
    let path = format!("/v1/sources/{}", other.id);
    assert_eq!(server.call(&server.token, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(server.storage.server().open_uploads(), 0);
    assert_eq!(server.post("/v1/uploads/direct", json!({ "bytes": 0 })).await.problem(422), "empty_upload");
}

#[tokio::test]
async fn a_folder_takes_no_direct_uploads() {
    let server = Server::start_on(Storage::Folder(tempfile::tempdir().unwrap())).await;
    assert_eq!(server.post("/v1/uploads/direct", json!({ "bytes": 5 })).await.problem(409), "no_direct_uploads");
}
