//! A Wayland compositor that tells of idleness (ext-idle-notify-v1, in the staging area of wayland-protocols since 1.27).

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use wayland_client::{
    Connection, Dispatch, EventQueue, QueueHandle, delegate_noop,
    protocol::{wl_registry, wl_seat},
};
use wayland_protocols::ext::idle_notify::v1::client::{
    ext_idle_notification_v1::{self, ExtIdleNotificationV1},
    ext_idle_notifier_v1::ExtIdleNotifierV1,
};

use crate::presence::{News, NewsSender};

/// The compositor says "idle" after so long without input, and then tells of the next input at once.
const IDLE_AFTER: Duration = Duration::from_millis(900);
/// A compositor that takes longer to answer is not there.
const OPEN_LIMIT: Duration = Duration::from_secs(3);

/// What the compositor said last.
#[derive(Debug, Clone)]
pub struct Wayland(Arc<Mutex<Said>>);

#[derive(Debug)]
enum Said {
    /// Somebody is there, or something keeps the session from being idle.
    Active,
    /// Nothing since then.
    IdleSince(Instant),
    Gone(String),
}

impl Wayland {
    pub async fn open(news: NewsSender) -> Result<Self, String> {
        let opening = tokio::task::spawn_blocking(move || connect(news));
        match tokio::time::timeout(OPEN_LIMIT, opening).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the compositor does not answer".to_owned()),
        }
    }

    pub fn idle(&self) -> Result<Duration, String> {
        match &*lock(&self.0) {
            Said::Active => Ok(Duration::ZERO),
            Said::IdleSince(since) => Ok(since.elapsed()),
            Said::Gone(why) => Err(why.clone()),
        }
    }
}

fn lock(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Listener {
    said: Arc<Mutex<Said>>,
    news: NewsSender,
    notifier: Option<ExtIdleNotifierV1>,
    seats: Vec<wl_seat::WlSeat>,
}

fn connect(news: NewsSender) -> Result<Wayland, String> {
    let connection = Connection::connect_to_env().map_err(|error| error.to_string())?;
    let mut queue: EventQueue<Listener> = connection.new_event_queue();
    let handle = queue.handle();
    connection.display().get_registry(&handle, ());
    let said = Arc::new(Mutex::new(Said::Active));
    let mut listener = Listener { said: said.clone(), news, notifier: None, seats: Vec::new() };
    queue.roundtrip(&mut listener).map_err(|error| error.to_string())?;
    let notifier = listener.notifier.clone().ok_or("the compositor has no ext-idle-notify-v1")?;
    if listener.seats.is_empty() {
        return Err("the compositor has no seat".to_owned());
    }
    let after = u32::try_from(IDLE_AFTER.as_millis()).unwrap_or(u32::MAX);
    for seat in &listener.seats {
        notifier.get_idle_notification(after, seat, &handle, ());
    }
    queue.flush().map_err(|error| error.to_string())?;
    let listen = move || {
        let why = loop {
            if let Err(error) = queue.blocking_dispatch(&mut listener) {
                break error.to_string();
            }
            if listener.news.is_closed() {
                return;
            }
        };
        *lock(&listener.said) = Said::Gone(why);
    };
    std::thread::Builder::new().name("wayland-input".to_owned()).spawn(listen).map_err(|error| error.to_string())?;
    Ok(Wayland(said))
}

impl Dispatch<wl_registry::WlRegistry, ()> for Listener {
    fn event(
        listener: &mut Self,
        registry: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        _data: &(),
        _connection: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if let wl_registry::Event::Global { name, interface, .. } = event {
            match interface.as_str() {
                "ext_idle_notifier_v1" => listener.notifier = Some(registry.bind(name, 1, handle, ())),
                "wl_seat" => listener.seats.push(registry.bind(name, 1, handle, ())),
                _ => {}
            }
        }
    }
}

impl Dispatch<ExtIdleNotificationV1, ()> for Listener {
    fn event(
        listener: &mut Self,
        _notification: &ExtIdleNotificationV1,
        event: ext_idle_notification_v1::Event,
        _data: &(),
        _connection: &Connection,
        _handle: &QueueHandle<Self>,
    ) {
        match event {
            ext_idle_notification_v1::Event::Idled => {
                let since = Instant::now().checked_sub(IDLE_AFTER).unwrap_or_else(Instant::now);
                *lock(&listener.said) = Said::IdleSince(since);
            }
            ext_idle_notification_v1::Event::Resumed => {
                *lock(&listener.said) = Said::Active;
                // Whoever is gone needs no news.
                let _ = listener.news.send(News::Input);
            }
            // Later versions of the protocol.
            _ => {}
        }
    }
}

delegate_noop!(Listener: ignore ExtIdleNotifierV1);
delegate_noop!(Listener: ignore wl_seat::WlSeat);
