//! The output frame rate (design §4, "Frame rate R").

use offpeak_api::{facts::VideoFacts, media::Ratio};

/// The rates that films and cameras have.
const STANDARD_RATES: [Ratio; 8] = [
    Ratio::new(24_000, 1001),
    Ratio::new(24, 1),
    Ratio::new(25, 1),
    Ratio::new(30_000, 1001),
    Ratio::new(30, 1),
    Ratio::new(50, 1),
    Ratio::new(60_000, 1001),
    Ratio::new(60, 1),
];

/// Taken when the facts say nothing: one frame, or gaps that are no numbers.
const RATE_OF_A_STILL: Ratio = Ratio::new(25, 1);

/// Share of even gaps from which on a source counts as having one frame rate.
const EVEN_SHARE: f64 = 0.95;

/// 24 and 23.976 are 0.1 % apart; a value is one of them when it is nearer than a third of that.
const EXACT: f64 = 3e-4;

/// A value this near to a standard rate is meant to be that rate.
const NEAR: f64 = 5e-3;

/// The gap and the average speak of the same rate when they differ by less than timestamps of whole milliseconds make them.
const SAME_RATE: f64 = 0.035;

/// Matroska, WebM and FLV have timestamps of whole milliseconds, so a gap is off by up to half of one.
const MILLISECOND: f64 = 1e-3;

/// Below this a film of stills is shown with repeated pictures: segments keep enough frames, and a seek stays quick.
const LOWEST_RATE: f64 = 5.0;

/// The largest denominator for rates that are no standard ones: that of 30000/1001.
const LARGEST_DENOMINATOR: u32 = 1001;

/// Chooses R for a source, at most `max_rate` frames a second.
pub(super) fn choose_rate(video: &VideoFacts, max_rate: f64) -> Ratio {
    lower_to(raise_stills(source_rate(video)), max_rate)
}

fn source_rate(video: &VideoFacts) -> Ratio {
    let gap = Some(video.gaps.usual_seconds).filter(|gap| gap.is_finite() && *gap > 1e-4 && *gap < 3600.0);
    let p90 = Some(video.gaps.p90_rate).filter(|rate| rate.is_finite() && *rate > 0.0);
    match (gap, p90) {
        (Some(gap), _) if video.gaps.share_usual >= EVEN_SHARE => constant_rate(gap, average_rate(video)),
        (Some(gap), Some(p90)) => rounded_rate(gap, p90, average_rate(video)).unwrap_or_else(|| variable_rate(p90)),
        (None, Some(p90)) => variable_rate(p90),
        (Some(gap), None) => constant_rate(gap, average_rate(video)),
        (None, None) => RATE_OF_A_STILL,
    }
}

/// Frames by duration: free of the rounding of single timestamps, but off when the last frame's duration is.
fn average_rate(video: &VideoFacts) -> Option<f64> {
    let rate = video.frames as f64 / (video.end_seconds - video.start_seconds);
    (video.frames > 1 && rate.is_finite() && rate > 0.0).then_some(rate)
}

/// One gap throughout: the nearest standard rate, else what was measured, as a ratio of small numbers.
fn constant_rate(gap_seconds: f64, average: Option<f64>) -> Ratio {
    let measured = 1.0 / gap_seconds;
    let average = average.filter(|average| is_near(*average, measured, SAME_RATE));
    let whole_milliseconds = is_whole_milliseconds(gap_seconds);
    let rounded_away = |rate: Ratio| whole_milliseconds && (1.0 / rate.as_f64() - gap_seconds).abs() <= 0.5001 * MILLISECOND;
    nearest_standard(measured, EXACT)
        .or_else(|| average.and_then(|average| nearest_standard(average, EXACT)))
        .or_else(|| nearest_standard(measured, NEAR))
        .or_else(|| nearest_standard(measured, SAME_RATE).filter(|rate| rounded_away(*rate)))
        .or_else(|| average.map(small_ratio).filter(|rate| rate.den == 1 && rounded_away(*rate)))
        .unwrap_or_else(|| small_ratio(measured))
}

/// Gaps of two neighbouring whole milliseconds (16, 17, 17, 16 …) whose average is a standard rate: rounding, not variety.
fn rounded_rate(gap_seconds: f64, p90: f64, average: Option<f64>) -> Option<Ratio> {
    let shortest = 1.0 / p90;
    let neighbours = (gap_seconds - shortest).abs() <= 1.01 * MILLISECOND;
    if !(neighbours && is_whole_milliseconds(gap_seconds) && is_whole_milliseconds(shortest)) {
        return None;
    }
    average.and_then(|average| nearest_standard(average, EXACT))
}

