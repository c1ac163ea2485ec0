//! Signed addresses over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::Duration;

use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{BlobKey, http};
use crate::{
    app::App,
    auth::hex,
    clock::Instant,
    test_server::{START, TestServer, refusal},
};

const HOUR: Duration = Duration::from_secs(3600);

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(http::put_blob, http::get_blob))
}

fn key(text: &str) -> BlobKey {
    text.parse().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes that no two offsets share a long stretch of.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    (0..length.div_ceil(8))
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(length)
        .collect()
}

async fn put(server: &TestServer, address: &str, body: Vec<u8>) -> reqwest::Response {
    server.anonymous(Method::PUT, address).body(body).send().await.unwrap()
}

/// Names of everything below the store's folder for incoming objects.
fn incoming(server: &TestServer) -> usize {
    std::fs::read_dir(server.storage().join(".incoming")).unwrap().count()
}

#[tokio::test]
async fn an_object_goes_in_once_and_comes_out_whole_and_in_ranges() {
    let server = TestServer::start(routes()).await;
    let (key, bytes) = (key("jobs/j/p-0/h264-1080p/0.m4s"), noise(3_000_000, 1));
    let address = server.app.blobs.put_address(&key, bytes.len() as u64, &sha256(&bytes), START, HOUR).await.unwrap().url;
    assert_eq!(server.app.blobs.stat(&key).await.unwrap(), None);
    assert_eq!(put(&server, &address, bytes.clone()).await.status(), StatusCode::CREATED);
    assert_eq!(server.app.blobs.stat(&key).await.unwrap(), Some(3_000_000));
    assert_eq!(put(&server, &address, bytes.clone()).await.status(), StatusCode::OK, "a repeat is harmless");

    let other = noise(3_000_000, 2);
    let second = server.app.blobs.put_address(&key, other.len() as u64, &sha256(&other), START, HOUR).await.unwrap().url;
    assert_eq!(refusal(put(&server, &second, other).await).await, (409, "key_taken".to_owned()));
    assert_eq!(incoming(&server), 0);

    let read = server.app.blobs.get_address(&key, START, HOUR).await.unwrap();
    let get = || server.anonymous(Method::GET, &read);
    let whole = get().send().await.unwrap();
    let etag = whole.headers()["etag"].clone();
    assert_eq!((whole.status(), whole.headers()["content-length"].to_str().unwrap()), (StatusCode::OK, "3000000"));
    assert!(whole.bytes().await.unwrap() == bytes);

    for (range, first, end) in [("bytes=1000000-1999999", 1_000_000, 2_000_000), ("bytes=-7", 2_999_993, 3_000_000)] {
        let part = get().header("range", range).header("if-match", &etag).send().await.unwrap();
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.headers()["content-range"].to_str().unwrap(), format!("bytes {first}-{}/3000000", end - 1));
        assert!(part.bytes().await.unwrap() == bytes[first..end]);
    }
    let behind = get().header("range", "bytes=3000000-").send().await.unwrap();
    assert_eq!(behind.headers()["content-range"].to_str().unwrap(), "bytes */3000000");
    assert_eq!(refusal(behind).await, (416, "out_of_range".to_owned()));
    let changed = get().header("if-match", "\"old\"").send().await.unwrap();
    assert_eq!(refusal(changed).await, (412, "changed".to_owned()));
    assert_eq!(get().header("if-none-match", &etag).send().await.unwrap().status(), StatusCode::NOT_MODIFIED);

    let head = server.anonymous(Method::HEAD, &read).send().await.unwrap();
    assert_eq!((head.status(), head.headers()["content-length"].to_str().unwrap()), (StatusCode::OK, "3000000"));
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    let server = TestServer::start(routes()).await;
    let (key, bytes) = (key("a/b.m4s"), b"segment".to_vec());
    let good = server.app.blobs.put_address(&key, 7, &sha256(&bytes), START, HOUR).await.unwrap().url;
    let read = server.app.blobs.get_address(&key, START, HOUR).await.unwrap();
    let last = good.chars().last().unwrap();
    let tampered = format!("{}{}", &good[..good.len() - 1], if last == '0' { '1' } else { '0' });
    for address in [
        tampered,
        good.replace("a/b.m4s", "a/c.m4s"),
        good.replace("bytes=7", "bytes=8"),
        good.replace("expires=1", "expires=2"),
        read.clone(),
        "/blob/a/b.m4s".to_owned(),
        "/blob/a/b.m4s?expires=never&signature=00".to_owned(),
    ] {
        assert_eq!(refusal(put(&server, &address, bytes.clone()).await).await, (403, "bad_signature".to_owned()), "{address}");
    }
    let of_put = server.anonymous(Method::GET, &good).send().await.unwrap();
    assert_eq!(refusal(of_put).await, (403, "bad_signature".to_owned()));

    for (body, code) in [(&b"segmend"[..], "hash_mismatch"), (b"segment and more", "wrong_length"), (b"seg", "wrong_length")] {
        assert_eq!(refusal(put(&server, &good, body.to_vec()).await).await, (422, code.to_owned()));
        // The same without a Content-Length.
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(body.to_vec())]);
        let streamed = server.anonymous(Method::PUT, &good).body(reqwest::Body::wrap_stream(chunks)).send().await.unwrap();
        assert_eq!(refusal(streamed).await, (422, code.to_owned()));
    }
    assert_eq!(server.app.blobs.stat(&key).await.unwrap(), None);
    assert_eq!(incoming(&server), 0, "nothing is left behind");

    let missing = server.anonymous(Method::GET, &read).send().await.unwrap();
    assert_eq!(refusal(missing).await, (404, "blob_not_found".to_owned()));
    server.app.clock.advance(HOUR);
    for (method, address) in [(Method::PUT, &good), (Method::GET, &read)] {
        let late = server.anonymous(method, address).body(bytes.clone()).send().await.unwrap();
        assert_eq!(refusal(late).await, (403, "address_expired".to_owned()));
    }
}

