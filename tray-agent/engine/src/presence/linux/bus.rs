//! D-Bus: connections that are made once, names that are asked for only if somebody has them, and the desktop's own services.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use zbus::{
    Connection,
    zvariant::{DynamicDeserialize, DynamicType, OwnedValue, Type},
};

use super::logind::Session;
use crate::presence::Known;

/// A service that takes longer hangs.
const CALL_LIMIT: Duration = Duration::from_secs(2);
/// A bus that is not there is not looked for with every question.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How the engine calls itself where it holds a lock.
pub const OWN_NAME: &str = "Offpeak";

/// The bus of the whole system.
pub async fn system_bus() -> Result<&'static Connection, String> {
    static BUS: Bus = Bus::new();
    BUS.get(Connection::system()).await
}

/// That of the person's session.
pub async fn session_bus() -> Result<&'static Connection, String> {
    static BUS: Bus = Bus::new();
    BUS.get(Connection::session()).await
}

/// A connection that is made once, or why there is none.
struct Bus {
    cell: OnceCell<Connection>,
    failed: Mutex<Option<(Instant, String)>>,
}

impl Bus {
    const fn new() -> Self {
        Self { cell: OnceCell::const_new(), failed: Mutex::new(None) }
    }

    async fn get(&self, connect: impl Future<Output = zbus::Result<Connection>>) -> Result<&Connection, String> {
        let failed = || self.failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((at, why)) = &*failed()
            && at.elapsed() < TRY_AGAIN_AFTER
        {
            return Err(why.clone());
        }
        let connect = async {
            match tokio::time::timeout(CALL_LIMIT, connect).await {
                Ok(Ok(connection)) => Ok(connection),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the bus does not answer".to_owned()),
            }
        };
        self.cell.get_or_try_init(|| connect).await.inspect_err(|why| *failed() = Some((Instant::now(), why.clone())))
    }
}

/// Where a method is: service, object, interface.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub service: &'static str,
    pub path: &'static str,
    pub interface: &'static str,
}

impl At {
    pub const fn new(service: &'static str, path: &'static str, interface: &'static str) -> Self {
        Self { service, path, interface }
    }

    /// Calls a method; never starts a service for it.
    pub async fn call<B, R>(&self, bus: &Connection, method: &str, body: &B) -> Result<R, String>
    where
        B: serde::Serialize + DynamicType,
        R: for<'d> DynamicDeserialize<'d>,
    {
        call(bus, self.service, self.path, self.interface, method, body).await
    }

    /// Whether anybody has the service's name.
    pub async fn is_there(&self, bus: &Connection) -> bool {
        let dbus = Self::new("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus");
        dbus.call::<_, bool>(bus, "NameHasOwner", &(self.service)).await.unwrap_or(false)
    }

    pub async fn property<T>(&self, bus: &Connection, name: &str) -> Result<T, String>
    where
        T: TryFrom<OwnedValue>,
        T::Error: std::fmt::Display,
    {
        let properties = "org.freedesktop.DBus.Properties";
        let value: OwnedValue = call(bus, self.service, self.path, properties, "Get", &(self.interface, name)).await?;
        T::try_from(value).map_err(|error| error.to_string())
    }
}

/// All properties of an object.
pub async fn properties(
    bus: &Connection,
    service: &str,
    path: &str,
    interface: &str,
) -> Result<HashMap<String, OwnedValue>, String> {
    call(bus, service, path, "org.freedesktop.DBus.Properties", "GetAll", &(interface)).await
}

async fn call<B, R>(bus: &Connection, service: &str, path: &str, interface: &str, method: &str, body: &B) -> Result<R, String>
where
    B: serde::Serialize + DynamicType,
    R: for<'d> DynamicDeserialize<'d>,
{
    let call = bus.call_method(Some(service), path, Some(interface), method, body);
    let answer = match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("{service} does not answer")),
    };
    answer.body().deserialize::<R>().map_err(|error| error.to_string())
}

/// A property out of many.
pub fn get<T: DeserializeOwned + Type + TryFrom<OwnedValue>>(all: &HashMap<String, OwnedValue>, name: &str) -> Option<T> {
    all.get(name).and_then(|value| value.try_clone().ok()).and_then(|value| T::try_from(value).ok())
}

const NETWORK: At =
    At::new("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager");

/// `NM_METERED_…` of NetworkManager: 1 yes, 2 no, 3 and 4 its guesses at them, 0 unknown.
pub async fn metered() -> Known<bool> {
    let how = "Metered of NetworkManager";
    let bus = match system_bus().await {
        Ok(bus) => bus,
        Err(why) => return Known::unknown(format!("{how}: {why}")),
    };
    if !NETWORK.is_there(bus).await {
        return Known::unknown(format!("{how}: it does not run here"));
    }
    match NETWORK.property::<u32>(bus, "Metered").await {
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
    pub async fn locked(&self, sessions: &Result<Vec<Session>, String>) -> Known<bool> {
        // A service is in no session: then all of them have to be locked.
        let all: Vec<&Session> = sessions.iter().flatten().filter(|session| session.is_graphical).collect();
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
            if saver.is_there(bus).await
                && let Ok(active) = saver.call::<_, bool>(bus, "GetActive", &()).await
            {
                return Known::new(active, format!("GetActive of {}", saver.service));
            }
        }
        Known::unknown("neither logind nor the desktop tells")
    }

    /// Who keeps the screen on: of logind's inhibitors, else of the desktop's.
    pub async fn inhibited(&self, logind: Result<Vec<Inhibitor>, String>) -> Known<Option<String>> {
        let logind_tells = logind.is_ok();
        if let Some(found) = logind.unwrap_or_default().into_iter().find(Inhibitor::keeps_the_screen_on) {
            return Known::new(Some(found.who), "inhibitors of logind");
        }
        let Ok(bus) = session_bus().await else {
            let how = "inhibitors of logind";
            return if logind_tells { Known::new(None, how) } else { Known::unknown("neither logind nor a desktop is here") };
        };
        if GNOME.is_there(bus).await {
            let how = "IsInhibited of GNOME's session manager";
            return match GNOME.call::<_, bool>(bus, "IsInhibited", &(GNOME_IDLE)).await {
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
        if GNOME.is_there(bus).await {
            let no_window = 0_u32;
            return GNOME.call::<_, u32>(bus, "Inhibit", &(OWN_NAME, no_window, why, GNOME_SUSPEND)).await.ok().map(Self::Gnome);
        }
        if POWER.is_there(bus).await {
            return POWER.call::<_, u32>(bus, "Inhibit", &(OWN_NAME, why)).await.ok().map(Self::Power);
        }
        None
    }

    pub async fn release(self) {
        let Ok(bus) = session_bus().await else { return };
        // A desktop that is gone has forgotten the lock.
        let _released = match self {
            Self::Gnome(cookie) => GNOME.call::<_, ()>(bus, "Uninhibit", &(cookie)).await,
            Self::Power(cookie) => POWER.call::<_, ()>(bus, "UnInhibit", &(cookie)).await,
        };
    }
}
