//! Pieces in, whole rows out: a row is one segment index in every rendition of the task.
//!
//! Renditions need not be in step with each other, and a step that tried again may send what was there already: the first
//! delivery of a piece wins, because its upload may be under way. Rows come out in order, without a hole.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use offpeak_api::work::Work;

use crate::task::{InitHeader, Piece};

/// How far one rendition may run ahead of another. Encoders of one ffmpeg stay within a segment or two of each other; beyond
/// this something is wrong, and memory would be filled with rows that never become whole.
const MOST_BEGUN_ROWS: usize = 24;

/// Something that a step should never send.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPiece {
    #[error("a piece of rendition {0}, which this task does not make")]
    UnknownRendition(String),
    #[error("a segment of rendition {0} came before its init segment")]
    NoInit(String),
    #[error("rendition {0} is {MOST_BEGUN_ROWS} rows ahead of the slowest one")]
    OutOfStep(String),
}

#[derive(Debug, Clone)]
pub struct Init {
    pub rendition: String,
    pub attempt: u32,
    pub data: Bytes,
    pub header: InitHeader,
}

#[derive(Debug, Clone)]
pub struct Segment {
    pub rendition: String,
    pub index: u32,
    pub attempt: u32,
    pub frames: u32,
    pub start_ticks: u64,
    pub duration_ticks: u64,
    pub data: Bytes,
}

#[derive(Debug)]
pub struct Row {
    pub index: u32,
    /// In the order of the task's renditions.
    pub segments: Vec<Segment>,
    /// The init segment of every rendition, with the first row; none with later ones.
    pub inits: Vec<Init>,
    /// How long its segments last, all renditions together.
    pub seconds: f64,
}

/// What arrived and is not yet a whole row.
#[derive(Debug)]
pub struct Assembly {
    renditions: Vec<String>,
    /// The row that comes out next.
    next: u32,
    begun: BTreeMap<u32, HashMap<String, Segment>>,
    inits: HashMap<String, Init>,
    inits_are_out: bool,
}

impl Assembly {
    /// `renditions` of the task, in its order; rows come out from `cursor` on.
    pub fn new(renditions: Vec<String>, cursor: u32) -> Self {
        Self { renditions, next: cursor, begun: BTreeMap::new(), inits: HashMap::new(), inits_are_out: false }
    }

    /// For this work; work that makes no segments has no renditions, and every piece of it is a bad one.
    pub fn of(work: &Work) -> Self {
        match work {
            Work::Encode(encode) => {
                Self::new(encode.renditions.iter().map(|rendition| rendition.id.clone()).collect(), encode.rows.cursor)
            }
            Work::Audio(audio) => Self::new(vec![audio.rendition.clone()], audio.rows.cursor),
            Work::Fetch(_) | Work::Probe(_) | Work::File(_) => Self::new(Vec::new(), 0),
        }
    }

    pub fn take(&mut self, piece: Piece) -> Result<(), BadPiece> {
        match piece {
            Piece::Init { rendition, attempt, data, header } => {
                self.known(&rendition)?;
                self.inits.entry(rendition.clone()).or_insert(Init { rendition, attempt, data, header });
            }
            Piece::Segment { rendition, index, attempt, frames, start_ticks, duration_ticks, data } => {
                self.known(&rendition)?;
                if !self.inits.contains_key(&rendition) {
                    return Err(BadPiece::NoInit(rendition));
                }
                if index < self.next {
                    return Ok(());
                }
                let row = self.begun.entry(index).or_default();
                let segment = Segment { rendition, index, attempt, frames, start_ticks, duration_ticks, data };
                row.entry(segment.rendition.clone()).or_insert_with(|| segment.clone());
                if self.begun.len() > MOST_BEGUN_ROWS {
                    return Err(BadPiece::OutOfStep(segment.rendition));
                }
            }
        }
        Ok(())
    }

    /// Rows before `cursor` are not wanted any more: somebody else's count.
    pub fn skip_to(&mut self, cursor: u32) {
        if cursor > self.next {
            self.next = cursor;
            self.begun = self.begun.split_off(&cursor);
        }
    }

    /// The next row, if it is whole.
    pub fn next_row(&mut self) -> Option<Row> {
        let mut row =
            self.begun.first_entry().filter(|row| *row.key() == self.next && row.get().len() == self.renditions.len())?;
        let segments: Vec<Segment> = self.renditions.iter().filter_map(|rendition| row.get_mut().remove(rendition)).collect();
        row.remove();
        let index = self.next;
        self.next += 1;
        let inits = if std::mem::replace(&mut self.inits_are_out, true) {
            Vec::new()
        } else {
            self.renditions.iter().filter_map(|rendition| self.inits.get(rendition).cloned()).collect()
        };
        let seconds = segments.iter().filter_map(|segment| {
            let timescale = self.inits.get(&segment.rendition)?.header.timescale;
            Some(segment.duration_ticks as f64 / f64::from(timescale.max(1)))
        });
        Some(Row { index, inits, seconds: seconds.sum(), segments })
    }

