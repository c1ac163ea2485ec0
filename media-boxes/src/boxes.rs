//! Boxes of ISO base media (ISO/IEC 14496-12 §4.2): reading them out of memory, and writing them.

/// What is wrong with media that was to be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMedia {
    #[error("a `{0}` box is cut off")]
    CutOff(String),
    #[error("there is no `{0}` box")]
    Missing(&'static str),
    #[error("{0}")]
    Other(String),
}

/// A box's type and what it holds, with the whole of it (header included) for copying.
#[derive(Debug, Clone, Copy)]
pub struct BoxRef<'a> {
    pub kind: [u8; 4],
    pub payload: &'a [u8],
    pub whole: &'a [u8],
}

/// Type and size of the box that begins with `data`; `None` while fewer than 16 bytes are there and the header needs more.
///
/// A size of 0 ("to the end") is refused: nothing that Offpeak reads has it.
pub fn header(data: &[u8]) -> Result<Option<([u8; 4], usize, u64)>, BadMedia> {
    let Some((size, kind)) = data.get(0..4).zip(data.get(4..8)) else { return Ok(None) };
    let kind = array(kind);
    let (header, size) = match u32::from_be_bytes(array(size)) {
        1 => match data.get(8..16) {
            Some(large) => (16, u64::from_be_bytes(array(large))),
            None => return Ok(None),
        },
        small => (8, u64::from(small)),
    };
    if size < header as u64 {
        return Err(BadMedia::CutOff(name(kind)));
    }
    Ok(Some((kind, header, size)))
}

/// The boxes that `data` is made of.
pub fn boxes(mut data: &[u8]) -> Result<Vec<BoxRef<'_>>, BadMedia> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let (kind, header, size) = header(data)?.ok_or_else(|| BadMedia::CutOff("box header".to_owned()))?;
        let size = usize::try_from(size).ok().filter(|size| *size <= data.len()).ok_or_else(|| BadMedia::CutOff(name(kind)))?;
        found.push(BoxRef { kind, payload: &data[header..size], whole: &data[..size] });
        data = &data[size..];
    }
    Ok(found)
}

/// The first box of a type among `data`'s boxes.
pub fn find<'a>(data: &'a [u8], kind: &'static str) -> Result<Option<BoxRef<'a>>, BadMedia> {
    Ok(boxes(data)?.into_iter().find(|found| found.kind == kind.as_bytes()))
}

/// Like [`find`], for boxes that must be there.
pub fn need<'a>(data: &'a [u8], kind: &'static str) -> Result<BoxRef<'a>, BadMedia> {
    find(data, kind)?.ok_or(BadMedia::Missing(kind))
}

/// Reads numbers off the front of a box's payload.
#[derive(Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    kind: &'static str,
}

impl<'a> Fields<'a> {
    pub fn new(payload: &'a [u8], kind: &'static str) -> Self {
        Self { rest: payload, kind }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadMedia> {
        let (head, rest) = self.rest.split_at_checked(N).ok_or_else(|| BadMedia::CutOff(self.kind.to_owned()))?;
        self.rest = rest;
        Ok(array(head))
    }

    pub fn skip(&mut self, bytes: usize) -> Result<(), BadMedia> {
        self.rest = self.rest.get(bytes..).ok_or_else(|| BadMedia::CutOff(self.kind.to_owned()))?;
        Ok(())
    }

    pub fn u16(&mut self) -> Result<u16, BadMedia> {
        self.take().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, BadMedia> {
        self.take().map(u32::from_be_bytes)
    }

    pub fn i32(&mut self) -> Result<i32, BadMedia> {
        self.take().map(i32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, BadMedia> {
        self.take().map(u64::from_be_bytes)
    }

    /// A number of 64 bits in version 1 of a box, of 32 bits in version 0.
    pub fn wide(&mut self, version: u8) -> Result<u64, BadMedia> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }

    /// Version and flags of a full box.
    pub fn version_and_flags(&mut self) -> Result<(u8, u32), BadMedia> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff))
    }
}

/// Appends a box; `fill` writes what it holds.
pub fn put(out: &mut Vec<u8>, kind: &str, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(kind.as_bytes());
    fill(out);
    // A `moov` of 4 GiB would need half a billion frames; the size is checked by whoever uses the result's length.
    let size = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// Like [`put`], for a full box: version and flags come first.
pub fn put_full(out: &mut Vec<u8>, kind: &str, version: u8, flags: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    put(out, kind, |out| {
        put_u32(out, u32::from(version) << 24 | flags);
        fill(out);
    });
}

pub fn put_u16(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_be_bytes());
}

pub fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_be_bytes());
}

pub fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn name(kind: [u8; 4]) -> String {
    kind.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' }).collect()
}

/// Callers pass slices of exactly `N` bytes.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found() {
        let mut data = Vec::new();
        put(&mut data, "free", |_| {});
        put(&mut data, "moov", |out| put_full(out, "mvhd", 1, 7, |out| put_u64(out, 5)));
        let moov = need(&data, "moov").unwrap();
        let mut fields = Fields::new(need(moov.payload, "mvhd").unwrap().payload, "mvhd");
        assert_eq!(fields.version_and_flags().unwrap(), (1, 7));
        assert_eq!(fields.wide(1).unwrap(), 5);
        assert!(fields.u16().is_err());
        assert!(find(&data, "trak").unwrap().is_none());
    }

    #[test]
    fn broken_boxes_are_refused() {
        let cases: [(&str, &[u8]); 5] = [
            ("a header cut off", &[0, 0, 0, 8, b'f']),
            ("a size smaller than the header", &[0, 0, 0, 7, b'f', b'r', b'e', b'e']),
            ("a size of 0", &[0, 0, 0, 0, b'f', b'r', b'e', b'e']),
            ("a box cut off", &[0, 0, 0, 9, b'f', b'r', b'e', b'e']),
            ("a huge box", &[0, 0, 0, 1, b'f', b'r', b'e', b'e', 255, 255, 255, 255, 255, 255, 255, 255]),
        ];
        for (what, data) in cases {
            assert!(boxes(data).is_err(), "{what}");
        }
    }
}
