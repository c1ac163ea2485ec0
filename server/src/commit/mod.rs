//! Commits: the durable acceptance of finished segments of a leased task.
//!
//! In: what a holder says it uploaded. Out: rows that count, and the task's cursor moved on. What must hold: a commit
//! accepts whole rows from the cursor on; a segment counts once; every segment but the last has exactly the frames that
//! the grid gives it.

pub mod again;
pub mod http;
mod init;
pub mod inspect;
pub mod known;
pub mod pins;
pub mod store;
mod votes;

use std::collections::BTreeMap;

use offpeak_api::{
    lease::SegmentReport,
    media::{FrameGrid, SHORTEST_SEGMENT_FRAMES, ticks_per_frame},
};

use crate::lease::TaskKind;

/// The task that a commit is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub kind: TaskKind,
    pub renditions: &'a [String],
    pub first: u32,
    pub cursor: u32,
    pub last: u32,
    /// The task may go on past its planned `last`: it ends the presentation, or is a whole audio track.
    pub open_end: bool,
    /// Frames of the row before the cursor, if it is one of this task: a row of another length than the grid's ended the film.
    pub frames_before: Option<u32>,
    pub grid: FrameGrid,
}

/// Rows sorted by what is to be done with them.
#[derive(Debug, Default, PartialEq)]
pub struct Sorted<'a> {
    /// Whole rows from the cursor on, in order, without holes.
    pub accepted: Vec<Vec<&'a SegmentReport>>,
    /// Segments of rows before the cursor: repeats, to be compared with what was committed.
    pub repeated: Vec<&'a SegmentReport>,
    /// Rows at or past `last`, or whose frames are in the last row already.
    pub refused: Vec<u32>,
}

/// Why a commit does not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Misfit {
    #[error("this task makes no segments")]
    NoSegments,
    #[error("this task does not make the rendition {0}")]
    UnknownRendition(String),
    #[error("segment {index} of {rendition} is reported twice")]
    Doubled { rendition: String, index: u32 },
    #[error("row {index} lacks {missing}")]
    IncompleteRow { index: u32, missing: String },
    #[error("the next row to commit is {expected}, not {found}")]
    Hole { expected: u32, found: u32 },
    #[error("segment {index} of {rendition} has {frames} frames; the grid gives it {expected}")]
    WrongFrames { rendition: String, index: u32, frames: u32, expected: String },
    #[error("segment {index} of {rendition} begins at tick {found}; the grid says {expected}")]
    WrongStart { rendition: String, index: u32, found: u64, expected: u64 },
    #[error("row {index} is not full, so the presentation ends there; row {next} cannot follow it")]
    AfterTheEnd { index: u32, next: u32 },
    #[error("the renditions of row {index} have different numbers of frames")]
    Disagreement { index: u32 },
    #[error("{what} of segment {index} of {rendition} cannot be true")]
    Implausible { what: &'static str, rendition: String, index: u32 },
}

impl Misfit {
    /// Stable code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSegments | Self::UnknownRendition(_) => "unknown_rendition",
            Self::Doubled { .. } => "doubled_segment",
            Self::IncompleteRow { .. } => "incomplete_row",
            Self::Hole { .. } => "row_out_of_order",
            Self::WrongFrames { .. } => "wrong_frames",
            Self::WrongStart { .. } => "wrong_start",
            Self::AfterTheEnd { .. } => "after_the_end",
            Self::Disagreement { .. } => "renditions_disagree",
            Self::Implausible { .. } => "implausible",
        }
    }
}

