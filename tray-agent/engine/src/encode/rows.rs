use offpeak_api::media::{FrameGrid, SHORTEST_SEGMENT_FRAMES, ticks_per_frame};

use crate::fragment::{Fragment, Row};

/// Frames that came out are not the ones that were asked for. Numbers are indices of the frame grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mismatch {
    #[error("the first frame should be {wanted} but is {got:?}")]
    Start { wanted: u64, got: Option<u64> },
    #[error("frame {wanted} should come next, but tick {got_ticks} came")]
    Gap { wanted: u64, got_ticks: u64 },
    #[error("a segment that begins with frame {first} has {frames} frames or more, not in one GOP of its own")]
    Long { first: u64, frames: u32 },
    #[error("frames up to {wanted} should come but end at {got}")]
    Short { wanted: u64, got: u64 },
}

/// Joins the fragments of one rendition to segments of the grid's length, and counts.
#[derive(Debug)]
pub(super) struct Rows {
    frames_per_segment: u32,
    ticks_per_frame: u64,
    first: u32,
    /// Rows before this one are dropped by whoever gets them.
    wanted: u32,
    /// The row that fragments go to now.
    index: u32,
    begun: Vec<Fragment>,
    begun_frames: u32,
    /// For spans to the end: the last full row waits for what comes after it, since a short rest joins it.
    held: Option<Row>,
    to_end: bool,
}

/// What is left when the stream has ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub rows: Vec<Row>,
    /// The frame after the last one.
    pub end_frame: u64,
}

impl Rest {
    /// The last row that is there.
    pub fn last_row(&self) -> Option<u32> {
        self.rows.last().map(|row| row.index)
    }
}

impl Rows {
    /// Rows from `first` on, of which those from `wanted` on count. With `to_end` the stream may end anywhere.
    pub fn new(grid: &FrameGrid, first: u32, wanted: u32, to_end: bool) -> Self {
        Self {
            frames_per_segment: grid.frames_per_segment,
            ticks_per_frame: ticks_per_frame(grid.rate),
            first,
            wanted,
            index: first,
            begun: Vec::new(),
            begun_frames: 0,
            held: None,
            to_end,
        }
    }

    fn next_frame(&self) -> u64 {
        u64::from(self.index) * u64::from(self.frames_per_segment) + u64::from(self.begun_frames)
    }

    /// The row after the last one that is whole, whether it was given or is held back.
    pub fn whole(&self) -> u32 {
        self.index
    }

    /// Takes a fragment; gives a row that is finished and final.
    ///
    /// # Errors
    /// When the fragment is not the next one, or makes a row too long.
    pub fn push(&mut self, fragment: Fragment) -> Result<Option<Row>, Mismatch> {
        let wanted = self.next_frame();
        let frames = u64::from(fragment.samples);
        let is_next = fragment.start_ticks == wanted * self.ticks_per_frame
            && fragment.duration_ticks == frames * self.ticks_per_frame
            && frames > 0;
        if !is_next {
            let at_start = self.index == self.first && self.begun.is_empty();
            let on_grid = fragment.start_ticks.is_multiple_of(self.ticks_per_frame);
            return Err(if at_start && on_grid && frames > 0 && fragment.start_ticks != wanted * self.ticks_per_frame {
                Mismatch::Start { wanted, got: Some(fragment.start_ticks / self.ticks_per_frame) }
            } else {
                Mismatch::Gap { wanted, got_ticks: fragment.start_ticks }
            });
        }
        let begun_frames = self.begun_frames.saturating_add(fragment.samples);
        if begun_frames > self.frames_per_segment {
            return Err(Mismatch::Long { first: wanted, frames: begun_frames });
        }
        self.begun_frames = begun_frames;
        self.begun.push(fragment);
        if begun_frames < self.frames_per_segment {
            return Ok(None);
        }
        let row = self.take_begun();
        self.index += 1;
        Ok(if self.to_end { self.held.replace(row) } else { Some(row) })
    }

    /// Somebody else took the end of the presentation: the row that was held back is final.
    pub fn give_up_end(&mut self) -> Option<Row> {
        self.to_end = false;
        self.held.take()
    }

    /// The stream has ended, for a span up to row `last` (if it is not one to the end).
    ///
    /// # Errors
    /// When it ended within the span.
    pub fn finish(mut self, last: u32) -> Result<Rest, Mismatch> {
        let end_frame = self.next_frame();
        if !self.to_end {
            let wanted = u64::from(last) * u64::from(self.frames_per_segment);
            let first = u64::from(self.first) * u64::from(self.frames_per_segment);
            return if end_frame >= wanted {
                Ok(Rest { rows: Vec::new(), end_frame })
            } else if end_frame == first {
                Err(Mismatch::Start { wanted: first, got: None })
            } else {
                Err(Mismatch::Short { wanted, got: end_frame })
            };
        }
        let held = self.held.take();
        let rest = (self.begun_frames > 0).then(|| self.take_begun());
        let rows = match (held, rest) {
            (Some(held), Some(rest)) if rest.frames < SHORTEST_SEGMENT_FRAMES && held.index >= self.wanted => {
                vec![held.joined_by(rest)]
            }
            (held, rest) => held.into_iter().chain(rest).collect(),
        };
        Ok(Rest { rows, end_frame })
    }