fn is_whole_milliseconds(seconds: f64) -> bool {
    let milliseconds = seconds / MILLISECOND;
    (milliseconds - milliseconds.round()).abs() < 1e-3
}

/// The smallest standard rate at or above the 90th percentile of the instantaneous rate.
fn variable_rate(p90: f64) -> Ratio {
    let [.., highest] = STANDARD_RATES;
    STANDARD_RATES.into_iter().find(|rate| rate.as_f64() * (1.0 + EXACT) >= p90).unwrap_or(highest)
}

fn nearest_standard(value: f64, tolerance: f64) -> Option<Ratio> {
    let distance = |rate: &Ratio| (rate.as_f64() - value).abs();
    STANDARD_RATES
        .into_iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .filter(|rate| is_near(rate.as_f64(), value, tolerance))
}

fn is_near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= b * tolerance
}

/// A ratio for a measured rate: whole numbers first, then n/1001, then the simplest fraction that is near enough.
fn small_ratio(value: f64) -> Ratio {
    let whole = value.round().max(1.0);
    if is_near(whole, value, EXACT) {
        return Ratio::new(whole as u32, 1);
    }
    let ntsc = Ratio::new((value * 1.001).round() as u32 * 1000, 1001);
    if ntsc.num > 0 && is_near(ntsc.as_f64(), value, 1e-5) {
        return ntsc;
    }
    simplest_fraction(value, 1e-5)
}

/// The first convergent of the continued fraction that is within `tolerance` (relative), with a bounded denominator.
///
/// Convergents are the best approximations for their denominators (Hardy and Wright, *An Introduction to the Theory of
/// Numbers*, ch. X).
fn simplest_fraction(value: f64, tolerance: f64) -> Ratio {
    let (mut before, mut last) = ((0_u64, 1_u64), (1_u64, 0_u64));
    let mut rest = value;
    loop {
        let whole = rest.floor();
        let next = (whole as u64 * last.0 + before.0, whole as u64 * last.1 + before.1);
        if next.1 > u64::from(LARGEST_DENOMINATOR) {
            break;
        }
        (before, last) = (last, next);
        let is_close = next.0 > 0 && is_near(next.0 as f64 / next.1 as f64, value, tolerance);
        if is_close || rest - whole < 1e-9 {
            break;
        }
        rest = 1.0 / (rest - whole);
    }
    match (u32::try_from(last.0), u32::try_from(last.1)) {
        (Ok(num), Ok(den)) if num > 0 && den > 0 => Ratio::new(num, den),
        // Slower than one frame in a quarter of an hour, which the smallest fraction cannot say.
        _ => Ratio::new(1, LARGEST_DENOMINATOR),
    }
}

/// Repeats pictures of a very slow source a whole number of times, so that each still lands on the grid.
fn raise_stills(rate: Ratio) -> Ratio {
    if rate.as_f64() >= LOWEST_RATE {
        return rate;
    }
    let times = (LOWEST_RATE / rate.as_f64()).ceil() as u32;
    reduced(rate.num.saturating_mul(times), rate.den)
}

/// Lowers a rate: to a whole fraction of itself when that loses at most a fifth (an even cadence), else to the limit.
fn lower_to(rate: Ratio, max_rate: f64) -> Ratio {
    if rate.as_f64() <= max_rate * (1.0 + EXACT) {
        return rate;
    }
    let every = (rate.as_f64() / max_rate - EXACT).ceil().max(1.0) as u32;
    let even = reduced(rate.num, rate.den.saturating_mul(every));
    if even.as_f64() >= 0.8 * max_rate {
        return even;
    }
    nearest_standard(max_rate, EXACT).unwrap_or_else(|| small_ratio(max_rate))
}

fn reduced(num: u32, den: u32) -> Ratio {
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Ratio::new(num / a.max(1), den / a.max(1))
}

#[cfg(test)]
mod tests {
    use offpeak_api::media::video_timescale;

    use super::*;

