//! Linux: the display of the session that the engine runs in, logind, terminals, `/proc` and `/sys`.

mod bus;
mod desktop;
mod input;
mod logind;
mod mutter;
mod proc;
mod sockets;
mod sys;
mod wayland;
mod x11;

use std::{
    path::Path,
    time::{Duration, Instant},
};

pub use desktop::DesktopLock;
pub use logind::{DelayLock, SleepNews, block_idle_sleep};
use tokio_util::task::AbortOnDropHandle;

use self::{
    bus::Failed,
    desktop::Desktop,
    input::{Display, Looked, combine},
    logind::Session,
};
use super::{Clock, Known, NewsSender, Readings, Source, asked::Asked, load::Load};

/// What is missing may be started later.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The display tells of the first input by itself; terminals do not, and the kernel notes their times every 8 s only.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const ASK_DISPLAY_EVERY: Duration = Duration::from_millis(200);
/// A display opens within milliseconds. For one that does not, a look waits no longer; it is taken when it opens after all.
const OPENS_WITHIN: Duration = Duration::from_secs(1);

/// Everything that is listened to and asked.
#[derive(Debug)]
pub struct Sources {
    news: NewsSender,
    display: Display,
    display_tried: Option<Instant>,
    opening: Option<AbortOnDropHandle<Display>>,
    told: Asked<Told>,
    load: Load,
    heat: sys::Heat,
    _sleep: SleepNews,
}

/// How long ago something was that the system tells by its wall clock. A clock that was set back since makes it now.
#[expect(clippy::disallowed_methods, reason = "times of terminals and of sessions are on this machine's clock, however wrong")]
fn ago(at: std::time::SystemTime) -> Duration {
    std::time::SystemTime::now().duration_since(at).unwrap_or_default()
}

/// What other programs told when they were last asked.
#[derive(Debug)]
struct Told {
    sessions: Result<Vec<Session>, Failed>,
    unseen_display: Option<String>,
    locked: Known<bool>,
    inhibited: Known<Option<String>>,
    metered: Known<bool>,
}

impl Default for Told {
    fn default() -> Self {
        const WHY: &str = "there is no answer";
        Self {
            sessions: Err(Failed::NoAnswer(WHY.to_owned())),
            unseen_display: None,
            locked: Known::unknown(WHY),
            inhibited: Known::unknown(WHY),
            metered: Known::unknown(WHY),
        }
    }
}

impl Sources {
    /// `lock` is held against sleep while there is anything to hand back.
    pub fn new(news: NewsSender, lock: DelayLock) -> Self {
        Self {
            _sleep: SleepNews::new(news.clone(), lock),
            news,
            display: Display::Mute("it was not asked yet".to_owned()),
            display_tried: None,
            opening: None,
            told: Asked::default(),
            load: Load::default(),
            heat: sys::Heat::default(),
        }
    }

    async fn open_display(&mut self) {
        if self.display.is_open() {
            return;
        }
        let now = Instant::now();
        let is_due = self.display_tried.is_none_or(|tried| now.duration_since(tried) >= TRY_AGAIN_AFTER);
        // One that hangs is not tried again before it has said something: each try would leave a thread behind.
        if self.opening.is_none() && is_due {
            self.display_tried = Some(now);
            let news = self.news.clone();
            self.opening = Some(AbortOnDropHandle::new(tokio::spawn(async move { Display::open(&news).await })));
        }
        let Some(opening) = &mut self.opening else { return };
        match tokio::time::timeout(OPENS_WITHIN, opening).await {
            Ok(opened) => {
                self.opening = None;
                self.display = opened.unwrap_or_else(|crash| Display::Mute(crash.to_string()));
            }
            Err(_) => self.display = Display::Mute("the display does not answer".to_owned()),
        }
    }
}

/// Asks everybody. Each answer may take its time.
async fn ask() -> Told {
    let sessions = logind::sessions().await;
    let inhibitors = logind::inhibitors().await;
    Told {
        unseen_display: sockets::unseen(sessions.as_deref().unwrap_or_default()),
        locked: Desktop.locked(&sessions).await,
        inhibited: Desktop.inhibited(inhibitors).await,
        metered: desktop::metered().await,
        sessions,
    }
}

impl Source for Sources {
    async fn read(&mut self, clock: &Clock, in_hand: bool) -> Readings {
        self.open_display().await;
        let Looked { input: of_display, full_screen } = self.display.look(clock).await;
        let told = self.told.look(in_hand, ask).await;
        let terminals = input::terminals(Path::new("/dev"), clock);
        Readings {
            input: combine(of_display, &told.sessions, terminals, told.unseen_display.clone(), clock),
            locked: told.locked.clone(),
            full_screen,
            inhibited: told.inhibited.clone(),
            call: proc::microphone(Path::new("/proc/asound")),
            power: sys::power(Path::new("/sys/class/power_supply")),
            metered: told.metered.clone(),
            other_cpu: self.load.note(Instant::now(), proc::used(), "/proc/stat, less the engine's own processes"),
            free_memory_mib: proc::free_memory(),
            total_memory_mib: crate::platform::total_bytes().map(|bytes| bytes >> 20),
            throttled: self.heat.look(Path::new("/sys/devices/system/cpu")),
        }
    }

    fn look_every_working(&self) -> Duration {
        if self.display.tells_by_itself() { LOOK_EVERY } else { ASK_DISPLAY_EVERY }
    }
}
