//! Probes of tiny sources made by the real ffmpeg, good and bad.

use std::path::Path;

use offpeak_api::{
    lease::Blame,
    media::Ratio,
    work::{Probe, SourceLimits},
};

use super::*;
use crate::{
    task::TaskEnd,
    testing::{Delivery, context, ffmpeg_in, serve},
};

async fn probed_within(data: Vec<u8>, limits: SourceLimits, delivery: Delivery) -> Result<Facts, TaskError> {
    let source = serve(data, delivery).await;
    let (ctx, _orders) = context(source.clone(), TaskEnd { last: 0, to_end: false });
    probe(&ctx, &Probe { source, limits }).await
}

async fn probed(data: Vec<u8>) -> Result<Facts, TaskError> {
    probed_within(data, SourceLimits::default(), Delivery::Whole).await
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("ffmpeg wrote it")
}

/// The code of a refusal that blames the source; its message must be fit for a person.
fn refusal(what: &str, result: Result<Facts, TaskError>) -> &'static str {
    match result {
        Err(TaskError::Failed(failure)) => {
            assert_eq!(failure.blame, Blame::Source, "{what}: {} {}", failure.code, failure.message);
            assert!(failure.message.ends_with('.') && failure.message.len() > 40, "{what}: {}", failure.message);
            let all = format!("{} {:?}", failure.message, failure.log_tail);
            assert!(!all.contains("127.0.0.1"), "{what}: {all}");
            failure.code
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// Frames that come out when the whole of the first video stream is decoded.
fn decoded_frames(folder: &Path, name: &str) -> u64 {
    let hashes = ffmpeg_in(folder, &format!("-i {name} -map 0:v:0 -fps_mode passthrough -f framemd5 -"));
    hashes.lines().filter(|line| !line.starts_with('#')).count() as u64
}

const FILM: &str = "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -f lavfi -i sine=d=4:r=48000";

#[tokio::test]
async fn facts_of_every_container() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // (file, how to make it, container)
    let cases = [
        ("film.mp4", "-c:v libx264 -g 25 -c:a aac", "mov,mp4,m4a,3gp,3g2,mj2"),
        ("film.mkv", "-c:v libx264 -g 25 -c:a aac", "matroska,webm"),
        ("film.webm", "-c:v libvpx -b:v 200k -g 25 -c:a libopus", "matroska,webm"),
        ("film.ts", "-c:v libx264 -g 25 -c:a aac", "mpegts"),
        ("film.avi", "-c:v mpeg4 -g 25 -c:a mp3", "avi"),
        ("film.flv", "-c:v libx264 -g 25 -c:a aac", "flv"),
        ("film.mpg", "-c:v mpeg2video -g 25 -c:a mp2", "mpeg"),
    ];
    for (name, how, container) in cases {
        ffmpeg_in(folder, &format!("{FILM} {how} {name}"));
        let data = read(folder, name);
        let bytes = data.len() as u64;
        let facts = probed(data).await.expect(name);
        assert_eq!((facts.container.as_str(), facts.bytes), (container, bytes), "{name}");
        assert_eq!(facts.warnings, [], "{name}");
        let (video, audio) = (facts.video.as_ref().expect("pictures"), facts.audio.as_ref().expect("sound"));
        assert_eq!(video.frames, decoded_frames(folder, name), "{name}");
        assert_eq!(video.frames, 100, "{name}");
        // ffmpeg leaves out one tick of an AVI with B-frames in its codec, after the first frame.
        let (late, share) = if name == "film.avi" { (0.041, 0.98) } else { (0.011, 1.0) };
        assert!((video.end_seconds - video.start_seconds - 4.0).abs() < late, "{name}: {video:?}");
        assert!((video.gaps.usual_seconds - 0.04).abs() < 1e-4 && video.gaps.share_usual >= share, "{name}: {:?}", video.gaps);
        assert!((video.gaps.p90_rate - 25.0).abs() < 0.1, "{name}: {:?}", video.gaps);
        assert_eq!(video.keyframes_seconds.len(), 4, "{name}: {:?}", video.keyframes_seconds);
        assert!((video.keyframes_seconds[0] - video.start_seconds).abs() < 1e-6, "{name}");
        assert_eq!((video.width, video.height, video.rotation), (160, 120, 0), "{name}");
        assert_eq!((video.sample_aspect, video.interlaced, video.open_gop), (Ratio::new(1, 1), false, false), "{name}");
        assert_eq!((audio.channels, audio.sample_rate), (1, 48_000), "{name}");
        // FLV and AVI cannot say that an encoder's run-in is not to be heard.
        assert!((audio.start_seconds - video.start_seconds).abs() < 0.08, "{name}: {audio:?}");
        assert!((audio.end_seconds - audio.start_seconds - 4.0).abs() < 0.1, "{name}: {audio:?}");
    }
}

#[tokio::test]
async fn facts_that_change_the_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let make = |name: &str, words: &str| ffmpeg_in(folder, &format!("{words} {name}"));
    make("film.mp4", &format!("{FILM} -c:v libx264 -g 25 -c:a aac -metadata:s:a:0 language=deu"));

    let facts = async |name: &str| probed(read(folder, name)).await.expect(name);
    let video = async |name: &str| facts(name).await.video.expect(name);
    assert_eq!(facts("film.mp4").await.audio.expect("sound").language.as_deref(), Some("deu"));

    for (counterclockwise, clockwise) in [(90, 270), (-90, 90), (180, 180)] {
        make("turned.mp4", &format!("-display_rotation:v:0 {counterclockwise} -i film.mp4 -c copy"));
        assert_eq!(video("turned.mp4").await.rotation, clockwise);
    }

    make("wide.mp4", "-i film.mp4 -vf setsar=16/15 -c:v libx264");
    assert_eq!(video("wide.mp4").await.sample_aspect, Ratio::new(16, 15));

    // An edit list that begins between keyframes: what comes before it is decoded, but not shown.
    make("edited.mp4", "-ss 1.5 -i film.mp4 -c copy");
    let edited = video("edited.mp4").await;
    assert_eq!(edited.frames, decoded_frames(folder, "edited.mp4"));
    assert!(edited.frames < 70 && edited.start_seconds >= 0.0 && edited.start_seconds < 0.041, "{edited:?}");
    assert!(edited.keyframes_seconds.iter().all(|keyframe| *keyframe >= 0.0), "{edited:?}");

    make("late.mp4", "-itsoffset 1 -f lavfi -i testsrc2=s=160x120:r=25:d=3 -f lavfi -i sine=d=4 -c:v libx264 -c:a aac");
    let late = facts("late.mp4").await;
    assert!((late.video.as_ref().expect("pictures").start_seconds - 1.0).abs() < 0.001, "{late:?}");
    assert!(late.start_seconds().abs() < 0.001, "{late:?}");

    for (name, codec) in
        [("open.ts", "libx264 -x264-params keyint=25:bframes=3:open-gop=1"), ("open.mpg", "mpeg2video -bf 2 -g 12")]
    {
        make(name, &format!("-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v {codec}"));
        assert!(video(name).await.open_gop, "{name}");
    }

    for (name, words) in [
        ("fields.ts", "-c:v mpeg2video -flags +ilme+ildct"),
        ("fields.mkv", "-c:v libx264 -flags +ilme+ildct -x264-params tff=1"),
    ] {
        make(name, &format!("-f lavfi -i testsrc2=s=160x120:r=25:d=2 -vf setfield=tff {words}"));
        assert!(video(name).await.interlaced, "{name}");
    }

    make(
        "hdr.mkv",
        "-f lavfi -i testsrc2=s=160x120:r=25:d=1 -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=none:transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc",
    );
    let hdr = video("hdr.mkv").await;
    assert_eq!((hdr.transfer.as_deref(), hdr.pixel_format.as_str()), (Some("smpte2084"), "yuv420p10le"));

    // Two seconds at 25 frames a second, then every fifth frame.
    make("uneven.mp4", r"-f lavfi -i testsrc2=s=160x120:r=25:d=6 -vf select=lt(n\,50)+not(mod(n\,5)) -fps_mode vfr -c:v libx264");
    let uneven = video("uneven.mp4").await;
    assert_eq!(uneven.frames, decoded_frames(folder, "uneven.mp4"));
    assert!((uneven.gaps.usual_seconds - 0.04).abs() < 1e-6, "{:?}", uneven.gaps);
    assert!(uneven.gaps.share_usual < 0.8 && (uneven.gaps.p90_rate - 25.0).abs() < 0.01, "{:?}", uneven.gaps);

    // A recording of one frame a second, and pictures that stand for minutes, are films.
    make("screen.mp4", "-f lavfi -i testsrc2=s=160x120:r=1:d=900 -c:v libx264 -preset ultrafast");
    assert_eq!(video("screen.mp4").await.frames, 900);
    make("slides.mp4", "-f lavfi -i testsrc2=s=320x240:r=1/120:d=1200 -r 1/120 -c:v libx264");
    assert_eq!(video("slides.mp4").await.frames, 10);
}