    #[test]
    fn an_even_gap_gives_the_rate_that_was_meant() {
        for (gap, average, expected) in [
            (1001.0 / 24_000.0, None, (24_000, 1001)),
            (1.0 / 24.0, None, (24, 1)),
            (0.04, None, (25, 1)),
            (1001.0 / 30_000.0, None, (30_000, 1001)),
            (1.0 / 30.0, None, (30, 1)),
            (0.02, None, (50, 1)),
            (1001.0 / 60_000.0, None, (60_000, 1001)),
            (1.0 / 60.0, None, (60, 1)),
            // Whole milliseconds: the average tells 24 from 23.976, and 15 from 14.925.
            (0.042, Some(24.0), (24, 1)),
            (0.042, Some(23.976), (24_000, 1001)),
            (0.042, None, (24_000, 1001)),
            (0.033, Some(30.0), (30, 1)),
            (0.033, Some(29.97), (30_000, 1001)),
            (0.017, Some(59.94), (60_000, 1001)),
            (0.067, Some(15.0), (15, 1)),
            // The average of a short clip says little.
            (0.04, Some(24.4), (25, 1)),
            (0.04, Some(24.0), (25, 1)),
            // No standard rates.
            (1.0 / 15.0, None, (15, 1)),
            (0.08, None, (25, 2)),
            (1.0 / 29.8, None, (149, 5)),
            (1001.0 / 15_000.0, None, (15_000, 1001)),
            (0.1, None, (10, 1)),
            (1.0 / 120.0, None, (120, 1)),
            (1001.0 / 120_000.0, None, (120_000, 1001)),
        ] {
            let rate = constant_rate(gap, average);
            assert_eq!((rate.num, rate.den), expected, "gap {gap}, average {average:?}");
        }
    }

    #[test]
    fn a_variable_source_gets_the_next_standard_rate() {
        for (p90, expected) in [
            (12.0, (24_000, 1001)),
            (23.98, (24_000, 1001)),
            (24.01, (25, 1)),
            (30.0001, (30, 1)),
            (31.0, (50, 1)),
            (240.0, (60, 1)),
        ] {
            let rate = variable_rate(p90);
            assert_eq!((rate.num, rate.den), expected, "{p90}");
        }
    }

    #[test]
    fn milliseconds_are_not_variety() {
        assert_eq!(rounded_rate(0.017, 62.5, Some(59.94)), Some(Ratio::new(60_000, 1001)));
        assert_eq!(rounded_rate(0.017, 62.5, Some(58.0)), None);
        assert_eq!(rounded_rate(0.033, 62.5, Some(30.0)), None);
        assert_eq!(rounded_rate(0.0171, 62.5, Some(59.94)), None);
    }

    #[test]
    fn rates_above_the_limit_are_lowered_evenly_where_that_is_near() {
        for (rate, max, expected) in [
            ((120, 1), 60.0, (60, 1)),
            ((120_000, 1001), 60.0, (60_000, 1001)),
            ((60_000, 1001), 59.94, (60_000, 1001)),
            ((100, 1), 60.0, (50, 1)),
            ((75, 1), 60.0, (60, 1)),
            ((144, 1), 60.0, (48, 1)),
            ((50, 1), 30.0, (25, 1)),
            ((60_000, 1001), 30.0, (30_000, 1001)),
            ((25, 1), 24.0, (24, 1)),
            ((25, 1), 23.976, (24_000, 1001)),
            ((24, 1), 60.0, (24, 1)),
        ] {
            let lowered = lower_to(Ratio::new(rate.0, rate.1), max);
            assert_eq!((lowered.num, lowered.den), expected, "{rate:?} to {max}");
        }
    }

    #[test]
    fn stills_are_repeated() {
        for (rate, expected) in [((1, 1), (5, 1)), ((1, 10), (5, 1)), ((2, 3), (16, 3)), ((5, 1), (5, 1)), ((15, 1), (15, 1))] {
            let raised = raise_stills(Ratio::new(rate.0, rate.1));
            assert_eq!((raised.num, raised.den), expected, "{rate:?}");
        }
    }

    #[test]
    fn any_rate_fits_a_timescale() {
        for thousandths in (1..300_000).step_by(37) {
            let value = f64::from(thousandths) / 1000.0;
            let rate = raise_stills(small_ratio(value));
            assert!(rate.num >= 1 && rate.den >= 1 && rate.den <= LARGEST_DENOMINATOR, "{value}: {rate}");
            assert!(video_timescale(rate) >= 10_000, "{value}: {rate}");
            if value >= LOWEST_RATE {
                assert!((rate.as_f64() / value - 1.0).abs() < 1e-3, "{value}: {rate}");
            }
        }
    }
}