    fn take_begun(&mut self) -> Row {
        self.begun_frames = 0;
        Row::of(self.index, std::mem::take(&mut self.begun))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use offpeak_api::media::Ratio;

    use super::*;

    const GRID: FrameGrid = FrameGrid { rate: Ratio::new(25, 1), frames_per_segment: 50, source_start_seconds: 0.0 };

    /// A frame at 25/s is 400 ticks on a timescale of 10000.
    fn fragment(first: u64, frames: u32) -> Fragment {
        let data = Bytes::from(format!("[{first}+{frames}]"));
        Fragment { start_ticks: first * 400, samples: frames, duration_ticks: u64::from(frames) * 400, data }
    }

    /// Rows as text: `index:frames:data`.
    fn text(rows: &[Row]) -> Vec<String> {
        rows.iter()
            .map(|row| {
                assert_eq!(row.start_ticks, u64::from(row.index) * 50 * 400);
                assert_eq!(row.duration_ticks, u64::from(row.frames) * 400);
                format!("{}:{}:{}", row.index, row.frames, String::from_utf8_lossy(&row.data))
            })
            .collect()
    }

    fn run(first: u32, last: u32, to_end: bool, fragments: &[(u64, u32)]) -> Result<(Vec<String>, u64), Mismatch> {
        let mut rows = Rows::new(&GRID, first, first, to_end);
        let mut found = Vec::new();
        for &(first, frames) in fragments {
            found.extend(rows.push(fragment(first, frames))?);
        }
        let rest = rows.finish(last)?;
        found.extend(rest.rows);
        Ok((text(&found), rest.end_frame))
    }

    #[test]
    fn a_span_has_whole_rows() {
        let (rows, _) = run(2, 4, false, &[(100, 50), (150, 20), (170, 30)]).expect("right frames");
        assert_eq!(rows, ["2:50:[100+50]", "3:50:[150+20][170+30]"]);
    }

    #[test]
    fn wrong_frames_are_told_apart() {
        type Case = (&'static str, &'static [(u64, u32)], Mismatch);
        let cases: [Case; 6] = [
            ("late start", &[(103, 47)], Mismatch::Start { wanted: 100, got: Some(103) }),
            ("a gap", &[(100, 50), (151, 49)], Mismatch::Gap { wanted: 150, got_ticks: 151 * 400 }),
            ("a long row", &[(100, 51)], Mismatch::Long { first: 100, frames: 51 }),
            ("a row over the edge", &[(100, 30), (130, 30)], Mismatch::Long { first: 130, frames: 60 }),
            ("nothing", &[], Mismatch::Start { wanted: 100, got: None }),
            ("short", &[(100, 50), (150, 49)], Mismatch::Short { wanted: 200, got: 199 }),
        ];
        for (what, fragments, mismatch) in cases {
            assert_eq!(run(2, 4, false, fragments), Err(mismatch), "{what}");
        }
        let mut slow = fragment(100, 50);
        slow.duration_ticks += 1;
        assert!(Rows::new(&GRID, 2, 2, false).push(slow).is_err());
    }

    #[test]
    fn a_short_rest_joins_the_row_before_it() {
        type Case = (&'static [(u64, u32)], &'static [&'static str], u64);
        let cases: [Case; 6] = [
            (&[(100, 50), (150, 50), (200, 7)], &["2:50:[100+50]", "3:57:[150+50][200+7]"], 207),
            (&[(100, 50), (150, 50), (200, 8)], &["2:50:[100+50]", "3:50:[150+50]", "4:8:[200+8]"], 208),
            (&[(100, 50), (150, 50)], &["2:50:[100+50]", "3:50:[150+50]"], 200),
            (&[(100, 50), (150, 1)], &["2:51:[100+50][150+1]"], 151),
            (&[(100, 3)], &["2:3:[100+3]"], 103),
            (&[], &[], 100),
        ];
        for (fragments, rows, end_frame) in cases {
            let expected = rows.iter().map(|row| (*row).to_owned()).collect();
            assert_eq!(run(2, 4, true, fragments), Ok((expected, end_frame)));
        }
    }

    #[test]
    fn a_rest_does_not_join_a_row_that_is_dropped() {
        let mut rows = Rows::new(&GRID, 2, 3, true);
        for (first, frames) in [(100, 50), (150, 2)] {
            assert_eq!(rows.push(fragment(first, frames)), Ok(None));
        }
        let rest = rows.finish(4).expect("right frames");
        assert_eq!(text(&rest.rows), ["2:50:[100+50]", "3:2:[150+2]"]);
    }

    #[test]
    fn a_row_held_back_is_final_once_the_end_is_somebody_elses() {
        let mut rows = Rows::new(&GRID, 2, 2, true);
        assert_eq!(rows.push(fragment(100, 50)), Ok(None));
        assert_eq!(text(&rows.give_up_end().into_iter().collect::<Vec<_>>()), ["2:50:[100+50]"]);
        let next = rows.push(fragment(150, 50)).expect("right frames");
        assert_eq!(text(&next.into_iter().collect::<Vec<_>>()), ["3:50:[150+50]"]);
    }
}