    /// Rows that have begun and are not whole. When the step has ended well there are none.
    pub fn begun_rows(&self) -> usize {
        self.begun.len()
    }

    fn known(&self, rendition: &String) -> Result<(), BadPiece> {
        if self.renditions.contains(rendition) { Ok(()) } else { Err(BadPiece::UnknownRendition(rendition.clone())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(rendition: &str, attempt: u32) -> Piece {
        let header =
            InitHeader { fingerprint: "f".to_owned(), codecs: "avc1.64001f".to_owned(), timescale: 12_800, media_time: 0 };
        Piece::Init { rendition: rendition.to_owned(), attempt, data: Bytes::from_static(b"init"), header }
    }

    fn segment(rendition: &str, index: u32, attempt: u32) -> Piece {
        Piece::Segment {
            rendition: rendition.to_owned(),
            index,
            attempt,
            frames: 48,
            start_ticks: 0,
            duration_ticks: 1,
            data: Bytes::from(format!("{rendition}/{index}/{attempt}")),
        }
    }

    /// Index, attempt of every rendition, and how many init segments come along.
    type RowOut = (u32, Vec<(String, u32)>, usize);

    fn rows_out(assembly: &mut Assembly) -> Vec<RowOut> {
        std::iter::from_fn(|| assembly.next_row())
            .map(|row| {
                let segments = row.segments.iter().map(|s| (s.rendition.clone(), s.attempt)).collect();
                (row.index, segments, row.inits.len())
            })
            .collect()
    }

    fn both(a: u32, b: u32) -> Vec<(String, u32)> {
        vec![("a".to_owned(), a), ("b".to_owned(), b)]
    }

    #[test]
    fn rows_come_out_whole_and_in_order() {
        let mut assembly = Assembly::new(vec!["a".to_owned(), "b".to_owned()], 3);
        for piece in [init("b", 0), segment("b", 3, 0), segment("b", 4, 0), init("a", 0)] {
            assembly.take(piece).expect("a fine piece");
            assert!(assembly.next_row().is_none());
        }
        assembly.take(segment("a", 3, 0)).expect("a fine piece");
        assert_eq!(rows_out(&mut assembly), [(3, both(0, 0), 2)]);
        assembly.take(segment("a", 4, 0)).expect("a fine piece");
        assert_eq!(rows_out(&mut assembly), [(4, both(0, 0), 0)]);
        assert_eq!(assembly.begun_rows(), 0);
    }

    #[test]
    fn the_first_delivery_wins() {
        let mut assembly = Assembly::new(vec!["a".to_owned(), "b".to_owned()], 0);
        let first = [init("a", 0), init("b", 0), segment("a", 0, 0), segment("b", 0, 0), segment("a", 1, 0)];
        let second = [init("a", 1), segment("a", 0, 1), segment("b", 0, 1), segment("a", 1, 1), segment("b", 1, 1)];
        for piece in first {
            assembly.take(piece).expect("a fine piece");
        }
        assert_eq!(rows_out(&mut assembly), [(0, both(0, 0), 2)]);
        for piece in second {
            assembly.take(piece).expect("a fine piece");
        }
        assert_eq!(rows_out(&mut assembly), [(1, both(0, 1), 0)]);
        assert_eq!(assembly.begun_rows(), 0);
    }

    #[test]
    fn rows_that_somebody_else_delivered_are_left_out() {
        let mut assembly = Assembly::new(vec!["a".to_owned(), "b".to_owned()], 0);
        for piece in [init("a", 0), init("b", 0), segment("a", 0, 0), segment("a", 1, 0), segment("a", 2, 0)] {
            assembly.take(piece).expect("a fine piece");
        }
        assembly.skip_to(2);
        assembly.skip_to(1);
        for piece in [segment("b", 0, 0), segment("b", 1, 0), segment("b", 2, 0)] {
            assembly.take(piece).expect("a fine piece");
        }
        assert_eq!(rows_out(&mut assembly), [(2, both(0, 0), 2)]);
        assert_eq!(assembly.begun_rows(), 0);
    }

    #[test]
    fn what_a_step_must_not_send_is_told() {
        let mut assembly = Assembly::new(vec!["a".to_owned(), "b".to_owned()], 0);
        assert_eq!(assembly.take(init("c", 0)), Err(BadPiece::UnknownRendition("c".to_owned())));
        assert_eq!(assembly.take(segment("a", 0, 0)), Err(BadPiece::NoInit("a".to_owned())));
        assembly.take(init("a", 0)).expect("a fine piece");
        let result = (0..100).try_for_each(|index| assembly.take(segment("a", index, 0)));
        assert_eq!(result, Err(BadPiece::OutOfStep("a".to_owned())));
    }
}
