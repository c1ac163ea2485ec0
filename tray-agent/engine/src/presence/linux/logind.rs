//! systemd-logind: who is logged in, who keeps the machine awake, and when it is about to stop.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use futures_util::StreamExt;
use tokio_util::task::AbortOnDropHandle;
use zbus::{
    Connection,
    zvariant::{OwnedFd, OwnedObjectPath, OwnedValue},
};

use super::{
    bus::{At, Failed, OWN_NAME, get, properties, system_bus},
    desktop::Inhibitor,
};
use crate::presence::{Leaving, News, NewsSender};

const MANAGER: At = At::new("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager");
const SESSION: &str = "org.freedesktop.login1.Session";
/// logind comes and goes with updates.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What a session is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    X11,
    Wayland,
    /// A console, a connection from afar.
    Other,
}

/// Somebody who is logged in, or is being asked who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub user: String,
    pub uid: u32,
    pub kind: Kind,
    /// The number of its X11 display, where that is told.
    pub display: Option<u32>,
    /// The login screen.
    pub is_greeter: bool,
    /// The one that the engine runs in, or of the same user.
    pub is_own: bool,
    pub locked: Option<bool>,
    /// Of a session that says it is idle: for how long. Others are in use, as far as logind knows.
    pub idle_for: Option<Duration>,
}

/// Keeps the machine from sleeping for some seconds, so that work can be handed back first. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct DelayLock(Arc<Mutex<Option<OwnedFd>>>);

impl DelayLock {
    fn set(&self, lock: Option<OwnedFd>) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = lock;
    }

    /// Nothing is left to hand back.
    pub fn release(&self) {
        self.set(None);
    }
}

impl Session {
    /// Of a person at a screen.
    pub fn is_at_a_screen(&self) -> bool {
        let is_graphical = match self.kind {
            Kind::X11 | Kind::Wayland => true,
            Kind::Other => false,
        };
        is_graphical && !self.is_greeter
    }
}

/// Told of sleep and shutdown for as long as this lives.
#[derive(Debug)]
pub struct SleepNews {
    _listener: Option<AbortOnDropHandle<()>>,
}

impl SleepNews {
    /// `lock` is held against sleep from now on.
    pub fn new(news: NewsSender, lock: DelayLock) -> Self {
        let runtime = tokio::runtime::Handle::try_current().ok();
        Self { _listener: runtime.map(|runtime| AbortOnDropHandle::new(runtime.spawn(listen(news, lock)))) }
    }
}

/// All sessions of people, and the login screen's.
pub async fn sessions() -> Result<Vec<Session>, Failed> {
    let bus = manager().await?;
    type Listed = (String, u32, String, String, OwnedObjectPath);
    let listed: Vec<Listed> = MANAGER.call(&bus, "ListSessions", &()).await?;
    let (own_id, own_user) = (std::env::var("XDG_SESSION_ID").ok(), nix::unistd::getuid().as_raw());
    let mut sessions = Vec::new();
    for (id, uid, user, _seat, path) in listed {
        match properties(&bus, MANAGER.service, path.as_str(), SESSION).await {
            Ok(told) => {
                let is_own = own_id.as_ref().map_or(uid == own_user, |own| *own == id);
                sessions.extend(session(id, user, uid, is_own, &told));
            }
            // It has ended since.
            Err(failed) if failed.is_gone() => {}
            // Somebody may sit in a session of which nothing is known.
            Err(failed) => return Err(failed),
        }
    }
    Ok(sessions)
}

pub async fn inhibitors() -> Result<Vec<Inhibitor>, Failed> {
    type Listed = (String, String, String, String, u32, u32);
    let listed: Vec<Listed> = MANAGER.call(&manager().await?, "ListInhibitors", &()).await?;
    Ok(listed.into_iter().map(|(what, who, _why, mode, _uid, _pid)| Inhibitor { what, who, mode }).collect())
}

