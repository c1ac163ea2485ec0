//! An X11 display: how long nobody touched it, the first touch at once, and what is shown in full screen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        screensaver::ConnectionExt as _,
        sync::{ConnectionExt as _, CreateAlarmAux, Int64, TESTTYPE, VALUETYPE},
        xproto::{Atom, AtomEnum, ConnectionExt as _, Window},
    },
    rust_connection::RustConnection,
};

use crate::presence::{Known, News, NewsSender};

/// The alarm goes off with the first touch after so long without one: a person who types does not wake the engine with each
/// key. Nothing begins after less quiet than this.
const ALARM_AFTER_MS: u32 = 900;
/// A display answers within a millisecond; one that takes so long hangs, and tells nothing of anybody.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct X11 {
    connection: RustConnection,
    root: Window,
    name: String,
    atoms: Atoms,
    alarm: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Atoms {
    active_window: Atom,
    state: Atom,
    full_screen: Atom,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl X11 {
    /// Connects to `DISPLAY`. Blocks for some milliseconds.
    pub fn open(news: NewsSender) -> Result<Self, String> {
        Self::connect(news).map_err(|error| error.to_string())
    }

    fn connect(news: NewsSender) -> Result<Self, Failed> {
        let (connection, screen) = RustConnection::connect(None)?;
        let root = connection.setup().roots.get(screen).ok_or("the display has no screen")?.root;
        connection.screensaver_query_version(1, 1)?.reply()?;
        let atom = |name: &str| -> Result<Atom, Failed> { Ok(connection.intern_atom(false, name.as_bytes())?.reply()?.atom) };
        let atoms = Atoms {
            active_window: atom("_NET_ACTIVE_WINDOW")?,
            state: atom("_NET_WM_STATE")?,
            full_screen: atom("_NET_WM_STATE_FULLSCREEN")?,
        };
        let name = std::env::var("DISPLAY").unwrap_or_default();
        let alarm = Arc::new(AtomicBool::new(false));
        match Alarm::set() {
            Ok(set) => set.listen(news, alarm.clone())?,
            Err(error) => tracing::warn!("the X11 display does not tell of input by itself, it is asked instead: {error}"),
        }
        Ok(Self { connection, root, name, atoms, alarm })
    }

    pub fn how(&self) -> String {
        let told = if self.tells_by_itself() { "with an alarm on IDLETIME" } else { "asked" };
        format!("X11 screen saver extension on {}, {told}", self.name)
    }

    pub fn tells_by_itself(&self) -> bool {
        self.alarm.load(Ordering::Relaxed)
    }

    /// For how long nobody has touched it, and whether something is shown in full screen. An answer that does not come leaves a
    /// thread behind that waits for it: then this display is not to be asked again.
    pub async fn look(self: Arc<Self>) -> Result<(Duration, Known<bool>), String> {
        // Answers are waited for on a thread that may: a display can be slow, and the runtime's threads must not be.
        let ask = move || -> Result<_, Failed> {
            let told = self.connection.screensaver_query_info(self.root)?.reply()?;
            Ok((Duration::from_millis(told.ms_since_user_input.into()), self.full_screen()))
        };
        match tokio::time::timeout(LOOK_LIMIT, tokio::task::spawn_blocking(ask)).await {
            Ok(Ok(asked)) => asked.map_err(|error| error.to_string()),
            Ok(Err(crash)) => Err(crash.to_string()),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }

    /// Whether the window that has the focus covers the screen, as window managers tell (EWMH).
    fn full_screen(&self) -> Known<bool> {
        let how = "_NET_WM_STATE of the active window";
        match self.active_is_full_screen() {
            Ok(Some(is)) => Known::new(is, how),
            Ok(None) => Known::unknown(format!("{how}: there is no window manager")),
            Err(error) => Known::unknown(format!("{how}: {error}")),
        }
    }

    fn active_is_full_screen(&self) -> Result<Option<bool>, Failed> {
        let property = |window, name, kind: AtomEnum| self.connection.get_property(false, window, name, kind, 0, 64);
        let active = property(self.root, self.atoms.active_window, AtomEnum::WINDOW)?.reply()?;
        let Some(window) = active.value32().and_then(|mut ids| ids.next()) else { return Ok(None) };
        if window == x11rb::NONE {
            return Ok(Some(false));
        }
        // It may be closed by now.
        let Ok(states) = property(window, self.atoms.state, AtomEnum::ATOM)?.reply() else { return Ok(Some(false)) };
        Ok(Some(states.value32().is_some_and(|mut states| states.any(|state| state == self.atoms.full_screen))))
    }
}

/// An alarm on a connection of its own, so that waiting for it blocks nobody.
struct Alarm(RustConnection);

impl Alarm {
    fn set() -> Result<Self, Failed> {
        let (connection, _) = RustConnection::connect(None)?;
        connection.sync_initialize(3, 1)?.reply()?;
        let counters = connection.sync_list_system_counters()?.reply()?.counters;
        let idle = counters.into_iter().find(|counter| counter.name == b"IDLETIME").ok_or("there is no counter IDLETIME")?;
        let alarm = CreateAlarmAux::new()
            .counter(idle.counter)
            .value_type(VALUETYPE::ABSOLUTE)
            .value(Int64 { hi: 0, lo: ALARM_AFTER_MS })
            // From more to less; it stays set, since its delta is zero.
            .test_type(TESTTYPE::NEGATIVE_TRANSITION)
            .delta(Int64 { hi: 0, lo: 0 })
            .events(1);
        let id = connection.generate_id()?;
        connection.sync_create_alarm(id, &alarm)?.check()?;
        Ok(Self(connection))
    }

    /// Waits on a thread of its own, until the display or the engine is gone, or nobody asks this display any more.
    fn listen(self, news: NewsSender, set: Arc<AtomicBool>) -> Result<(), Failed> {
        set.store(true, Ordering::Relaxed);
        let wait = move || {
            while let Ok(event) = self.0.wait_for_event() {
                let is_input = matches!(event, Event::SyncAlarmNotify(_));
                if Arc::strong_count(&set) == 1 || (is_input && news.send(News::Input).is_err()) {
                    return;
                }
            }
            set.store(false, Ordering::Relaxed);
        };
        std::thread::Builder::new().name("x11-input".to_owned()).spawn(wait)?;
        Ok(())
    }
}
