use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Loopback, SinkEvent};
use crate::{
    desk::Desk,
    ffmpeg::{Argv, Ended, Process, Run, capture},
    sandbox::{Limits, Sandbox},
    testing::{self, Delivery},
};

async fn loopback(data: Vec<u8>, delivery: Delivery) -> Loopback {
    let (_, source) = watch::channel(Some(testing::serve(data, delivery).await));
    // Here, so that a test can knock at it.
    Loopback::start(&Sandbox::open(), &testing::http(), &testing::server(), source).await.expect("a loopback")
}

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[tokio::test]
async fn a_source_comes_whole_over_connections_that_break() {
    let data = noise(1_000_000);
    let loopback = loopback(data.clone(), Delivery::CutEvery(150_000)).await;
    let client = reqwest::Client::new();
    let whole = client.get(loopback.source_url()).send().await.expect("an answer");
    assert_eq!((whole.status().as_u16(), whole.content_length()), (200, Some(1_000_000)));
    assert!(whole.bytes().await.expect("a body") == data);
    let part = client.get(loopback.source_url()).header("range", "bytes=400000-799999").send().await.expect("an answer");
    assert_eq!(part.status().as_u16(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 400000-799999/1000000");
    assert!(part.bytes().await.expect("a body") == data[400_000..800_000]);
    let past = client.get(loopback.source_url()).header("range", "bytes=1000000-").send().await.expect("an answer");
    assert_eq!(past.status().as_u16(), 416);
    loopback.check().expect("all was delivered");
}

#[tokio::test]
async fn a_source_that_is_gone_is_remembered() {
    let loopback = loopback(noise(1_000_000), Delivery::GoneAfter { requests: 2, bytes: 150_000 }).await;
    let answer = reqwest::get(loopback.source_url()).await.expect("an answer");
    answer.bytes().await.expect_err("the body is cut, not short");
    let error = loopback.check().expect_err("it failed").to_string();
    assert!(error.starts_with("source_unreadable: cannot read the source at byte 300000 of 1000000: "), "{error}");
}

#[tokio::test]
async fn addresses_work_once_and_only_as_meant() {
    let loopback = loopback(noise(1000), Delivery::Whole).await;
    let client = reqwest::Client::new();
    let (url, mut events) = loopback.sink(4, 1 << 20);
    let guess = loopback.source_url().replace(&loopback.source_token, &super::new_token());
    assert_eq!(client.get(guess).send().await.expect("an answer").status(), 404);
    assert_eq!(client.put(loopback.source_url()).send().await.expect("an answer").status(), 405);
    assert_eq!(client.get(&url).send().await.expect("an answer").status(), 404, "a sink cannot be read");
    assert_eq!(client.put(&url).body("data").send().await.expect("an answer").status(), 201);
    assert_eq!(client.put(&url).body("more").send().await.expect("an answer").status(), 404, "a sink takes one PUT");
    assert_eq!(events.recv().await, Some(SinkEvent::Data(Bytes::from_static(b"data"))));
    assert_eq!(events.recv().await, Some(SinkEvent::End));
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn ffmpeg_reads_and_writes_through_it() {
    let folder = tempfile::tempdir().expect("a folder");
    testing::ffmpeg_in(folder.path(), "-f lavfi -i testsrc2=size=128x72:rate=25:duration=2 -c:v libx264 clip.mp4");
    let clip = std::fs::read(folder.path().join("clip.mp4")).expect("the clip");
    let loopback = loopback(clip, Delivery::CutEvery(20_000)).await;
    let stop = CancellationToken::new();

    let argv = Argv::new().option("-loglevel", "error").option("-of", "csv=p=0").arg("-show_packets");
    let argv = argv.option("-show_entries", "packet=pts").input_container("mov,mp4,m4a,3gp,3g2,mj2").arg("-i");
    let tools = testing::tools();
    let sandbox = Sandbox::open();
    let run = |program, argv| Run { sandbox: &sandbox, program, argv, limits: Limits::short(), loopback: Some(&loopback) };
    let probed =
        capture(run(&tools.ffprobe, argv.arg(loopback.source_url())), 1 << 20, &Desk::default(), &stop).await.expect("it runs");
    assert_eq!(probed.ended, Ended::Well, "{:?}", probed.log.lines());
    assert_eq!(String::from_utf8_lossy(&probed.stdout).lines().count(), 50);

    let (url, mut events) = loopback.sink(4, 1 << 20);
    let argv = Argv::new().arg("-nostdin").option("-loglevel", "error").input_container("mov").arg("-i");
    let argv = argv.arg(loopback.source_url()).option("-c", "copy").option("-f", "mpegts").option("-method", "PUT").arg(url);
    let mut ffmpeg = Process::start(run(&tools.ffmpeg, argv), &Desk::default()).await.expect("it starts");
    let mut written = Vec::new();
    let mut ended = false;
    while let Some(event) = events.recv().await {
        match event {
            SinkEvent::Data(data) => written.extend_from_slice(&data),
            SinkEvent::End => ended = true,
        }
    }
    assert_eq!(ffmpeg.wait().await.expect("it ends"), Ended::Well, "{:?}", ffmpeg.log().lines());
    assert!(ended && written.len() > 10_000 && written.len() % 188 == 0);
    loopback.check().expect("all was delivered");
}

#[tokio::test]
async fn a_stop_kills_at_once() {
    let loopback = loopback(noise(1000), Delivery::Whole).await;
    let stop = CancellationToken::new();
    let argv = Argv::new().arg("-nostdin").arg("-re").option("-f", "lavfi").option("-i", "anullsrc").option("-f", "null");
    let token = stop.clone();
    let run = tokio::spawn(async move {
        let tools = testing::tools();
        let (sandbox, program, argv) = (&tools.sandbox, &tools.ffmpeg, argv.arg("-"));
        let run = Run { sandbox, program, argv, limits: Limits::short(), loopback: None };
        capture(run, 1024, &Desk::default(), &token).await
    });
    tokio::task::yield_now().await;
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), run).await.expect("it ends soon").expect("it does not panic");
    assert!(matches!(ended, Err(crate::task::TaskError::Stopped)));
    drop(loopback);
}
