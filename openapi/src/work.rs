//! What a lease asks an engine to do: typed specs, never command lines.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ids::SourceId,
    media::FrameGrid,
    profile::{FileContainer, Quality, X264Preset},
};

/// A task's kind and all that the engine needs to do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    #[schema(title = "FetchWork")]
    Fetch(Fetch),
    #[schema(title = "ProbeWork")]
    Probe(Probe),
    #[schema(title = "EncodeWork")]
    Encode(Encode),
    #[schema(title = "AudioWork")]
    Audio(Audio),
    #[schema(title = "FileWork")]
    File(File),
}

/// Where the source's bytes are. The address expires; heartbeats bring fresh ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceAddress {
    /// Answers GET with ranges; absolute, or relative to the server's address.
    pub url: String,
    pub bytes: u64,
    pub expires_in_seconds: u64,
}

/// Stream a URL into storage. The engine appends with the tus protocol to `/v1/uploads/{source}`, which accepts the holder
/// of this lease; the length may become known only at the end (`Upload-Length` on the last PATCH).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fetch {
    pub url: String,
    pub source: SourceId,
    pub max_bytes: u64,
    /// Hosts (`media.office.lan`, `*.office.lan`) and networks (`10.1.0.0/16`) that may be called although they are not public:
    /// the server's setting. Everything else that is not public is refused, at redirects too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
}

/// Read the source's headers and packet times; complete with facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    pub source: SourceAddress,
    pub limits: SourceLimits,
}

/// What a source may ask of a machine. Beyond them a probe fails, blaming the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceLimits {
    /// Width × height of the coded picture.
    pub max_pixels: u64,
    /// Longest presentation, in seconds.
    pub max_seconds: f64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        // 36 million pixels is 8K with room: a 200 kB file of 8192² made ffmpeg take 4 GB. A day is longer than any film.
        Self { max_pixels: 36_000_000, max_seconds: 24.0 * 3600.0 }
    }
}

/// Encode the rows `[cursor, last)` in every rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Encode {
    pub source: SourceAddress,
    /// The demuxer to use, as probing found it.
    pub container: String,
    pub stream: u32,
    pub grid: FrameGrid,
    pub rows: Rows,
    /// This span ends the presentation: go on to the source's end, and say where it was.
    pub to_end: bool,
    /// Where to start reading, in the source's seconds, best first; `null` is the start of the file. The engine goes down
    /// the list when the frames that came out are not the ones asked for.
    pub seek_points: Vec<Option<f64>>,
    /// A bound for reading: no frame of this span comes from later than this (source seconds). Absent for `to_end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_until_seconds: Option<f64>,
    pub filters: VideoFilters,
    pub renditions: Vec<VideoRendition>,
}

/// Segment indices: `[cursor, last)` is left to do, `[first, cursor)` is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rows {
    pub first: u32,
    pub cursor: u32,
    pub last: u32,
}

/// What happens to pictures before they are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct VideoFilters {
    pub deinterlace: bool,
    /// PQ or HLG into BT.709.
    pub tone_map: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VideoRendition {
    /// Its name in addresses, such as `h264-1080p`.
    pub id: String,
    /// Size of the encoded picture: even, square pixels, rotated upright.
    pub width: u32,
    pub height: u32,
    pub max_kbps: u32,
    pub preset: X264Preset,
    pub quality: Quality,
}

/// Encode the whole track from its start; upload from `rows.cursor` on.
///
/// Segment `i` begins at the first fragment (12 AAC frames) whose time is at or after `grid.segment_start_seconds(i)`;
/// an index beyond `rows.last` is welcome when the track is longer than planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Audio {
    pub source: SourceAddress,
    pub container: String,
    pub stream: u32,
    pub grid: FrameGrid,
    pub rows: Rows,
    /// Such as `aac-1`.
    pub rendition: String,
    pub bitrate_kbps: u32,
    pub channels: u32,
}

/// AAC is made at this rate whatever the source has.
pub const AUDIO_SAMPLE_RATE: u32 = 48_000;
/// Samples of one AAC frame.
pub const AAC_FRAME_SAMPLES: u32 = 1024;
/// AAC frames of one fragment: 256 ms, so that audio segments begin within a quarter second of video segments.
pub const AAC_FRAMES_PER_FRAGMENT: u32 = 12;

/// Make one file from committed segments without encoding again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct File {
    pub name: String,
    pub container: FileContainer,
    pub tracks: Vec<FileTrack>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileTrack {
    pub rendition: String,
    pub init: StoredObject,
    /// In order of presentation, without holes.
    pub segments: Vec<StoredObject>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoredObject {
    /// Answers GET with ranges; absolute, or relative to the server's address.
    pub url: String,
    pub bytes: u64,
    pub sha256: String,
}
