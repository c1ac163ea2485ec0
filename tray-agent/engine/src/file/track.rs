//! One track of the file: what its init segment says, and a table of its samples gathered from the segments' `moof` boxes.

use std::ops::Range;

use super::boxes::{BadMedia, BoxRef, Fields, boxes, find, need};

/// The parts of an init segment that go into the file.
#[derive(Debug, Clone)]
pub struct TrackInit {
    pub timescale: u32,
    pub language: u16,
    pub display: Display,
    /// `hdlr`, then what `minf` holds besides the tables, then `stsd`: copied as they are.
    pub hdlr: Vec<u8>,
    pub media_header: Vec<u8>,
    pub stsd: Vec<u8>,
    /// Presentation time 0 is at this media time, in ticks; negative when the track begins with an empty edit.
    pub media_time: i64,
    defaults: SampleDefaults,
}

/// How a track is shown, or how loud it is: part of its `tkhd`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Display {
    /// Width and height in 16.16.
    pub size: (u32, u32),
    pub matrix: [u32; 9],
    pub volume: u16,
}

/// Duration, size and flags of samples for which a fragment says nothing.
#[derive(Debug, Clone, Copy, Default)]
struct SampleDefaults {
    duration: u32,
    size: u32,
    flags: u32,
}

/// `sample_is_non_sync_sample` (ISO/IEC 14496-12 §8.8.3.1).
const NON_SYNC: u32 = 0x0001_0000;

impl TrackInit {
    /// Reads an init segment (`ftyp` + `moov`) with exactly one track.
    pub fn read(init: &[u8]) -> Result<Self, BadMedia> {
        let moov = need(init, "moov")?.payload;
        let traks: Vec<BoxRef<'_>> = boxes(moov)?.into_iter().filter(|found| &found.kind == b"trak").collect();
        let [trak] = traks.as_slice() else {
            return Err(BadMedia::Other(format!("an init segment holds {} tracks instead of one", traks.len())));
        };
        let display = read_tkhd(need(trak.payload, "tkhd")?.payload)?;
        let mdia = need(trak.payload, "mdia")?.payload;
        let (timescale, language) = read_mdhd(need(mdia, "mdhd")?.payload)?;
        let minf = need(mdia, "minf")?.payload;
        let media_header = boxes(minf)?.into_iter().filter(|found| &found.kind != b"stbl").flat_map(|found| found.whole).copied();
        let movie_timescale = read_movie_timescale(need(moov, "mvhd")?.payload)?;
        Ok(Self {
            timescale,
            language,
            display,
            hdlr: need(mdia, "hdlr")?.whole.to_vec(),
            media_header: media_header.collect(),
            stsd: need(need(minf, "stbl")?.payload, "stsd")?.whole.to_vec(),
            media_time: match find(trak.payload, "edts")? {
                Some(edts) => read_elst(need(edts.payload, "elst")?.payload, timescale, movie_timescale)?,
                None => 0,
            },
            defaults: match find(moov, "mvex")? {
                Some(mvex) => read_trex(need(mvex.payload, "trex")?.payload)?,
                None => SampleDefaults::default(),
            },
        })
    }
}

fn read_tkhd(payload: &[u8]) -> Result<Display, BadMedia> {
    let mut fields = Fields::new(payload, "tkhd");
    let (version, _) = fields.version_and_flags()?;
    // Times, track id and duration, then layer and alternate group.
    fields.skip(if version == 1 { 32 } else { 20 })?;
    fields.skip(12)?;
    let volume = fields.u16()?;
    fields.skip(2)?;
    let mut matrix = [0; 9];
    for cell in &mut matrix {
        *cell = fields.u32()?;
    }
    Ok(Display { size: (fields.u32()?, fields.u32()?), matrix, volume })
}

