//! Fragmented MP4 as ffmpeg writes it, cut where fragments begin.
//!
//! In: the bytes of one output, in pieces of any size. Out: its init segment with what that says, then its fragments with
//! their times and sample counts (by the reader of `media-boxes/`, which the server uses too), and segments made of them. What must hold: nothing that ffmpeg could be made to write makes this panic, loop or
//! fill memory; a stream that is not understood is refused.

mod row;

pub use offpeak_boxes::{BadMedia, Fragment, Part, Splitter, TrackInit, parse_init};
pub use row::Row;

#[cfg(test)]
mod tests;
