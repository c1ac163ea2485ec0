//! As much of a Wayland compositor as tells of idleness (ext-idle-notify-v1): no screen, and a person who does as the test says.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use wayland_protocols::ext::idle_notify::v1::server::{
    ext_idle_notification_v1::{self, ExtIdleNotificationV1},
    ext_idle_notifier_v1::{self, ExtIdleNotifierV1},
};
use wayland_server::{
    Client, DataInit, Dispatch, Display, DisplayHandle, GlobalDispatch, ListeningSocket, New,
    protocol::wl_seat::{self, WlSeat},
};

/// How long an order may wait.
const TURN: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub struct Compositor {
    socket: PathBuf,
    asked: Arc<Mutex<Vec<ExtIdleNotificationV1>>>,
    stop: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

struct State(Arc<Mutex<Vec<ExtIdleNotificationV1>>>);

impl Compositor {
    /// Listens below `folder`.
    pub fn start(folder: &Path) -> Self {
        let socket = folder.join("wayland-test");
        let listener = ListeningSocket::bind_absolute(socket.clone()).expect("a socket");
        let mut display: Display<State> = Display::new().expect("a display");
        let handle = display.handle();
        handle.create_global::<State, WlSeat, ()>(1, ());
        handle.create_global::<State, ExtIdleNotifierV1, ()>(1, ());
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (mut state, stopped) = (State(asked.clone()), stop.clone());
        let serve = move || {
            let mut handle = display.handle();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(stream) = listener.accept().expect("the socket listens") {
                    handle.insert_client(stream, Arc::new(())).expect("a client");
                }
                display.dispatch_clients(&mut state).expect("clients are served");
                display.flush_clients().expect("clients are told");
                std::thread::sleep(TURN);
            }
        };
        Self { socket, asked, stop, serving: Some(std::thread::spawn(serve)) }
    }

    /// For `WAYLAND_DISPLAY`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// How many wait to be told.
    pub fn listeners(&self) -> usize {
        self.asked().len()
    }

    /// Nobody has touched anything for as long as was asked.
    pub fn idle(&self) {
        self.asked().iter().for_each(ExtIdleNotificationV1::idled);
    }

    /// Somebody touches something.
    pub fn touch(&self) {
        self.asked().iter().for_each(ExtIdleNotificationV1::resumed);
    }

    fn asked(&self) -> MutexGuard<'_, Vec<ExtIdleNotificationV1>> {
        self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(serving) = self.serving.take() {
            // A panic there has been printed.
            let _ended = serving.join();
        }
    }
}

impl GlobalDispatch<WlSeat, ()> for State {
    fn bind(_: &mut Self, _: &DisplayHandle, _: &Client, seat: New<WlSeat>, _: &(), init: &mut DataInit<'_, Self>) {
        init.init(seat, ());
    }
}

impl GlobalDispatch<ExtIdleNotifierV1, ()> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        notifier: New<ExtIdleNotifierV1>,
        _: &(),
        init: &mut DataInit<'_, Self>,
    ) {
        init.init(notifier, ());
    }
}

impl Dispatch<WlSeat, ()> for State {
    fn request(_: &mut Self, _: &Client, _: &WlSeat, _: wl_seat::Request, _: &(), _: &DisplayHandle, _: &mut DataInit<'_, Self>) {
    }
}

impl Dispatch<ExtIdleNotifierV1, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        _: &ExtIdleNotifierV1,
        request: ext_idle_notifier_v1::Request,
        _: &(),
        _: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        if let ext_idle_notifier_v1::Request::GetIdleNotification { id, .. } = request {
            let notification = init.init(id, ());
            state.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(notification);
        }
    }
}

impl Dispatch<ExtIdleNotificationV1, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &ExtIdleNotificationV1,
        _: ext_idle_notification_v1::Request,
        _: &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }
}
