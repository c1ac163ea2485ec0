//! What a rendition asks of a network.

use super::{PackagedRendition, PackagedSegment};

/// Bits a second, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BitRates {
    pub peak: u64,
    /// Unknown while segments are missing.
    pub average: Option<u64>,
}

/// The true rates when all segments are there; before that, the cap for the peak.
pub(super) fn bit_rates(rendition: &PackagedRendition, all_complete: bool, target_seconds: u32) -> BitRates {
    if !all_complete || rendition.segments.is_empty() {
        return BitRates { peak: u64::from(rendition.max_kbps) * 1000, average: None };
    }
    let sizes: Vec<(u64, f64)> = rendition.segments.iter().map(|segment| (segment.bytes, seconds(rendition, segment))).collect();
    let average = rate(&sizes);
    BitRates { peak: peak(&sizes, f64::from(target_seconds)).unwrap_or(average), average: Some(average) }
}

fn seconds(rendition: &PackagedRendition, segment: &PackagedSegment) -> f64 {
    segment.duration_ticks as f64 / f64::from(rendition.timescale.max(1))
}

/// RFC 8216 §4.1: the largest bit rate of any contiguous set of segments that lasts between 0.5 and 1.5 target durations.
fn peak(sizes: &[(u64, f64)], target_seconds: f64) -> Option<u64> {
    let sets = (0..sizes.len()).flat_map(|first| {
        let ends = first + 1..=sizes.len();
        let lengths = ends.scan(0.0, move |seconds, end| {
            *seconds += sizes[end - 1].1;
            Some((end, *seconds))
        });
        let few = lengths.take_while(move |(_, seconds)| *seconds <= 1.5 * target_seconds);
        few.filter(move |(_, seconds)| *seconds >= 0.5 * target_seconds).map(move |(end, _)| rate(&sizes[first..end]))
    });
    sets.max()
}

fn rate(sizes: &[(u64, f64)]) -> u64 {
    let bytes: u64 = sizes.iter().map(|(bytes, _)| bytes).sum();
    let seconds: f64 = sizes.iter().map(|(_, seconds)| seconds).sum();
    if seconds > 0.0 { (bytes as f64 * 8.0 / seconds).ceil() as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_sets_near_the_target_duration() {
        for (what, sizes, expected) in [
            ("single segments", vec![(6000, 6.0), (12_000, 6.0), (6000, 6.0)], Some(16_000)),
            ("a short dense tail counts only with its neighbour", vec![(6000, 6.0), (6000, 1.0)], Some(13_715)),
            ("two short ones together", vec![(1000, 3.0), (2000, 3.0)], Some(4000)),
            ("too short for any set", vec![(1000, 2.0)], None),
            ("nothing", vec![], None),
        ] {
            assert_eq!(peak(&sizes, 7.0), expected, "{what}");
        }
    }
}