#[tokio::test]
async fn one_kind_of_stream_is_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    ffmpeg_in(folder, "-f lavfi -i sine=d=3:r=44100 -c:a libmp3lame sound.mp3");
    let facts = probed(read(folder, "sound.mp3")).await.expect("sound");
    assert!(facts.video.is_none() && facts.audio.is_some_and(|audio| (audio.end_seconds - 3.0).abs() < 0.1));

    ffmpeg_in(folder, "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 silent.mp4");
    let facts = probed(read(folder, "silent.mp4")).await.expect("pictures");
    assert!(facts.audio.is_none() && facts.video.is_some_and(|video| video.frames == 50));

    // A cover is no film, whether marked as one or not.
    ffmpeg_in(folder, "-f lavfi -i testsrc2=s=160x120:d=1 -frames:v 1 cover.png");
    ffmpeg_in(folder, "-i sound.mp3 -i cover.png -map 0 -map 1 -c copy -disposition:v:0 attached_pic covered.mp3");
    let facts = probed(read(folder, "covered.mp3")).await.expect("sound");
    assert!(facts.video.is_none() && facts.warnings.is_empty());
    ffmpeg_in(folder, "-i sound.mp3 -i cover.png -map 0 -map 1 -c:a copy -c:v libx264 pictured.mp4");
    let facts = probed(read(folder, "pictured.mp4")).await.expect("sound");
    assert!(facts.video.is_none() && facts.warnings[0].code == "still_picture_left_out");
}

