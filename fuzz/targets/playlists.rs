//! Playlists and manifests of whatever rows commits let in.
#![no_main]

use libfuzzer_sys::{
    arbitrary::{Arbitrary, Unstructured},
    fuzz_target,
};
use offpeak_api::media::{FrameGrid, Ratio};
use offpeak_server::package::{
    PackagedKind, PackagedRendition, PackagedSegment, PageNotes, Presentation, media_playlist, mpd, multivariant,
};

/// Commits refuse larger ones.
const MOST: u64 = 1 << 52;

fn segments(bytes: &mut Unstructured<'_>) -> libfuzzer_sys::arbitrary::Result<Vec<PackagedSegment>> {
    let mut segments = Vec::new();
    for _ in 0..bytes.int_in_range(0..=6)? {
        segments.push(PackagedSegment {
            index: bytes.int_in_range(0..=8)?,
            uri: String::arbitrary(bytes)?,
            start_ticks: bytes.int_in_range(0..=MOST)?,
            duration_ticks: bytes.int_in_range(1..=MOST)?,
            frames: bytes.int_in_range(0..=1 << 20)?,
            bytes: bytes.int_in_range(0..=MOST)?,
        });
    }
    Ok(segments)
}

fn presentation(bytes: &mut Unstructured<'_>) -> libfuzzer_sys::arbitrary::Result<Presentation> {
    let rate = Ratio::new(bytes.int_in_range(1..=1_000_000)?, bytes.int_in_range(1..=10_000)?);
    let mut renditions = Vec::new();
    for (id, kind) in [("v", PackagedKind::Video { width: 640, height: 360, rate }), ("a", PackagedKind::Audio { channels: 2 })] {
        renditions.push(PackagedRendition {
            id: id.to_owned(),
            kind,
            codecs: "avc1.64001e".to_owned(),
            timescale: u32::arbitrary(bytes)?,
            media_time: u32::arbitrary(bytes)?.into(),
            init_uri: "a/init.mp4".to_owned(),
            max_kbps: bytes.int_in_range(1..=1_000_000)?,
            segments: segments(bytes)?,
            complete: bool::arbitrary(bytes)?,
        });
    }
    let grid = FrameGrid { rate, frames_per_segment: bytes.int_in_range(1..=100_000)?, source_start_seconds: 0.0 };
    Ok(Presentation { grid, renditions, notes: PageNotes::default(), query: String::new() })
}

fuzz_target!(|data: &[u8]| {
    let Ok(presentation) = presentation(&mut Unstructured::new(data)) else { return };
    let _ = (multivariant(&presentation), mpd(&presentation));
    for id in ["v", "a"] {
        if let Ok(text) = media_playlist(&presentation, id) {
            assert!(text.starts_with("#EXTM3U"));
        }
    }
});
