//! ffmpeg in the box, told by arguments and by hostile files to do what it must not.

use offpeak_api::{
    facts::Facts,
    work::{Probe, SourceLimits},
};

use super::*;
use crate::{
    loopback::Loopback,
    probe::probe,
    task::{TaskEnd, TaskError},
    testing::{Delivery, context, ffmpeg_in, serve},
};

#[tokio::test]
async fn arguments_cannot_lead_out() {
    let outside = Outside::new();
    let (port, packets) = (outside.port(), outside.packet_port());
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("a folder");
    let inside = |name: &str| folder.path().join(name).display().to_string();
    ffmpeg_in(folder.path(), "-f lavfi -i testsrc2=s=64x64:d=1 clip.mp4");
    std::fs::write(folder.path().join("list"), "ffconcat version 1.0\nfile /etc/passwd\n").expect("a file");
    let (clip, list, new) = (inside("clip.mp4"), inside("list"), inside("new.mp4"));
    let fake = "-f lavfi -i testsrc2=s=64x64:d=1";
    for arguments in [
        "-f data -i /etc/passwd -map 0 -f data -".to_owned(),
        format!("-i {clip} -f null -"),
        format!("-f concat -safe 0 -i {list} -f null -"),
        "-f lavfi -i movie=/etc/passwd -f null -".to_owned(),
        "-f lavfi -i testsrc2=s=64x64:d=1 -vf subtitles=/etc/passwd -f null -".to_owned(),
        "-f lavfi -i testsrc2=s=64x64:d=1 -vf drawtext=textfile=/etc/passwd -f null -".to_owned(),
        format!("{fake} -f mp4 -y {new}"),
        format!("{fake} -f segment {}", inside("%d.ts")),
        format!("-f data -i tcp://127.0.0.1:{port} -f null -"),
        format!("-i http://127.0.0.1:{port}/film.mp4 -f null -"),
        format!("{fake} -c:v mpeg2video -f mpegts tcp://127.0.0.1:{port}"),
        format!("{fake} -c:v mpeg2video -f mpegts udp://127.0.0.1:{packets}"),
        format!("{fake} -c:v mpeg2video -f rtp rtp://127.0.0.1:{packets}"),
        format!("{fake} -c:v mpeg2video -f mpegts unix:{}", inside("socket")),
        "-f x11grab -i :0 -t 1 -f null -".to_owned(),
        "-f v4l2 -i /dev/video0 -t 1 -f null -".to_owned(),
    ] {
        let run = ffmpeg(&arguments).await;
        assert_ne!(run.ended, Ended::Well, "{arguments}: {:?}", run.log.lines());
        assert!(!printed(&run).contains("root:"), "{arguments}");
        assert!(!run.log.lines().is_empty(), "{arguments}: it says why");
    }
    outside.saw_nothing();
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    // And it still works.
    let run = ffmpeg(&format!("{fake} -c:v libx264 -f mp4 -movflags empty_moov+frag_keyframe -")).await;
    assert_eq!(run.ended, Ended::Well, "{:?}", run.log.lines());
    assert!(run.stdout.len() > 1000);
}

#[tokio::test]
async fn an_encode_without_end_is_ended() {
    let words = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240", "-c:v", "libx264", "-f", "null", "-"];
    let run = boxed(&sandbox(2 << 30), &testing::tools().ffmpeg, &words, Duration::from_secs(2)).await;
    assert_eq!(run.ended, Ended::OverTime, "{:?}", run.log.lines());
    let TaskError::Failed(failure) = crate::ffmpeg::explain(run.ended, &run.log) else { panic!("it failed") };
    assert_eq!(failure.code, "too_much_work");
}

#[tokio::test]
async fn huge_pictures_do_not_take_the_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    ffmpeg_in(folder.path(), "-f lavfi -i color=s=8192x8192:r=1:d=2 -c:v libx264 -preset ultrafast -threads 1 large.mp4");
    // Past all lists and limits of ffmpeg's own, as if it had been taken over.
    let film = std::fs::read(folder.path().join("large.mp4")).expect("a film");
    let source = serve(film, Delivery::Whole).await;
    let (ctx, _orders) = context(source, TaskEnd { last: 0, to_end: false });
    let sandbox = sandbox(256 << 20);
    let loopback = Loopback::start(&sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await.expect("a loopback");
    let argv =
        Argv::new().arg("-nostdin").option("-v", "error").option("-i", loopback.source_url()).option("-f", "null").arg("-");
    let run = Run { sandbox: &sandbox, program: &ctx.tools.ffmpeg, argv, limits: Limits::short(), loopback: Some(&loopback) };
    let run = capture(run, 1 << 10, &ctx.desk, &ctx.stop).await.expect("it starts");
    assert_ne!(run.ended, Ended::Well);
    let TaskError::Failed(failure) = crate::ffmpeg::explain(run.ended, &run.log) else { panic!("it failed") };
    assert_eq!(failure.code, "out_of_memory", "{failure:?}");
}

