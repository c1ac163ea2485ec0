//! D-Bus: connections that are made once and again when they break, and names that are asked for only if somebody has them.

use std::{
    collections::HashMap,
    io::ErrorKind,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use zbus::{
    Connection,
    zvariant::{DynamicDeserialize, DynamicType, OwnedValue, Type},
};

/// A service that takes longer hangs.
const CALL_LIMIT: Duration = Duration::from_secs(2);
/// A bus that is not there is not looked for with every question.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How the engine calls itself where it holds a lock.
pub const OWN_NAME: &str = "Offpeak";

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// There is no such bus on this machine, or nobody on it has the service's name: for certain.
    #[error("{0}")]
    Absent(String),
    /// The service answered that it cannot, with the error's name.
    #[error("{why}")]
    Refused { name: String, why: String },
    /// Nothing came back in time, or nothing that reads: everything is possible.
    #[error("{0}")]
    NoAnswer(String),
}

impl Failed {
    fn of(error: zbus::Error) -> Self {
        let why = error.to_string();
        match error {
            zbus::Error::MethodError(name, _, _) => Self::Refused { name: name.to_string(), why },
            _ => Self::NoAnswer(why),
        }
    }

    /// Of a connection that cannot be made.
    fn to_connect(error: &zbus::Error) -> Self {
        let why = error.to_string();
        match error {
            zbus::Error::Connection(io, _) | zbus::Error::InputOutput(io) if io.kind() == ErrorKind::NotFound => {
                Self::Absent(why)
            }
            _ => Self::NoAnswer(why),
        }
    }

    /// Whether the object that was asked is not there (any more).
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Refused { name, .. } => {
                ["UnknownObject", "UnknownMethod", "NoSuchSession"].iter().any(|gone| name.ends_with(gone))
            }
            Self::Absent(_) | Self::NoAnswer(_) => false,
        }
    }
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        failed.to_string()
    }
}

/// The bus of the whole system.
pub async fn system_bus() -> Result<Connection, Failed> {
    static BUS: Bus = Bus::new(TRY_AGAIN_AFTER);
    BUS.get(Connection::system()).await
}

/// That of the person's session.
pub async fn session_bus() -> Result<Connection, Failed> {
    static BUS: Bus = Bus::new(TRY_AGAIN_AFTER);
    BUS.get(Connection::session()).await
}

/// A connection that is made when it is wanted, and again when it has broken.
struct Bus {
    made: Mutex<Made>,
    again_after: Duration,
}

#[derive(Default)]
struct Made {
    connection: Option<Connection>,
    tried: Option<Instant>,
    failed: Option<Failed>,
}

impl Bus {
    const fn new(again_after: Duration) -> Self {
        let made = Made { connection: None, tried: None, failed: None };
        Self { made: Mutex::const_new(made), again_after }
    }

    async fn get(&self, connect: impl Future<Output = zbus::Result<Connection>>) -> Result<Connection, Failed> {
        let mut made = self.made.lock().await;
        if let Some(connection) = made.connection.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        if made.tried.is_some_and(|tried| tried.elapsed() < self.again_after) {
            return Err(made.failed.clone().unwrap_or_else(|| Failed::NoAnswer("the bus is gone".to_owned())));
        }
        made.tried = Some(Instant::now());
        let failed = match tokio::time::timeout(CALL_LIMIT, connect).await {
            Ok(Ok(connection)) => {
                (made.connection, made.failed) = (Some(connection.clone()), None);
                return Ok(connection);
            }
            // One that was there before is missed.
            Ok(Err(error)) if made.connection.is_some() => Failed::NoAnswer(error.to_string()),
            Ok(Err(error)) => Failed::to_connect(&error),
            Err(_) => Failed::NoAnswer("the bus does not answer".to_owned()),
        };
        made.failed = Some(failed.clone());
        Err(failed)
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
    pub async fn call<B, R>(&self, bus: &Connection, method: &str, body: &B) -> Result<R, Failed>
    where
        B: serde::Serialize + DynamicType,
        R: for<'d> DynamicDeserialize<'d>,
    {
        call(bus, self.service, self.path, self.interface, method, body).await
    }

    /// Whether anybody has the service's name.
    pub async fn has_owner(&self, bus: &Connection) -> Result<bool, Failed> {
        let dbus = Self::new("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus");
        dbus.call(bus, "NameHasOwner", &(self.service)).await
    }

    /// The same, where it is all one whether nobody has it or the bus does not say.
    pub async fn is_there(&self, bus: &Connection) -> bool {
        self.has_owner(bus).await.unwrap_or(false)
    }

    pub async fn property<T>(&self, bus: &Connection, name: &str) -> Result<T, Failed>
    where
        T: TryFrom<OwnedValue>,
        T::Error: std::fmt::Display,
    {
        let properties = "org.freedesktop.DBus.Properties";
        let value: OwnedValue = call(bus, self.service, self.path, properties, "Get", &(self.interface, name)).await?;
        T::try_from(value).map_err(|error| Failed::NoAnswer(error.to_string()))
    }
}

/// All properties of an object.
pub async fn properties(
    bus: &Connection,
    service: &str,
    path: &str,
    interface: &str,
) -> Result<HashMap<String, OwnedValue>, Failed> {
    call(bus, service, path, "org.freedesktop.DBus.Properties", "GetAll", &(interface)).await
}

async fn call<B, R>(bus: &Connection, service: &str, path: &str, interface: &str, method: &str, body: &B) -> Result<R, Failed>
where
    B: serde::Serialize + DynamicType,
    R: for<'d> DynamicDeserialize<'d>,
{
    let call = bus.call_method(Some(service), path, Some(interface), method, body);
    let answer = match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(Failed::of)?,
        Err(_) => return Err(Failed::NoAnswer(format!("{service} does not answer"))),
    };
    answer.body().deserialize::<R>().map_err(|error| Failed::NoAnswer(error.to_string()))
}

