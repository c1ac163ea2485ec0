use std::collections::VecDeque;

use offpeak_api::work::Encode;

use super::rows::Mismatch;

/// One way of reading the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct How {
    /// Source seconds; `None` is the start of the file.
    pub seek: Option<f64>,
    /// Whether reading stops where the task says that no frame of the span comes later.
    pub bounded: bool,
    /// Repeat the last picture where frames are missing at the span's end.
    pub fill: bool,
}

/// The ways of reading that are left, best first.
#[derive(Debug)]
pub(super) struct Tries {
    now: How,
    seeks: VecDeque<Option<f64>>,
    /// The best place to begin from which only frames at the end were missing.
    short_from: Option<Option<f64>>,
}

impl Tries {
    pub fn new(work: &Encode) -> Self {
        let mut seeks = VecDeque::from(work.seek_points.clone());
        let seek = seeks.pop_front().flatten();
        Self { now: How { seek, bounded: true, fill: false }, seeks, short_from: None }
    }

    pub fn now(&self) -> How {
        self.now
    }

    /// Goes on to the next place to begin; false when there is none.
    pub fn next_seek(&mut self) -> bool {
        match self.seeks.pop_front() {
            Some(seek) if !self.now.fill => {
                self.now.seek = seek;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Goes on to the next way after a mismatch; gives the mismatch back when there is none.
    ///
    /// A span that is only short at its end may lie before a hole, whose far side is beyond the bound for reading: so the
    /// bound goes first. Then reading begins further and further back. When nothing helps, the source ends there although
    /// its headers say otherwise, and the last picture has to do.
    pub fn next(&mut self, mismatch: Mismatch, to_end: bool) -> Result<(), Mismatch> {
        if self.now.fill {
            return Err(mismatch);
        }
        match mismatch {
            Mismatch::Short { .. } if !to_end => {
                self.short_from.get_or_insert(self.now.seek);
                if self.now.bounded {
                    self.now.bounded = false;
                    return Ok(());
                }
            }
            // Reading began after the span, or a hole is where the span is: the further back, the surer the second.
            Mismatch::Start { got: None, .. } if !to_end => self.short_from = Some(self.now.seek),
            Mismatch::Short { .. } | Mismatch::Start { .. } | Mismatch::Gap { .. } | Mismatch::Long { .. } => {}
        }
        if self.next_seek() {
            return Ok(());
        }
        match self.short_from {
            Some(seek) if !to_end => {
                self.now = How { seek, bounded: false, fill: !self.now.bounded };
                Ok(())
            }
            Some(_) | None => Err(mismatch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(seeks: &[Option<f64>]) -> Tries {
        let mut seeks = VecDeque::from(seeks.to_vec());
        let seek = seeks.pop_front().flatten();
        Tries { now: How { seek, bounded: true, fill: false }, seeks, short_from: None }
    }

    const START: Mismatch = Mismatch::Start { wanted: 1, got: Some(2) };
    const SHORT: Mismatch = Mismatch::Short { wanted: 2, got: 1 };

    #[test]
    fn reading_begins_further_and_further_back() {
        let mut tries = tries(&[Some(8.0), Some(4.0), None]);
        for seek in [Some(4.0), None] {
            assert_eq!(tries.next(START, false), Ok(()));
            assert_eq!(tries.now(), How { seek, bounded: true, fill: false });
        }
        assert_eq!(tries.next(START, false), Err(START));
    }

    #[test]
    fn a_hole_is_read_over_and_filled_only_at_last() {
        let mut tries = tries(&[Some(8.0), None]);
        let expected = [
            How { seek: Some(8.0), bounded: false, fill: false },
            How { seek: None, bounded: false, fill: false },
            How { seek: Some(8.0), bounded: false, fill: true },
        ];
        for how in expected {
            assert_eq!(tries.next(SHORT, false), Ok(()));
            assert_eq!(tries.now(), how);
        }
        assert_eq!(tries.next(SHORT, false), Err(SHORT));
    }

    #[test]
    fn a_span_without_any_frame_may_be_a_seek_too_far() {
        let nothing = Mismatch::Start { wanted: 1, got: None };
        let mut tries = tries(&[Some(8.0), None]);
        let expected = [
            How { seek: None, bounded: true, fill: false },
            How { seek: None, bounded: false, fill: false },
            How { seek: None, bounded: false, fill: true },
        ];
        for how in expected {
            assert_eq!(tries.next(nothing, false), Ok(()));
            assert_eq!(tries.now(), how);
        }
        assert_eq!(tries.next(nothing, false), Err(nothing));
    }

    #[test]
    fn the_end_of_the_presentation_is_never_made_up() {
        for mismatch in [SHORT, Mismatch::Start { wanted: 1, got: None }] {
            assert_eq!(tries(&[None]).next(mismatch, true), Err(mismatch));
        }
    }
}