fn read_mdhd(payload: &[u8]) -> Result<(u32, u16), BadMedia> {
    let mut fields = Fields::new(payload, "mdhd");
    let (version, _) = fields.version_and_flags()?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    let timescale = fields.u32()?;
    if timescale == 0 {
        return Err(BadMedia::Other("a track has a timescale of 0".to_owned()));
    }
    fields.wide(version)?;
    Ok((timescale, fields.u16()?))
}

fn read_movie_timescale(payload: &[u8]) -> Result<u32, BadMedia> {
    let mut fields = Fields::new(payload, "mvhd");
    let (version, _) = fields.version_and_flags()?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    Ok(fields.u32()?.max(1))
}

/// Edits of a fragmented track: perhaps an empty one, then one that says where the media begins.
fn read_elst(payload: &[u8], timescale: u32, movie_timescale: u32) -> Result<i64, BadMedia> {
    let mut fields = Fields::new(payload, "elst");
    let (version, _) = fields.version_and_flags()?;
    let mut empty_ticks = 0;
    for _ in 0..fields.u32()? {
        let duration = fields.wide(version)?;
        let media_time = if version == 1 { fields.u64()?.cast_signed() } else { i64::from(fields.i32()?) };
        fields.skip(4)?;
        if media_time >= 0 {
            return Ok(media_time - empty_ticks);
        }
        let ticks = u128::from(duration) * u128::from(timescale) / u128::from(movie_timescale);
        empty_ticks += i64::try_from(ticks).map_err(|_| BadMedia::Other("an edit is absurdly long".to_owned()))?;
    }
    Ok(-empty_ticks)
}

fn read_trex(payload: &[u8]) -> Result<SampleDefaults, BadMedia> {
    let mut fields = Fields::new(payload, "trex");
    fields.skip(12)?;
    Ok(SampleDefaults { duration: fields.u32()?, size: fields.u32()?, flags: fields.u32()? })
}

/// Equal values in a row, counted: the form of `stts` and `ctts`.
#[derive(Debug, Clone, Default)]
pub struct Runs<T>(pub Vec<(u32, T)>);

impl<T: Copy + PartialEq> Runs<T> {
    fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some((count, last)) if *last == value => *count += 1,
            _ => self.0.push((1, value)),
        }
    }

    fn pop(&mut self) -> Option<T> {
        let (count, value) = self.0.last_mut()?;
        let value = *value;
        *count -= 1;
        if *count == 0 {
            self.0.pop();
        }
        Some(value)
    }
}

/// The samples of one segment, which lie together in the file.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Decode time of the first sample, in ticks.
    pub start_ticks: u64,
    pub samples: u32,
    pub bytes: u64,
    /// Where in the segment they are.
    pub payload: Vec<Range<u64>>,
}

/// A track's sample table: all that is kept in memory of its media, about ten bytes a frame.
#[derive(Debug, Clone)]
pub struct Track {
    pub init: TrackInit,
    pub durations: Runs<u32>,
    pub offsets: Runs<i32>,
    pub sizes: Vec<u32>,
    /// Sample numbers, counted from 1.
    pub sync: Vec<u32>,
    /// One per segment, in order.
    pub chunks: Vec<Chunk>,
    pub first_ticks: Option<u64>,
    next_ticks: u64,
    /// When the sample that is shown first is shown, and …
    pub first_shown_ticks: i64,
    /// … presentation end of the sample that is shown last, in media ticks as the fragments count them.
    pub end_ticks: i64,
}

impl Track {
    pub fn new(init: TrackInit) -> Self {
        Self {
            init,
            durations: Runs::default(),
            offsets: Runs::default(),
            sizes: Vec::new(),
            sync: Vec::new(),
            chunks: Vec::new(),
            first_ticks: None,
            next_ticks: 0,
            first_shown_ticks: i64::MAX,
            end_ticks: 0,
        }
    }

    /// Sum of all samples' durations.
    pub fn duration_ticks(&self) -> u64 {
        self.next_ticks - self.first_ticks.unwrap_or(0)
    }

