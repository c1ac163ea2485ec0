use crate::{
    boxes::{BadMedia, header},
    moof::{Defaults, MoofHead, parse_moof},
};

/// The `moof` of 30 s at 240 frames a second takes 115 kB.
const MOST_MOOF_BYTES: u64 = 512 << 10;
/// Fragments of a segment: 30 s of sound in pieces of 256 ms are 118.
const MOST_FRAGMENTS: u32 = 512;

/// Walks over the boxes of one segment without its media: says which bytes it needs, and skips what they announce.
///
/// ```text
/// let mut walk = Walk::new(segment_bytes);
/// loop {
///     match walk.next()? {
///         Step::Need { at, bytes } => walk.feed(&read(at, bytes))?,
///         Step::Done(sum) => break sum,
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Walk {
    total: u64,
    at: u64,
    /// Bytes wanted at `at`.
    wanted: u64,
    moof: Option<MoofHead>,
    sum: Option<MoofHead>,
    fragments: u32,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To be fed with these bytes of the segment; more of them do no harm, and save asking.
    Need { at: u64, bytes: u64 },
    /// The whole segment: start of the first fragment, and sums over all of them.
    Done(MoofHead),
}

const HEADER_BYTES: u64 = 16;

impl Walk {
    /// Over a segment of this length.
    pub fn new(total: u64) -> Self {
        Self { total, at: 0, wanted: HEADER_BYTES, moof: None, sum: None, fragments: 0 }
    }

    /// # Errors
    /// When the segment ends within a fragment, or holds none.
    pub fn next(&self) -> Result<Step, BadMedia> {
        if self.at < self.total {
            return Ok(Step::Need { at: self.at, bytes: self.wanted.min(self.total - self.at) });
        }
        match (&self.moof, self.sum) {
            (None, Some(sum)) => Ok(Step::Done(sum)),
            (None, None) => Err(BadMedia::Missing("moof")),
            (Some(_), _) => Err(BadMedia::Missing("mdat")),
        }
    }

