//! How frames are spaced, in bounded memory whatever the source's timestamps are.

use std::{cmp::Reverse, collections::BTreeMap, collections::BinaryHeap};

use offpeak_api::facts::FrameGaps;

/// Frames wait here until no earlier one can come: H.264 and HEVC reorder over at most 16 frames, fields count twice.
const REORDER_FRAMES: usize = 40;
/// Gaps are counted in classes of this width (a 20th of a per cent), far below the 2 % that matter. From a microsecond to
/// a day there are 50 000 of them.
const CLASSES_PER_E: f64 = 2000.0;
/// Gaps this near to the usual one count as usual.
const NEAR: f64 = 0.02;

/// Puts presentation times in order and counts the gaps between them.
#[derive(Debug, Default)]
pub struct GapTable {
    waiting: BinaryHeap<Reverse<i64>>,
    last_ticks: Option<i64>,
    /// Count and sum, in ticks, of the gaps of a class.
    classes: BTreeMap<i64, (u64, f64)>,
}

impl GapTable {
    pub fn push(&mut self, shown_ticks: i64) {
        self.waiting.push(Reverse(shown_ticks));
        if self.waiting.len() > REORDER_FRAMES {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(Reverse(ticks)) = self.waiting.pop() else { return };
        if let Some(last) = self.last_ticks
            && ticks > last
        {
            let gap = ticks.abs_diff(last) as f64;
            let class = self.classes.entry((gap.ln() * CLASSES_PER_E).round() as i64).or_default();
            class.0 += 1;
            class.1 += gap;
        }
        self.last_ticks = Some(self.last_ticks.map_or(ticks, |last| last.max(ticks)));
    }

    /// The statistics; `None` when no two frames have different times.
    ///
    /// Containers round times to their ticks (Matroska to milliseconds: 60 frames a second come as 16 and 17 ms). So the
    /// usual gap is the mean of those that rounding could have made of it, and "within 2 %" allows for one tick more.
    pub fn finish(mut self, tick_seconds: f64) -> Option<FrameGaps> {
        while !self.waiting.is_empty() {
            self.pop();
        }
        // (gap in ticks, count), rising.
        let gaps: Vec<(f64, u64)> = self.classes.values().map(|(count, sum)| (sum / *count as f64, *count)).collect();
        let total: u64 = gaps.iter().map(|(_, count)| count).sum();
        let usual = usual_ticks(&gaps)?;
        let is_usual = |gap: f64| (gap - usual).abs() <= NEAR * usual + rounding_ticks(usual);
        let near: u64 = gaps.iter().filter(|(gap, _)| is_usual(*gap)).map(|(_, count)| count).sum();
        // The tenth of the gaps that is shortest is left out; what follows has the 90th percentile of the rate.
        let mut left_out = 0;
        let shortest = gaps.iter().find(|(_, count)| {
            left_out += count;
            left_out * 10 > total
        });
        let shortest = shortest.map_or(usual, |(gap, _)| if is_usual(*gap) { usual } else { *gap });
        Some(FrameGaps {
            usual_seconds: usual * tick_seconds,
            share_usual: near as f64 / total as f64,
            p90_rate: 1.0 / (shortest * tick_seconds),
        })
    }
}

/// What rounding to ticks can add to a gap. Ticks of about a frame (AVI counts frames) are not rounded: there, one gap of
/// two ticks is a frame left out.
fn rounding_ticks(gap: f64) -> f64 {
    if gap >= 3.0 { 1.0 } else { 0.0 }
}

/// The mean of the largest group of gaps that could be one gap, rounded.
fn usual_ticks(gaps: &[(f64, u64)]) -> Option<f64> {
    let mut best: Option<(u64, f64)> = None;
    let mut end = 0;
    let (mut count, mut sum) = (0_u64, 0.0);
    for &(lowest, of_lowest) in gaps {
        // Rounded to ticks, one gap shows as two neighbouring values.
        while let Some((gap, of_gap)) =
            gaps.get(end).filter(|(gap, _)| *gap <= lowest * (1.0 + 2.0 * NEAR) + rounding_ticks(lowest))
        {
            count += of_gap;
            sum += gap * *of_gap as f64;
            end += 1;
        }
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, sum / count as f64));
        }
        count -= of_lowest;
        sum -= lowest * of_lowest as f64;
    }
    best.map(|(_, mean)| mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = i64>, tick_seconds: f64) -> Option<FrameGaps> {
        let mut table = GapTable::default();
        times.into_iter().for_each(|ticks| table.push(ticks));
        table.finish(tick_seconds)
    }

    #[test]
    fn even_rates_are_found_through_rounding() {
        for rate in [10.0, 24000.0 / 1001.0, 25.0, 30000.0 / 1001.0, 30.0, 50.0, 60000.0 / 1001.0, 60.0] {
            for ticks_per_second in [1000.0, 12_800.0, 90_000.0, 1e6] {
                let times = (0..1000).map(|frame| (f64::from(frame) / rate * ticks_per_second).round() as i64);
                let gaps = of(times, 1.0 / ticks_per_second).expect("gaps");
                assert!((gaps.usual_seconds * rate - 1.0).abs() < 0.002, "{rate} {ticks_per_second}: {gaps:?}");
                assert!((gaps.p90_rate / rate - 1.0).abs() < 0.002, "{rate} {ticks_per_second}: {gaps:?}");
                assert_eq!(gaps.share_usual, 1.0, "{rate} {ticks_per_second}");
            }
        }
    }

    #[test]
    fn order_in_the_file_does_not_matter() {
        let pyramid = (0..100).flat_map(|group| [0, 4, 2, 1, 3].map(|frame| (group * 5 + frame) * 3600));
        assert_eq!(of(pyramid, 1.0 / 90_000.0), of((0..500).map(|frame| frame * 3600), 1.0 / 90_000.0));
    }

    #[test]
    fn shares_and_percentiles() {
        struct Case {
            /// In ms, with their counts.
            gaps: &'static [(i64, i64)],
            usual: f64,
            share: f64,
            p90: f64,
        }
        let cases = [
            Case { gaps: &[(40, 95), (400, 5)], usual: 40.0, share: 0.95, p90: 25.0 },
            Case { gaps: &[(40, 50), (20, 40), (10, 10)], usual: 40.0, share: 0.5, p90: 50.0 },
            Case { gaps: &[(1000, 1)], usual: 1000.0, share: 1.0, p90: 1.0 },
            Case { gaps: &[(100, 89), (20, 11)], usual: 100.0, share: 0.89, p90: 50.0 },
        ];
        for Case { gaps, usual, share, p90 } in cases {
            let mut times = vec![0];
            for (gap, count) in gaps {
                (0..*count).for_each(|_| times.push(times.last().copied().unwrap_or(0) + gap * 1000));
            }
            let found = of(times, 1e-6).expect("gaps");
            assert!((found.usual_seconds * 1000.0 - usual).abs() < 0.01, "{gaps:?}: {found:?}");
            assert!((found.share_usual - share).abs() < 1e-9, "{gaps:?}: {found:?}");
            assert!((found.p90_rate - p90).abs() < 0.01, "{gaps:?}: {found:?}");
        }
        assert_eq!(of([], 1.0), None);
        assert_eq!(of([5, 5, 5], 1.0), None);
    }

    #[test]
    fn ticks_of_a_frame_are_exact() {
        let gaps = of((0..100).filter(|frame| *frame != 50), 0.04).expect("gaps");
        assert_eq!((gaps.usual_seconds, gaps.p90_rate), (0.04, 25.0));
        assert!((gaps.share_usual - 97.0 / 98.0).abs() < 1e-9, "{gaps:?}");
    }

    #[test]
    fn hostile_times_take_little_memory() {
        let mut table = GapTable::default();
        let mut ticks = 0_i64;
        for step in 1..500_000 {
            ticks += step;
            table.push(ticks);
        }
        assert!(table.classes.len() < 50_000);
        assert!(table.waiting.len() <= REORDER_FRAMES);
    }
}
