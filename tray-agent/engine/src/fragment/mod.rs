//! Fragmented MP4 as ffmpeg writes it, cut where fragments begin.
//!
//! In: the bytes of one output, in pieces of any size. Out: its init segment with what that says, then its fragments with
//! their times and sample counts. What must hold: nothing that ffmpeg could be made to write makes this panic, loop or
//! fill memory; a stream that is not understood is refused.

mod moof;
mod row;
mod splitter;

pub use moof::Fragment;
pub use row::Row;
pub use splitter::{Part, Splitter};

pub use offpeak_boxes::{BadMedia, TrackInit, parse_init};
