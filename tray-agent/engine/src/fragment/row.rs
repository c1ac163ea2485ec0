use bytes::{Bytes, BytesMut};

use super::Fragment;

/// One segment of a rendition, made of whole fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub index: u32,
    /// Video frames, or AAC frames.
    pub frames: u32,
    /// Decode time of the first sample, in the track's timescale.
    pub start_ticks: u64,
    pub duration_ticks: u64,
    pub data: Bytes,
}

impl Row {
    /// The segment `index` that these fragments make up.
    pub fn of(index: u32, fragments: Vec<Fragment>) -> Self {
        let frames = fragments.iter().fold(0_u32, |sum, fragment| sum.saturating_add(fragment.samples));
        let start_ticks = fragments.first().map_or(0, |fragment| fragment.start_ticks);
        let duration_ticks = fragments.iter().fold(0_u64, |sum, fragment| sum.saturating_add(fragment.duration_ticks));
        let data = match <[Fragment; 1]>::try_from(fragments) {
            Ok([only]) => only.data,
            Err(fragments) => concat(fragments.iter().map(|fragment| &fragment.data)),
        };
        Self { index, frames, start_ticks, duration_ticks, data }
    }

    /// This segment with `rest` at its end.
    #[must_use]
    pub fn joined_by(self, rest: Self) -> Self {
        Self {
            index: self.index,
            frames: self.frames.saturating_add(rest.frames),
            start_ticks: self.start_ticks,
            duration_ticks: self.duration_ticks.saturating_add(rest.duration_ticks),
            data: concat([&self.data, &rest.data]),
        }
    }
}

fn concat<'a>(pieces: impl IntoIterator<Item = &'a Bytes>) -> Bytes {
    let mut all = BytesMut::new();
    for piece in pieces {
        all.extend_from_slice(piece);
    }
    all.freeze()
}
