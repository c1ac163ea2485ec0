//! Linux: the display of the session that the engine runs in, logind, terminals, `/proc` and `/sys`.

mod bus;
mod input;
mod logind;
mod mutter;
mod proc;
mod sys;
mod wayland;
mod x11;

use std::{
    path::Path,
    time::{Duration, Instant},
};

pub use bus::DesktopLock;
pub use logind::{DelayLock, block_idle_sleep};

use self::{
    bus::Desktop,
    input::{Display, Looked, combine},
    logind::{Logind, Session},
};
use super::{Clock, Known, NewsSender, Readings, Source, load::Load};

/// Asking other programs wakes them up; what they tell changes rarely.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// While nothing is in hand that their answers could stop.
const ASK_SELDOM: Duration = Duration::from_secs(30);
/// What is missing may be started later.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The display tells of the first input by itself; terminals do not, and the kernel notes their times every 8 s only.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const ASK_DISPLAY_EVERY: Duration = Duration::from_millis(200);

/// Everything that is listened to and asked.
#[derive(Debug)]
pub struct Sources {
    news: NewsSender,
    display: Display,
    display_tried: Option<Instant>,
    logind: Logind,
    desktop: Desktop,
    asked: Option<Instant>,
    told: Told,
    load: Load,
    heat: sys::Heat,
}

/// How long ago something was that the system tells by its wall clock. A clock that was set back since makes it now.
#[expect(clippy::disallowed_methods, reason = "times of terminals and of sessions are on this machine's clock, however wrong")]
fn ago(at: std::time::SystemTime) -> Duration {
    std::time::SystemTime::now().duration_since(at).unwrap_or_default()
}

/// What other programs told when they were last asked.
#[derive(Debug)]
struct Told {
    sessions: Result<Vec<Session>, String>,
    locked: Known<bool>,
    inhibited: Known<Option<String>>,
    metered: Known<bool>,
}

impl Default for Told {
    fn default() -> Self {
        let not_asked = || Known::unknown("not asked yet");
        Self {
            sessions: Err("not asked yet".to_owned()),
            locked: not_asked(),
            inhibited: Known::unknown("not asked yet"),
            metered: not_asked(),
        }
    }
}

impl Sources {
    /// `lock` is held against sleep while there is anything to hand back.
    pub fn new(news: NewsSender, lock: DelayLock) -> Self {
        Self {
            logind: Logind::new(news.clone(), lock),
            news,
            display: Display::None,
            display_tried: None,
            desktop: Desktop,
            asked: None,
            told: Told::default(),
            load: Load::default(),
            heat: sys::Heat::default(),
        }
    }

    async fn ask(&mut self, in_hand: bool) {
        let now = Instant::now();
        let every = if in_hand { ASK_EVERY } else { ASK_SELDOM };
        if self.asked.is_some_and(|asked| now.duration_since(asked) < every) {
            return;
        }
        self.asked = Some(now);
        let sessions = self.logind.sessions().await;
        let inhibitors = self.logind.inhibitors().await;
        self.told = Told {
            locked: self.desktop.locked(&sessions).await,
            inhibited: self.desktop.inhibited(inhibitors).await,
            metered: bus::metered().await,
            sessions,
        };
    }

    async fn open_display(&mut self) {
        let now = Instant::now();
        let is_due = self.display_tried.is_none_or(|tried| now.duration_since(tried) >= TRY_AGAIN_AFTER);
        if self.display.is_open() || !is_due {
            return;
        }
        self.display_tried = Some(now);
        self.display = Display::open(&self.news).await;
    }
}

impl Source for Sources {
    async fn read(&mut self, clock: &Clock, in_hand: bool) -> Readings {
        self.open_display().await;
        self.ask(in_hand).await;
        let Looked { input: of_display, full_screen } = self.display.look(clock).await;
        let input =
            combine(of_display, &self.told.sessions, input::terminals(Path::new("/dev"), clock), input::unseen_display(), clock);
        Readings {
            input,
            locked: self.told.locked.clone(),
            full_screen,
            inhibited: self.told.inhibited.clone(),
            call: proc::microphone(Path::new("/proc/asound")),
            power: sys::power(Path::new("/sys/class/power_supply")),
            metered: self.told.metered.clone(),
            other_cpu: self.load.note(Instant::now(), proc::used(), "/proc/stat, less the engine's own processes"),
            free_memory_mib: proc::free_memory(),
            total_memory_mib: crate::platform::total_bytes().map(|bytes| bytes >> 20),
            throttled: self.heat.look(Path::new("/sys/devices/system/cpu")),
            leaving: None,
        }
    }

    fn look_every_working(&self) -> Duration {
        if self.display.tells_by_itself() { LOOK_EVERY } else { ASK_DISPLAY_EVERY }
    }
}
