//! Where an engine begins and ends reading a source for one span.

use offpeak_api::{facts::VideoFacts, media::FrameGrid, work::VideoFilters};

/// A seek goes to just after the keyframe that is meant: rounding must not land it on the one before.
const PAST_KEYFRAME_SECONDS: f64 = 0.0005;

/// Source frames that a temporal filter must see before the span. Measured with `bwdif`: with fewer the first picture differs,
/// and no count of frames can tell.
const FILTER_FRAMES: f64 = 8.0;

/// Containers whose keyframe times are decode times: pictures come out this many frames later at most.
const REORDER_FRAMES: f64 = 4.0;

/// Later tries begin this much further back.
const FALLBACK_SECONDS: [f64; 2] = [10.0, 60.0];

/// Beyond the span's last frame: the decoder's delay and the frame that ends the last one.
const SLACK_SECONDS: f64 = 2.0;
const SLACK_FRAMES: f64 = 8.0;

/// Containers without an index are cut by the time of packets that come interleaved with up to some seconds of others.
const SLOPPY_SLACK_SECONDS: f64 = 10.0;

/// How well ffmpeg seeks in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seeking {
    /// Lands on the keyframe asked for.
    Exact,
    /// Lands late now and then: start one keyframe earlier. Measured with MPEG-TS and FLV; program streams and ASF have no
    /// better index.
    Late,
    /// The index has decode times only.
    DecodeTimes,
}

fn seeking_of(container: &str) -> Seeking {
    let is_any = |names: &[&str]| container.split(',').any(|name| names.contains(&name.trim()));
    if is_any(&["mpegts", "mpeg", "flv", "live_flv", "asf"]) {
        Seeking::Late
    } else if is_any(&["avi"]) {
        Seeking::DecodeTimes
    } else {
        Seeking::Exact
    }
}

/// Where to begin reading for a span that begins with `first_frame`: source seconds, best first; `None` is the file's start.
///
/// The engine counts the frames of every segment and goes down this list on a mismatch. Each point lies before the one
/// above it, and the list ends with `None`.
pub fn seek_points(
    video: &VideoFacts,
    grid: &FrameGrid,
    container: &str,
    filters: VideoFilters,
    first_frame: u64,
) -> Vec<Option<f64>> {
    if first_frame == 0 {
        return vec![None];
    }
    let seeking = seeking_of(container);
    let gap_seconds = usual_gap(video, grid);
    // The frame shown at n may be one whose time rounds to n from above: a keyframe a quarter frame late still is frame n.
    let mut wanted = grid.source_start_seconds + grid.seconds_at(first_frame) + 0.25 * grid.seconds_at(1);
    if filters.deinterlace {
        wanted -= FILTER_FRAMES * gap_seconds;
    }
    if seeking == Seeking::DecodeTimes {
        wanted -= REORDER_FRAMES * gap_seconds;
    }
    let keyframes = &video.keyframes_seconds;
    // The first keyframe is the start of the file, for which no seek is needed.
    let at_or_before = |seconds: f64| keyframes.partition_point(|at| *at <= seconds).saturating_sub(1);
    let best = at_or_before(wanted);
    let best = match seeking {
        Seeking::Late => best.saturating_sub(1),
        Seeking::Exact | Seeking::DecodeTimes if video.open_gop => best.saturating_sub(1),
        Seeking::Exact | Seeking::DecodeTimes => best,
    };
    let best_seconds = keyframes.get(best).copied().unwrap_or(grid.source_start_seconds);
    let further = FALLBACK_SECONDS.map(|back| at_or_before(best_seconds - back));
    let mut points: Vec<usize> = [best, best.saturating_sub(1)].into_iter().chain(further).collect();
    points.dedup();
    let seconds = points.into_iter().filter(|index| *index > 0).filter_map(|index| keyframes.get(index));
    seconds.map(|at| Some(at + PAST_KEYFRAME_SECONDS)).chain([None]).collect()
}

/// A bound for reading: no frame before `end_frame` (exclusive) comes from later than this, in source seconds.
///
/// Not meant for a span to the end, which is read until the source ends.
pub fn read_until_seconds(video: &VideoFacts, grid: &FrameGrid, container: &str, end_frame: u64) -> f64 {
    let gap_seconds = usual_gap(video, grid);
    let end = grid.source_start_seconds + grid.seconds_at(end_frame);
    let slack = match seeking_of(container) {
        Seeking::Exact => SLACK_SECONDS,
        Seeking::Late | Seeking::DecodeTimes => SLOPPY_SLACK_SECONDS,
    };
    let bound = end + slack + SLACK_FRAMES * gap_seconds;
    if video.gaps.share_usual >= 0.99 {
        return bound;
    }
    // A picture is held until the next one comes, which may take a while: the next keyframe surely is one.
    let next_keyframe = video.keyframes_seconds.iter().copied().find(|at| *at >= end);
    bound.max(next_keyframe.unwrap_or(video.end_seconds) + slack)
}

fn usual_gap(video: &VideoFacts, grid: &FrameGrid) -> f64 {
    let frame = grid.seconds_at(1);
    if video.gaps.usual_seconds.is_finite() { video.gaps.usual_seconds.clamp(frame, frame.max(1.0)) } else { frame }
}

#[cfg(test)]
mod tests {
    use offpeak_api::{facts::FrameGaps, media::Ratio};

    use super::*;

    const NO_FILTERS: VideoFilters = VideoFilters { deinterlace: false, tone_map: false };
    const DEINTERLACE: VideoFilters = VideoFilters { deinterlace: true, tone_map: false };
    /// 25 frames a second, presentation from source time 1 s.
    const GRID: FrameGrid = FrameGrid { rate: Ratio::new(25, 1), frames_per_segment: 150, source_start_seconds: 1.0 };