/// A property out of many.
pub fn get<T: DeserializeOwned + Type + TryFrom<OwnedValue>>(all: &HashMap<String, OwnedValue>, name: &str) -> Option<T> {
    all.get(name).and_then(|value| value.try_clone().ok()).and_then(|value| T::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::{
        path::Path,
        process::{Child, Command},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    /// A bus of the test's own.
    struct Daemon(Child);

    impl Daemon {
        fn start(address: &str) -> Self {
            let mut command = Command::new("dbus-daemon");
            command.args(["--session", "--nofork", "--nopidfile"]).arg(format!("--address={address}"));
            Self(command.spawn().expect("dbus-daemon is installed: `cargo xtask setup --test` does it"))
        }
    }

    impl Drop for Daemon {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    async fn refused() -> zbus::Result<Connection> {
        Err(zbus::Error::Failure("no".to_owned()))
    }

    #[tokio::test]
    async fn a_broken_connection_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let address = format!("unix:path={}", socket.display());
        let connect = || zbus::connection::Builder::address(address.as_str()).unwrap().build();
        let bus = Bus::new(Duration::from_millis(50));
        let connected = async || {
            let until = Instant::now() + LIMIT;
            while let Err(failed) = bus.get(connect()).await {
                assert!(Instant::now() < until, "{failed}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let daemon = Daemon::start(&address);
        connected().await;
        assert!(bus.get(refused()).await.is_ok(), "it is there already");
        drop(daemon);
        remove(&socket);
        let until = Instant::now() + LIMIT;
        let failed = loop {
            match bus.get(connect()).await {
                Ok(_) => assert!(Instant::now() < until, "nobody notices that the bus is gone"),
                Err(failed) => break failed,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(matches!(failed, Failed::NoAnswer(_)), "one that was there is missed: {failed:?}");
        let _daemon = Daemon::start(&address);
        connected().await;
    }

    fn remove(socket: &Path) {
        // It may have done so itself.
        let _ = std::fs::remove_file(socket);
    }

    #[tokio::test]
    async fn a_bus_that_fails_is_not_tried_with_every_question() {
        let bus = Bus::new(TRY_AGAIN_AFTER);
        bus.get(refused()).await.unwrap_err();
        bus.get(async { panic!("it is tried again at once") }).await.unwrap_err();
    }

    #[tokio::test]
    async fn no_bus_at_all_is_something_else_than_one_that_does_not_answer() {
        let missing = zbus::connection::Builder::address("unix:path=/nowhere/at/all").unwrap().build();
        let failed = Bus::new(Duration::ZERO).get(missing).await.unwrap_err();
        assert!(matches!(failed, Failed::Absent(_)), "{failed:?}");
        let failed = Bus::new(Duration::ZERO).get(refused()).await.unwrap_err();
        assert!(matches!(failed, Failed::NoAnswer(_)), "{failed:?}");
        let gone = |name: &str| Failed::Refused { name: name.to_owned(), why: String::new() }.is_gone();
        assert!(gone("org.freedesktop.DBus.Error.UnknownObject") && !gone("org.freedesktop.DBus.Error.LimitsExceeded"));
        assert!(!Failed::NoAnswer(String::new()).is_gone());
    }
}
