//! What strangers and agents send, whatever it is: an answer, and no panic. The same as the fuzz targets, bounded.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use offpeak_api::{
    facts::Facts,
    media::{FrameGrid, Ratio},
};
use offpeak_server::{
    package::{PackagedKind, PackagedRendition, PackagedSegment, PageNotes, Presentation, media_playlist, mpd, multivariant},
    plan,
    upload::tus,
};
use proptest::prelude::*;

use crate::harness::{Server, facts};

fn headers(pairs: &[(&str, Vec<u8>)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        }
    }
    headers
}

/// Bytes that are nearly what a header may hold, and any others.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[0-9]{0,25}".prop_map(String::into_bytes),
        "([a-z]{0,8} [A-Za-z0-9+/=]{0,40},?){0,5}".prop_map(String::into_bytes),
        "(sha1|sha256|md5)? ?[A-Za-z0-9+/=]{0,60}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..64),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), 0.0..1e5, Just(0.0), Just(f64::NAN), Just(f64::INFINITY), Just(-1.0)]
}

/// As commits let them in: `commit::sort_rows` refuses larger ones.
fn segment() -> impl Strategy<Value = PackagedSegment> {
    (0..6_u32, 0..1_u64 << 52, 1..1_u64 << 52, 0..1_u32 << 20, 0..1_u64 << 52, "[a-z0-9/&<\"]{1,20}").prop_map(
        |(index, start_ticks, duration_ticks, frames, bytes, uri)| PackagedSegment {
            index,
            uri,
            start_ticks,
            duration_ticks,
            frames,
            bytes,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn tus_headers(length in header_value(), defer in header_value(), metadata in header_value(), version in header_value()) {
        let pairs = [("upload-length", length), ("upload-defer-length", defer), ("upload-metadata", metadata), ("tus-resumable", version)];
        let headers = headers(&pairs);
        let _ = (tus::check_version(&headers), tus::bytes(&headers, "upload-length"), tus::creation_length(&headers));
        if let Ok(found) = tus::metadata(&headers) {
            prop_assert!(found.filename.is_none_or(|name| !name.contains(['/', '\\', '\n']) && name.chars().count() <= 255));
        }
    }

    #[test]
    fn facts_of_any_kind(
        numbers in proptest::collection::vec(number(), 8),
        (width, height) in (any::<u32>(), any::<u32>()),
        (num, den) in (any::<u32>(), any::<u32>()),
        keyframes in proptest::collection::vec(number(), 0..20),
        sound in any::<bool>(),
    ) {
        let mut told = facts(10.0, sound);
        let video = told.video.as_mut().unwrap();
        (video.start_seconds, video.end_seconds) = (numbers[0], numbers[1]);
        (video.gaps.usual_seconds, video.gaps.share_usual, video.gaps.p90_rate) = (numbers[2], numbers[3], numbers[4]);
        (video.width, video.height, video.sample_aspect) = (width, height, Ratio::new(num, den));
        (video.frames, video.keyframes_seconds) = (numbers[5] as u64, keyframes);
        // JSON has no infinities: what an agent cannot say is not planned.
        let Ok(told) = serde_json::from_value::<Facts>(serde_json::to_value(&told).unwrap()) else { return Ok(()) };
        if let Ok(plan) = plan::plan(&told, &Server::profile_of_spans(60.0, vec![])) {
            prop_assert!(plan.grid.rate.num > 0 && plan.grid.rate.den > 0);
        }
    }

    #[test]
    fn playlists_of_any_rows(
        pictures in proptest::collection::vec(segment(), 0..8),
        sounds in proptest::collection::vec(segment(), 0..8),
        (num, den, frames) in (1..100_000_u32, 1..2000_u32, 1..10_000_u32),
        (timescale, media_time) in (any::<u32>(), 0..u64::from(u32::MAX)),
        complete in any::<bool>(),
    ) {
        let rendition = |id: &str, kind: PackagedKind, segments: Vec<PackagedSegment>| PackagedRendition {
            id: id.to_owned(),
            kind,
            codecs: "avc1.64001e".to_owned(),
            timescale,
            media_time,
            init_uri: "a/init.mp4".to_owned(),
            max_kbps: 800,
            segments,
            complete,
        };
        let presentation = Presentation {
            grid: FrameGrid { rate: Ratio::new(num, den), frames_per_segment: frames, source_start_seconds: 0.0 },
            renditions: vec![
                rendition("v", PackagedKind::Video { width: 640, height: 360, rate: Ratio::new(num, den) }, pictures),
                rendition("a", PackagedKind::Audio { channels: 2 }, sounds),
            ],
            notes: PageNotes::default(),
            query: String::new(),
        };
        let _ = (multivariant(&presentation), mpd(&presentation));
        for id in ["v", "a", "x"] {
            if let Ok(text) = media_playlist(&presentation, id) {
                prop_assert!(text.starts_with("#EXTM3U"));
            }
        }
    }
}
