//! Figures and objects as text for people.

use std::fmt::Write as _;

use offpeak_api::{
    facts::Facts,
    job::{AgentAtWork, Job, JobError, JobState, RenditionKind, RenditionProgress, TaskFailure},
    plain::{is_unseen, one_line},
    profile::{Access, Profile, ProfileEntry, Quality},
};
use serde::Serialize;

/// JSON over several lines, in which characters that a terminal would obey are written as escapes.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let written = serde_json::to_string_pretty(value)?;
    let mut text = String::with_capacity(written.len());
    for c in written.chars() {
        // Line breaks are the layout's: those within texts are escaped already.
        if c == '\n' || !is_unseen(c) {
            text.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text += &format!("\\u{unit:04x}"));
        }
    }
    Ok(text)
}

/// `34.2 MB`: powers of ten, as disks and networks are sold.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    if count < 1000 {
        return format!("{count} B");
    }
    for unit in ["kB", "MB", "GB", "TB"] {
        value /= 1000.0;
        // 999.95 would be printed as 1000.0.
        if value < 999.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{:.1} PB", value / 1000.0)
}

/// `48 s`, `1 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `43 %`, and 100 % only when it is all.
pub fn percent(fraction: f64) -> String {
    format!("{} %", (fraction.clamp(0.0, 1.0) * 100.0).floor())
}

/// `1080p` or `audio`: what a row of bars is called.
pub fn rendition_name(rendition: &RenditionProgress) -> String {
    match rendition.kind {
        RenditionKind::Audio => "audio".to_owned(),
        RenditionKind::Video => match (rendition.width, rendition.height) {
            (Some(width), Some(height)) => format!("{}p", width.min(height)),
            _ => rendition.id.clone(),
        },
    }
}

/// `desk-1 encodes segments 3..8, now 5, 48 frames/s`
pub fn agent_at_work(agent: &AgentAtWork) -> String {
    let mut text = match agent.task_kind.as_str() {
        "encode" => format!("{} encodes segments {}..{}", agent.name, agent.first, agent.last),
        "audio" => format!("{} encodes the sound", agent.name),
        "probe" => format!("{} reads what is in the file", agent.name),
        "fetch" => format!("{} fetches the file", agent.name),
        "file" => format!("{} makes a file", agent.name),
        other => format!("{} does {other}", agent.name),
    };
    if agent.task_kind == "encode" && agent.cursor < agent.last {
        let _infallible = write!(text, ", now {}", agent.cursor);
    }
    if agent.frames_per_second >= 0.5 {
        let _infallible = write!(text, ", {:.0} frames/s", agent.frames_per_second);
    }
    text
}

/// `1920×1080 h264, 25 frames/s, sound aac, 1 min`
pub fn facts(facts: &Facts) -> String {
    let mut parts = Vec::new();
    if let Some(video) = &facts.video {
        parts.push(format!("{}×{} {}", video.width, video.height, video.codec));
        if video.gaps.usual_seconds > 0.0 {
            let rate = (100.0 / video.gaps.usual_seconds).round() / 100.0;
            parts.push(format!("{rate} frames/s"));
        }
    }
    match &facts.audio {
        Some(audio) => parts.push(format!("sound {}", audio.codec)),
        None => parts.push("no sound".to_owned()),
    }
    let seconds = (facts.end_seconds() - facts.start_seconds()).max(0.0).round();
    parts.push(duration(seconds as u64));
    parts.join(", ")
}

/// State, share and time left in a few words.
pub fn standing(job: &Job) -> String {
    let mut text = job.state.as_str().to_owned();
    match job.state {
        JobState::Queued if job.progress.agents.is_empty() => {
            text += ", waiting for an engine";
            text += &time_left(job);
        }
        JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing => {
            let _infallible = write!(text, ", {}", percent(job.progress.fraction));
            text += &time_left(job);
            if job.playable_at.is_some() {
                text += ", playable";
            }
        }
        JobState::Completed | JobState::Failed | JobState::Cancelled => {
            if let Some(ended) = job.ended_at {
                let seconds = (ended - job.created_at).num_seconds().max(0).unsigned_abs();
                let _infallible = write!(text, " after {}", duration(seconds));
            }
        }
    }
    text
}

