//! Files made from segments that the real ffmpeg wrote, and read back by it.

use std::path::Path;

use offpeak_api::{
    lease::UploadAddress,
    profile::FileContainer,
    work::{File, FileTrack},
};

use super::*;
use crate::{
    fetch::origin::{Fault, Origin},
    testing::{ffmpeg_in as ffmpeg, tools},
};

/// What a bundled program says on its two outputs, for these words in `folder`.
fn says(program: &Path, folder: &Path, words: &str) -> (String, String) {
    let output = std::process::Command::new(program).current_dir(folder).args(words.split_whitespace()).output();
    let output = output.expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

const FRAGMENTS: &str = "-movflags +frag_keyframe+empty_moov+default_base_moof+frag_discont+skip_trailer+delay_moov \
     -use_editlist 1 -avoid_negative_ts disabled -video_track_timescale 25000 -f mp4";
const SOUND_FRAGMENTS: &str =
    "-movflags +empty_moov+default_base_moof+skip_trailer+delay_moov -use_editlist 1 -frag_duration 256000 -f mp4";

/// Cuts a fragmented MP4 into its header and segments of `fragments` fragments each, and serves them.
fn serve(origin: &Origin, folder: &Path, rendition: &str, fragments: usize) -> FileTrack {
    let data = std::fs::read(folder.join(rendition)).expect("ffmpeg wrote it");
    let (mut init, mut segments, mut count) = (Vec::new(), Vec::<Vec<u8>>::new(), 0);
    for found in boxes::boxes(&data).expect("boxes") {
        match &found.kind {
            b"ftyp" | b"moov" => init.extend_from_slice(found.whole),
            kind => {
                if kind == b"moof" {
                    if count % fragments == 0 {
                        segments.push(Vec::new());
                    }
                    count += 1;
                }
                segments.last_mut().expect("a moof comes first").extend_from_slice(found.whole);
            }
        }
    }
    assert!(segments.len() > 1, "a test of joining needs segments");
    FileTrack {
        rendition: rendition.to_owned(),
        init: origin.put(&format!("/{rendition}/init.mp4"), init),
        segments: segments
            .into_iter()
            .enumerate()
            .map(|(index, data)| origin.put(&format!("/{rendition}/{index}.m4s"), data))
            .collect(),
    }
}

fn address(attempt: u32) -> UploadAddress {
    UploadAddress { url: format!("/made-{attempt}.mp4"), headers: Default::default(), expires_in_seconds: 60 }
}

async fn made(origin: &Origin, tracks: Vec<FileTrack>) -> (FileMade, Bytes) {
    let work = File { name: "film.mp4".to_owned(), container: FileContainer::Mp4, tracks };
    let made = make_file(&origin.context(), &work, async |object| Ok(address(object.attempt))).await.expect("a file");
    let bytes = origin.get(&format!("/made-{}.mp4", made.attempt)).expect("it was uploaded");
    assert_eq!((bytes.len() as u64, sha256_hex(&bytes)), (made.bytes, made.sha256.clone()));
    (made, bytes)
}

/// Presentation times of a stream's packets, in seconds.
fn packet_times(folder: &Path, file: &str, stream: &str) -> Vec<f64> {
    let words = format!("-v error -select_streams {stream} -show_entries packet=pts_time -of csv=p=0 {file}");
    let (out, _) = says(&tools().ffprobe, folder, &words);
    out.lines().map(|line| line.trim_matches(',').parse().expect("a time")).collect()
}

/// A clip with B-frames and sound: video segments of 2 s in `v`, sound in `a`.
async fn film(folder: &Path, origin: &Origin, video_input: &str) -> Vec<FileTrack> {
    ffmpeg(
        folder,
        &format!(
            "{video_input} -f lavfi -i sine=d=7:r=48000 -map 0:v -c:v libx264 -preset veryfast -bf 2 -g 50 -keyint_min 50 \
             -sc_threshold 0 -flags +cgop -tag:v avc1 {FRAGMENTS} v -map 1:a -c:a aac {SOUND_FRAGMENTS} a"
        ),
    );
    vec![serve(origin, folder, "v", 1), serve(origin, folder, "a", 8)]
}

#[tokio::test]
async fn a_file_shows_the_frames_of_the_segments_at_their_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let origin = Origin::start().await;
    let tracks = film(folder, &origin, "-f lavfi -i testsrc2=s=320x240:r=25:d=7").await;
    let (_, bytes) = made(&origin, tracks).await;
    std::fs::write(folder.join("film.mp4"), &bytes).expect("written");

    let kinds: Vec<String> = boxes::boxes(&bytes)
        .expect("boxes to the last byte")
        .iter()
        .map(|found| String::from_utf8_lossy(&found.kind).into_owned())
        .collect();
    assert_eq!(kinds, ["ftyp", "moov", "mdat"]);

    let (_, complaints) = says(&tools().ffmpeg, folder, "-nostdin -v warning -i film.mp4 -f null -");
    assert_eq!(complaints, "");
    for (stream, rendition) in [("v", "v"), ("a", "a")] {
        let hashes = |file: &str| {
            let words = format!("-nostdin -v warning -i {file} -map 0:{stream}:0 -f framemd5 -");
            let (hashes, complaints) = says(&tools().ffmpeg, folder, &words);
            assert_eq!(complaints, "", "{file}");
            hashes.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let (mut whole, mut parts) = (hashes("film.mp4"), hashes(rendition));
        assert!(whole.len() > 100);
        if stream == "a" {
            // The last AAC frame is part padding: the file's edit says where sound ends, a fragmented one cannot.
            assert!(whole.pop() != parts.pop());
        }
        assert!(whole == parts, "decoded frames of {stream}, times and all");
        assert_eq!(packet_times(folder, "film.mp4", stream), packet_times(folder, rendition, stream));
    }
    let (durations, _) =
        says(&tools().ffprobe, folder, "-v error -show_entries stream=duration:format=duration -of csv=p=0 film.mp4");
    let durations: Vec<f64> = durations.lines().map(|line| line.parse().expect("a duration")).collect();
    let [video, sound, whole] = durations.as_slice() else { panic!("{durations:?}") };
    assert!((video - 7.0).abs() < 1e-6, "{video}");
    assert!((sound - 7.0).abs() < 1e-6, "{sound}");
    assert_eq!(whole, video);
}

#[tokio::test]
async fn a_track_that_starts_late_or_in_the_middle_keeps_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let origin = Origin::start().await;
    // The times of a span from the middle of a film: the first frame is shown at 4 s.
    let tracks = film(folder, &origin, "-copyts -itsoffset 4 -f lavfi -i testsrc2=s=160x120:r=25:d=5").await;
    let (_, bytes) = made(&origin, tracks).await;
    std::fs::write(folder.join("film.mp4"), &bytes).expect("written");
    for (stream, rendition, first) in [("v", "v", 4.0), ("a", "a", -1024.0 / 48_000.0)] {
        let times = packet_times(folder, "film.mp4", stream);
        assert!((times[0] - first).abs() < 1e-4, "{stream} starts at {}", times[0]);
        for (whole, part) in times.iter().zip(packet_times(folder, rendition, stream)) {
            assert!((whole - part).abs() < 1e-4, "{stream}: {whole} {part}");
        }
    }
}

