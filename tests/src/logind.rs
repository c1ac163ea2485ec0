//! A bus of the test's own with something on it that speaks as systemd-logind does: containers have none, and a real one cannot be
//! told that the machine is going to sleep.

use std::{
    io::Read,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use zbus::{connection, interface, object_server::SignalEmitter, zvariant};

use crate::process::{Frozen, Process};

const MANAGER: &str = "/org/freedesktop/login1";
const SESSION: &str = "/org/freedesktop/login1/session/c1";

/// The one session that there is: graphical, of a person.
#[derive(Debug)]
struct Told {
    kind: &'static str,
    idle_since: Option<SystemTime>,
    locked: bool,
    inhibitors: Vec<(String, String, String, String)>,
    /// The other ends of the locks that were given out, with what they are against.
    locks: Vec<(String, UnixStream)>,
}

type Shared = Arc<Mutex<Told>>;

fn lock(told: &Shared) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[derive(Debug)]
pub struct Logind {
    bus: Process,
    address: String,
    connection: zbus::Connection,
    told: Shared,
}

struct Manager(Shared);

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn list_sessions(&self) -> Vec<(String, u32, String, String, zvariant::OwnedObjectPath)> {
        let path = zvariant::ObjectPath::from_static_str_unchecked(SESSION).into();
        vec![("c1".to_owned(), 1000, "anna".to_owned(), "seat0".to_owned(), path)]
    }

    fn list_inhibitors(&self) -> Vec<(String, String, String, String, u32, u32)> {
        let told = lock(&self.0);
        told.inhibitors.iter().cloned().map(|(what, who, why, mode)| (what, who, why, mode, 1000, 1)).collect()
    }

    fn inhibit(&self, what: String, _who: String, _why: String, mode: String) -> zvariant::OwnedFd {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        ours.set_nonblocking(true).expect("it can be looked at");
        lock(&self.0).locks.push((format!("{what} {mode}"), ours));
        OwnedFd::from(theirs).into()
    }

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, begins: bool) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn prepare_for_shutdown(emitter: &SignalEmitter<'_>, begins: bool) -> zbus::Result<()>;
}

struct Session(Shared);

#[interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn class(&self) -> String {
        "user".to_owned()
    }

    #[zbus(property)]
    fn state(&self) -> String {
        "active".to_owned()
    }

    #[zbus(property, name = "Type")]
    fn kind(&self) -> String {
        lock(&self.0).kind.to_owned()
    }

    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        lock(&self.0).idle_since.is_some()
    }

    #[zbus(property)]
    fn idle_since_hint(&self) -> u64 {
        let since = lock(&self.0).idle_since.unwrap_or(UNIX_EPOCH);
        u64::try_from(since.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(0)
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        lock(&self.0).locked
    }
}

impl Logind {
    pub async fn start(folder: &Path) -> Self {
        let socket = format!("unix:path={}", folder.join("system-bus").display());
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile"]).arg(format!("--address={socket}"));
        let bus = Process::spawn("system-bus", command, folder);
        let told = Told { kind: "x11", idle_since: None, locked: false, inhibitors: Vec::new(), locks: Vec::new() };
        let told = Arc::new(Mutex::new(told));
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        let connection = loop {
            let serving = async {
                connection::Builder::address(socket.as_str())?
                    .serve_at(MANAGER, Manager(told.clone()))?
                    .serve_at(SESSION, Session(told.clone()))?
                    .name("org.freedesktop.login1")?
                    .build()
                    .await
            };
            match serving.await {
                Ok(connection) => break connection,
                Err(error) => assert!(tokio::time::Instant::now() < until, "no bus: {error}\n{}", bus.log()),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Self { bus, address: socket, connection, told }
    }

    /// For `DBUS_SYSTEM_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Nobody has touched the session for so long; or somebody just did.
    pub fn set_idle(&self, idle: Option<Duration>) {
        lock(&self.told).idle_since = idle.map(|idle| SystemTime::now() - idle);
    }

    pub fn set_locked(&self, locked: bool) {
        lock(&self.told).locked = locked;
    }

    /// As after `startx` on a console: logind knows of no display.
    pub fn becomes_a_console(&self) {
        lock(&self.told).kind = "tty";
    }

    /// The bus hangs: nobody gets an answer until it is thawed.
    pub fn freeze(&self) -> Frozen {
        self.bus.freeze(false)
    }

    /// A program that wants the screen to stay on.
    pub fn inhibit(&self, who: &str) {
        let inhibitor = ("idle".to_owned(), who.to_owned(), "a film".to_owned(), "block".to_owned());
        lock(&self.told).inhibitors.push(inhibitor);
    }

    /// None of them wants it any more.
    pub fn uninhibit(&self) {
        lock(&self.told).inhibitors.clear();
    }

    /// How many locks of this kind are held, such as `sleep:shutdown delay`.
    pub fn held(&self, what: &str) -> usize {
        let mut told = lock(&self.told);
        told.locks.retain_mut(|(_, end)| !matches!(end.read(&mut [0]), Ok(0)));
        told.locks.iter().filter(|(of, _)| of == what).count()
    }

    /// Says that the machine is about to sleep, or that it woke up.
    pub async fn sleep(&self, begins: bool) {
        let manager = self.connection.object_server().interface::<_, Manager>(MANAGER).await.expect("it is served");
        Manager::prepare_for_sleep(manager.signal_emitter(), begins).await.expect("it is told");
    }

    /// Says that the machine is about to stop.
    pub async fn shut_down(&self) {
        let manager = self.connection.object_server().interface::<_, Manager>(MANAGER).await.expect("it is served");
        Manager::prepare_for_shutdown(manager.signal_emitter(), true).await.expect("it is told");
    }
}