/// `, about 4 min left, at most 9 min`: the second is what nine of ten jobs keep.
fn time_left(job: &Job) -> String {
    match (job.eta_seconds, job.eta_p90_seconds) {
        (None, _) => String::new(),
        (Some(eta), None) => format!(", about {} left", roughly(eta)),
        (Some(eta), Some(at_most)) => format!(", about {} left, at most {}", roughly(eta), roughly(at_most.max(eta))),
    }
}

/// A time that is estimated: in steps of five seconds, from two minutes on in minutes, from two hours on in tens of minutes;
/// rounded up.
fn roughly(seconds: u64) -> String {
    let step = match seconds {
        0..10 => 1,
        10..120 => 5,
        120..7200 => 60,
        _ => 600,
    };
    duration(seconds.div_ceil(step).saturating_mul(step))
}

/// Everything a person wants to know of one job, in lines.
pub fn job_details(job: &Job) -> String {
    let mut lines = vec![format!("{}  {}", job.id, standing(job))];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<9} {}", one_line(&value)));
    line("profile", format!("{}, priority {}", job.profile, job.priority));
    if let Some(deadline) = job.deadline {
        line("deadline", deadline.format("%Y-%m-%d %H:%M UTC").to_string());
    }
    line("source", job.source.to_string());
    if let Some(known) = &job.facts {
        line("found", facts(known));
    }
    for (key, value) in &job.metadata {
        line("note", format!("{key} = {value}"));
    }
    for rendition in &job.progress.renditions {
        let done = format!("{} of {} segments", rendition.segments_done, rendition.segments_total);
        line(&rendition_name(rendition), format!("{done}, {}", bytes(rendition.bytes)));
    }
    if let Some(speed) = throughput(job) {
        line("speed", speed);
    }
    for agent in &job.progress.agents {
        line("at work", agent_at_work(agent));
    }
    for warning in &job.warnings {
        line("warning", format!("{} ({})", warning.message, warning.code));
    }
    for (name, address) in [("watch", &job.outputs.watch), ("hls", &job.outputs.hls), ("dash", &job.outputs.dash)] {
        if let Some(address) = address {
            line(name, address.clone());
        }
    }
    for file in &job.outputs.files {
        line("file", format!("{}, {}, {}", file.name, bytes(file.bytes), file.url));
    }
    if let Some(error) = &job.error {
        line("error", format!("{} ({})", error.message, error.code));
        for text in error_details(error) {
            line("", text);
        }
    }
    lines.join("\n")
}

/// What is known of an error besides its message: who failed what and why, with the last lines of each log.
pub fn error_details(error: &JobError) -> Vec<String> {
    if error.failures.is_empty() {
        return error.log_tail.clone();
    }
    let of = |failure: &TaskFailure| {
        let TaskFailure { agent, agent_name, task_kind, first, last, code, message, log_tail, at: _ } = failure;
        let what = if first < last { format!("segments {first}..{last} ({task_kind})") } else { format!("the {task_kind} task") };
        let told = format!("{what} failed on {agent_name} ({agent}): {message} ({code})");
        std::iter::once(told).chain(log_tail.iter().map(|text| format!("    {text}"))).collect::<Vec<_>>()
    };
    error.failures.iter().flat_map(of).collect()
}

/// `2.4 times as fast as it plays`, while somebody encodes it.
pub fn throughput(job: &Job) -> Option<String> {
    (job.progress.throughput >= 0.005).then(|| {
        let digits = if job.progress.throughput < 1.0 { 2 } else { 1 };
        format!("{:.digits$} times as fast as it plays", job.progress.throughput)
    })
}

