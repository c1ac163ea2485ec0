//! Packaging: committed segments go in, the text of HLS playlists and of the DASH manifest comes out.
//!
//! Pure functions: addresses of media are copied as given, nothing is read. What must hold:
//! - while a job runs, all playlists show the same contiguous front part, and what was shown never changes, only grows;
//! - `TARGETDURATION` and `CODECS` are the same from the first publication on;
//! - times are what players make of them (see `docs/decisions/timing-of-segments.md`): `tfdt` in HLS, after the edit list in DASH.

mod bitrate;
mod dash;
mod hls;
mod page_notes;
#[cfg(test)]
mod tests;

use offpeak_api::{
    media::{FrameGrid, Ratio, SHORTEST_SEGMENT_FRAMES},
    work::{AAC_FRAME_SAMPLES, AAC_FRAMES_PER_FRAGMENT, AUDIO_SAMPLE_RATE},
};

pub use self::{
    dash::mpd,
    hls::{media_playlist, multivariant},
    page_notes::PageNotes,
};

/// What has been committed of a job, and what players must know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Presentation {
    pub grid: FrameGrid,
    /// Highest rung first, then sound. A rendition belongs here once its init segment is pinned; publish only when all do.
    pub renditions: Vec<PackagedRendition>,
    pub notes: PageNotes,
    /// What goes to the end of the addresses of media playlists: nothing, or a signature. Those of media have it already.
    pub query: String,
}

/// A rendition whose init segment is known.
#[derive(Debug, Clone, PartialEq)]
pub struct PackagedRendition {
    /// Such as `h264-720p`: the media playlist's name without `.m3u8`.
    pub id: String,
    pub kind: PackagedKind,
    /// RFC 6381, from the init segment.
    pub codecs: String,
    /// Ticks a second of every time of this rendition.
    pub timescale: u32,
    /// Ticks before presentation time 0, from the init segment's edit list.
    pub media_time: u64,
    /// Relative to the folder of the playlists.
    pub init_uri: String,
    /// The profile's cap: what is announced while true rates are unknown.
    pub max_kbps: u32,
    /// In ascending order of index. What lies behind a hole is not published yet.
    pub segments: Vec<PackagedSegment>,
    /// Nothing will be added: this rendition holds the others back no longer.
    pub complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackagedKind {
    Video { width: u32, height: u32, rate: Ratio },
    Audio { channels: u32 },
}

/// One committed segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedSegment {
    pub index: u32,
    /// Relative to the folder of the playlists: `{prefix}/{rendition}/{index}.m4s`.
    pub uri: String,
    /// `tfdt`, before the edit list.
    pub start_ticks: u64,
    pub duration_ticks: u64,
    pub frames: u32,
    pub bytes: u64,
}

/// Why there is no text to deliver.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("there is no rendition {0}")]
    NoSuchRendition(String),
    #[error("cannot write the playlist: {0}")]
    Hls(#[from] hls_m3u8::Error),
    #[error("cannot write the manifest: {0}")]
    Dash(#[from] std::io::Error),
}

impl Presentation {
    /// Nothing will be added to any rendition.
    pub fn is_complete(&self) -> bool {
        self.renditions.iter().all(|rendition| rendition.complete)
    }

    /// A player could start: two segments (or all) are there in every rendition.
    pub fn is_playable(&self) -> bool {
        let prefix = published_prefix(self);
        prefix >= 2 || (prefix == 1 && self.is_complete())
    }

    /// `TARGETDURATION` of all media playlists.
    pub fn target_duration_seconds(&self) -> u32 {
        target_duration_seconds(&self.grid)
    }
}

/// How many segments, counted from the start, all playlists may show: the least over the renditions that are still growing.
///
/// A complete rendition shows at most that many, too, unless all are complete.
pub fn published_prefix(presentation: &Presentation) -> u32 {
    let growing = presentation.renditions.iter().filter(|rendition| !rendition.complete);
    growing
        .map(PackagedRendition::contiguous)
        .min()
        .or_else(|| presentation.renditions.iter().map(PackagedRendition::contiguous).max())
        .unwrap_or(0)
}

/// The longest a segment of this grid can be, in whole seconds, rounded up.
///
/// RFC 8216 §4.3.3.1: no `EXTINF`, rounded to the nearest integer, may be more, and the value must not change. So it is known
/// before the first segment is: a last segment has up to seven frames more than the others, and sound is cut at fragments,
/// up to one fragment late.
pub fn target_duration_seconds(grid: &FrameGrid) -> u32 {
    let merged_tail = grid.seconds_at(u64::from(SHORTEST_SEGMENT_FRAMES - 1));
    let fragment = f64::from(AAC_FRAME_SAMPLES * AAC_FRAMES_PER_FRAGMENT) / f64::from(AUDIO_SAMPLE_RATE);
    (grid.segment_seconds() + merged_tail.max(fragment)).ceil() as u32
}

/// When a segment is shown, after the edit list, in ticks of its rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    start_ticks: u64,
    duration_ticks: u64,
}

impl PackagedRendition {
    fn is_video(&self) -> bool {
        matches!(self.kind, PackagedKind::Video { .. })
    }

    /// Segments from the first on, up to the first hole.
    fn contiguous(&self) -> u32 {
        (0..)
            .zip(&self.segments)
            .take_while(|(index, segment)| segment.index == *index)
            .map(|(index, _)| index + 1)
            .last()
            .unwrap_or(0)
    }

    fn published(&self, prefix: u32) -> &[PackagedSegment] {
        let length = self.contiguous().min(prefix) as usize;
        self.segments.get(..length).unwrap_or_default()
    }

    /// Applies the edit list.
    ///
    /// Sound: the edit cuts off the encoder's priming, so everything moves up by it, and the first segment gets shorter.
    /// Pictures: the edit undoes the delay of B-frames, so the first picture is shown at `tfdt` exactly.
    fn shown(&self, segment: &PackagedSegment) -> Shown {
        let cut = if self.is_video() { 0 } else { self.media_time };
        let start_ticks = segment.start_ticks.saturating_sub(cut);
        let end_ticks = (segment.start_ticks + segment.duration_ticks).saturating_sub(cut);
        Shown { start_ticks, duration_ticks: end_ticks - start_ticks }
    }

    /// The end of the last published segment, in microseconds of presentation.
    fn end_microseconds(&self, prefix: u32) -> u64 {
        let last = self.published(prefix).last().map(|segment| self.shown(segment));
        last.map_or(0, |shown| self.microseconds(shown.start_ticks + shown.duration_ticks))
    }

    /// Rounded to the nearest.
    fn microseconds(&self, ticks: u64) -> u64 {
        let timescale = u128::from(self.timescale.max(1));
        let microseconds = (u128::from(ticks) * 1_000_000 + timescale / 2) / timescale;
        u64::try_from(microseconds).unwrap_or(u64::MAX)
    }
}
