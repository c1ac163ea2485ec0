//! Small media words that several messages share: rates, spans, grids.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A positive rational number, such as a frame rate of 30000/1001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ratio {
    #[schema(minimum = 1)]
    pub num: u32,
    #[schema(minimum = 1)]
    pub den: u32,
}

impl Ratio {
    pub const fn new(num: u32, den: u32) -> Self {
        Self { num, den }
    }

    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.den == 1 { write!(f, "{}", self.num) } else { write!(f, "{}/{}", self.num, self.den) }
    }
}

/// The output timeline: frame `n` is shown at `n / rate` seconds, and every segment holds `frames_per_segment` frames.
///
/// For an audio-only job the grid is made of one frame a millisecond: it then only says where segments begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrameGrid {
    pub rate: Ratio,
    pub frames_per_segment: u32,
    /// T0: the source's timestamp, in seconds, that becomes 0 of the presentation.
    pub source_start_seconds: f64,
}

impl FrameGrid {
    /// When frame `n` is shown, in seconds from the start of the presentation.
    pub fn seconds_at(&self, frame: u64) -> f64 {
        frame as f64 * f64::from(self.rate.den) / f64::from(self.rate.num)
    }

    /// The first frame of segment `index`.
    pub fn first_frame(&self, index: u32) -> u64 {
        u64::from(index) * u64::from(self.frames_per_segment)
    }

    /// When segment `index` begins, in seconds from the start of the presentation.
    pub fn segment_start_seconds(&self, index: u32) -> f64 {
        self.seconds_at(self.first_frame(index))
    }

    /// Length of a full segment in seconds.
    pub fn segment_seconds(&self) -> f64 {
        self.seconds_at(u64::from(self.frames_per_segment))
    }
}

/// Shortest last segment, in frames: a shorter rest is merged into the segment before it, which then has up to seven more.
///
/// It is also the least number of frames of any segment: an encode of one or two frames has no B-frame delay, so its init
/// segment would differ from all others of the rendition. Planner, commit check and engine must agree, hence here.
pub const SHORTEST_SEGMENT_FRAMES: u32 = 8;

/// Timescale of video tracks: ticks a second, chosen so that a frame is a whole number of ticks.
///
/// The numerator alone would do (a frame is then `den` ticks), but small timescales (24, 25) make players round; so it is
/// multiplied up to at least 10 000. Server and engine must agree, hence here.
pub fn video_timescale(rate: Ratio) -> u32 {
    rate.num * 10_000_u32.div_ceil(rate.num).max(1)
}

/// Ticks of one frame on [`video_timescale`].
pub fn ticks_per_frame(rate: Ratio) -> u64 {
    u64::from(video_timescale(rate)) / u64::from(rate.num) * u64::from(rate.den)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_whole_number_of_ticks() {
        for (num, den) in [(24, 1), (25, 1), (24000, 1001), (30000, 1001), (60000, 1001), (50, 1), (60, 1), (12, 1), (15625, 521)]
        {
            let rate = Ratio::new(num, den);
            let (scale, ticks) = (u64::from(video_timescale(rate)), ticks_per_frame(rate));
            assert!(scale >= 10_000);
            assert_eq!(ticks * u64::from(num), scale * u64::from(den), "{rate}");
        }
    }
}
