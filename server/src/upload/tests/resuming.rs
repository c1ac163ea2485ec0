//! Connections that break, processes that die, requests that meet.

use std::{io::Write, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::*;

/// Begins a PATCH by hand, announces `length` bytes, and sends `bytes` of them.
async fn send_part(server: &TestServer, id: &SourceId, offset: usize, length: usize, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "PATCH /v1/uploads/{id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         upload-offset: {offset}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: {length}\r\n\r\n",
        server.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

#[tokio::test]
async fn an_upload_goes_on_after_cut_connections() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(40_000_000);
    let id = begin(&server, bytes.len()).await;
    // The odd numbers are no multiples of anything that buffers like.
    for (at, cut) in [(0, 11_111_111), (11_111_111, 29_999_999)] {
        drop(send_part(&server, &id, at, bytes.len() - at, &bytes[at..cut]).await);
        assert_eq!(offset(&server, &id).await, cut, "what came before the cut is kept");
    }
    let last = piece(&server, &id, 29_999_999, &bytes[29_999_999..]).send().await.unwrap();
    assert_eq!(last.status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, &bytes).await;
}

#[tokio::test]
async fn a_long_piece_is_noted_on_its_way() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(70_000_000);
    let id = begin(&server, bytes.len()).await;
    let stream = send_part(&server, &id, 0, bytes.len(), &bytes[..69_000_000]).await;
    let noted = async {
        while source(&server, &id).await.received_bytes < 64 << 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noted).await.expect("64 MiB are noted while the piece still arrives");
    drop(stream);
    assert_eq!(offset(&server, &id).await, 69_000_000);
    piece(&server, &id, 69_000_000, &bytes[69_000_000..]).send().await.unwrap();
    assert_ready(&server, &id, &bytes).await;
}

#[tokio::test]
async fn bytes_that_the_row_does_not_vouch_for_are_cut_off() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(2_000_000);
    let id = begin(&server, bytes.len()).await;
    piece(&server, &id, 0, &bytes[..1_200_000]).send().await.unwrap();
    // A server died between writing to the file and to the row.
    let path = server.upload_path(&id);
    std::fs::File::options().append(true).open(&path).unwrap().write_all(&[7; 900_000]).unwrap();
    assert_eq!(offset(&server, &id).await, 1_200_000);
    piece(&server, &id, 1_200_000, &bytes[1_200_000..1_500_000]).send().await.unwrap();

    // A server died between giving the file its key and saying so in the row.
    std::fs::File::options().append(true).open(&path).unwrap().write_all(&bytes[1_500_000..]).unwrap();
    std::fs::create_dir_all(server.storage().join("sources")).unwrap();
    std::fs::rename(&path, server.storage().join(BlobKey::source(&id).as_str())).unwrap();
    assert_eq!(offset(&server, &id).await, 1_500_000);
    let last = piece(&server, &id, 1_500_000, &bytes[1_500_000..]).send().await.unwrap();
    assert_eq!(last.status(), StatusCode::NO_CONTENT);
    assert_ready(&server, &id, &bytes).await;
}

#[tokio::test]
async fn an_upload_whose_bytes_vanished_is_given_up() {
    let server = TestServer::start(routes()).await;
    let id = begin(&server, 10).await;
    piece(&server, &id, 0, b"hello").send().await.unwrap();
    std::fs::File::options().write(true).open(server.upload_path(&id)).unwrap().set_len(4).unwrap();
    let answer = piece(&server, &id, 5, b"world").send().await.unwrap();
    assert_eq!(refusal(answer).await, (410, "upload_gone".to_owned()));
    assert_eq!(source(&server, &id).await.state, SourceState::Deleted);
}

#[tokio::test]
async fn one_request_at_a_time_appends() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(3_000_000);
    let id = begin(&server, bytes.len()).await;
    let first = send_part(&server, &id, 0, bytes.len(), &bytes[..2_500_000]).await;
    let arrived = async {
        while std::fs::metadata(server.upload_path(&id)).map_or(0, |file| file.len()) < 1 << 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("the first request writes");
    let second = piece(&server, &id, 0, &bytes).send().await.unwrap();
    assert_eq!(refusal(second).await, (423, "upload_locked".to_owned()));
    drop(first);
    // The cut frees the lock, which no request has to ask for.
    let at = offset(&server, &id).await;
    assert_eq!(at, 2_500_000);
    piece(&server, &id, at, &bytes[at..]).send().await.unwrap();
    assert_ready(&server, &id, &bytes).await;
}

#[tokio::test]
async fn of_many_equal_requests_one_counts() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(1_000_000);
    let id = begin(&server, bytes.len()).await;
    let requests = (0..8).map(|_| piece(&server, &id, 0, &bytes).send());
    let answers = futures_util::future::join_all(requests).await;
    let kept = answers.iter().filter(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::NO_CONTENT));
    assert_eq!(kept.count(), 1, "{answers:?}");
    assert_ready(&server, &id, &bytes).await;
}

#[tokio::test]
async fn a_cut_piece_with_a_checksum_is_not_kept() {
    let server = TestServer::start(routes()).await;
    let bytes = noise(2_000_000);
    let id = begin(&server, bytes.len()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "PATCH /v1/uploads/{id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n\
         upload-checksum: sha256 {}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: 2000000\r\n\r\n",
        server.token,
        BASE64_STANDARD.encode(Sha256::digest(&bytes))
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..1_500_000]).await.unwrap();
    drop(stream);
    assert_eq!(offset(&server, &id).await, 0);
    piece(&server, &id, 0, &bytes).send().await.unwrap();
    assert_ready(&server, &id, &bytes).await;
}