    pub fn begin_segment(&mut self) {
        self.chunks.push(Chunk { start_ticks: self.next_ticks, samples: 0, bytes: 0, payload: Vec::new() });
    }

    /// Adds the samples of a `moof` that begins at byte `at` of the current segment.
    pub fn add_fragment(&mut self, moof: &[u8], at: u64) -> Result<(), BadMedia> {
        let trafs: Vec<BoxRef<'_>> = boxes(moof)?.into_iter().filter(|found| &found.kind == b"traf").collect();
        let [traf] = trafs.as_slice() else {
            return Err(BadMedia::Other(format!("a fragment holds {} tracks instead of one", trafs.len())));
        };
        let defaults = read_tfhd(need(traf.payload, "tfhd")?.payload, self.init.defaults)?;
        let mut tfdt = Fields::new(need(traf.payload, "tfdt")?.payload, "tfdt");
        let (version, _) = tfdt.version_and_flags()?;
        self.begin_fragment(tfdt.wide(version)?)?;
        let mut next_byte = at;
        for trun in boxes(traf.payload)?.into_iter().filter(|found| &found.kind == b"trun") {
            next_byte = self.add_run(trun.payload, defaults, at, next_byte)?;
        }
        Ok(())
    }

    /// A progressive file has no times but sums of durations: the sample before lasts until this fragment begins.
    fn begin_fragment(&mut self, start_ticks: u64) -> Result<(), BadMedia> {
        if self.first_ticks.is_none() {
            self.first_ticks = Some(start_ticks);
        } else if start_ticks != self.next_ticks {
            let last = u64::from(self.durations.pop().unwrap_or(0));
            let mended = (last + start_ticks).checked_sub(self.next_ticks).and_then(|ticks| u32::try_from(ticks).ok());
            let mended = mended.filter(|ticks| *ticks > 0).ok_or_else(|| {
                BadMedia::Other(format!(
                    "a fragment begins at tick {start_ticks}, but the one before ends at {}",
                    self.next_ticks
                ))
            })?;
            self.durations.push(mended);
        }
        self.next_ticks = start_ticks;
        if let Some(chunk) = self.chunks.last_mut()
            && chunk.samples == 0
        {
            chunk.start_ticks = start_ticks;
        }
        Ok(())
    }

    /// Returns the byte after the run's last sample.
    fn add_run(&mut self, trun: &[u8], defaults: SampleDefaults, moof_at: u64, next_byte: u64) -> Result<u64, BadMedia> {
        let mut fields = Fields::new(trun, "trun");
        let (_, flags) = fields.version_and_flags()?;
        let has = |flag: u32| flags & flag != 0;
        let count = fields.u32()?;
        let start = if has(0x1) {
            moof_at.checked_add_signed(i64::from(fields.i32()?)).ok_or_else(|| BadMedia::CutOff("trun".to_owned()))?
        } else {
            next_byte
        };
        let mut first_flags = if has(0x4) { Some(fields.u32()?) } else { None };
        let mut end = start;
        for _ in 0..count {
            let duration = if has(0x100) { fields.u32()? } else { defaults.duration };
            let size = if has(0x200) { fields.u32()? } else { defaults.size };
            let mut sample_flags = if has(0x400) { fields.u32()? } else { defaults.flags };
            sample_flags = first_flags.take().unwrap_or(sample_flags);
            // Version 0 calls the offset unsigned, but none is 2³¹ ticks long: one reading serves both.
            let offset = if has(0x800) { fields.i32()? } else { 0 };
            self.add_sample(duration, size, sample_flags, offset);
            end += u64::from(size);
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.samples += count;
            chunk.bytes += end - start;
            match chunk.payload.last_mut() {
                Some(range) if range.end == start => range.end = end,
                Some(range) if range.end > start => {
                    return Err(BadMedia::Other("samples do not lie one after the other".to_owned()));
                }
                _ => chunk.payload.push(start..end),
            }
        }
        Ok(end)
    }