/// Sorts reported segments into rows and checks each against the grid.
pub fn sort_rows<'a>(target: &Target<'_>, reports: &'a [SegmentReport]) -> Result<Sorted<'a>, Misfit> {
    if !target.kind.makes_segments() {
        return Err(Misfit::NoSegments);
    }
    let mut rows: BTreeMap<u32, BTreeMap<&str, &SegmentReport>> = BTreeMap::new();
    for report in reports {
        if !target.renditions.contains(&report.rendition) {
            return Err(Misfit::UnknownRendition(report.rendition.clone()));
        }
        if rows.entry(report.index).or_default().insert(&report.rendition, report).is_some() {
            return Err(Misfit::Doubled { rendition: report.rendition.clone(), index: report.index });
        }
    }
    let mut sorted = Sorted::default();
    let mut expected = target.cursor;
    let mut frames_before = target.frames_before;
    for (index, row) in rows {
        if index < target.first {
            return Err(Misfit::Hole { expected, found: index });
        }
        if index < target.cursor {
            sorted.repeated.extend(row.into_values());
            continue;
        }
        if index >= target.last && !target.open_end {
            sorted.refused.push(index);
            continue;
        }
        if index != expected {
            return Err(Misfit::Hole { expected, found: index });
        }
        if target.kind == TaskKind::Encode && frames_before.is_some_and(|before| is_in(&row, before, target.grid)) {
            sorted.refused.push(index);
            continue;
        }
        let mut whole = Vec::with_capacity(target.renditions.len());
        for rendition in target.renditions {
            let report =
                row.get(rendition.as_str()).ok_or_else(|| Misfit::IncompleteRow { index, missing: rendition.clone() })?;
            check_segment(target, report)?;
            whole.push(*report);
        }
        if target.kind == TaskKind::Encode {
            let frames = whole.first().map(|report| report.frames);
            if frames_before.is_some_and(|before| before != target.grid.frames_per_segment) {
                return Err(Misfit::AfterTheEnd { index: index.saturating_sub(1), next: index });
            }
            if whole.iter().any(|report| Some(report.frames) != frames) {
                return Err(Misfit::Disagreement { index });
            }
            frames_before = frames;
        }
        sorted.accepted.push(whole);
        expected += 1;
    }
    Ok(sorted)
}

/// True when a row of `before` frames holds those of the next as well: the short rest of a film that was merged into it. Who
/// goes on behind it, with a lease of its own, cannot know.
fn is_in(next: &BTreeMap<&str, &SegmentReport>, before: u32, grid: FrameGrid) -> bool {
    let merged = before.saturating_sub(grid.frames_per_segment);
    merged > 0 && next.values().all(|report| (1..=merged).contains(&report.frames))
}

/// Far more than any segment has (30 s at 240 frames a second), and far less than would overflow anywhere.
const MOST_FRAMES: u32 = 1 << 20;
/// Years at any timescale; sums of a few such times still fit into 64 bits, and each into a double.
const MOST_TICKS: u64 = 1 << 52;

fn check_segment(target: &Target<'_>, report: &SegmentReport) -> Result<(), Misfit> {
    let implausible = |what| Misfit::Implausible { what, rendition: report.rendition.clone(), index: report.index };
    if report.frames > MOST_FRAMES {
        return Err(implausible("`frames`"));
    }
    if report.start_ticks > MOST_TICKS {
        return Err(implausible("`start_ticks`"));
    }
    if !(1..=MOST_TICKS).contains(&report.duration_ticks) {
        return Err(implausible("`duration_ticks`"));
    }
    if !is_sha256(&report.sha256) {
        return Err(implausible("`sha256`"));
    }
    let full = target.grid.frames_per_segment;
    let wrong = |expected: String| Misfit::WrongFrames {
        rendition: report.rendition.clone(),
        index: report.index,
        frames: report.frames,
        expected,
    };
    match target.kind {
        TaskKind::Encode => {
            // The last segment may be shorter, or have a short rest merged in. Which row is the last only `complete` tells.
            let longest = full + SHORTEST_SEGMENT_FRAMES - 1;
            if target.open_end && !(1..=longest).contains(&report.frames) {
                return Err(wrong(format!("1 to {longest}")));
            }
            if !target.open_end && report.frames != full {
                return Err(wrong(full.to_string()));
            }
            let expected = target.grid.first_frame(report.index) * ticks_per_frame(target.grid.rate);
            if report.start_ticks != expected {
                return Err(Misfit::WrongStart {
                    rendition: report.rendition.clone(),
                    index: report.index,
                    found: report.start_ticks,
                    expected,
                });
            }
            Ok(())
        }
        TaskKind::Audio if report.frames == 0 => Err(wrong("at least 1".to_owned())),
        TaskKind::Audio | TaskKind::Fetch | TaskKind::Probe | TaskKind::File => Ok(()),
    }
}

