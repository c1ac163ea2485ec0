//! What the shell and the engine tell each other. The shell starts `offpeak-agent run --link` and keeps its standard input and
//! output: each side writes one JSON value a line. When the engine's input ends, its shell is gone, and it stops at once.
//!
//! Nothing here needs a server's answer, so that the tray works without a network.

use std::io;

use chrono::{DateTime, Utc};
use offpeak_api::{
    agent::AgentState,
    ids::{AgentId, JobId},
    policy::{Hours, Policy},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;

/// Both sides are of one package; another number means that an update replaced only one of them.
pub const PROTOCOL: u32 = 1;

/// Engine to shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromEngine {
    /// The first line.
    Hello { protocol: u32, version: String, pid: u32 },
    /// At the beginning, and whenever something of it changes; figures of running work at most once a second.
    Now(Box<Now>),
    /// At the beginning, when a lease ends, and after midnight.
    Contribution(Contribution),
    /// The log, as it is written to standard error.
    Log(LogLine),
    /// The answer to an order: what came of it.
    Answer { order: u64, answer: Answer },
}

/// How an order went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Answer {
    Done,
    /// Nothing was changed: why, and what to do about it.
    Refused {
        code: String,
        message: String,
    },
    Why(Why),
}

/// Shell to engine. The order's number comes back in the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToEngine {
    pub order: u64,
    #[serde(flatten)]
    pub what: Order,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Order {
    /// No work for so long from now on; zero ends a snooze. Outlives the engine.
    Snooze { seconds: u64 },
    /// No work until [`Order::Resume`], whatever restarts meanwhile.
    Pause,
    /// Ends a pause and a snooze.
    Resume,
    /// The person's own limits, all of them; kept by the engine.
    SetLimits { limits: Limits },
    /// Enrol this machine: a link that says everything, or a code beside a server's address.
    Join { link_or_code: String, server: Option<Url>, name: Option<String> },
    /// Forget the server; what is held is handed back.
    Leave,
    /// All readings and the rule that decided.
    Why,
    /// An update is about to replace the programs: hand everything back and stay idle.
    PrepareUpdate,
    /// Hand everything back and end.
    Quit,
}

/// All that the tray and its window show of the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Now {
    pub state: AgentState,
    /// One sentence for the person at the desk, without the state's name: "someone is using this computer".
    pub reason: String,
    /// For `broken`: which thing is, as a stable code (`ffmpeg_missing`, `ffmpeg_altered`, `disk_full`, `sandbox_failed`,
    /// `code_refused` …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub since: DateTime<Utc>,
    /// When the state will end by itself, as far as that is known: a snooze, a schedule, the quiet minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Null on a machine that has not joined.
    pub farm: Option<Farm>,
    pub work: Vec<Work>,
    /// What the person set, and what the office's policy says. The stricter of each holds.
    pub limits: Limits,
    pub policy: Policy,
    /// Cores and memory of the machine, for the limits' sliders.
    pub machine_cores: u32,
    pub machine_memory_mib: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farm {
    pub server: Url,
    pub agent_id: AgentId,
    pub agent_name: String,
}

/// A lease as the person sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub job_id: JobId,
    /// `encode`, `audio`, `probe`, `fetch`, `file`.
    pub kind: String,
    /// Rows committed and rows in all; zero in all for work without rows.
    pub rows_done: u32,
    pub rows: u32,
    pub since: DateTime<Utc>,
}

/// What this machine has done for the farm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Contribution {
    pub today: Share,
    pub total: Share,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Of finished video, each rendition counted, in seconds.
    pub video_seconds: f64,
    /// Processor time of ffmpeg, in seconds.
    pub cpu_seconds: f64,
    /// An estimate: processor time by what one core draws more when it works.
    pub energy_wh: f64,
    pub leases: u64,
}

/// A person's own limits. Absent: what the policy says. Each can only be stricter than the policy; what is not has no effect.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub max_cores: Option<u32>,
    pub max_memory_mib: Option<u64>,
    pub max_bits_per_second: Option<u64>,
    pub start_after_idle_seconds: Option<u32>,
    /// True: not on battery, even where the policy would allow it.
    pub mains_only: bool,
    /// True: not over connections paid by volume, even where the policy would allow it.
    pub unmetered_only: bool,
    /// Only at these hours, within those of the policy; at all of them when empty.
    pub schedule: Vec<Hours>,
}

/// What the engine knows of its desk, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub state: AgentState,
    pub reason: String,
    /// The rule that decided, in words.
    pub rule: String,
    pub readings: Vec<Reading>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// `time since last input`.
    pub name: String,
    /// `4 min 12 s`; `unknown`.
    pub value: String,
    /// How it is known: `X11 screen saver extension on :0`.
    pub how: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: DateTime<Utc>,
    pub level: Level,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    Warn,
    Info,
}

/// One line, with its end.
///
/// # Errors
/// When the value cannot be written as JSON, which none of this crate's types does.
pub fn line<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    Ok(text)
}

/// The value of a line, with or without its end.
///
/// # Errors
/// When the line is not what the other side of this protocol writes.
pub fn parse<T: DeserializeOwned>(line: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_travel_as_one_line() {
        let order = ToEngine { order: 7, what: Order::Snooze { seconds: 3600 } };
        let text = line(&order).expect("a line");
        assert_eq!(text, b"{\"order\":7,\"type\":\"snooze\",\"seconds\":3600}\n");
        assert_eq!(parse::<ToEngine>(&text).expect("an order"), order);
    }

    #[test]
    fn answers_travel_as_one_line() {
        let refused = Answer::Refused { code: "bad_code".to_owned(), message: "This code is used up.".to_owned() };
        for answer in [Answer::Done, refused] {
            let event = FromEngine::Answer { order: 1, answer };
            let text = line(&event).expect("a line");
            assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
            assert_eq!(parse::<FromEngine>(&text).expect("an event"), event);
        }
    }
}