    fn add_sample(&mut self, duration: u32, size: u32, flags: u32, offset: i32) {
        self.durations.push(duration);
        self.offsets.push(offset);
        self.sizes.push(size);
        if flags & NON_SYNC == 0 {
            self.sync.push(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
        }
        let shown = self.next_ticks.cast_signed() + i64::from(offset);
        self.next_ticks += u64::from(duration);
        self.first_shown_ticks = self.first_shown_ticks.min(shown);
        self.end_ticks = self.end_ticks.max(shown + i64::from(duration));
    }
}

fn read_tfhd(payload: &[u8], from_init: SampleDefaults) -> Result<SampleDefaults, BadMedia> {
    let mut fields = Fields::new(payload, "tfhd");
    let (_, flags) = fields.version_and_flags()?;
    fields.skip(4)?;
    if flags & 0x1 != 0 {
        return Err(BadMedia::Other("a fragment counts bytes from the start of a file, not from its `moof`".to_owned()));
    }
    if flags & 0x2 != 0 {
        fields.skip(4)?;
    }
    Ok(SampleDefaults {
        duration: if flags & 0x8 != 0 { fields.u32()? } else { from_init.duration },
        size: if flags & 0x10 != 0 { fields.u32()? } else { from_init.size },
        flags: if flags & 0x20 != 0 { fields.u32()? } else { from_init.flags },
    })
}

#[cfg(test)]
mod tests {
    use super::super::boxes::{put, put_full, put_u32, put_u64};
    use super::*;

    fn track() -> Track {
        Track::new(TrackInit {
            timescale: 1000,
            language: 0,
            display: Display::default(),
            hdlr: Vec::new(),
            media_header: Vec::new(),
            stsd: Vec::new(),
            media_time: 0,
            defaults: SampleDefaults { duration: 40, size: 7, flags: NON_SYNC },
        })
    }

    /// A `moof`'s payload with `frames` samples, the first a keyframe, whose media begins 100 bytes after the `moof`.
    fn moof(start_ticks: u64, frames: u32) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, "traf", |out| {
            put_full(out, "tfhd", 0, 0x20000, |out| put_u32(out, 1));
            put_full(out, "tfdt", 1, 0, |out| put_u64(out, start_ticks));
            put_full(out, "trun", 1, 0x5, |out| {
                put_u32(out, frames);
                put_u32(out, 100);
                put_u32(out, 0);
            });
        });
        out
    }

    #[test]
    fn a_hole_between_fragments_lengthens_the_sample_before_it() {
        // (begin of the second fragment, durations expected; None: the fragments overlap)
        let cases = [
            (80, Some(vec![(4, 40)])),
            (95, Some(vec![(1, 40), (1, 55), (2, 40)])),
            (79, Some(vec![(1, 40), (1, 39), (2, 40)])),
            (40, None),
        ];
        for (start, expected) in cases {
            let mut track = track();
            track.begin_segment();
            let first = track.add_fragment(&moof(0, 2), 0);
            track.begin_segment();
            let second = track.add_fragment(&moof(start, 2), 500);
            assert_eq!(first, Ok(()));
            assert_eq!(second.ok().map(|()| track.durations.0.clone()), expected, "{start}");
            if expected.is_some() {
                assert_eq!(track.sync, [1, 3]);
                assert_eq!(track.chunks[1].start_ticks, start);
                assert_eq!(track.chunks[1].payload, [Range { start: 600, end: 614 }]);
                assert_eq!(track.duration_ticks(), start + 80);
            }
        }
    }

    #[test]
    fn fragments_that_are_cut_off_are_refused() {
        let whole = moof(0, 2);
        for length in 0..whole.len() {
            let mut track = track();
            track.begin_segment();
            assert!(track.add_fragment(&whole[..length], 0).is_err(), "{length}");
        }
    }
}
