//! The text as it comes out, and the rules of RFC 8216 over many grids.

use offpeak_api::media::{ticks_per_frame, video_timescale};

use super::*;

const AUDIO_FRAGMENT: u64 = (AAC_FRAME_SAMPLES * AAC_FRAMES_PER_FRAGMENT) as u64;

fn grid(num: u32, den: u32, frames_per_segment: u32) -> FrameGrid {
    FrameGrid { rate: Ratio::new(num, den), frames_per_segment, source_start_seconds: 0.0 }
}

/// A rung with `frames` frames in segments as the planner cuts them, of a size that varies.
fn video(grid: &FrameGrid, height: u32, frames: u64) -> PackagedRendition {
    let per_segment = u64::from(grid.frames_per_segment);
    let (full, rest) = (frames / per_segment, frames % per_segment);
    let count = if rest >= 8 { full + 1 } else { full }.max(1);
    let tick = ticks_per_frame(grid.rate);
    let id = format!("h264-{height}p");
    let segments = (0..count).map(|index| {
        let first = index * per_segment;
        let end = if index + 1 == count { frames } else { first + per_segment };
        PackagedSegment {
            index: index as u32,
            uri: format!("9f3c-0/{id}/{index}.m4s"),
            start_ticks: first * tick,
            duration_ticks: (end - first) * tick,
            frames: (end - first) as u32,
            bytes: (end - first) * u64::from(height) * (3 + index % 3),
        }
    });
    PackagedRendition {
        codecs: if height > 720 { "avc1.640028" } else { "avc1.64001f" }.to_owned(),
        kind: PackagedKind::Video { width: (height * 16 / 9).next_multiple_of(2), height, rate: grid.rate },
        timescale: video_timescale(grid.rate),
        media_time: 2 * tick,
        init_uri: format!("9f3c-0/{id}/init.mp4"),
        max_kbps: height * 4,
        segments: segments.collect(),
        complete: true,
        id,
    }
}

/// Sound of `aac_frames` frames: segment `i` begins at the first fragment at or after the grid's segment `i`.
fn audio(grid: &FrameGrid, aac_frames: u64) -> PackagedRendition {
    let total = aac_frames * u64::from(AAC_FRAME_SAMPLES);
    let starts = (0..).map(|index| {
        let at = (grid.segment_start_seconds(index) * 48_000.0 - 1e-6).max(0.0);
        (at / AUDIO_FRAGMENT as f64).ceil() as u64 * AUDIO_FRAGMENT
    });
    let mut starts: Vec<u64> = starts.take_while(|start| *start < total).collect();
    starts.push(total);
    let segments = starts.windows(2).enumerate().map(|(index, pair)| PackagedSegment {
        index: index as u32,
        uri: format!("77aa-0/aac-1/{index}.m4s"),
        start_ticks: pair[0],
        duration_ticks: pair[1] - pair[0],
        frames: ((pair[1] - pair[0]) / u64::from(AAC_FRAME_SAMPLES)) as u32,
        bytes: (pair[1] - pair[0]) / 3,
    });
    PackagedRendition {
        id: "aac-1".to_owned(),
        kind: PackagedKind::Audio { channels: 2 },
        codecs: "mp4a.40.2".to_owned(),
        timescale: 48_000,
        media_time: 1024,
        init_uri: "77aa-0/aac-1/init.mp4".to_owned(),
        max_kbps: 128,
        segments: segments.collect(),
        complete: true,
    }
}

/// 20 s at 23.976 in two rungs, with sound.
fn film() -> Presentation {
    let grid = grid(24_000, 1001, 144);
    let renditions = vec![video(&grid, 1080, 480), video(&grid, 720, 480), audio(&grid, 940)];
    Presentation { grid, renditions, notes: PageNotes::default(), query: String::new() }
}

/// The same film after some rows: video segments 0, 1 and 3 are there, 2 is not; sound is a segment further.
fn unfinished() -> Presentation {
    let mut film = film();
    for rendition in &mut film.renditions {
        rendition.complete = false;
        let is_video = rendition.is_video();
        rendition.segments.retain(|segment| if is_video { segment.index != 2 } else { segment.index < 3 });
    }
    film
}

#[test]
fn texts_of_a_finished_film() {
    insta::assert_snapshot!("finished_multivariant", multivariant(&film()).expect("text"));
    insta::assert_snapshot!("finished_video", media_playlist(&film(), "h264-720p").expect("text"));
    insta::assert_snapshot!("finished_audio", media_playlist(&film(), "aac-1").expect("text"));
    insta::assert_snapshot!("finished_mpd", mpd(&film()).expect("text"));
}