/// 64 lower-case hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use offpeak_api::media::Ratio;

    use super::*;

    const GRID: FrameGrid = FrameGrid { rate: Ratio { num: 25, den: 1 }, frames_per_segment: 50, source_start_seconds: 0.0 };

    fn report(rendition: &str, index: u32, frames: u32) -> SegmentReport {
        SegmentReport {
            rendition: rendition.to_owned(),
            index,
            attempt: 0,
            frames,
            start_ticks: u64::from(index) * 50 * ticks_per_frame(GRID.rate),
            duration_ticks: u64::from(frames) * ticks_per_frame(GRID.rate),
            bytes: 1,
            sha256: "0".repeat(64),
        }
    }

    fn sort(reports: &[SegmentReport], cursor: u32, open_end: bool) -> Result<(Vec<u32>, usize, Vec<u32>), Misfit> {
        let renditions = ["a".to_owned(), "b".to_owned()];
        let target = Target {
            kind: TaskKind::Encode,
            renditions: &renditions,
            first: 1,
            cursor,
            last: 4,
            open_end,
            frames_before: (cursor > 1).then_some(50),
            grid: GRID,
        };
        sort_rows(&target, reports).map(|s| (s.accepted.iter().map(|row| row[0].index).collect(), s.repeated.len(), s.refused))
    }

    #[test]
    fn whole_rows_from_the_cursor_on_are_accepted() {
        let both = |index, frames| [report("a", index, frames), report("b", index, frames)];
        let rows = |list: &[(u32, u32)]| list.iter().flat_map(|&(index, frames)| both(index, frames)).collect::<Vec<_>>();
        assert_eq!(sort(&rows(&[(2, 50), (3, 50)]), 2, false), Ok((vec![2, 3], 0, vec![])));
        assert_eq!(sort(&rows(&[(1, 50), (2, 50)]), 2, false), Ok((vec![2], 2, vec![])), "a repeat of row 1");
        assert_eq!(sort(&rows(&[(3, 50), (4, 50)]), 3, false), Ok((vec![3], 0, vec![4])), "past last");
        assert_eq!(sort(&rows(&[(3, 50), (4, 9)]), 3, true), Ok((vec![3, 4], 0, vec![])), "the film is longer than planned");
        assert_eq!(sort(&rows(&[(3, 57)]), 3, true), Ok((vec![3], 0, vec![])), "a short rest merged in");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_reason() {
        let code = |reports: &[SegmentReport], open_end| sort(reports, 2, open_end).expect_err("must not fit").code();
        let (a, b) = (report("a", 2, 50), report("b", 2, 50));
        assert_eq!(code(std::slice::from_ref(&a), false), "incomplete_row");
        assert_eq!(code(&[a.clone(), a.clone()], false), "doubled_segment");
        assert_eq!(code(&[report("c", 2, 50)], false), "unknown_rendition");
        assert_eq!(code(&[report("a", 3, 50), report("b", 3, 50)], false), "row_out_of_order");
        assert_eq!(code(&[report("a", 2, 49), b.clone()], false), "wrong_frames");
        assert_eq!(code(&[report("a", 2, 58), b.clone()], true), "wrong_frames");
        assert_eq!(code(&[report("a", 2, 49), b.clone()], true), "renditions_disagree");
        let short = [report("a", 2, 9), report("b", 2, 9), report("a", 3, 50), report("b", 3, 50)];
        assert_eq!(code(&short, true), "after_the_end");
        assert_eq!(code(&[report("a", 0, 50), report("b", 0, 50)], false), "row_out_of_order", "a row of another span");
        for broken in [
            SegmentReport { frames: u32::MAX, ..a.clone() },
            SegmentReport { start_ticks: u64::MAX, ..a.clone() },
            SegmentReport { duration_ticks: u64::MAX, ..a.clone() },
            SegmentReport { duration_ticks: 0, ..a.clone() },
            SegmentReport { sha256: "not a hash".to_owned(), ..a.clone() },
        ] {
            assert_eq!(code(&[broken, b.clone()], true), "implausible");
        }
        // The rest of the film, which an earlier holder merged into row 1.
        let rest = [report("a", 2, 4), report("b", 2, 4)];
        let behind = |merged: u32| {
            let target = Target {
                kind: TaskKind::Encode,
                renditions: &["a".to_owned(), "b".to_owned()],
                first: 1,
                cursor: 2,
                last: 2,
                open_end: true,
                frames_before: Some(50 + merged),
                grid: GRID,
            };
            sort_rows(&target, &rest).map(|sorted| (sorted.accepted.len(), sorted.refused)).map_err(|misfit| misfit.code())
        };
        assert_eq!(behind(4), Ok((0, vec![2])));
        assert_eq!(behind(0), Ok((1, vec![])));
        assert_eq!(behind(3), Err("after_the_end"));
        let late = SegmentReport { start_ticks: a.start_ticks + 1, ..a };
        assert_eq!(code(&[late, b], false), "wrong_start");
    }
}
