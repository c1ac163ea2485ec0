//! Planning: facts and a profile go in; renditions, a frame grid, spans and files come out.
//!
//! Everything here is a pure function of its arguments: no clock, no database, no I/O. What must hold:
//! - nothing is made larger than the source is;
//! - every frame of the grid lies in exactly one segment, and every segment in exactly one span;
//! - only the last span is `to_end`, because only the source knows where its last frame really is.

mod ladder;
mod rate;
mod seek;
mod spans;
#[cfg(test)]
mod tests;

use offpeak_api::{
    facts::{AudioFacts, Facts, VideoFacts},
    media::{FrameGrid, Ratio, SHORTEST_SEGMENT_FRAMES},
    profile::{FileContainer, FileProfile, Profile},
    work::{SourceLimits, VideoFilters, VideoRendition},
};
use serde::{Deserialize, Serialize};

pub use self::{
    seek::{read_until_seconds, seek_points},
    spans::estimated_work,
};

/// The rendition id of the sound.
const AUDIO_RENDITION: &str = "aac-1";

/// Neither side of a picture may be longer than this: H.264 cannot say more.
const LONGEST_SIDE: u32 = 16_384;

/// All that a job will make and how it is cut up. Kept with the job as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub grid: FrameGrid,
    /// Frames of the presentation as far as the facts tell; 0 for a job without pictures.
    pub frames: u64,
    /// Video segments of each rendition; 0 for a job without pictures.
    pub segments: u32,
    /// Highest rung first; empty for a job without pictures.
    pub video: Vec<VideoRendition>,
    pub filters: VideoFilters,
    pub audio: Option<PlannedAudio>,
    /// Front to back, without holes, over `[0, segments)`.
    pub spans: Vec<Span>,
    pub files: Vec<PlannedFile>,
}

/// The one audio track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAudio {
    /// The rendition's id.
    pub id: String,
    pub bitrate_kbps: u32,
    pub channels: u32,
    /// As planned; what the engine says at the end of the task counts.
    pub segments: u32,
}

/// Segments `[first, last)`, encoded in one go in every rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub first: u32,
    pub last: u32,
    /// This span ends the presentation.
    pub to_end: bool,
}

/// A file to be made from finished segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    pub name: String,
    pub container: FileContainer,
    /// Rendition ids of the tracks.
    pub video: Option<String>,
    pub audio: Option<String>,
}

/// Why no plan can be made. The message says what is wrong, [`PlanError::hint`] what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    #[error("the source has neither moving pictures nor sound")]
    NothingToEncode,
    #[error(
        "the {stream} stream of the source lasts no time: it starts at {} s and ends at {} s",
        short(*.start_seconds),
        short(*.end_seconds)
    )]
    Empty { stream: &'static str, start_seconds: f64, end_seconds: f64 },
    #[error("the source lasts {} s, more than the {} s that are allowed", short(*.seconds), short(*.limit_seconds))]
    TooLong { seconds: f64, limit_seconds: f64 },
    #[error("the source's pictures are {width}x{height}, which cannot be encoded")]
    BadPictureSize { width: u32, height: u32 },
    #[error("the profile {profile} cannot be used: {what}")]
    BadProfile { profile: String, what: &'static str },
}

/// `90000`, `0.04`, `1.8e308`: a damaged file can say anything.
fn short(seconds: f64) -> String {
    let thousandths = (seconds * 1000.0).round() / 1000.0;
    if seconds.abs() < 1e9 { format!("{thousandths}") } else { format!("{seconds:.1e}") }
}

impl PlanError {
    /// Stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingToEncode => "nothing_to_encode",
            Self::Empty { .. } => "source_empty",
            Self::TooLong { .. } => "source_too_long",
            Self::BadPictureSize { .. } => "bad_picture_size",
            Self::BadProfile { .. } => "bad_profile",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NothingToEncode => {
                "Submit a video or an audio file; a still picture, a text or a subtitle file has nothing to encode."
            }
            Self::Empty { .. } => "The file is probably damaged or was cut off; export or upload it again.",
            Self::TooLong { .. } => {
                "Cut the source into shorter files. If it is not that long, its timestamps are damaged: remux it first."
            }
            Self::BadPictureSize { .. } => {
                "Scale the source so that no side is longer than 16384 pixels; a size of 0 means a damaged file."
            }
            Self::BadProfile { .. } => "Correct the profile and submit the job again.",
        }
    }
}

/// Decides what a job makes.
///
/// # Errors
/// [`PlanError`] when the source cannot be encoded at all or the profile contradicts itself.
pub fn plan(facts: &Facts, profile: &Profile) -> Result<Plan, PlanError> {
    check_profile(profile, facts.video.is_some())?;
    if facts.video.is_none() && facts.audio.is_none() {
        return Err(PlanError::NothingToEncode);
    }
    if let Some(video) = &facts.video {
        check_stretch("video", video.start_seconds, video.end_seconds)?;
    }
    // Sound that lasts no time beside pictures is a mistake of the file, not a reason to refuse the film.
    let audio = match (&facts.audio, &facts.video) {
        (Some(audio), None) => {
            check_stretch("audio", audio.start_seconds, audio.end_seconds)?;
            Some(audio)
        }
        (Some(audio), Some(_)) => check_stretch("audio", audio.start_seconds, audio.end_seconds).is_ok().then_some(audio),
        (None, _) => None,
    };
    let start_seconds = earliest_start(facts.video.as_ref(), audio);
    let end_seconds = facts.video.as_ref().map_or(f64::MIN, |v| v.end_seconds).max(audio.map_or(f64::MIN, |a| a.end_seconds));
    let limit_seconds = SourceLimits::default().max_seconds;
    if end_seconds - start_seconds > limit_seconds {
        return Err(PlanError::TooLong { seconds: end_seconds - start_seconds, limit_seconds });
    }

    let mut made = match &facts.video {
        Some(video) => plan_video(video, profile, start_seconds)?,
        None => without_video(profile, start_seconds),
    };
    made.audio = audio.map(|audio| plan_audio(audio, profile, &made.grid));
    made.files = profile.files.iter().map(|file| plan_file(file, &made)).collect();
    Ok(made)
}

