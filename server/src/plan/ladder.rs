//! The ladder: which sizes a job makes, and under which caps.

use offpeak_api::{
    facts::VideoFacts,
    profile::{Rung, VideoProfile},
    work::{SourceLimits, VideoRendition},
};

use super::{LONGEST_SIDE, PlanError};

/// A source within this share of a rung's height counts as that rung: two rungs so close would cost an encode and give a
/// player nothing to choose.
const SAME_RUNG: f64 = 0.05;

/// Sample aspect ratios beyond these are damage, not anamorphic pictures (the widest in use is 24:11), and read as square.
const PLAUSIBLE_ASPECT: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// Bits grow with pixels to this power ("power of 0.75" rule, Ben Waggoner, *Compression for Great Video and Audio*): smaller
/// pictures need more bits for each pixel.
const BITS_PER_PIXEL_POWER: f64 = 0.75;

/// No cap below this: the smallest picture still has headers, cuts and noise.
const LOWEST_CAP_KBPS: u32 = 100;

/// Size in square pixels, upright.
#[derive(Debug, Clone, Copy, PartialEq)]
struct DisplaySize {
    width: f64,
    height: f64,
}

impl DisplaySize {
    fn shorter_side(self) -> f64 {
        self.width.min(self.height)
    }

    /// This size scaled until its shorter side has `lines` lines, in even numbers.
    fn scaled_to(self, lines: f64) -> (u32, u32) {
        let factor = lines / self.shorter_side();
        (even(self.width * factor), even(self.height * factor))
    }
}

/// The renditions of one source, highest first, without upscaling.
pub(super) fn plan_ladder(video: &VideoFacts, profile: &VideoProfile) -> Result<Vec<VideoRendition>, PlanError> {
    let size = display_size(video)?;
    let rungs = rungs_for(size.shorter_side(), &profile.ladder);
    let mut renditions: Vec<VideoRendition> = Vec::with_capacity(rungs.len());
    for (lines, max_kbps) in rungs {
        let (width, height) = size.scaled_to(lines);
        let id = format!("h264-{}p", width.min(height));
        // Two rungs of odd heights can come out as the same even size.
        if renditions.iter().all(|made| made.id != id) {
            renditions.push(VideoRendition { id, width, height, max_kbps, preset: profile.preset, quality: profile.quality });
        }
    }
    Ok(renditions)
}

/// What a person sees: rows are kept, columns are stretched (or squeezed) to square pixels, then the picture is turned.
fn display_size(video: &VideoFacts) -> Result<DisplaySize, PlanError> {
    let (width, height) = (video.width, video.height);
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || width.max(height) > LONGEST_SIDE || pixels > SourceLimits::default().max_pixels {
        return Err(PlanError::BadPictureSize { width, height });
    }
    let aspect = Some(video.sample_aspect.as_f64()).filter(|aspect| PLAUSIBLE_ASPECT.contains(aspect)).unwrap_or(1.0);
    let stretched = (f64::from(width) * aspect).clamp(1.0, f64::from(LONGEST_SIDE));
    Ok(match video.rotation {
        90 | 270 => DisplaySize { width: f64::from(height), height: stretched },
        _ => DisplaySize { width: stretched, height: f64::from(height) },
    })
}

/// Lines of the shorter side and caps, highest first.
fn rungs_for(source_lines: f64, ladder: &[Rung]) -> Vec<(f64, u32)> {
    let mut ladder = ladder.to_vec();
    ladder.sort_by_key(|rung| std::cmp::Reverse(rung.height));
    ladder.dedup_by_key(|rung| rung.height);

    let mut rungs: Vec<(f64, u32)> = Vec::new();
    let is_same = |rung: &Rung| (source_lines - f64::from(rung.height)).abs() <= SAME_RUNG * f64::from(rung.height);
    let is_above_all = ladder.first().is_some_and(|top| source_lines > f64::from(top.height));
    match ladder.iter().find(|rung| is_same(rung)) {
        // A little below a rung: that rung, at the source's own size. A little above one: the rung itself, below.
        Some(rung) if source_lines < f64::from(rung.height) => rungs.push((source_lines, rung.max_kbps)),
        Some(_) => {}
        None if is_above_all => {}
        None => rungs.push((source_lines, cap_between(source_lines, &ladder))),
    }
    let fitting = ladder.iter().filter(|rung| f64::from(rung.height) <= source_lines);
    rungs.extend(fitting.map(|rung| (f64::from(rung.height), rung.max_kbps)));
    rungs
}

/// A cap for a size that is no rung: linear in pixels between two rungs, by the power rule below the lowest.
fn cap_between(lines: f64, ladder: &[Rung]) -> u32 {
    let pixels = |rung: &Rung| f64::from(rung.height).powi(2);
    let above = ladder.iter().rev().find(|rung| f64::from(rung.height) >= lines);
    let below = ladder.iter().find(|rung| f64::from(rung.height) < lines);
    match (below, above) {
        (Some(below), Some(above)) => {
            let share = (lines.powi(2) - pixels(below)) / (pixels(above) - pixels(below));
            let kbps = f64::from(below.max_kbps) + share * (f64::from(above.max_kbps) - f64::from(below.max_kbps));
            kbps.round() as u32
        }
        (None, Some(lowest)) => {
            let kbps = f64::from(lowest.max_kbps) * (lines.powi(2) / pixels(lowest)).powf(BITS_PER_PIXEL_POWER);
            (kbps.round() as u32).max(LOWEST_CAP_KBPS.min(lowest.max_kbps))
        }
        (Some(top), None) => top.max_kbps,
        (None, None) => LOWEST_CAP_KBPS,
    }
}

/// The nearest even number from 2 on; between two of them the lower, so that nothing grows.
fn even(length: f64) -> u32 {
    ((length / 2.0 - 1e-6).round() as u32).saturating_mul(2).clamp(2, LONGEST_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_even_and_do_not_grow() {
        for (length, expected) in [(1.0, 2), (2.0, 2), (479.0, 478), (480.0, 480), (853.0, 852), (853.33, 854), (1080.0, 1080)] {
            assert_eq!(even(length), expected, "{length}");
        }
    }

    #[test]
    fn caps_lie_between_their_neighbours() {
        let ladder = [(1080, 5000), (720, 2800), (480, 1400), (360, 800)].map(|(height, max_kbps)| Rung { height, max_kbps });
        for (lines, expected) in [(800.0, 3213), (576.0, 1893), (420.0, 1079), (272.0, 525), (144.0, 202), (36.0, 100)] {
            assert_eq!(cap_between(lines, &ladder), expected, "{lines}");
        }
    }
}