/// Paths as an attacker sends them: a client library would tidy them up.
#[tokio::test]
async fn no_path_leads_out_of_the_store() {
    let server = TestServer::start(routes()).await;
    std::fs::write(server.storage().join("../secret"), "secret").unwrap();
    std::fs::write(server.storage().join(".uploads/secret"), "secret").unwrap();
    let signed = server.app.blobs.get_address(&key("a"), START, HOUR).await.unwrap();
    let query = signed.split_once('?').unwrap().1;
    for path in [
        "../secret",
        "..%2fsecret",
        "%2e%2e/secret",
        "a/../../secret",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".uploads/secret",
        "..\\secret",
        "a%00",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET /blob/{path}?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        assert!((400..500).contains(&status), "{path}: {answer}");
        assert!(!answer.contains("secret\r\n") && !answer.ends_with("secret"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn of_two_writers_one_wins_and_readers_never_see_half() {
    let server = TestServer::start(routes()).await;
    let key = key("race/0.m4s");
    let bodies: Vec<Vec<u8>> = (0..6).map(|seed| noise(2_000_000, seed + 10)).collect();
    let puts = bodies.iter().map(async |body| {
        let blobs = &server.app.blobs;
        let address = blobs.put_address(&key, body.len() as u64, &sha256(body), START, HOUR).await.unwrap().url;
        put(&server, &address, body.clone()).await.status()
    });
    let statuses = futures_util::future::join_all(puts).await;
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CREATED).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CONFLICT).count(), 5, "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == StatusCode::CREATED).unwrap();
    let stored =
        server.anonymous(Method::GET, &server.app.blobs.get_address(&key, START, HOUR).await.unwrap()).send().await.unwrap();
    assert!(stored.bytes().await.unwrap() == bodies[winner]);
}

#[tokio::test]
async fn a_cut_connection_leaves_nothing() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(4_000_000, 3);
    let address = server.app.blobs.put_address(&key("cut"), 4_000_000, &sha256(&bytes), START, HOUR).await.unwrap().url;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("PUT {address} HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..2_500_000]).await.unwrap();
    drop(stream);
    tokio::time::timeout(Duration::from_secs(20), async {
        while incoming(&server) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the half-received object is removed");
    assert_eq!(server.app.blobs.stat(&key("cut")).await.unwrap(), None);
    assert_eq!(put(&server, &address, bytes).await.status(), StatusCode::CREATED, "and the address is still good");
}

#[tokio::test]
async fn deleting_by_prefix_takes_what_begins_so_and_nothing_else() {
    let server = TestServer::start(routes()).await;
    let blobs = &server.app.blobs;
    let keys = ["jobs/a/p-0/x/1", "jobs/a/p-1/x/1", "jobs/a/pq-0/x/1", "jobs/a/m.m3u8", "jobs/ab/p-0/1"];
    for name in keys {
        blobs.put_small(&key(name), b"x".to_vec()).await.unwrap();
    }
    let left = async || {
        let mut left = Vec::new();
        for name in keys {
            if blobs.stat(&key(name)).await.unwrap().is_some() {
                left.push(name);
            }
        }
        left
    };
    blobs.delete_prefix("jobs/a/p-").await.unwrap();
    assert_eq!(left().await, keys[2..]);
    blobs.delete_prefix("jobs/a/").await.unwrap();
    assert_eq!(left().await, keys[4..]);
    blobs.delete_prefix("jobs/a/").await.unwrap();
    for bad in ["", "jobs", "/", "../x/", "jobs/../", "jobs//"] {
        assert!(blobs.delete_prefix(bad).await.is_err(), "{bad:?}");
    }
    assert_eq!(left().await, keys[4..]);
}

#[tokio::test]
async fn a_small_object_can_be_replaced() {
    let server = TestServer::start(routes()).await;
    let blobs = &server.app.blobs;
    for text in ["first", "the second"] {
        blobs.put_small(&key("jobs/a/m.m3u8"), text.into()).await.unwrap();
        let read = blobs.read_small(&key("jobs/a/m.m3u8")).await.unwrap().unwrap();
        assert_eq!(read, text);
    }
    assert!(blobs.read_small(&key("jobs/a")).await.unwrap().is_none(), "a folder is no object");
    assert!(blobs.read_small(&key("jobs/a/m.m3u8/x")).await.unwrap().is_none());
    blobs.delete(&key("jobs/a/m.m3u8")).await.unwrap();
    blobs.delete(&key("jobs/a/m.m3u8")).await.unwrap();
    assert_eq!(blobs.stat(&key("jobs/a/m.m3u8")).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_crash_left_is_swept_a_day_later() {
    let server = TestServer::start(routes()).await;
    std::fs::write(server.storage().join(".incoming/leftover"), "x").unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Instant(i64::try_from(now.as_millis()).unwrap());
    server.app.blobs.sweep(now + HOUR * 23).await.unwrap();
    assert_eq!(incoming(&server), 1);
    server.app.blobs.sweep(now + HOUR * 25).await.unwrap();
    assert_eq!(incoming(&server), 0);
}
