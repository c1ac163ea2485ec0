use offpeak_api::{
    media::{FrameGrid, Ratio},
    work::{Audio, Rows, SourceAddress},
};
use tokio::sync::mpsc;

use super::{AudioEnd, encode_audio};
use crate::{
    task::{Piece, TaskEnd, TaskError},
    testing::{self, Delivery, ffmpeg_in},
};

fn work(container: &str, stream: u32, start: f64, cursor: u32) -> Audio {
    Audio {
        source: SourceAddress { url: String::new(), bytes: 0, expires_in_seconds: 3600 },
        container: container.to_owned(),
        stream,
        grid: FrameGrid { rate: Ratio::new(25, 1), frames_per_segment: 50, source_start_seconds: start },
        rows: Rows { first: 0, cursor, last: 5 },
        rendition: "aac-1".to_owned(),
        bitrate_kbps: 128,
        channels: 2,
    }
}

/// Encodes the sound of a clip that ffmpeg makes with `arguments`; also says what the segments joined sound like: for each
/// AAC frame its time in samples and whether it is silent.
async fn encode(arguments: &str, name: &str, work: &Audio, delivery: Delivery) -> Result<(Vec<Piece>, AudioEnd), TaskError> {
    let folder = tempfile::tempdir().expect("a folder");
    ffmpeg_in(folder.path(), &format!("{arguments} {name}"));
    let data = std::fs::read(folder.path().join(name)).expect("the clip");
    let source = testing::serve(data, delivery).await;
    let (ctx, _orders) = testing::context(source, TaskEnd { last: work.rows.last, to_end: false });
    let (out, mut pieces) = mpsc::channel(2);
    let collect = async {
        let mut all = Vec::new();
        while let Some(piece) = pieces.recv().await {
            all.push(piece);
        }
        all
    };
    let (end, pieces) = tokio::join!(encode_audio(&ctx, work, out), collect);
    Ok((pieces, end?))
}

/// The decoded sound of joined segments: mono samples at 48 kHz as a player would give them out, from time 0 on.
fn decode(pieces: &[Piece]) -> Vec<i16> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut film = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Init { data, .. } | Piece::Segment { data, .. } => film.extend_from_slice(data),
        }
    }
    std::fs::write(folder.path().join("sound.mp4"), film).expect("the sound");
    ffmpeg_in(folder.path(), "-i sound.mp4 -ac 1 -ar 48000 -f s16le sound.raw");
    let raw = std::fs::read(folder.path().join("sound.raw")).expect("samples");
    raw.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn segments(pieces: &[Piece]) -> Vec<(u32, u32, u64)> {
    pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Segment { index, frames, start_ticks, .. } => Some((*index, *frames, *start_ticks)),
            Piece::Init { .. } => None,
        })
        .collect()
}

/// Where the first sample that can be heard is.
fn onset(samples: &[i16]) -> usize {
    samples.iter().position(|sample| sample.abs() > 500).expect("something to hear")
}

#[tokio::test]
async fn sound_keeps_its_place_and_length() {
    // A click track: silence, then a tone from exactly 1 s on.
    let arguments = "-f lavfi -i sine=frequency=1000:duration=9:sample_rate=48000 -af adelay=1000 -c:a pcm_s16le";
    let (pieces, end) = encode(arguments, "a.mkv", &work("matroska,webm", 0, 0.0, 0), Delivery::Whole).await.expect("sound");
    assert_eq!(end, AudioEnd { segments: 5, warnings: vec![] });
    let Some(Piece::Init { header, .. }) = pieces.first() else { panic!("no init first") };
    assert_eq!((header.codecs.as_str(), header.timescale, header.media_time), ("mp4a.40.2", 48000, 1024));
    // 10 s and the priming are 470 AAC frames: 39 fragments and two frames more.
    assert_eq!(segments(&pieces), [(0, 96, 0), (1, 96, 98304), (2, 96, 196_608), (3, 96, 294_912), (4, 86, 393_216)]);
    let samples = decode(&pieces);
    assert!(samples.len().abs_diff(480_000) <= 1024, "{} samples", samples.len());
    // An encoder spreads a sharp onset over a few samples; 1 ms is 48.
    assert!(onset(&samples).abs_diff(48_000) < 48, "onset at sample {}", onset(&samples));
}

#[tokio::test]
async fn late_sound_comes_after_silence() {
    let arguments = "-f lavfi -i testsrc2=size=128x72:rate=25:duration=4 -itsoffset 0.7 -f lavfi -i sine=frequency=1000:duration=3:sample_rate=44100 \
                     -c:v libx264 -preset ultrafast -c:a aac -output_ts_offset 100";
    let start = 101.4;
    let (pieces, end) = encode(arguments, "a.ts", &work("mpegts", 1, start, 0), Delivery::CutEvery(30_000)).await.expect("sound");
    assert_eq!(end.segments, 2);
    let samples = decode(&pieces);
    // The source's own encoder delays by 1024 of its samples, which a transport stream cannot say.
    let wanted = 0.7 * 48_000.0;
    assert!((onset(&samples) as f64 - wanted).abs() < 0.025 * 48_000.0, "onset at sample {}", onset(&samples));
    assert!(samples.len().abs_diff(177_600) <= 2 * 1024, "{} samples", samples.len());
}

#[tokio::test]
async fn holes_are_silent_and_move_nothing() {
    let arguments =
        "-f lavfi -i sine=frequency=1000:duration=8:sample_rate=48000 -af aselect=not(between(t\\,3\\,5)) -c:a pcm_s16le";
    let (pieces, _) = encode(arguments, "a.mkv", &work("matroska,webm", 0, 0.0, 0), Delivery::Whole).await.expect("sound");
    let samples = decode(&pieces);
    assert!(samples.len().abs_diff(384_000) <= 1024, "{} samples", samples.len());
    let loud = |from: f64, to: f64| samples[(from * 48e3) as usize..(to * 48e3) as usize].iter().any(|s| s.abs() > 500);
    assert!(loud(0.0, 0.1) && loud(2.8, 2.9) && !loud(3.1, 4.9) && loud(5.1, 5.2) && loud(7.8, 7.9));
}

#[tokio::test]
async fn a_track_that_was_begun_goes_on_with_the_same_segments() {
    let arguments = "-f lavfi -i sine=frequency=440:duration=7 -c:a aac";
    let clip = "a.m4a";
    let container = "mov,mp4,m4a,3gp,3g2,mj2";
    let (all, _) = encode(arguments, clip, &work(container, 0, 0.0, 0), Delivery::Whole).await.expect("sound");
    let (rest, end) = encode(arguments, clip, &work(container, 0, 0.0, 2), Delivery::Whole).await.expect("sound");
    assert_eq!(end.segments, 4);
    let data = |piece: &Piece| match piece {
        Piece::Init { data, .. } | Piece::Segment { data, .. } => data.clone(),
    };
    assert_eq!(segments(&rest), segments(&all)[2..]);
    assert_eq!(data(&rest[0]), data(&all[0]));
    assert!(rest[1..].iter().zip(&all[3..]).all(|(a, b)| data(a) == data(b)), "the same bytes");
}

#[tokio::test]
async fn a_source_that_is_gone_is_not_the_end_of_the_track() {
    let arguments = "-f lavfi -i sine=duration=60 -c:a pcm_s16le";
    let gone = Delivery::GoneAfter { requests: 2, bytes: 1_000_000 };
    let error = encode(arguments, "a.mkv", &work("matroska,webm", 0, 0.0, 0), gone).await.expect_err("it is gone");
    assert!(error.to_string().starts_with("source_unreadable: "), "{error}");
}