/// One line a job.
pub fn jobs_table(jobs: &[Job]) -> String {
    let rows = jobs.iter().map(|job| {
        let created = job.created_at.format("%Y-%m-%d %H:%M UTC");
        let name = job.metadata.get("title").or_else(|| job.metadata.get("name")).cloned().unwrap_or_default();
        one_line(format!("{}  {created}  {:<12} {}  {name}", job.id, job.profile, standing(job)).trim_end())
    });
    rows.collect::<Vec<_>>().join("\n")
}

pub fn profiles_table(profiles: &[ProfileEntry]) -> String {
    let width = profiles.iter().map(|entry| entry.profile.name.len()).max().unwrap_or(0);
    let rows = profiles.iter().map(|entry| {
        let origin = if entry.built_in { "built in" } else { "own" };
        one_line(format!("{:<width$}  {origin:<8}  {}", entry.profile.name, entry.profile.description).trim_end())
    });
    rows.collect::<Vec<_>>().join("\n")
}

pub fn profile_details(entry: &ProfileEntry) -> String {
    let Profile { name, description, segment_seconds, span_seconds, max_frame_rate, video, audio, files, access } =
        &entry.profile;
    let quality = match video.quality {
        Quality::CappedCrf { crf } => format!("CRF {crf}"),
        Quality::Lossless => "lossless".to_owned(),
    };
    let mut lines = vec![format!("{name}{}", if entry.built_in { " (built in)" } else { "" })];
    if !description.is_empty() {
        lines.push(format!("  {}", one_line(description)));
    }
    for rung in &video.ladder {
        lines.push(format!("  {:>6}  H.264, at most {} kbit/s", format!("{}p", rung.height), rung.max_kbps));
    }
    lines.push(format!("  {:>6}  AAC, {} kbit/s, {} channels", "audio", audio.bitrate_kbps, audio.channels));
    lines.extend(files.iter().map(|file| format!("  {:>6}  {}", "file", file.name)));
    lines.push(format!("  preset {}, {quality}, at most {max_frame_rate} frames/s", video.preset.as_str()));
    match access {
        Access::Public => {}
        Access::Signed => lines.push("  plays only from signed addresses".to_owned()),
    }
    lines.push(format!("  segments of {segment_seconds} s, spans of at most {span_seconds} s"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_and_orders_nothing() {
        let value = serde_json::json!({ "name": "a\u{1b}[31m\u{9b}\u{7f}\n\u{202e}\u{e0041}é" });
        let text = json(&value).expect("it can be written");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON"), value);
        assert!(text.chars().all(|c| c == '\n' || !is_unseen(c)), "{text:?}");
        assert!(text.contains('é'), "{text:?}");
    }

    #[test]
    fn sizes() {
        let cases = [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (34_210_000, "34.2 MB")];
        for (count, wanted) in cases {
            assert_eq!(bytes(count), wanted);
        }
        assert_eq!(bytes(u64::MAX), "18446.7 PB");
    }

    #[test]
    fn durations() {
        let cases = [(0, "0 s"), (59, "59 s"), (60, "1 min"), (80, "1 min 20 s"), (3600, "1 h 0 min"), (7509, "2 h 5 min")];
        for (seconds, wanted) in cases {
            assert_eq!(duration(seconds), wanted);
        }
    }

    #[test]
    fn estimates_are_no_more_exact_than_they_are() {
        let cases = [
            (0, "0 s"),
            (7, "7 s"),
            (11, "15 s"),
            (80, "1 min 20 s"),
            (119, "2 min"),
            (181, "4 min"),
            (7199, "2 h 0 min"),
            (7201, "2 h 10 min"),
            (86_400, "24 h 0 min"),
        ];
        for (seconds, wanted) in cases {
            assert_eq!(roughly(seconds), wanted, "{seconds}");
        }
    }

    #[test]
    fn a_hundred_percent_is_all() {
        for (fraction, wanted) in [(0.0, "0 %"), (0.999, "99 %"), (1.0, "100 %"), (1.2, "100 %"), (f64::NAN, "NaN %")] {
            assert_eq!(percent(fraction), wanted);
        }
    }
}