#[test]
fn texts_of_an_unfinished_film() {
    insta::assert_snapshot!("unfinished_multivariant", multivariant(&unfinished()).expect("text"));
    insta::assert_snapshot!("unfinished_video", media_playlist(&unfinished(), "h264-720p").expect("text"));
    insta::assert_snapshot!("unfinished_audio", media_playlist(&unfinished(), "aac-1").expect("text"));
    insta::assert_snapshot!("unfinished_mpd", mpd(&unfinished()).expect("text"));
}

#[test]
fn texts_of_sound_alone() {
    let grid = grid(1000, 1, 6000);
    let sound = Presentation { renditions: vec![audio(&grid, 600)], grid, notes: PageNotes::default(), query: String::new() };
    insta::assert_snapshot!("sound_multivariant", multivariant(&sound).expect("text"));
    insta::assert_snapshot!("sound_mpd", mpd(&sound).expect("text"));
}

#[test]
fn nothing_is_shown_before_every_rendition_has_it() {
    assert_eq!(published_prefix(&unfinished()), 2);
    let with = |change: &dyn Fn(&mut Presentation)| {
        let mut presentation = unfinished();
        change(&mut presentation);
        (published_prefix(&presentation), presentation.is_playable())
    };
    assert_eq!(with(&|_| {}), (2, true));
    assert_eq!(with(&|p| p.renditions[1].segments.clear()), (0, false));
    assert_eq!(with(&|p| p.renditions[1].segments.truncate(1)), (1, false));
    assert_eq!(with(&|p| drop(p.renditions[2].segments.remove(0))).0, 0);
    // Sound that ends early does not hold the pictures back.
    assert_eq!(
        with(&|p| {
            p.renditions[2].segments.truncate(1);
            p.renditions[2].complete = true;
        }),
        (2, true)
    );
    // All is there, and it is only one segment.
    assert_eq!(
        with(&|p| {
            for rendition in &mut p.renditions {
                rendition.segments.truncate(1);
                rendition.complete = true;
            }
        }),
        (1, true)
    );
    let nothing = Presentation { renditions: vec![], ..unfinished() };
    assert_eq!((published_prefix(&nothing), nothing.is_playable()), (0, false));
}

#[test]
fn a_missing_rendition_is_an_error() {
    assert!(matches!(media_playlist(&film(), "h264-480p"), Err(PackageError::NoSuchRendition(_))));
}

#[test]
fn empty_sound_is_not_announced() {
    let mut film = film();
    film.renditions[2].segments.clear();
    let text = multivariant(&film).expect("text");
    assert!(!text.contains("AUDIO") && !text.contains("mp4a"), "{text}");
    assert!(!mpd(&film).expect("text").contains("audio"));
}

/// The lines of a media playlist that RFC 8216 has rules about.
#[derive(Debug, Default, PartialEq)]
struct Read {
    version: u32,
    target_seconds: u32,
    kind: String,
    has_end_list: bool,
    maps: usize,
    durations: Vec<String>,
    uris: Vec<String>,
}

fn read(text: &str) -> Read {
    assert!(text.starts_with("#EXTM3U\n") && text.ends_with('\n'), "{text}");
    let mut read = Read::default();
    for line in text.lines() {
        let number = |value: &str| value.parse::<u32>().expect("a decimal integer");
        match line.split_once(':').unwrap_or((line, "")) {
            ("#EXTM3U" | "#EXT-X-INDEPENDENT-SEGMENTS", "") => {}
            ("#EXT-X-VERSION", value) => read.version = number(value),
            ("#EXT-X-TARGETDURATION", value) => read.target_seconds = number(value),
            ("#EXT-X-PLAYLIST-TYPE", value) => read.kind = value.to_owned(),
            ("#EXT-X-MAP", _) => {
                assert!(read.uris.is_empty(), "the map applies to all segments after it");
                read.maps += 1;
            }
            ("#EXTINF", value) => read.durations.push(value.strip_suffix(',').expect("a comma").to_owned()),
            ("#EXT-X-ENDLIST", "") => read.has_end_list = true,
            (uri, "") if !uri.starts_with('#') => read.uris.push(uri.to_owned()),
            other => panic!("unexpected line: {other:?}"),
        }
    }
    assert_eq!(read.durations.len(), read.uris.len());
    read
}

