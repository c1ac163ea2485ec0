//! What the machine's person is doing, and how the machine is: everything that the policy looks at, each with how it is known.
//!
//! In: the operating system, asked and listened to. Out: [`Readings`], whenever they change, and [`News`] at once for what
//! cannot wait. What must hold: what could not be read is unknown, never quiet; nothing of it leaves the machine.

#[cfg(any(target_os = "linux", windows))]
mod asked;
#[cfg(target_os = "linux")]
mod linux;
mod load;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod other;
pub mod wake_lock;
#[cfg(windows)]
mod windows;

use std::time::{Duration, Instant};

use offpeak_link::Reading;
use tokio::sync::mpsc;

#[cfg(target_os = "linux")]
pub use linux::{DelayLock, SleepNews, Sources};
#[cfg(target_os = "macos")]
pub use macos::{DelayLock, SleepNews, Sources};
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub use other::{DelayLock, SleepNews, Sources};
#[cfg(windows)]
pub use windows::{DelayLock, SleepNews, Sources};

/// A value, and how it is known. Without a value it is unknown, and `how` says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<T> {
    pub value: Option<T>,
    pub how: String,
}

impl<T> Known<T> {
    pub fn new(value: T, how: impl Into<String>) -> Self {
        Self { value: Some(value), how: how.into() }
    }

    pub fn unknown(why: impl Into<String>) -> Self {
        Self { value: None, how: why.into() }
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::unknown("not looked at")
    }
}

/// When somebody last touched this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastInput {
    /// On the engine's own clock ([`Clock::at`]).
    At(Duration),
    /// Nobody is logged in, or can be.
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    Mains,
    Battery,
}

/// The machine is about to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    Sleep,
    Shutdown,
}

/// All that is known of the machine and its person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    pub input: Known<LastInput>,
    pub locked: Known<bool>,
    pub full_screen: Known<bool>,
    /// Who keeps the screen on.
    pub inhibited: Known<Option<String>>,
    /// The microphone is in use.
    pub call: Known<bool>,
    pub power: Known<Power>,
    pub metered: Known<bool>,
    /// Share of the whole processor that others use, over the last ten seconds.
    pub other_cpu: Known<f64>,
    pub free_memory_mib: Known<u64>,
    pub total_memory_mib: Option<u64>,
    /// The processor is slowed down because it is hot. Told, and no rule: encoding itself may be why.
    pub throttled: Known<bool>,
}

/// What cannot wait for the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Somebody touched the machine.
    Input,
    Leaving(Option<Leaving>),
}

/// The engine's own clock: it begins with the engine, and nobody sets it.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        // A day is subtracted from nowhere: whoever was there before the engine began can be told.
        Self(Instant::now().checked_sub(Duration::from_secs(86_400)).unwrap_or_else(Instant::now))
    }

    pub fn at(&self) -> Duration {
        self.0.elapsed()
    }

    /// The moment so long ago.
    pub fn ago(&self, ago: Duration) -> Duration {
        self.at().saturating_sub(ago)
    }
}

/// Listens to everything that this system tells by itself, and can be asked for the rest.
pub trait Source {
    /// All readings now. Takes milliseconds, at most some seconds, and asks other programs now and then only: `in_hand`, while
    /// there is work that their answers could stop, more often than otherwise, and without waiting for them.
    fn read(&mut self, clock: &Clock, in_hand: bool) -> impl Future<Output = Readings> + Send;

    /// How often to ask while work is being done: the first input must be known within a second, and where the system does not
    /// tell by itself it is asked more often.
    fn look_every_working(&self) -> Duration;
}

/// The channel on which news come.
pub type NewsSender = mpsc::UnboundedSender<News>;

impl Readings {
    /// Nothing is known, for this reason.
    pub fn unknown(why: &str) -> Self {
        Self {
            input: Known::unknown(why),
            locked: Known::unknown(why),
            full_screen: Known::unknown(why),
            inhibited: Known::unknown(why),
            call: Known::unknown(why),
            power: Known::unknown(why),
            metered: Known::unknown(why),
            other_cpu: Known::unknown(why),
            free_memory_mib: Known::unknown(why),
            total_memory_mib: None,
            throttled: Known::unknown(why),
        }
    }

    /// For people: every reading, in words.
    pub fn in_words(&self, now: Duration) -> Vec<Reading> {
        use crate::words::{duration, share};
        let yes_no = |yes: &bool| if *yes { "yes" } else { "no" }.to_owned();
        let input = |input: &LastInput| match input {
            LastInput::At(at) => duration(now.saturating_sub(*at)),
            LastInput::Nobody => "nobody is logged in".to_owned(),
        };
        let power = |power: &Power| match power {
            Power::Mains => "mains".to_owned(),
            Power::Battery => "battery".to_owned(),
        };
        vec![
            reading("time since last input", &self.input, input),
            reading("screen locked", &self.locked, yes_no),
            reading("full screen", &self.full_screen, yes_no),
            reading("kept awake by", &self.inhibited, |who| who.clone().unwrap_or_else(|| "nobody".to_owned())),
            reading("microphone in use", &self.call, yes_no),
            reading("power", &self.power, power),
            reading("network paid by volume", &self.metered, yes_no),
            reading("processor used by others", &self.other_cpu, |used| share(*used)),
            reading("free memory", &self.free_memory_mib, |mib| format!("{mib} MiB")),
            reading("slowed down by heat", &self.throttled, yes_no),
        ]
    }
}

fn reading<T>(name: &str, known: &Known<T>, say: impl Fn(&T) -> String) -> Reading {
    let value = known.value.as_ref().map_or_else(|| "unknown".to_owned(), say);
    Reading { name: name.to_owned(), value, how: known.how.clone() }
}
