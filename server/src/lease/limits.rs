//! What an agent may say: sizes that no honest engine reaches, so that none can fill the database or spoil an estimate.

use offpeak_api::{
    facts::Warning,
    lease::{Capabilities, Heartbeat, LeaseRequest, ObjectName, Progress, SandboxReport, TaskResult, UploadObject},
    plain::{one_line, short},
};

use crate::{commit::is_sha256, error::ApiError};

const LONGEST_REQUEST_ID: usize = 64;
const LONGEST_WORD: usize = 200;
const MOST_ENCODERS: usize = 64;
const WALLS: usize = 4;
const LONGEST_REASON: usize = 500;
const MOST_OBJECTS: usize = 256;
/// A segment of lossless 4K has a gigabyte; a day's film, some hundred.
const MOST_SEGMENT_BYTES: u64 = 4 << 30;
const MOST_INIT_BYTES: u64 = 1 << 20;
const MOST_FILE_BYTES: u64 = 1 << 40;
/// An engine that tried so often under one lease would have given up.
const MOST_ATTEMPTS: u32 = 64;
/// No machine encodes a million frames a second.
const MOST_FRAMES_PER_SECOND: f64 = 1e6;
/// Exact as a double, and sums of many stay within 64 bits.
const MOST_COUNTED: u64 = 1 << 52;

/// What it says that it can, as it may be kept.
pub fn check_request(request: &LeaseRequest) -> Result<Capabilities, ApiError> {
    let is_word = |text: &str| (1..=LONGEST_REQUEST_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let bad = |code, name: &str| {
        Err(ApiError::unfit(code, format!("`{name}` has 1 to {LONGEST_REQUEST_ID} visible ASCII characters.")))
    };
    if !is_word(&request.request_id) {
        return bad("bad_request_id", "request_id");
    }
    if request.instance.as_deref().is_some_and(|instance| !is_word(instance)) {
        return bad("bad_instance", "instance");
    }
    check_capabilities(&request.capabilities)
}

/// What they are, without characters that a terminal would obey.
pub fn check_capabilities(capabilities: &Capabilities) -> Result<Capabilities, ApiError> {
    let Capabilities { engine, ffmpeg, encoders, cores, memory_mib, os, sandbox } = capabilities;
    let mut words = [engine, ffmpeg, os].into_iter().chain(encoders);
    if encoders.len() > MOST_ENCODERS || words.any(|word| word.len() > LONGEST_WORD) {
        return Err(ApiError::unfit(
            "bad_capabilities",
            format!("`capabilities` has at most {MOST_ENCODERS} encoders, and no text of more than {LONGEST_WORD} bytes."),
        ));
    }
    let is_long = |SandboxReport { state: _, missing, reason }: &SandboxReport| {
        missing.len() > WALLS || reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON)
    };
    if sandbox.as_ref().is_some_and(is_long) {
        return Err(ApiError::unfit(
            "bad_capabilities",
            format!("`sandbox` has at most {WALLS} walls in `missing`, and a reason of at most {LONGEST_REASON} characters."),
        ));
    }
    Ok(Capabilities {
        engine: one_line(engine),
        ffmpeg: one_line(ffmpeg),
        encoders: encoders.iter().map(|encoder| one_line(encoder)).collect(),
        cores: *cores,
        memory_mib: *memory_mib,
        os: one_line(os),
        sandbox: sandbox.as_ref().map(|SandboxReport { state, missing, reason }| SandboxReport {
            state: *state,
            missing: missing.clone(),
            reason: reason.as_deref().map(one_line),
        }),
    })
}

pub fn check_objects(objects: &[UploadObject]) -> Result<(), ApiError> {
    let bad = |detail: String| Err(ApiError::unfit("bad_objects", detail));
    if !(1..=MOST_OBJECTS).contains(&objects.len()) {
        return bad(format!("`objects` has 1 to {MOST_OBJECTS} entries."));
    }
    let fits = |object: &UploadObject| {
        let most = match object.name {
            ObjectName::Init { .. } => MOST_INIT_BYTES,
            ObjectName::Segment { .. } => MOST_SEGMENT_BYTES,
            ObjectName::File => MOST_FILE_BYTES,
        };
        is_sha256(&object.sha256) && object.bytes <= most && object.attempt < MOST_ATTEMPTS
    };
    match objects.iter().find(|object| !fits(object)) {
        Some(object) => bad(format!("Give the true length of {}, and its SHA-256 in lower-case hexadecimal.", object.name)),
        None => Ok(()),
    }
}

/// Most that a result may say to people, and the longest words in it.
const MOST_WARNINGS: usize = 32;
const LONGEST_CODE: usize = 64;
const LONGEST_WARNING: usize = 500;

/// A result as it may be kept. What it says to people is cut down rather than refused: the work is done.
pub fn sayable(result: TaskResult) -> TaskResult {
    match result {
        TaskResult::Probe { mut facts } => {
            facts.warnings = few(facts.warnings);
            facts.container = short(&facts.container, LONGEST_WORD);
            if let Some(video) = &mut facts.video {
                for word in [Some(&mut video.codec), Some(&mut video.pixel_format), video.transfer.as_mut()].into_iter().flatten()
                {
                    *word = short(word, LONGEST_CODE);
                }
            }
            if let Some(audio) = &mut facts.audio {
                for word in [Some(&mut audio.codec), audio.language.as_mut()].into_iter().flatten() {
                    *word = short(word, LONGEST_CODE);
                }
            }
            TaskResult::Probe { facts }
        }
        TaskResult::Encode { end_frame, warnings } => TaskResult::Encode { end_frame, warnings: few(warnings) },
        TaskResult::Audio { segments, warnings } => TaskResult::Audio { segments, warnings: few(warnings) },
        TaskResult::Fetch {} | TaskResult::File { .. } => result,
    }
}

fn few(warnings: Vec<Warning>) -> Vec<Warning> {
    let few = warnings.into_iter().take(MOST_WARNINGS);
    few.map(|warning| Warning { code: short(&warning.code, LONGEST_CODE), message: short(&warning.message, LONGEST_WARNING) })
        .collect()
}

/// Progress is only shown and used for estimates: what cannot be true is cut down rather than refused.
pub fn plausible(told: Heartbeat) -> Heartbeat {
    let Progress { frames, frames_per_second, bytes, total_bytes } = told.progress;
    let speed = if frames_per_second.is_finite() { frames_per_second } else { 0.0 };
    Heartbeat {
        state: told.state,
        reason: told.reason.map(|reason| short(&reason, LONGEST_WORD)),
        progress: Progress {
            frames: frames.min(MOST_COUNTED),
            frames_per_second: speed.clamp(0.0, MOST_FRAMES_PER_SECOND),
            bytes: bytes.min(MOST_COUNTED),
            total_bytes: total_bytes.map(|bytes| bytes.min(MOST_COUNTED)),
        },
    }
}
