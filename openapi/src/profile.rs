//! Profiles: named data that says which outputs a job makes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Lower-case letters, digits and hyphens.
    #[schema(example = "hls-h264", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// Wanted length of a segment, in seconds (1 to 30). Each is one closed GOP.
    #[serde(default = "default_segment_seconds")]
    pub segment_seconds: f64,
    /// Longest span given to one agent, in seconds of video.
    #[serde(default = "default_span_seconds")]
    pub span_seconds: f64,
    /// Frame rates above this are lowered to it.
    #[serde(default = "default_max_frame_rate")]
    pub max_frame_rate: f64,
    pub video: VideoProfile,
    #[serde(default = "default_audio")]
    pub audio: AudioProfile,
    /// Files made from the finished segments, without encoding again.
    #[serde(default)]
    pub files: Vec<FileProfile>,
    /// Who can watch what is made.
    #[serde(default)]
    pub access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Whoever knows the job's id, which nobody can guess.
    #[default]
    Public,
    /// Whoever has an address that the server signed, until it expires. `GET /v1/jobs/{id}` gives such addresses.
    Signed,
}

fn default_segment_seconds() -> f64 {
    6.0
}
fn default_span_seconds() -> f64 {
    60.0
}
fn default_max_frame_rate() -> f64 {
    60.0
}
fn default_audio() -> AudioProfile {
    AudioProfile { bitrate_kbps: 128, channels: 2 }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoProfile {
    /// Highest rung first. A rung taller than the source is left out; a source between two rungs gets one of its own size.
    pub ladder: Vec<Rung>,
    /// x264's preset, `ultrafast` to `veryslow`.
    #[serde(default = "default_preset")]
    pub preset: X264Preset,
    #[serde(default)]
    pub quality: Quality,
}

fn default_preset() -> X264Preset {
    X264Preset::Medium
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Lines of the shorter side: 1080 is 1920×1080, or 1080×1920 for an upright film.
    pub height: u32,
    /// Cap of the bit rate (VBV), in kbit/s.
    pub max_kbps: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum X264Preset {
    Ultrafast,
    Superfast,
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

impl X264Preset {
    /// The name that x264 knows it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Quality {
    /// Constant rate factor under each rung's cap: lower is better and larger.
    #[schema(title = "CappedCrf")]
    CappedCrf { crf: f32 },
    /// Bit-exact pictures (x264 `-qp 0`), without a cap: for tests and archives.
    #[schema(title = "Lossless")]
    Lossless,
}

impl Default for Quality {
    /// x264's own default.
    fn default() -> Self {
        Self::CappedCrf { crf: 23.0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AudioProfile {
    /// AAC-LC, in kbit/s for all channels together.
    pub bitrate_kbps: u32,
    /// 1 or 2.
    pub channels: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileProfile {
    /// The file's name in the job's outputs, such as `film.mp4`.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub name: String,
    pub container: FileContainer,
    /// The rung to take, by `height`; the highest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileContainer {
    /// Progressive MP4, index first (fast start).
    Mp4,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProfileList {
    pub profiles: Vec<ProfileEntry>,
    /// Pass as `cursor` to get the next page; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProfileEntry {
    /// Comes with Offpeak and cannot be changed.
    pub built_in: bool,
    pub profile: Profile,
}
