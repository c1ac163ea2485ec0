//! What NetworkManager and the person's desktop tell over D-Bus, and the desktop's lock against sleep.

use super::{
    bus::{At, Failed, OWN_NAME, session_bus, system_bus},
    logind::Session,
};
use crate::presence::Known;

const NETWORK: At =
    At::new("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager");

/// `NM_METERED_…` of NetworkManager: 1 yes, 2 no, 3 and 4 its guesses at them, 0 unknown.
pub async fn metered() -> Known<bool> {
    let how = "Metered of NetworkManager";
    let bus = match system_bus().await {
        Ok(bus) => bus,
        Err(why) => return Known::unknown(format!("{how}: {why}")),
    };
    if !NETWORK.is_there(&bus).await {
        return Known::unknown(format!("{how}: it does not run here"));
    }
    match NETWORK.property::<u32>(&bus, "Metered").await {
        Ok(1 | 3) => Known::new(true, how),
        Ok(2 | 4) => Known::new(false, how),
        Ok(_) => Known::unknown(format!("{how}: it does not know")),
        Err(why) => Known::unknown(format!("{how}: {why}")),
    }
}

const GNOME: At = At::new("org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager");
const POWER: At = At::new(
    "org.freedesktop.PowerManagement",
    "/org/freedesktop/PowerManagement/Inhibit",
    "org.freedesktop.PowerManagement.Inhibit",
);
const SAVER: At = At::new("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver");
const GNOME_SAVER: At = At::new("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver", "org.gnome.ScreenSaver");

/// "Inhibit the session being marked as idle", of GNOME's session manager.
const GNOME_IDLE: u32 = 8;
/// "Inhibit suspending the session or computer", likewise.
const GNOME_SUSPEND: u32 = 4;

/// Services of the person's desktop.
#[derive(Debug, Clone, Copy)]
pub struct Desktop;

impl Desktop {
    pub async fn locked(&self, sessions: &Result<Vec<Session>, Failed>) -> Known<bool> {
        // A service is in no session: then all of them have to be locked.
        let all: Vec<&Session> = sessions.iter().flatten().filter(|session| session.is_at_a_screen()).collect();
        let own: Vec<&Session> = all.iter().copied().filter(|session| session.is_own).collect();
        let those = if own.is_empty() { all } else { own };
        if !those.is_empty() && those.iter().all(|session| session.locked.is_some()) {
            return Known::new(those.iter().all(|session| session.locked == Some(true)), "LockedHint of logind");
        }
        let bus = match session_bus().await {
            Ok(bus) => bus,
            Err(why) => return Known::unknown(format!("no session bus: {why}")),
        };
        for saver in [GNOME_SAVER, SAVER] {
            if saver.is_there(&bus).await
                && let Ok(active) = saver.call::<_, bool>(&bus, "GetActive", &()).await
            {
                return Known::new(active, format!("GetActive of {}", saver.service));
            }
        }
        Known::unknown("neither logind nor the desktop tells")
    }

    /// Who keeps the screen on: of logind's inhibitors, else of the desktop's.
    pub async fn inhibited(&self, logind: Result<Vec<Inhibitor>, Failed>) -> Known<Option<String>> {
        let logind_tells = logind.is_ok();
        if let Some(found) = logind.unwrap_or_default().into_iter().find(Inhibitor::keeps_the_screen_on) {
            return Known::new(Some(found.who), "inhibitors of logind");
        }
        let Ok(bus) = session_bus().await else {
            let how = "inhibitors of logind";
            return if logind_tells { Known::new(None, how) } else { Known::unknown("neither logind nor a desktop is here") };
        };
        if GNOME.is_there(&bus).await {
            let how = "IsInhibited of GNOME's session manager";
            return match GNOME.call::<_, bool>(&bus, "IsInhibited", &(GNOME_IDLE)).await {
                Ok(is) => Known::new(is.then(|| "a program".to_owned()), how),
                Err(why) => Known::unknown(format!("{how}: {why}")),
            };
        }
        // The engine's own lock would be seen here as well: where it holds one, this tells nothing.
        if logind_tells { Known::new(None, "inhibitors of logind") } else { Known::unknown("the desktop does not tell") }
    }
}

/// Somebody's wish that the machine stay awake, as logind lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inhibitor {
    pub what: String,
    pub who: String,
    pub mode: String,
}

impl Inhibitor {
    fn keeps_the_screen_on(&self) -> bool {
        self.mode == "block" && self.who != OWN_NAME && self.what.split(':').any(|what| what == "idle")
    }
}

/// A lock of the desktop against sleep, while it is left alone; the screen may go dark.
#[derive(Debug)]
pub enum DesktopLock {
    Gnome(u32),
    Power(u32),
}

impl DesktopLock {
    pub async fn take(why: &str) -> Option<Self> {
        let bus = session_bus().await.ok()?;
        if GNOME.is_there(&bus).await {
            let no_window = 0_u32;
            return GNOME.call::<_, u32>(&bus, "Inhibit", &(OWN_NAME, no_window, why, GNOME_SUSPEND)).await.ok().map(Self::Gnome);
        }
        if POWER.is_there(&bus).await {
            return POWER.call::<_, u32>(&bus, "Inhibit", &(OWN_NAME, why)).await.ok().map(Self::Power);
        }
        None
    }

    pub async fn release(self) {
        let Ok(bus) = session_bus().await else { return };
        // A desktop that is gone has forgotten the lock.
        let _released = match self {
            Self::Gnome(cookie) => GNOME.call::<_, ()>(&bus, "Uninhibit", &(cookie)).await,
            Self::Power(cookie) => POWER.call::<_, ()>(&bus, "UnInhibit", &(cookie)).await,
        };
    }
}
