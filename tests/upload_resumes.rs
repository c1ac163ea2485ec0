//! An upload that is cut goes on where it stopped: nothing is sent twice that has arrived, and what arrives is what was sent.

use std::{path::Path, process::Stdio, time::Duration};

use offpeak_api::job::Job;
use offpeak_tests::{
    client::{send, source_of},
    cutter::Cutter,
    system::System,
};
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

/// Not a round number, so that pieces never end together with it.
const BYTES: usize = 6_000_011;
/// It takes three quarters of a minute alone, and several times that beside other tests on two cores.
const LIMIT: Duration = Duration::from_secs(400);

/// Bytes that do not repeat within the file.
fn bytes() -> Vec<u8> {
    (0..BYTES as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_keeps_what_arrived() {
    let mut system = System::start(0).await;
    let data = bytes();
    let upload = system.client.begin_upload(data.len() as u64).await;

    // The whole is announced, and a third of it sent before the connection breaks.
    let third = data.len() / 3;
    break_off(&system, &upload, &data, third).await;
    let arrived = wait_for_bytes(&system, &upload).await;
    assert!(arrived <= third as u64, "{arrived} bytes arrived of {third}");

    // A wrong offset changes nothing.
    let refused = send(system.client.append(&upload, arrived + 1, vec![0_u8; 10])).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert_eq!(system.client.upload_offset(&upload).await, arrived);

    // The server forgets nothing when it dies.
    let to = data.len() / 2;
    let piece = data[arrived as usize..to].to_vec();
    let answer = send(system.client.append(&upload, arrived, piece)).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    system.restart_server().await;
    assert_eq!(system.client.upload_offset(&upload).await, to as u64);

    let answer = send(system.client.append(&upload, to as u64, data[to..].to_vec())).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let stored = system.storage().join("sources").join(source_of(&upload).as_str());
    assert_eq!(sha256(&std::fs::read(stored).expect("the source is in storage")), sha256(&data));
}

/// Sends a PATCH of everything, and closes the connection after `sent` bytes of it.
async fn break_off(system: &System, upload: &str, data: &[u8], sent: usize) {
    let server = system.client.server();
    let path = server.join(upload).expect("an address").path().to_owned();
    let address = (server.host_str().expect("a host"), server.port().expect("a port"));
    let mut connection = tokio::net::TcpStream::connect(address).await.expect("the server listens");
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        address.0,
        system.client.token(),
        data.len(),
    );
    connection.write_all(head.as_bytes()).await.expect("the server reads");
    connection.write_all(&data[..sent]).await.expect("the server reads");
    connection.shutdown().await.expect("the connection can be closed");
}

/// How much has arrived, once the server has noticed that no more comes.
async fn wait_for_bytes(system: &System, upload: &str) -> u64 {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let mut before = 0;
    loop {
        let arrived = system.client.upload_offset(upload).await;
        if arrived > 0 && arrived == before {
            return arrived;
        }
        assert!(tokio::time::Instant::now() < deadline, "nothing of the cut piece was kept");
        before = arrived;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_survives_a_bad_network() {
    let system = System::start(0).await;
    let data = bytes();
    let film = system.scratch().join("film.bin");
    std::fs::write(&film, &data).expect("the file can be written");
    let cutter = Cutter::start(system.client.server(), 1_500_000).await;
    let job = submit_through(&system, &cutter, &film).await;
    assert!(cutter.cuts() >= 3, "{} connections were cut", cutter.cuts());
    let stored = system.storage().join("sources").join(job.source.as_str());
    assert_eq!(sha256(&std::fs::read(stored).expect("the source is in storage")), sha256(&data));
    // What arrived was not sent again: beside the bytes themselves there are a few requests, and pieces cut on their way.
    let sent = cutter.forwarded();
    assert!(sent < BYTES as u64 * 3 / 2, "{sent} bytes were sent for {BYTES}");
    let answer = send(system.client.request(Method::POST, &format!("/v1/jobs/{}/cancel", job.id))).await;
    assert!(answer.status().is_success());
}

/// `offpeak submit` over the bad network, given again as long as it says that it was cut.
async fn submit_through(system: &System, cutter: &Cutter, film: &Path) -> Job {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let mut command = tokio::process::Command::from(system.cli());
        command.env("OFFPEAK_URL", cutter.address.as_str()).args(["submit", "--json"]).arg(film);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(LIMIT, output).await.expect("submitting ends").expect("offpeak starts");
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).expect("--json prints the job");
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(tokio::time::Instant::now() < deadline, "submitting does not get through: {said}");
    }
}
