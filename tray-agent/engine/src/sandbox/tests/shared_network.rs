//! Where user namespaces are forbidden: what still stands between ffmpeg and the rest.

use super::*;
use crate::{
    loopback::Loopback,
    testing::{Delivery, context, ffmpeg_in, serve},
};

async fn film() -> (tempfile::TempDir, offpeak_api::work::SourceAddress) {
    let folder = tempfile::tempdir().expect("a folder");
    ffmpeg_in(folder.path(), "-f lavfi -i testsrc2=s=64x64:d=2 -c:v libx264 film.mp4");
    let data = std::fs::read(folder.path().join("film.mp4")).expect("a film");
    (folder, serve(data, Delivery::Whole).await)
}

#[tokio::test]
async fn the_loopbacks_port_is_the_only_one() {
    let outside = Outside::new();
    let (_folder, source) = film().await;
    let (ctx, _orders) = context(source, crate::task::TaskEnd { last: 0, to_end: false });
    let sandbox = Sandbox::of_bytes(Walls { network: false, port: true, ..Walls::ALL }, 2 << 30);
    let loopback = Loopback::start(&sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await.expect("a loopback");
    assert!(loopback.outer_port().is_some());
    let read = async |url: String| {
        let argv = Argv::new().arg("-nostdin").option("-v", "error").option("-i", url).option("-f", "null").arg("-");
        let run = Run { sandbox: &sandbox, program: &ctx.tools.ffmpeg, argv, limits: Limits::short(), loopback: Some(&loopback) };
        capture(run, 1 << 10, &ctx.desk, &ctx.stop).await.expect("it starts")
    };
    let ours = read(loopback.source_url()).await;
    assert_eq!(ours.ended, Ended::Well, "{:?}", ours.log.lines());
    let theirs = read(format!("http://127.0.0.1:{}/film.mp4", outside.port())).await;
    assert_ne!(theirs.ended, Ended::Well);
    assert!(theirs.log.mentions(&["permission denied"]), "{:?}", theirs.log.lines());
    outside.saw_nothing();
}

#[tokio::test]
async fn the_loopback_opens_to_nobody_else() {
    let (_folder, source) = film().await;
    let (ctx, _orders) = context(source, crate::task::TaskEnd { last: 0, to_end: false });
    let sandbox = Sandbox::of_bytes(Walls { network: false, ..Walls::ALL }, 2 << 30);
    let loopback = Loopback::start(&sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await.expect("a loopback");
    // Another program of the same user that has read the address off the process list.
    let stranger = tokio::process::Command::new(&ctx.tools.ffmpeg)
        .args(["-nostdin", "-v", "error", "-i", &loopback.source_url(), "-f", "null", "-"])
        .output();
    let stranger = stranger.await.expect("it starts");
    assert!(!stranger.status.success());
    assert_eq!(loopback.source_bytes(), 0);
    let argv =
        Argv::new().arg("-nostdin").option("-v", "error").option("-i", loopback.source_url()).option("-f", "null").arg("-");
    let run = Run { sandbox: &sandbox, program: &ctx.tools.ffmpeg, argv, limits: Limits::short(), loopback: Some(&loopback) };
    let ours = capture(run, 1 << 10, &ctx.desk, &ctx.stop).await.expect("it starts");
    assert_eq!(ours.ended, Ended::Well, "{:?}", ours.log.lines());
    assert!(loopback.source_bytes() > 0);
}
