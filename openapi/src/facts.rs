//! What probing found out about a source.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::media::Ratio;

/// Everything that planning needs to know about a source. All times are the source's own timestamps, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Facts {
    /// The demuxer's name as ffmpeg has it, such as `mov,mp4,m4a,3gp,3g2,mj2` or `mpegts`.
    pub container: String,
    pub bytes: u64,
    /// The stream that will be encoded, if the source has pictures that move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoFacts>,
    /// The sound that will be encoded: the default track, else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<AudioFacts>,
    /// What a person should know although the job goes on, such as a file that ends early.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl Facts {
    /// T0: the earliest start of the chosen streams.
    pub fn start_seconds(&self) -> f64 {
        let starts = [self.video.as_ref().map(|v| v.start_seconds), self.audio.as_ref().map(|a| a.start_seconds)];
        starts.into_iter().flatten().reduce(f64::min).unwrap_or(0.0)
    }

    /// The latest end of the chosen streams.
    pub fn end_seconds(&self) -> f64 {
        let ends = [self.video.as_ref().map(|v| v.end_seconds), self.audio.as_ref().map(|a| a.end_seconds)];
        ends.into_iter().flatten().reduce(f64::max).unwrap_or(0.0)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VideoFacts {
    /// The stream's index in the file.
    pub stream: u32,
    pub codec: String,
    pub pixel_format: String,
    /// Coded size, before rotation and before the sample aspect ratio.
    pub width: u32,
    pub height: u32,
    /// Clockwise turn for display: 0, 90, 180 or 270.
    pub rotation: u32,
    pub sample_aspect: Ratio,
    pub interlaced: bool,
    /// `smpte2084` (PQ), `arib-std-b67` (HLG), `bt709` …, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
    pub start_seconds: f64,
    /// Presentation end: the last frame's time plus its duration.
    pub end_seconds: f64,
    pub frames: u64,
    pub gaps: FrameGaps,
    /// Presentation times of keyframes (decode times where a container has no others), ascending, thinned out to at most
    /// two a second. Left out (empty) where a job is read.
    #[serde(default)]
    pub keyframes_seconds: Vec<f64>,
    /// Frames that are shown before a keyframe but come after it in the file: seeking needs one keyframe more.
    pub open_gop: bool,
}

/// How evenly frames are spaced: enough to choose the output frame rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrameGaps {
    /// The gap that most frames have, in seconds.
    pub usual_seconds: f64,
    /// Share of the gaps (0 to 1) that are within 2 % of `usual_seconds`.
    pub share_usual: f64,
    /// 90th percentile of the instantaneous frame rate, in frames a second.
    pub p90_rate: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioFacts {
    pub stream: u32,
    pub codec: String,
    pub channels: u32,
    pub sample_rate: u32,
    pub start_seconds: f64,
    pub end_seconds: f64,
    /// RFC 5646 tag or ISO 639-2 code, as the file has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Something a person should know about a job that goes on all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Stable name, such as `source_ends_early`.
    pub code: String,
    pub message: String,
}