#[test]
fn playlists_keep_the_rules_for_every_grid_and_length() {
    let grids = [
        grid(24_000, 1001, 144),
        grid(24, 1, 144),
        grid(25, 1, 150),
        grid(30_000, 1001, 180),
        grid(60_000, 1001, 360),
        grid(60, 1, 60),
        grid(25, 2, 75),
        grid(149, 5, 179),
        grid(5, 1, 8),
    ];
    for grid in grids {
        for frames in [1, 8, 143, 144, 151, 367, 1000, 5000, 108_000] {
            let seconds = grid.seconds_at(frames);
            let aac_frames = (seconds * 48_000.0 / 1024.0).ceil() as u64 + 1;
            let whole = Presentation {
                renditions: vec![video(&grid, 720, frames), audio(&grid, aac_frames)],
                grid,
                notes: PageNotes::default(),
                query: String::new(),
            };
            for rendition in &whole.renditions {
                let read = read(&media_playlist(&whole, &rendition.id).expect("text"));
                let what = format!("{} of {frames} frames at {}", rendition.id, grid.rate);
                assert!(read.version >= 6, "{what}: EXT-X-MAP needs version 6");
                assert_eq!((read.maps, read.kind.as_str(), read.has_end_list), (1, "VOD", true), "{what}");
                assert_eq!(read.uris.len(), rendition.segments.len(), "{what}");
                let durations: Vec<f64> = read.durations.iter().map(|text| text.parse().expect("a number")).collect();
                for (text, duration) in read.durations.iter().zip(&durations) {
                    assert!(duration.round() <= f64::from(read.target_seconds), "{what}: {text} s");
                    assert!(text.split_once('.').is_none_or(|(_, digits)| digits.len() <= 6), "{what}: noise in {text}");
                }
                let last = rendition.segments.last().expect("a segment");
                let end = (last.start_ticks + last.duration_ticks) as f64 / f64::from(rendition.timescale);
                assert!((durations.iter().sum::<f64>() - end).abs() < 1e-5, "{what}: durations drift");
            }
        }
    }
}

#[test]
fn what_was_shown_stays() {
    let whole = film();
    let finished = read(&media_playlist(&whole, "h264-720p").expect("text"));
    let mut before: Vec<String> = Vec::new();
    for rows in 0..=4 {
        let mut growing = film();
        for rendition in &mut growing.renditions {
            rendition.complete = false;
            rendition.segments.truncate(rows);
        }
        let now = read(&media_playlist(&growing, "h264-720p").expect("text"));
        assert_eq!((now.kind.as_str(), now.has_end_list, now.target_seconds), ("EVENT", false, finished.target_seconds));
        assert_eq!(now.uris.len(), rows);
        assert_eq!(now.uris[..before.len()], before);
        assert_eq!(now.durations, finished.durations[..rows]);
        before = now.uris;
    }
    assert_eq!(before, finished.uris);
}

#[test]
fn announced_rates_are_the_true_ones_in_the_end() {
    let film = film();
    let text = multivariant(&film).expect("text");
    let [_, low, sound] = &film.renditions[..] else { panic!("three renditions") };
    let peak_of = |made: &PackagedRendition| {
        let rates = made.segments.iter().map(|s| s.bytes as f64 * 8.0 * f64::from(made.timescale) / s.duration_ticks as f64);
        rates.fold(0.0, f64::max)
    };
    let average_of = |made: &PackagedRendition| {
        let bytes: u64 = made.segments.iter().map(|s| s.bytes).sum();
        let ticks: u64 = made.segments.iter().map(|s| s.duration_ticks).sum();
        bytes as f64 * 8.0 * f64::from(made.timescale) / ticks as f64
    };
    let line = text.lines().find(|line| line.contains("1280x720")).expect("the variant");
    let value = |name: &str| {
        let from = line.split_once(&format!("{name}=")).expect("the attribute").1;
        from.split(',').next().expect("a value").parse::<f64>().expect("a number")
    };
    let (peak, average) = (value(":BANDWIDTH"), value("AVERAGE-BANDWIDTH"));
    // Whole segments only: the last one (48 frames) is too short to count by itself.
    let full = |made: &PackagedRendition| PackagedRendition { segments: made.segments[..3].to_vec(), ..made.clone() };
    assert!((peak - peak_of(&full(low)) - peak_of(&full(sound))).abs() < 3.0, "{line}");
    assert!((average - average_of(low) - average_of(sound)).abs() < 3.0, "{line}");
}