    /// Two minutes with a keyframe every four seconds: at 1, 5, 9 …
    fn video() -> VideoFacts {
        VideoFacts {
            stream: 0,
            codec: "h264".to_owned(),
            pixel_format: "yuv420p".to_owned(),
            width: 1280,
            height: 720,
            rotation: 0,
            sample_aspect: Ratio::new(1, 1),
            interlaced: false,
            transfer: None,
            start_seconds: 1.0,
            end_seconds: 121.0,
            frames: 3000,
            gaps: FrameGaps { usual_seconds: 0.04, share_usual: 1.0, p90_rate: 25.0 },
            keyframes_seconds: (0..30).map(|i| 1.0 + 4.0 * f64::from(i)).collect(),
            open_gop: false,
        }
    }

    /// The seek points for frame 2500 (source second 101, which is a keyframe) or another, as keyframe times.
    fn points(video: &VideoFacts, container: &str, filters: VideoFilters, first_frame: u64) -> Vec<Option<f64>> {
        let points = seek_points(video, &GRID, container, filters, first_frame);
        points.into_iter().map(|point| point.map(|at| ((at - PAST_KEYFRAME_SECONDS) * 1e6).round() / 1e6)).collect()
    }

    #[test]
    fn a_span_is_read_from_a_keyframe_at_or_before_it() {
        let video = video();
        assert_eq!(points(&video, "mov,mp4", NO_FILTERS, 2500), [Some(101.0), Some(97.0), Some(89.0), Some(41.0), None]);
        // One frame before the keyframe, and one after.
        assert_eq!(points(&video, "mov,mp4", NO_FILTERS, 2499)[0], Some(97.0));
        assert_eq!(points(&video, "mov,mp4", NO_FILTERS, 2501)[0], Some(101.0));
    }

    #[test]
    fn some_sources_are_read_from_further_back() {
        let open = VideoFacts { open_gop: true, ..video() };
        for (what, first, points) in [
            ("transport stream", 97.0, points(&video(), "mpegts", NO_FILTERS, 2500)),
            ("program stream", 97.0, points(&video(), "mpeg", NO_FILTERS, 2500)),
            ("FLV", 97.0, points(&video(), "flv", NO_FILTERS, 2500)),
            ("open GOP", 97.0, points(&open, "mov,mp4", NO_FILTERS, 2500)),
            ("open GOP in a transport stream", 97.0, points(&open, "mpegts", NO_FILTERS, 2500)),
            ("deinterlaced", 97.0, points(&video(), "mov,mp4", DEINTERLACE, 2500)),
            ("deinterlaced, 7 frames after a keyframe", 97.0, points(&video(), "mov,mp4", DEINTERLACE, 2507)),
            ("deinterlaced, 8 frames after a keyframe", 101.0, points(&video(), "mov,mp4", DEINTERLACE, 2508)),
            ("deinterlaced transport stream", 93.0, points(&video(), "mpegts", DEINTERLACE, 2500)),
            ("AVI, 3 frames after a keyframe", 97.0, points(&video(), "avi", NO_FILTERS, 2503)),
            ("AVI, 4 frames after a keyframe", 101.0, points(&video(), "avi", NO_FILTERS, 2504)),
        ] {
            assert_eq!(points[0], Some(first), "{what}");
        }
    }

    #[test]
    fn points_go_backwards_and_end_at_the_start() {
        for container in ["mov,mp4", "mpegts", "avi", "matroska,webm"] {
            for filters in [NO_FILTERS, DEINTERLACE] {
                for first_frame in (0..3000).step_by(50) {
                    let points = seek_points(&video(), &GRID, container, filters, first_frame);
                    assert_eq!(points.last(), Some(&None));
                    let seconds: Vec<f64> = points.iter().flatten().copied().collect();
                    assert_eq!(seconds.len() + 1, points.len());
                    assert!(seconds.windows(2).all(|pair| pair[1] < pair[0]), "{seconds:?}");
                    assert!(seconds.iter().all(|at| *at < 1.0 + first_frame as f64 / 25.0 + 0.02));
                }
            }
        }
    }

    #[test]
    fn without_earlier_keyframes_the_file_is_read_from_its_start() {
        let one_gop = VideoFacts { keyframes_seconds: vec![1.0], ..video() };
        let unknown = VideoFacts { keyframes_seconds: vec![], ..video() };
        assert_eq!(points(&video(), "mov,mp4", NO_FILTERS, 0), [None]);
        assert_eq!(points(&video(), "mov,mp4", NO_FILTERS, 40), [None]);
        assert_eq!(points(&one_gop, "matroska,webm", NO_FILTERS, 2500), [None]);
        assert_eq!(points(&unknown, "matroska,webm", NO_FILTERS, 2500), [None]);
    }

    #[test]
    fn reading_ends_a_little_after_the_span() {
        let variable = VideoFacts { gaps: FrameGaps { share_usual: 0.5, ..video().gaps }, ..video() };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(read_until_seconds(&video(), &GRID, "mov,mp4", 2450), 99.0 + 2.0 + 0.32));
        assert!(near(read_until_seconds(&video(), &GRID, "mpegts", 2450), 99.0 + 10.0 + 0.32));
        // Frame 2450 is at 99 s; the next keyframe at 101 s.
        assert!(near(read_until_seconds(&variable, &GRID, "mov,mp4", 2450), 101.0 + 2.0));
        assert!(near(read_until_seconds(&variable, &GRID, "mov,mp4", 2950), 121.0 + 2.0));
    }
}