#[tokio::test]
async fn an_output_without_end_is_cut_and_blames_the_source() {
    let source = serve(vec![0; 10], Delivery::Whole).await;
    let (ctx, _orders) = context(source, TaskEnd { last: 0, to_end: false });
    let sandbox = &ctx.tools.sandbox;
    let loopback = Loopback::start(sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await.expect("a loopback");
    let (url, mut events) = loopback.sink(4, 100_000);
    let argv = Argv::new().arg("-nostdin").option("-v", "error").option("-f", "lavfi").option("-i", "testsrc2=s=320x240");
    let argv = argv.option("-c:v", "mpeg2video").option("-f", "mpegts").option("-method", "PUT").arg(url);
    let run = Run { sandbox, program: &ctx.tools.ffmpeg, argv, limits: Limits::short(), loopback: Some(&loopback) };
    let received = async {
        let mut bytes = 0;
        while let Some(crate::loopback::SinkEvent::Data(data)) = events.recv().await {
            bytes += data.len();
        }
        bytes
    };
    let (run, bytes) = tokio::join!(capture(run, 1 << 10, &ctx.desk, &ctx.stop), received);
    assert_ne!(run.expect("it starts").ended, Ended::Well);
    assert!(bytes <= 100_000, "{bytes}");
    let error = loopback.check().expect_err("it was too long").to_string();
    assert!(error.starts_with("output_too_large: "), "{error}");
}

async fn probed(data: Vec<u8>) -> Result<Facts, TaskError> {
    let source = serve(data, Delivery::Whole).await;
    let (ctx, _orders) = context(source.clone(), TaskEnd { last: 0, to_end: false });
    probe(&ctx, &Probe { source, limits: SourceLimits::default() }).await
}

/// A QuickTime file whose media is said to be in another file.
fn with_foreign_media(film: &[u8]) -> Vec<u8> {
    let at = film.windows(4).position(|word| word == b"url ").expect("a data reference");
    let mut film = film.to_vec();
    // `url ` with flag 1 is "in this file"; `alis` and no flag is a path elsewhere.
    film[at..at + 4].copy_from_slice(b"alis");
    film[at + 7] = 0;
    film
}

#[tokio::test]
async fn files_cannot_lead_out_and_the_next_one_is_read() {
    let outside = Outside::new();
    let url = format!("http://127.0.0.1:{}/film.mp4", outside.port());
    let folder = tempfile::tempdir().expect("a folder");
    ffmpeg_in(folder.path(), "-f lavfi -i testsrc2=s=64x64:d=2 -c:v libx264 film.mp4");
    ffmpeg_in(folder.path(), "-f lavfi -i testsrc2=s=64x64:d=2 -c:v libx264 film.mov");
    ffmpeg_in(folder.path(), "-f lavfi -i testsrc2=s=64x64:d=1 -c:v snow -strict -2 rare.avi");
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a film");
    let film = read("film.mp4");
    let dash = format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT9S\">\
         <Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>{url}</BaseURL>\
         <SegmentBase/></Representation></AdaptationSet></Period></MPD>"
    );
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"64\" height=\"64\">\
         <image xlink:href=\"{url}\" width=\"64\" height=\"64\"/><image xlink:href=\"file:///etc/passwd\"/></svg>"
    );
    let subtitles =
        format!("[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,{url}\n");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a DASH manifest", dash.into_bytes(), "unsupported_format"),
        ("an HLS playlist", format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{url}\n").into_bytes(), "unsupported_format"),
        ("a playlist of a file", b"#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n".to_vec(), "unsupported_format"),
        ("a concat list", b"ffconcat version 1.0\nfile /etc/passwd\n".to_vec(), "unsupported_format"),
        ("an SVG picture", svg.into_bytes(), "still_image"),
        ("ASS subtitles", subtitles.into_bytes(), "unsupported_format"),
        ("a rare codec", read("rare.avi"), "unsupported_format"),
    ];
    for (what, data, expected) in cases {
        match probed(data).await {
            Err(TaskError::Failed(failure)) => assert_eq!(failure.code, expected, "{what}: {failure:?}"),
            other => panic!("{what}: {other:?}"),
        }
        // The agent lives on, and does the next task.
        assert!(probed(film.clone()).await.is_ok(), "after {what}");
    }
    // Media elsewhere is not looked for: the file is empty, or its own bytes are taken.
    let foreign = probed(with_foreign_media(&read("film.mov"))).await;
    assert!(!format!("{foreign:?}").contains("passwd"), "{foreign:?}");
    outside.saw_nothing();
}