#[tokio::test]
async fn cut_connections_and_a_failed_upload_are_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start().await;
    let tracks = film(folder.path(), &origin, "-f lavfi -i testsrc2=s=320x240:r=25:d=7").await;
    origin.fail("/v/1.m4s", [Fault::CutAfter(1000), Fault::Status(503), Fault::CutAfter(0)]);
    origin.fail("/a/0.m4s", [Fault::CutAfter(10)]);
    origin.fail("/made-0.mp4", [Fault::Status(500)]);
    let (made, _) = made(&origin, tracks).await;
    assert_eq!(made.attempt, 1);
}

#[tokio::test]
async fn what_cannot_be_mended_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start().await;
    let tracks = film(folder.path(), &origin, "-f lavfi -i testsrc2=s=160x120:r=25:d=5").await;
    let work = |tracks: Vec<FileTrack>| File { name: "film.mp4".to_owned(), container: FileContainer::Mp4, tracks };
    let failure = async |work: &File| {
        let made = make_file(&origin.context(), work, async |object| Ok(address(object.attempt))).await;
        match made {
            Err(TaskError::Failed(failure)) => (failure.code, failure.message),
            other => panic!("{other:?}"),
        }
    };

    let mut altered = tracks.clone();
    altered[0].segments[1].sha256 = "00".repeat(32);
    let (code, message) = failure(&work(altered)).await;
    assert_eq!(code, "file_parts_unreadable");
    assert!(message.contains("segment 1 of v") && message.contains("SHA-256"), "{message}");

    let mut missing = tracks.clone();
    missing[1].segments[0].url = "/nowhere".to_owned();
    let (code, message) = failure(&work(missing)).await;
    assert_eq!(code, "file_parts_unreadable");
    assert!(message.contains("segment 0 of a") && message.contains("404"), "{message}");

    let mut swapped = tracks.clone();
    swapped[0].segments.swap(0, 1);
    assert_eq!(failure(&work(swapped)).await.0, "file_parts_unusable");

    let mut text = tracks.clone();
    text[0].init = origin.put("/text", "this is not media at all");
    assert_eq!(failure(&work(text)).await.0, "file_parts_unusable");

    let ctx = origin.context();
    ctx.stop.cancel();
    let stopped = make_file(&ctx, &work(tracks), async |object| Ok(address(object.attempt))).await;
    assert!(matches!(stopped, Err(TaskError::Stopped)));
}
