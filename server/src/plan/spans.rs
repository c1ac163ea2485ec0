//! Cutting a job into spans.
//!
//! Nobody knows how many machines will be idle, or how fast they are. Spans of equal length leave all but one of them idle
//! while the last span is finished; so lengths taper: guided self-scheduling (Polychronopoulos and Kuck, "Guided
//! Self-Scheduling", IEEE Transactions on Computers C-36(12), 1987) takes `ceil(remaining / machines)` at a time. We put a
//! divisor in place of the unknown number of machines and cut the lengths off at the profile's span. The simulation in the
//! tests says how near that comes to the ideal.

use offpeak_api::media::SHORTEST_SEGMENT_FRAMES;

use super::{Plan, Span};

/// The divisor of short films: behind the front, 8 segments become 2, 2, 1, 1, 1, 1, which keeps two to four machines busy to
/// the end.
const SMALLEST_DIVISOR: u32 = 4;

/// Spans of one segment at the front. A player starts with two, and two machines make them in the time of one; more than so many
/// bring nothing (docs/decisions/a-day-of-a-fleet.md).
const FRONT_SPANS: usize = 2;

/// A job has some thousand spans at most: more would only make the queue long, whatever the profile wants. A day in segments of a
/// second has full spans of 44 then; two hours in segments of four keep theirs.
const FULL_SPANS: u32 = 2000;

/// Number of segments of `frames` frames: the last one holds at least [`SHORTEST_SEGMENT_FRAMES`], unless it is the only one.
pub(super) fn segment_count(frames: u64, frames_per_segment: u32) -> u32 {
    let full = frames / u64::from(frames_per_segment);
    let rest = frames % u64::from(frames_per_segment);
    let segments = if rest >= u64::from(SHORTEST_SEGMENT_FRAMES) { full + 1 } else { full };
    u32::try_from(segments.max(1)).unwrap_or(u32::MAX)
}

/// Spans over `[0, segments)`, front to back, none longer than `longest` segments.
pub(super) fn plan_spans(segments: u32, longest: u32) -> Vec<Span> {
    // A longer film can afford a longer taper, for more machines, but each span costs something (it starts ffmpeg, decodes
    // from a keyframe on and begins with an empty rate control). With the square root that stays under 3 % of the work
    // from four minutes on, and three quarters of a two-hour film are full spans.
    let longest = longest.max(segments.div_ceil(FULL_SPANS));
    let divisor = segments.isqrt().max(SMALLEST_DIVISOR);
    let mut spans = Vec::new();
    let mut first = 0;
    while first < segments {
        let tapered = (segments - first).div_ceil(divisor).clamp(1, longest.max(1));
        let length = if spans.len() < FRONT_SPANS { 1 } else { tapered };
        let last = (first + length).min(segments);
        spans.push(Span { first, last, to_end: last == segments });
        first = last;
    }
    spans
}

/// What a span costs, for fair sharing: frames × pixels × codec factor, in millions, summed over its renditions.
///
/// Both sides of a comparison must come from this function: the unit means nothing by itself.
pub fn estimated_work(plan: &Plan, span: Span) -> f64 {
    let first_frame = plan.grid.first_frame(span.first);
    let end_frame = if span.to_end { plan.frames } else { plan.grid.first_frame(span.last).min(plan.frames) };
    let frames = end_frame.saturating_sub(first_frame) as f64;
    let pixels: f64 = plan.video.iter().map(|made| f64::from(made.width) * f64::from(made.height)).sum();
    frames * pixels * H264_FACTOR / 1e6
}