async fn manager() -> Result<Connection, Failed> {
    static WAS_HERE: AtomicBool = AtomicBool::new(false);
    let bus = system_bus().await?;
    if MANAGER.has_owner(&bus).await? {
        WAS_HERE.store(true, Ordering::Relaxed);
        return Ok(bus);
    }
    // One that was here comes back; until then nobody knows who is logged in.
    let was_here = WAS_HERE.load(Ordering::Relaxed);
    Err(if was_here {
        Failed::NoAnswer("logind is gone".to_owned())
    } else {
        Failed::Absent("logind does not run here".to_owned())
    })
}

/// Services have sessions as well, which are none of anybody's.
fn session(id: String, user: String, uid: u32, is_own: bool, told: &HashMap<String, OwnedValue>) -> Option<Session> {
    let text = |name: &str| get::<String>(told, name).unwrap_or_default();
    let is_greeter = match text("Class").as_str() {
        "user" => false,
        "greeter" => true,
        _ => return None,
    };
    if text("State") == "closing" {
        return None;
    }
    let is_idle = get::<bool>(told, "IdleHint").unwrap_or(false);
    let since = get::<u64>(told, "IdleSinceHint").map(|micros| UNIX_EPOCH + Duration::from_micros(micros));
    let idle_for = since.filter(|_| is_idle).map(super::ago);
    let kind = match text("Type").as_str() {
        "x11" => Kind::X11,
        "wayland" | "mir" => Kind::Wayland,
        _ => Kind::Other,
    };
    let display = number(&text("Display"));
    Some(Session { id, user, uid, kind, display, is_greeter, is_own, locked: get(told, "LockedHint"), idle_for })
}

/// Of a display's name, such as `:0` or `:10.0`.
fn number(display: &str) -> Option<u32> {
    let (_host, number) = display.rsplit_once(':')?;
    number.split('.').next()?.parse().ok()
}

async fn listen(news: NewsSender, lock: DelayLock) {
    loop {
        if let Err(why) = listen_once(&news, &lock).await {
            tracing::debug!("logind does not tell of sleep and shutdown: {why}");
        }
        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn listen_once(news: &NewsSender, lock: &DelayLock) -> Result<(), String> {
    let bus = &manager().await?;
    let said = |error: zbus::Error| error.to_string();
    let proxy = zbus::Proxy::new(bus, MANAGER.service, MANAGER.path, MANAGER.interface).await.map_err(said)?;
    let mut sleep = proxy.receive_signal("PrepareForSleep").await.map_err(said)?;
    let mut shutdown = proxy.receive_signal("PrepareForShutdown").await.map_err(said)?;
    lock.set(delay(bus).await);
    loop {
        let (signal, leaving) = tokio::select! {
            signal = sleep.next() => (signal, Leaving::Sleep),
            signal = shutdown.next() => (signal, Leaving::Shutdown),
        };
        let signal = signal.ok_or("the bus is gone")?;
        let begins = signal.body().deserialize::<bool>().map_err(|error| error.to_string())?;
        tracing::info!(?leaving, begins, "told by logind");
        if !begins {
            lock.set(delay(bus).await);
        }
        if news.send(News::Leaving(begins.then_some(leaving))).is_err() {
            return Ok(());
        }
    }
}

/// logind waits for whoever holds this, at most five seconds by default.
async fn delay(bus: &Connection) -> Option<OwnedFd> {
    let lock = MANAGER.call(bus, "Inhibit", &("sleep:shutdown", OWN_NAME, "begun work is handed back first", "delay")).await;
    lock.inspect_err(|why| tracing::debug!("no lock that delays sleep: {why}")).ok()
}

/// Keeps logind from putting an idle machine to sleep.
pub async fn block_idle_sleep(why: &str) -> Option<OwnedFd> {
    MANAGER.call(&manager().await.ok()?, "Inhibit", &("idle", OWN_NAME, why, "block")).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_have_numbers() {
        for (display, expected) in [(":0", Some(0)), (":10.0", Some(10)), ("far:1.2", Some(1)), ("", None), (":x", None)] {
            assert_eq!(number(display), expected, "{display}");
        }
    }
}
