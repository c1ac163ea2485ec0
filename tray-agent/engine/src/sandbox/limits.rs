use std::time::Duration;

use offpeak_api::{
    profile::Quality,
    work::{Audio, Encode, VideoRendition},
};

/// What one run of a program may take. Generous: they end what would never end, and hold up nothing that does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processor time, over all of its threads.
    pub cpu: Duration,
}

/// A run that is to say something about itself, or encodes a fifth of a second.
const SHORT_RUN: Duration = Duration::from_secs(120);
/// Whatever the plan says, a run may take this long.
const LEAST_CPU_SECONDS: f64 = 600.0;
/// The slowest core with the slowest preset encodes so many pixels in a second: one frame of 1080p in ten.
const SLOWEST_ENCODED_PIXELS: f64 = 200_000.0;
/// The heaviest second of a source, 8K at 60 frames, decodes and scales in less than this many.
const DECODE_SECONDS_PER_SECOND: f64 = 30.0;
/// As [`DECODE_SECONDS_PER_SECOND`], for sound with its encoder.
const SOUND_SECONDS_PER_SECOND: f64 = 1.0;

/// A segment may have this many times the bytes that its cap gives it: x264 keeps to caps within a few per cent over the
/// length of its buffer, which is longer than a segment.
const BYTES_SLACK: f64 = 4.0;
/// What any output may have besides: headers, and the first picture of a very short span.
const LEAST_OUTPUT_BYTES: f64 = 16.0 * 1024.0 * 1024.0;
/// Lossless pictures never take more than 4:4:4 in 16 bit would.
const RAW_BYTES_PER_PIXEL: f64 = 6.0;
/// A film may turn out longer than its packets said: so many times as long, and …
const LONGER_FACTOR: f64 = 2.0;
/// … this much more.
const LONGER_SECONDS: f64 = 600.0;

impl Limits {
    pub fn short() -> Self {
        Self { cpu: SHORT_RUN }
    }

    /// One thread cannot take more processor time than real time.
    pub fn within(wall: Duration) -> Self {
        Self { cpu: wall + Duration::from_secs(60) }
    }

    /// One run over a span that begins to read at `from_seconds` of the source.
    pub fn of_span(work: &Encode, from_seconds: Option<f64>) -> Self {
        let pixels: f64 = work.renditions.iter().map(|r| f64::from(r.width) * f64::from(r.height)).sum();
        let end = work.read_until_seconds.unwrap_or_else(|| {
            let planned = work.grid.segment_start_seconds(work.rows.last);
            work.grid.source_start_seconds + planned * LONGER_FACTOR + LONGER_SECONDS
        });
        let read = (end - from_seconds.unwrap_or(work.grid.source_start_seconds)).max(0.0);
        let encode = longest_frames(work) as f64 * pixels / SLOWEST_ENCODED_PIXELS;
        Self::of_seconds(LEAST_CPU_SECONDS + encode + read * DECODE_SECONDS_PER_SECOND)
    }

    pub fn of_audio(work: &Audio) -> Self {
        let planned = work.grid.segment_start_seconds(work.rows.last);
        Self::of_seconds(LEAST_CPU_SECONDS + (planned * LONGER_FACTOR + LONGER_SECONDS) * SOUND_SECONDS_PER_SECOND)
    }

    fn of_seconds(seconds: f64) -> Self {
        // A week: no float that came over the wire makes this panic.
        Self { cpu: Duration::from_secs_f64(seconds.clamp(LEAST_CPU_SECONDS, 604_800.0)) }
    }
}

/// Frames that a span may come to: those of the plan, or for one to the end some more.
pub fn longest_frames(work: &Encode) -> u64 {
    let grid = &work.grid;
    let planned = grid.first_frame(work.rows.last).saturating_sub(grid.first_frame(work.rows.first));
    if !work.to_end {
        return planned;
    }
    let seconds = grid.seconds_at(grid.first_frame(work.rows.last)) * LONGER_FACTOR + LONGER_SECONDS;
    planned.max((seconds * grid.rate.as_f64()) as u64)
}

/// Bytes that one rendition of a span may come to.
pub fn longest_output(work: &Encode, rendition: &VideoRendition) -> u64 {
    let frames = longest_frames(work) as f64;
    let bytes = match rendition.quality {
        Quality::CappedCrf { .. } => {
            let seconds = frames / work.grid.rate.as_f64();
            seconds * f64::from(rendition.max_kbps) * 1000.0 / 8.0 * BYTES_SLACK
        }
        Quality::Lossless => frames * f64::from(rendition.width) * f64::from(rendition.height) * RAW_BYTES_PER_PIXEL,
    };
    (bytes + LEAST_OUTPUT_BYTES) as u64
}

/// Bytes that a track of sound may come to.
pub fn longest_sound(work: &Audio) -> u64 {
    let seconds = work.grid.segment_start_seconds(work.rows.last) * LONGER_FACTOR + LONGER_SECONDS;
    (seconds * f64::from(work.bitrate_kbps) * 1000.0 / 8.0 * BYTES_SLACK + LEAST_OUTPUT_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use offpeak_api::{
        media::{FrameGrid, Ratio},
        profile::X264Preset,
        work::{Rows, SourceAddress, VideoFilters},
    };

    use super::*;

    fn span(to_end: bool) -> Encode {
        Encode {
            source: SourceAddress { url: String::new(), bytes: 0, expires_in_seconds: 0 },
            container: "matroska,webm".to_owned(),
            stream: 0,
            grid: FrameGrid { rate: Ratio::new(25, 1), frames_per_segment: 100, source_start_seconds: 0.0 },
            rows: Rows { first: 15, cursor: 15, last: 30 },
            to_end,
            seek_points: vec![],
            read_until_seconds: (!to_end).then_some(120.0),
            filters: VideoFilters::default(),
            renditions: vec![VideoRendition {
                id: "h264-1080p".to_owned(),
                width: 1920,
                height: 1080,
                max_kbps: 6000,
                preset: X264Preset::Medium,
                quality: Quality::CappedCrf { crf: 21.0 },
            }],
        }
    }

    #[test]
    fn limits_leave_room_for_honest_work_and_end_what_does_not() {
        let work = span(false);
        let cpu = Limits::of_span(&work, Some(59.0)).cpu.as_secs();
        // A minute of 1080p takes a good core two to five minutes.
        assert!((3600..24 * 3600).contains(&cpu), "{cpu}");
        assert!(Limits::of_span(&work, None).cpu.as_secs() > cpu, "reading from the start takes longer");
        assert_eq!(longest_frames(&work), 1500);
        let most = longest_output(&work, &work.renditions[0]);
        assert!((100 << 20..400 << 20).contains(&most), "{most}");
        let last = span(true);
        assert_eq!(longest_frames(&last), (120 * 2 + 600) * 25);
        let absurd = Encode { read_until_seconds: Some(f64::INFINITY), ..work };
        assert_eq!(Limits::of_span(&absurd, None).cpu.as_secs(), 604_800);
    }
}