/// H.264 is the measure of other codecs.
const H264_FACTOR: f64 = 1.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(segments: u32, longest: u32) -> Vec<u32> {
        plan_spans(segments, longest).iter().map(|span| span.last - span.first).collect()
    }

    #[test]
    fn the_last_segment_is_never_tiny() {
        for (frames, expected) in [(1, 1), (149, 1), (150, 1), (157, 1), (158, 2), (300, 2), (307, 2), (308, 3), (15_000, 100)] {
            assert_eq!(segment_count(frames, 150), expected, "{frames} frames");
        }
    }

    #[test]
    fn lengths_taper() {
        assert_eq!(lengths(1, 10), [1]);
        assert_eq!(lengths(4, 10), [1, 1, 1, 1]);
        assert_eq!(lengths(10, 10), [1, 1, 2, 2, 1, 1, 1, 1]);
        assert_eq!(lengths(10, 1), [1; 10]);
        assert_eq!(lengths(60, 10)[..4], [1, 1, 9, 7]);
        assert_eq!(lengths(100, 10)[..4], [1, 1, 10, 9]);
    }

    #[test]
    fn spans_cover_everything_once() {
        for segments in [1, 2, 3, 9, 10, 11, 100, 601, 6000] {
            let spans = plan_spans(segments, 10);
            assert_eq!(spans.first().map(|span| span.first), Some(0));
            assert_eq!(spans.last().map(|span| (span.last, span.to_end)), Some((segments, true)));
            for pair in spans.windows(2) {
                assert_eq!(pair[0].last, pair[1].first);
                assert!(!pair[0].to_end);
            }
            for pair in spans.get(FRONT_SPANS..).unwrap_or_default().windows(2) {
                assert!(pair[0].last - pair[0].first >= pair[1].last - pair[1].first, "lengths never grow");
            }
            assert!(spans.iter().all(|span| span.last > span.first && span.last - span.first <= 10));
        }
    }

    #[test]
    fn no_profile_makes_spans_without_end() {
        for longest in [1, 10] {
            let spans = lengths(24 * 3600, longest);
            assert!(spans.len() < 5000, "{} spans", spans.len());
            assert_eq!(spans.iter().sum::<u32>(), 24 * 3600);
        }
        assert_eq!(lengths(1800, 1).len(), 1800, "two hours in segments of four seconds are as the profile wants them");
    }

    #[test]
    fn a_long_film_is_mostly_full_spans() {
        for (segments, least_percent) in [(600, 60), (1200, 70), (6000, 85)] {
            let full: u32 = lengths(segments, 10).into_iter().filter(|length| *length == 10).sum();
            assert!(full * 100 >= segments * least_percent, "{full} of {segments} segments");
        }
    }

    /// Seconds until all spans are done, given to whoever is free first, in units of one segment on an average machine. A span
    /// costs a tenth of a segment more than its segments: 0.3 s to start and up to one GOP to decode, against some 6 s.
    fn makespan(lengths: &[u32], speeds: &[f64]) -> f64 {
        const OVERHEAD: f64 = 0.1;
        let mut free_at = vec![0.0_f64; speeds.len()];
        for length in lengths {
            let next = (0..speeds.len()).min_by(|a, b| free_at[*a].total_cmp(&free_at[*b])).expect("a machine");
            free_at[next] += (f64::from(*length) + OVERHEAD) / speeds[next];
        }
        free_at.into_iter().fold(0.0, f64::max)
    }

    /// From half to double speed; `fleet` says who of them asks first.
    fn speeds(machines: usize, fleet: usize) -> Vec<f64> {
        (0..machines).map(|i| 0.5 + 1.5 * ((i * 7 + fleet) % 10) as f64 / 9.0).collect()
    }

    /// The makespan as a multiple of perfect sharing, on average over ten fleets.
    fn mean_makespan(lengths: &[u32], machines: usize) -> f64 {
        let segments: u32 = lengths.iter().sum();
        let ratio = |speeds: Vec<f64>| makespan(lengths, &speeds) * speeds.iter().sum::<f64>() / f64::from(segments);
        (0..10).map(|fleet| ratio(speeds(machines, fleet))).sum::<f64>() / 10.0
    }

    #[test]
    fn machines_end_nearly_together() {
        // Segments, machines, largest makespan as a multiple of the ideal. Few segments on many machines are bounded by the
        // first span on a slow one: only taking tails from the slow (stealing) helps there. The two spans at the front cost up
        // to 7 % here, where nobody steals, of a film of four minutes on four machines; they are for playing early.
        for (segments, machines, largest) in [
            (10, 2, 1.18),
            (10, 4, 1.6),
            (40, 2, 1.08),
            (40, 4, 1.26),
            (40, 16, 4.8),
            (300, 2, 1.03),
            (300, 4, 1.04),
            (300, 16, 1.36),
            (1200, 4, 1.03),
            (1200, 16, 1.04),
            (1200, 50, 1.13),
        ] {
            let tapered = mean_makespan(&lengths(segments, 10), machines);
            let equal = mean_makespan(&vec![10; segments as usize / 10], machines);
            let figures = format!("{segments} segments, {machines} machines: tapered {tapered:.3}, equal {equal:.3}");
            assert!(tapered <= largest, "{figures}");
            assert!(tapered <= equal + 0.01, "{figures}");
        }
    }
}