#[tokio::test]
async fn a_file_that_ends_midway_is_taken_for_what_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (name, options) in [("film.mp4", "-movflags +faststart"), ("film.mkv", "")] {
        ffmpeg_in(
            folder,
            &format!(
                "-f lavfi -i testsrc2=s=160x120:r=25:d=20 -f lavfi -i sine=d=20 -c:v libx264 -g 25 -c:a aac {options} {name}"
            ),
        );
        let mut data = read(folder, name);
        data.truncate(data.len() / 2);
        let facts = probed(data).await.expect(name);
        let end = facts.end_seconds();
        assert!((8.0..13.0).contains(&end), "{name} ends at {end}");
        assert_eq!(
            facts.warnings.iter().map(|warning| warning.code.as_str()).collect::<Vec<_>>(),
            ["source_ends_early"],
            "{name}"
        );
        assert!(facts.warnings[0].message.contains("20 s"), "{}", facts.warnings[0].message);
    }
}

#[tokio::test]
async fn what_cannot_be_encoded_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    ffmpeg_in(folder, &format!("{FILM} -c:v libx264 -g 25 -c:a aac film.mp4"));
    for picture in ["picture.jpg", "picture.png", "picture.gif", "picture.bmp", "picture.webp", "picture.mp4"] {
        ffmpeg_in(folder, &format!("-f lavfi -i testsrc2=s=160x120:d=1 -frames:v 1 {picture}"));
    }
    ffmpeg_in(
        folder,
        "-i film.mp4 -c copy -encryption_scheme cenc-aes-ctr -encryption_key 00112233445566778899aabbccddeeff \
         -encryption_kid 0123456789abcdef0123456789abcdef locked.mp4",
    );
    ffmpeg_in(folder, "-i film.mp4 -c copy film.ts");
    ffmpeg_in(folder, "-f lavfi -i color=s=8192x8192:r=1:d=2 -c:v libx264 -preset ultrafast -threads 1 large.mp4");
    ffmpeg_in(folder, r"-f lavfi -i color=s=64x64:r=1:d=11 -vf setpts=N*3600/TB -fps_mode passthrough -c:v libx264 hours.mp4");

    let film = read(folder, "film.mp4");
    let mut scrambled = read(folder, "film.ts");
    for packet in scrambled.chunks_exact_mut(188).filter(|packet| packet[1] & 0x1f == 1) {
        packet[3] |= 0x80;
        packet[20..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    }
    let mut huge = film.clone();
    let entry = huge.windows(4).rposition(|word| word == b"avc1").expect("a sample entry");
    huge[entry + 28..entry + 32].copy_from_slice(&[0x40, 0, 0x40, 0]);
    let noise: Vec<u8> = (1..100_000_u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    let text = "It was a dark and stormy night. ".repeat(400);

    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "empty_source"),
        ("text", text.into_bytes(), "not_media"),
        ("a word", b"hello".to_vec(), "not_media"),
        ("noise", noise, "not_media"),
        ("no index", film[..film.len() / 2].to_vec(), "no_index"),
        ("jpg", read(folder, "picture.jpg"), "still_image"),
        ("png", read(folder, "picture.png"), "still_image"),
        ("gif", read(folder, "picture.gif"), "still_image"),
        ("bmp", read(folder, "picture.bmp"), "still_image"),
        ("webp", read(folder, "picture.webp"), "still_image"),
        ("one frame", read(folder, "picture.mp4"), "still_image"),
        ("encrypted", read(folder, "locked.mp4"), "encrypted"),
        ("scrambled", scrambled, "encrypted"),
        ("16,384 pixels a side", huge, "too_many_pixels"),
        ("8192 pixels a side", read(folder, "large.mp4"), "too_many_pixels"),
        ("ten hours", read(folder, "hours.mp4"), "implausible_duration"),
        (
            "HLS",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n".to_vec(),
            "unsupported_format",
        ),
        ("ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n".to_vec(), "unsupported_format"),
        ("DASH", b"<?xml version=\"1.0\"?><MPD type=\"static\"></MPD>".to_vec(), "unsupported_format"),
        ("SDP", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\n".to_vec(), "unsupported_format"),
        (
            "subtitles",
            b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nagain\n\n".to_vec(),
            "unsupported_format",
        ),
    ];
    for (what, data, expected) in cases {
        assert_eq!(refusal(what, probed(data).await), expected, "{what}");
    }

    let limits = |max_pixels, max_seconds| SourceLimits { max_pixels, max_seconds };
    let small = probed_within(film.clone(), limits(160 * 120 - 1, 60.0), Delivery::Whole).await;
    assert_eq!(refusal("pixels", small), "too_many_pixels");
    let short = probed_within(film.clone(), limits(160 * 120, 3.9), Delivery::Whole).await;
    assert_eq!(refusal("seconds", short), "too_long");
    assert!(probed_within(film, limits(160 * 120, 4.1), Delivery::Whole).await.is_ok());
}

