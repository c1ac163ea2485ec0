use bytes::{Bytes, BytesMut};

use crate::{BadMedia, Defaults, Fragment, MoofHead, TrackInit, boxes::header, parse_init, parse_moof};

/// Largest init segment: real ones have less than 1 kB.
const INIT_LIMIT: u64 = 1 << 20;
/// Largest box of a fragment: 30 s (the longest segment) at 250 Mbit/s, far above any profile, lossless ones included.
const BOX_LIMIT: u64 = 1 << 30;

/// What a [`Splitter`] finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Init { data: Bytes, init: TrackInit },
    Fragment(Fragment),
}

/// Cuts a stream of fragmented MP4 into its init segment and its fragments, holding no more than one of them.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: BytesMut,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Start,
    /// Up to the end of `moov`; this many bytes of the buffer are whole boxes of it.
    Head {
        whole: usize,
    },
    Fragments {
        defaults: Defaults,
        moof: Option<Moof>,
    },
}

#[derive(Debug, Clone, Copy)]
struct Moof {
    bytes: usize,
    head: MoofHead,
}

impl Splitter {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// Whether the stream could end here: no box is begun and not finished.
    pub fn is_between_parts(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next part, once all of it was pushed.
    ///
    /// # Errors
    /// When the stream is not fragmented MP4 of one track, or has a box beyond all reason. It is then of no more use.
    pub fn next_part(&mut self) -> Result<Option<Part>, BadMedia> {
        loop {
            let done = match &self.state {
                State::Start => 0,
                State::Head { whole } => *whole,
                State::Fragments { moof, .. } => moof.map_or(0, |moof| moof.bytes),
            };
            let limit = match &self.state {
                State::Start | State::Head { .. } => INIT_LIMIT,
                State::Fragments { .. } => BOX_LIMIT,
            };
            let rest = self.buffer.get(done..).unwrap_or_default();
            let Some((kind, header_bytes, size)) = header(rest)? else { return Ok(None) };
            if size > limit {
                return Err(BadMedia::Other(format!("a box of {size} bytes is too large")));
            }
            let size = usize::try_from(size).map_err(|_| BadMedia::Other("a box is too large".to_owned()))?;
            if rest.len() < size {
                return Ok(None);
            }
            let payload = &rest[header_bytes..size];
            let end = done + size;
            match (&mut self.state, &kind) {
                (State::Start | State::Head { .. }, b"moov") => {
                    let data = self.buffer.split_to(end).freeze();
                    let init = parse_init(&data)?;
                    self.state = State::Fragments { defaults: init.defaults, moof: None };
                    return Ok(Some(Part::Init { data, init }));
                }
                (State::Start, b"ftyp") => self.state = State::Head { whole: end },
                (State::Head { whole }, b"free" | b"skip") if end as u64 <= INIT_LIMIT => *whole = end,
                (State::Fragments { defaults, moof: moof @ None }, b"moof") => {
                    *moof = Some(Moof { bytes: size, head: parse_moof(payload, *defaults)? });
                }
                (State::Fragments { moof, .. }, b"mdat") if moof.is_some() => {
                    let Some(Moof { head, .. }) = moof.take() else { continue };
                    let MoofHead { start_ticks, samples, duration_ticks, .. } = head;
                    let data = self.buffer.split_to(end).freeze();
                    return Ok(Some(Part::Fragment(Fragment { start_ticks, samples, duration_ticks, data })));
                }
                // Indexes and brands of fragments, and padding: nobody downstream needs them.
                (State::Fragments { moof: None, .. }, b"styp" | b"sidx" | b"mfra" | b"free" | b"skip" | b"prft" | b"emsg") => {
                    let _ = self.buffer.split_to(end);
                }
                (State::Start | State::Head { .. } | State::Fragments { .. }, other) => {
                    return Err(BadMedia::Other(format!("a `{}` box is out of place", String::from_utf8_lossy(other))));
                }
            }
        }
    }
}