    /// Takes the bytes from [`Step::Need`]'s place on, as many as there are.
    ///
    /// # Errors
    /// When they are not those of fragments, or too few.
    pub fn feed(&mut self, mut data: &[u8]) -> Result<(), BadMedia> {
        let begun_at = self.at;
        while self.at < self.total {
            let Some((kind, header_bytes, size)) = header(data)? else {
                return self.more(HEADER_BYTES, begun_at);
            };
            if size > self.total - self.at {
                return Err(BadMedia::CutOff(String::from_utf8_lossy(&kind).into_owned()));
            }
            match (&kind, self.moof) {
                (b"moof", None) => {
                    if size > MOST_MOOF_BYTES {
                        return Err(BadMedia::Other(format!("a `moof` of {size} bytes is too large")));
                    }
                    let whole = usize::try_from(size).ok().and_then(|size| data.get(..size));
                    let Some(whole) = whole else { return self.more(size, begun_at) };
                    self.moof = Some(parse_moof(&whole[header_bytes..], Defaults::default())?);
                }
                (b"mdat", Some(head)) => {
                    let media = size - header_bytes as u64;
                    if head.sample_bytes != media {
                        return Err(BadMedia::Other(format!("samples of {} bytes lie in {media} bytes", head.sample_bytes)));
                    }
                    self.add(head)?;
                    self.moof = None;
                }
                (b"styp" | b"sidx" | b"prft" | b"emsg" | b"free" | b"skip", None) => {}
                (other, _) => {
                    return Err(BadMedia::Other(format!("a `{}` box is out of place", String::from_utf8_lossy(other))));
                }
            }
            self.at += size;
            self.wanted = HEADER_BYTES;
            match usize::try_from(size).ok().and_then(|size| data.get(size..)) {
                Some(rest) if !rest.is_empty() => data = rest,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Asks for more at the present place; in vain if that is where it was fed from with as much already.
    fn more(&mut self, bytes: u64, begun_at: u64) -> Result<(), BadMedia> {
        if begun_at == self.at && (self.wanted >= bytes || bytes > self.total - self.at) {
            return Err(BadMedia::CutOff("segment".to_owned()));
        }
        self.wanted = bytes;
        Ok(())
    }

    fn add(&mut self, head: MoofHead) -> Result<(), BadMedia> {
        self.fragments += 1;
        if self.fragments > MOST_FRAGMENTS {
            return Err(BadMedia::Other(format!("there are more than {MOST_FRAGMENTS} fragments")));
        }
        self.sum = Some(match self.sum {
            None => head,
            Some(sum) if head.start_ticks != sum.start_ticks.saturating_add(sum.duration_ticks) => {
                return Err(BadMedia::Other(format!(
                    "a fragment begins at tick {} where another ends elsewhere",
                    head.start_ticks
                )));
            }
            Some(sum) => MoofHead {
                start_ticks: sum.start_ticks,
                samples: sum.samples.saturating_add(head.samples),
                duration_ticks: sum.duration_ticks.saturating_add(head.duration_ticks),
                sample_bytes: sum.sample_bytes.saturating_add(head.sample_bytes),
            },
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::{put, put_full, put_u32, put_u64};

    /// A fragment of `frames` samples of 7 bytes and 40 ticks, with `media` bytes.
    fn fragment(start: u64, frames: u32, media: usize) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, "moof", |out| {
            put_full(out, "mfhd", 0, 0, |out| put_u32(out, 1));
            put(out, "traf", |out| {
                put_full(out, "tfhd", 0, 0x0002_0018, |out| {
                    put_u32(out, 1);
                    put_u32(out, 40);
                    put_u32(out, 7);
                });
                put_full(out, "tfdt", 1, 0, |out| put_u64(out, start));
                put_full(out, "trun", 1, 0x1, |out| {
                    put_u32(out, frames);
                    put_u32(out, 100);
                });
            });
        });
        put(&mut out, "mdat", |out| out.extend(vec![0xaa; media]));
        out
    }

    /// Walks, giving `extra` bytes more than asked for; the sum, and how often it asked.
    fn walk(data: &[u8], extra: usize) -> Result<(MoofHead, u32), BadMedia> {
        let mut walk = Walk::new(data.len() as u64);
        for reads in 0..10_000 {
            match walk.next()? {
                Step::Done(sum) => return Ok((sum, reads)),
                Step::Need { at, bytes } => {
                    let (at, bytes) = (at as usize, bytes as usize);
                    assert!(bytes > 0 && at + bytes <= data.len(), "{at} {bytes}");
                    walk.feed(&data[at..(at + bytes + extra).min(data.len())])?;
                }
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn fragments_are_summed_up_without_their_media() {
        let data = [fragment(400, 5, 35), fragment(600, 2, 14)].concat();
        let sum = MoofHead { start_ticks: 400, samples: 7, duration_ticks: 280, sample_bytes: 49 };
        assert_eq!(walk(&data, 0), Ok((sum, 6)));
        assert_eq!(walk(&data, 1 << 16), Ok((sum, 1)));
        for extra in 0..data.len() {
            assert_eq!(walk(&data, extra).map(|(sum, _)| sum), Ok(sum), "{extra}");
        }
    }

    #[test]
    fn what_is_not_whole_or_not_so_is_refused() {
        let good = fragment(400, 5, 35);
        for extra in [0, 64, 1 << 16] {
            for length in 0..good.len() {
                assert!(walk(&good[..length], extra).is_err(), "{length}");
            }
            let cases: [(&str, Vec<u8>); 6] = [
                ("media of another size", fragment(400, 5, 34)),
                ("a hole", [good.clone(), fragment(601, 1, 7)].concat()),
                ("no media", [good.clone(), good[..good.len() - 43].to_vec()].concat()),
                ("an init segment", [b"\0\0\0\x08ftyp".to_vec(), good.clone()].concat()),
                ("noise", vec![0x5a; 300]),
                ("a size beyond all bounds", [good.clone(), b"\0\0\0\x01free\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()].concat()),
            ];
            for (what, data) in cases {
                assert!(walk(&data, extra).is_err(), "{what}");
            }
        }
        let claims = fragment(400, 1 << 30, 35);
        assert!(walk(&claims, 0).is_err());
    }
}