#[tokio::test]
async fn the_network_is_not_blamed_on_the_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    ffmpeg_in(folder, &format!("{FILM} -c:v libx264 -g 25 -c:a aac -movflags +faststart film.mp4"));
    let film = read(folder, "film.mp4");
    let whole = probed(film.clone()).await.expect("facts");
    let cut = probed_within(film.clone(), SourceLimits::default(), Delivery::CutEvery(20_000)).await.expect("facts");
    assert_eq!(whole, cut);

    let gone = probed_within(film, SourceLimits::default(), Delivery::GoneAfter { requests: 1, bytes: 20_000 }).await;
    match gone {
        Err(TaskError::Failed(failure)) => assert_eq!(failure.blame, Blame::Agent, "{}", failure.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_probe_stops_when_told() {
    let folder = tempfile::tempdir().expect("a folder");
    ffmpeg_in(folder.path(), &format!("{FILM} -c:v libx264 film.mp4"));
    let source = serve(read(folder.path(), "film.mp4"), Delivery::Whole).await;
    let (ctx, _orders) = context(source.clone(), TaskEnd { last: 0, to_end: false });
    ctx.stop.cancel();
    let stopped = probe(&ctx, &Probe { source, limits: SourceLimits::default() }).await;
    assert!(matches!(stopped, Err(TaskError::Stopped)));
}
