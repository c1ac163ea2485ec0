use offpeak_api::{
    media::FrameGrid,
    work::{AAC_FRAME_SAMPLES, AAC_FRAMES_PER_FRAGMENT, AUDIO_SAMPLE_RATE},
};

use crate::fragment::{Fragment, Row};

/// Fragments that are not those that the grouping rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("sound of tick {wanted} should come next, but tick {got} came")]
    Gap { wanted: u64, got: u64 },
    #[error("a fragment has {frames} AAC frames of {ticks} ticks and is not the last")]
    Length { frames: u32, ticks: u64 },
}

/// Groups fragments to segments: segment `i` begins with the first fragment whose time is at or after that of frame `i·F`.
#[derive(Debug)]
pub(super) struct Grouping {
    grid: FrameGrid,
    media_time: u64,
    index: u32,
    begun: Vec<Fragment>,
    next_ticks: u64,
    frames: u64,
    /// A fragment shorter than the others came: nothing may follow it.
    last: Option<Wrong>,
}

impl Grouping {
    pub fn new(grid: &FrameGrid) -> Self {
        Self { grid: *grid, media_time: 0, index: 0, begun: Vec::new(), next_ticks: 0, frames: 0, last: None }
    }

    /// Ticks of the track that come before presentation time 0.
    pub fn set_media_time(&mut self, ticks: u64) {
        self.media_time = ticks;
    }

    /// AAC frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes a fragment; gives the segment that it ends by beginning the next.
    ///
    /// # Errors
    /// When it does not follow the one before it, or that one was shorter than 12 AAC frames.
    pub fn push(&mut self, fragment: Fragment) -> Result<Option<Row>, Wrong> {
        if let Some(wrong) = self.last {
            return Err(wrong);
        }
        if fragment.start_ticks != self.next_ticks {
            return Err(Wrong::Gap { wanted: self.next_ticks, got: fragment.start_ticks });
        }
        let (frames, ticks) = (fragment.samples, fragment.duration_ticks);
        if frames != AAC_FRAMES_PER_FRAGMENT || ticks != u64::from(frames) * u64::from(AAC_FRAME_SAMPLES) {
            self.last = Some(Wrong::Length { frames, ticks });
        }
        self.next_ticks = fragment.end_ticks();
        self.frames += u64::from(frames);
        let row = if self.begins_next(fragment.start_ticks) { self.take() } else { None };
        self.begun.push(fragment);
        Ok(row)
    }

    /// The last segment, and the number of all.
    pub fn finish(&mut self) -> (Option<Row>, u32) {
        let row = self.take();
        (row, self.index)
    }

    /// Whether a fragment at `start_ticks` is at or after the start of the next segment, in whole numbers: the time in
    /// seconds is (`start_ticks` − `media_time`) / 48000, the segment's start is frame / rate.
    fn begins_next(&self, start_ticks: u64) -> bool {
        let frame = self.grid.first_frame(self.index + 1);
        let segment = u128::from(frame) * u128::from(self.grid.rate.den) * u128::from(AUDIO_SAMPLE_RATE);
        let fragment = u128::from(start_ticks.saturating_sub(self.media_time)) * u128::from(self.grid.rate.num);
        fragment >= segment
    }

    fn take(&mut self) -> Option<Row> {
        if self.begun.is_empty() {
            return None;
        }
        let row = Row::of(self.index, std::mem::take(&mut self.begun));
        self.index += 1;
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use offpeak_api::media::Ratio;

    use super::*;

    fn grid(rate: Ratio, frames_per_segment: u32) -> FrameGrid {
        FrameGrid { rate, frames_per_segment, source_start_seconds: 0.0 }
    }

    fn fragment(number: u64, frames: u32) -> Fragment {
        let duration_ticks = u64::from(frames) * 1024;
        Fragment { start_ticks: number * 12288, samples: frames, duration_ticks, data: Bytes::from_static(b"f") }
    }

    /// Starts of the segments, in fragments, of a track of `fragments` full ones and a last one of 5 AAC frames.
    fn starts(grid: &FrameGrid, media_time: u64, fragments: u64) -> Vec<u64> {
        let mut grouping = Grouping::new(grid);
        grouping.set_media_time(media_time);
        let mut rows = Vec::new();
        for number in 0..fragments {
            rows.extend(grouping.push(fragment(number, 12)).expect("it follows"));
        }
        rows.extend(grouping.push(fragment(fragments, 5)).expect("it follows"));
        let (last, count) = grouping.finish();
        rows.extend(last);
        assert_eq!(rows.len() as u32, count);
        assert!(rows.iter().zip(0..).all(|(row, index)| row.index == index));
        assert_eq!(rows.iter().map(|row| u64::from(row.frames)).sum::<u64>(), fragments * 12 + 5);
        rows.iter().map(|row| row.start_ticks / 12288).collect()
    }

    #[test]
    fn segments_begin_at_the_first_fragment_at_or_after_their_time() {
        // 2 s are 7.8 fragments; with an edit of 1024 samples fragments are 21 ms earlier.
        assert_eq!(starts(&grid(Ratio::new(25, 1), 50), 0, 30), [0, 8, 16, 24]);
        assert_eq!(starts(&grid(Ratio::new(25, 1), 50), 1024, 30), [0, 8, 16, 24]);
        // 1.024 s are 4 fragments exactly; with the edit the fifth fragment is just late enough, not the fourth.
        let exact = grid(Ratio::new(125, 1), 128);
        assert_eq!(starts(&exact, 0, 9), [0, 4, 8]);
        assert_eq!(starts(&exact, 1024, 9), [0, 5, 9]);
        assert_eq!(starts(&grid(Ratio::new(30000, 1001), 60), 1024, 24), [0, 8, 16, 24]);
        assert_eq!(starts(&grid(Ratio::new(25, 1), 150), 1024, 1), [0]);
    }

    #[test]
    fn fragments_of_another_shape_are_refused() {
        let mut gap = Grouping::new(&grid(Ratio::new(25, 1), 50));
        assert_eq!(gap.push(fragment(1, 12)), Err(Wrong::Gap { wanted: 0, got: 12288 }));
        let mut short = Grouping::new(&grid(Ratio::new(25, 1), 50));
        assert_eq!(short.push(fragment(0, 11)), Ok(None));
        let next = Fragment { start_ticks: 11 * 1024, ..fragment(0, 12) };
        assert_eq!(short.push(next), Err(Wrong::Length { frames: 11, ticks: 11 * 1024 }));
    }
}
