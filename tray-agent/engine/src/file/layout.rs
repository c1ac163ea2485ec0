//! The whole file on paper: order of the chunks, and the bytes in front of them (`ftyp`, `moov`, header of `mdat`).

use super::boxes::{BadMedia, put, put_full, put_u16, put_u32, put_u64};
use super::track::Track;

/// Which segment of which track comes next in `mdat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub track: usize,
    pub segment: usize,
}

/// A file that is ready to be written: `header`, then the payload of every place in order.
#[derive(Debug)]
pub struct Layout {
    pub header: Vec<u8>,
    pub order: Vec<Place>,
    pub tracks: Vec<Track>,
    /// Length of the whole file.
    pub bytes: u64,
}

/// Above this, exactness of the movie's timescale is given up for a number that players are used to.
const LARGEST_MOVIE_TIMESCALE: u64 = 1_000_000;

impl Layout {
    pub fn new(tracks: Vec<Track>) -> Result<Self, BadMedia> {
        if tracks.iter().any(|track| track.sizes.is_empty()) {
            return Err(BadMedia::Other("a track has no frames".to_owned()));
        }
        let order = interleave(&tracks);
        let media_bytes: u64 = tracks.iter().flat_map(|track| &track.chunks).map(|chunk| chunk.bytes).sum();

        let mut mdat = Vec::new();
        match u32::try_from(media_bytes + 8) {
            Ok(size) => put_u32(&mut mdat, size),
            Err(_) => put_u32(&mut mdat, 1),
        }
        mdat.extend_from_slice(b"mdat");
        if media_bytes + 8 > u64::from(u32::MAX) {
            put_u64(&mut mdat, media_bytes + 16);
        }

        // The index holds offsets that depend on its own length: once with zeroes for the length, then with the truth. A
        // margin of 64 MiB for the index keeps the choice of 32 or 64 bits from depending on it, too.
        let wide = media_bytes > u64::from(u32::MAX) - (64 << 20);
        let nowhere: Vec<Vec<u64>> = tracks.iter().map(|track| vec![0; track.chunks.len()]).collect();
        let mut header = ftyp();
        let front = (header.len() + moov(&tracks, &nowhere, wide)?.len() + mdat.len()) as u64;
        let (offsets, end) = offsets(&tracks, &order, front);
        header.extend(moov(&tracks, &offsets, wide)?);
        header.extend(mdat);
        Ok(Self { header, order, tracks, bytes: end })
    }
}

/// Chunks by presentation time, so that a player that reads from the front has picture and sound together.
fn interleave(tracks: &[Track]) -> Vec<Place> {
    let mut places: Vec<(f64, Place)> = Vec::new();
    for (track, table) in tracks.iter().enumerate() {
        for (segment, chunk) in table.chunks.iter().enumerate().filter(|(_, chunk)| chunk.samples > 0) {
            let ticks = chunk.start_ticks as f64 - table.init.media_time as f64;
            places.push((ticks / f64::from(table.init.timescale), Place { track, segment }));
        }
    }
    // Stable: of chunks that begin together, the first track's comes first.
    places.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    places.into_iter().map(|(_, place)| place).collect()
}

/// Where every non-empty chunk begins, by track; and the end of the file.
fn offsets(tracks: &[Track], order: &[Place], front: u64) -> (Vec<Vec<u64>>, u64) {
    let mut offsets: Vec<Vec<u64>> = tracks.iter().map(|track| vec![0; track.chunks.len()]).collect();
    let mut at = front;
    for place in order {
        offsets[place.track][place.segment] = at;
        at += tracks[place.track].chunks[place.segment].bytes;
    }
    (offsets, at)
}

fn ftyp() -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, "ftyp", |out| {
        out.extend_from_slice(b"isom");
        put_u32(out, 0x200);
        out.extend_from_slice(b"isomiso2mp41");
    });
    out
}

/// A timescale in which the tracks' durations are whole numbers, if a reasonable one exists.
fn movie_timescale(tracks: &[Track]) -> u32 {
    let gcd = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let scales = tracks.iter().map(|track| u64::from(track.init.timescale));
    let common = scales.fold(1, |all, scale| if all > LARGEST_MOVIE_TIMESCALE { all } else { all / gcd(all, scale) * scale });
    let first = tracks.first().map_or(1000, |track| track.init.timescale);
    u32::try_from(common).ok().filter(|scale| u64::from(*scale) <= LARGEST_MOVIE_TIMESCALE).unwrap_or(first)
}

/// A track's edits on the file's own timeline, in which its first sample is decoded at 0.
struct Edits {
    /// Nothing is shown for so long first, in movie ticks.
    empty: u64,
    /// Then the media from here on, in track ticks, …
    media_time: u64,
    /// … for so long, in movie ticks.
    shown: u64,
}

impl Edits {
    /// The fragments' times are absolute and the init segment's edit says which of them is presentation time 0. Without
    /// times of its own, the file must say the same through the edit alone, or picture and sound would part.
    fn new(track: &Track, movie_timescale: u32) -> Self {
        let first = track.first_ticks.unwrap_or(0).cast_signed();
        let to_movie = |ticks: u64| -> u64 {
            let (scale, movie) = (u128::from(track.init.timescale), u128::from(movie_timescale));
            u64::try_from((u128::from(ticks) * movie + scale / 2) / scale).unwrap_or(u64::MAX)
        };
        // An edit that begins before the first picture leaves it to the player whether that picture is held back or shown
        // at once (ffmpeg: at once); so an empty edit lasts until the first picture, and the media begins with it.
        let shown_from = track.init.media_time.max(track.first_shown_ticks);
        Self {
            empty: to_movie(shown_from.abs_diff(track.init.media_time)),
            media_time: (shown_from - first).max(0).unsigned_abs(),
            shown: to_movie((track.end_ticks - shown_from).max(0).unsigned_abs()),
        }
    }
}