fn plan_video(video: &VideoFacts, profile: &Profile, start_seconds: f64) -> Result<Plan, PlanError> {
    let rate = rate::choose_rate(video, profile.max_frame_rate);
    let frames_per_segment = (profile.segment_seconds * rate.as_f64()).round().max(f64::from(SHORTEST_SEGMENT_FRAMES)) as u32;
    let grid = FrameGrid { rate, frames_per_segment, source_start_seconds: start_seconds };
    let frames = ((video.end_seconds - start_seconds) * rate.as_f64()).round().max(1.0) as u64;
    let segments = spans::segment_count(frames, frames_per_segment);
    let longest_span = (profile.span_seconds / grid.segment_seconds()).round().max(1.0) as u32;
    Ok(Plan {
        grid,
        frames,
        segments,
        video: ladder::plan_ladder(video, &profile.video)?,
        filters: VideoFilters {
            deinterlace: video.interlaced,
            tone_map: matches!(video.transfer.as_deref(), Some("smpte2084" | "arib-std-b67")),
        },
        audio: None,
        spans: spans::plan_spans(segments, longest_span),
        files: Vec::new(),
    })
}

/// Sound alone: the grid has one "frame" a millisecond and only says where segments begin.
fn without_video(profile: &Profile, start_seconds: f64) -> Plan {
    let rate = Ratio::new(1000, 1);
    let frames_per_segment = (profile.segment_seconds * rate.as_f64()).round() as u32;
    Plan {
        grid: FrameGrid { rate, frames_per_segment, source_start_seconds: start_seconds },
        frames: 0,
        segments: 0,
        video: Vec::new(),
        filters: VideoFilters::default(),
        audio: None,
        spans: Vec::new(),
        files: Vec::new(),
    }
}

fn plan_audio(audio: &AudioFacts, profile: &Profile, grid: &FrameGrid) -> PlannedAudio {
    let seconds = audio.end_seconds - grid.source_start_seconds;
    PlannedAudio {
        id: AUDIO_RENDITION.to_owned(),
        bitrate_kbps: profile.audio.bitrate_kbps,
        channels: profile.audio.channels.min(audio.channels).max(1),
        segments: (seconds / grid.segment_seconds()).ceil().max(1.0) as u32,
    }
}

/// The rung asked for; else the next lower one; else the lowest.
fn plan_file(file: &FileProfile, plan: &Plan) -> PlannedFile {
    let video = match file.height {
        None => plan.video.first(),
        Some(height) => plan.video.iter().find(|made| made.width.min(made.height) <= height).or(plan.video.last()),
    };
    PlannedFile {
        name: file.name.clone(),
        container: file.container,
        video: video.map(|made| made.id.clone()),
        audio: plan.audio.as_ref().map(|audio| audio.id.clone()),
    }
}

fn earliest_start(video: Option<&VideoFacts>, audio: Option<&AudioFacts>) -> f64 {
    let starts = [video.map(|v| v.start_seconds), audio.map(|a| a.start_seconds)];
    starts.into_iter().flatten().reduce(f64::min).unwrap_or(0.0)
}

fn check_stretch(stream: &'static str, start_seconds: f64, end_seconds: f64) -> Result<(), PlanError> {
    // Facts come from another program: NaN and infinity fail here as well.
    if start_seconds.is_finite() && end_seconds.is_finite() && end_seconds > start_seconds {
        Ok(())
    } else {
        Err(PlanError::Empty { stream, start_seconds, end_seconds })
    }
}

fn check_profile(profile: &Profile, with_video: bool) -> Result<(), PlanError> {
    let rungs = &profile.video.ladder;
    let rules = [
        ((1.0..=30.0).contains(&profile.segment_seconds), "segment_seconds must be from 1 to 30"),
        (profile.span_seconds.is_finite() && profile.span_seconds > 0.0, "span_seconds must be more than 0"),
        ((1.0..=240.0).contains(&profile.max_frame_rate), "max_frame_rate must be from 1 to 240"),
        (!with_video || !rungs.is_empty(), "the ladder is empty"),
        (rungs.iter().all(|rung| (2..=LONGEST_SIDE).contains(&rung.height)), "a rung's height must be from 2 to 16384"),
        (rungs.iter().all(|rung| rung.max_kbps > 0), "a rung's max_kbps must be more than 0"),
        ((1..=2).contains(&profile.audio.channels), "audio.channels must be 1 or 2"),
        ((8..=512).contains(&profile.audio.bitrate_kbps), "audio.bitrate_kbps must be from 8 to 512"),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(PlanError::BadProfile { profile: profile.name.clone(), what }),
        None => Ok(()),
    }
}