fn moov(tracks: &[Track], offsets: &[Vec<u64>], wide: bool) -> Result<Vec<u8>, BadMedia> {
    let timescale = movie_timescale(tracks);
    let edits: Vec<Edits> = tracks.iter().map(|track| Edits::new(track, timescale)).collect();
    let duration = edits.iter().map(|edit| edit.empty + edit.shown).max().unwrap_or(0);
    let mut out = Vec::new();
    put(&mut out, "moov", |out| {
        put_full(out, "mvhd", 1, 0, |out| {
            out.extend_from_slice(&[0; 16]);
            put_u32(out, timescale);
            put_u64(out, duration);
            put_u32(out, 0x0001_0000);
            put_u16(out, 0x0100);
            out.extend_from_slice(&[0; 10]);
            for cell in [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] {
                put_u32(out, cell);
            }
            out.extend_from_slice(&[0; 24]);
            put_u32(out, tracks.len() as u32 + 1);
        });
        for (index, ((track, edit), offsets)) in tracks.iter().zip(&edits).zip(offsets).enumerate() {
            put(out, "trak", |out| trak(out, index as u32 + 1, track, edit, offsets, wide));
        }
    });
    if u32::try_from(out.len()).is_err() {
        return Err(BadMedia::Other("the film has too many frames for an index of 4 GiB".to_owned()));
    }
    Ok(out)
}

fn trak(out: &mut Vec<u8>, id: u32, track: &Track, edit: &Edits, offsets: &[u64], wide: bool) {
    // Enabled, and part of the presentation.
    put_full(out, "tkhd", 1, 3, |out| {
        out.extend_from_slice(&[0; 16]);
        put_u32(out, id);
        put_u32(out, 0);
        put_u64(out, edit.empty + edit.shown);
        out.extend_from_slice(&[0; 12]);
        put_u16(out, track.init.display.volume);
        put_u16(out, 0);
        for cell in track.init.display.matrix {
            put_u32(out, cell);
        }
        put_u32(out, track.init.display.size.0);
        put_u32(out, track.init.display.size.1);
    });
    put(out, "edts", |out| {
        put_full(out, "elst", 1, 0, |out| {
            put_u32(out, if edit.empty > 0 { 2 } else { 1 });
            if edit.empty > 0 {
                put_u64(out, edit.empty);
                put_u64(out, u64::MAX);
                put_u32(out, 0x0001_0000);
            }
            put_u64(out, edit.shown);
            put_u64(out, edit.media_time);
            put_u32(out, 0x0001_0000);
        });
    });
    put(out, "mdia", |out| {
        put_full(out, "mdhd", 1, 0, |out| {
            out.extend_from_slice(&[0; 16]);
            put_u32(out, track.init.timescale);
            put_u64(out, track.duration_ticks());
            put_u16(out, track.init.language);
            put_u16(out, 0);
        });
        out.extend_from_slice(&track.init.hdlr);
        put(out, "minf", |out| {
            out.extend_from_slice(&track.init.media_header);
            put(out, "stbl", |out| stbl(out, track, offsets, wide));
        });
    });
}

fn stbl(out: &mut Vec<u8>, track: &Track, offsets: &[u64], wide: bool) {
    out.extend_from_slice(&track.init.stsd);
    put_full(out, "stts", 0, 0, |out| {
        put_u32(out, track.durations.0.len() as u32);
        for (count, duration) in &track.durations.0 {
            put_u32(out, *count);
            put_u32(out, *duration);
        }
    });
    if track.offsets.0.iter().any(|(_, offset)| *offset != 0) {
        let negative = track.offsets.0.iter().any(|(_, offset)| *offset < 0);
        put_full(out, "ctts", u8::from(negative), 0, |out| {
            put_u32(out, track.offsets.0.len() as u32);
            for (count, offset) in &track.offsets.0 {
                put_u32(out, *count);
                put_u32(out, offset.cast_unsigned());
            }
        });
    }
    // Without the box, every sample is one to start from.
    if track.sync.len() < track.sizes.len() {
        put_full(out, "stss", 0, 0, |out| {
            put_u32(out, track.sync.len() as u32);
            track.sync.iter().for_each(|sample| put_u32(out, *sample));
        });
    }
    let chunks: Vec<(u32, u64)> =
        track.chunks.iter().zip(offsets).filter(|(chunk, _)| chunk.samples > 0).map(|(chunk, at)| (chunk.samples, *at)).collect();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (index, (samples, _)) in chunks.iter().enumerate() {
        if runs.last().is_none_or(|(_, last)| last != samples) {
            runs.push((index as u32 + 1, *samples));
        }
    }
    put_full(out, "stsc", 0, 0, |out| {
        put_u32(out, runs.len() as u32);
        for (first_chunk, samples) in runs {
            put_u32(out, first_chunk);
            put_u32(out, samples);
            put_u32(out, 1);
        }
    });
    put_full(out, "stsz", 0, 0, |out| {
        put_u32(out, 0);
        put_u32(out, track.sizes.len() as u32);
        track.sizes.iter().for_each(|size| put_u32(out, *size));
    });
    put_full(out, if wide { "co64" } else { "stco" }, 0, 0, |out| {
        put_u32(out, chunks.len() as u32);
        for (_, at) in chunks {
            match wide {
                true => put_u64(out, at),
                false => put_u32(out, at as u32),
            }
        }
    });
}
