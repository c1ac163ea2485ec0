//! A desk: an X display without a screen, and fingers on its keys and its mouse.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::process::{Frozen, Process};

const START_LIMIT: Duration = Duration::from_secs(20);

/// A running Xvfb.
#[derive(Debug)]
pub struct Display {
    server: Process,
    name: String,
}

/// What a person does with their hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    Key,
    Mouse,
}

/// So that a program does not hear of the desk of the machine that tests: whoever starts it says next which one it has.
pub fn forget_this_desk(command: &mut Command) {
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "XDG_SESSION_ID", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
}

impl Display {
    /// Starts a display on a free number; its log goes to `folder`.
    pub fn start(folder: &Path) -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"]);
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut server = Process::spawn(&format!("display-{number}"), command, folder);
        let until = Instant::now() + START_LIMIT;
        loop {
            // The server prints its number when it is ready.
            if let Some(number) = server.log().lines().find_map(|line| line.trim().parse::<u32>().ok()) {
                return Self { server, name: format!(":{number}") };
            }
            assert!(server.is_running() && Instant::now() < until, "Xvfb does not start:\n{}", server.log_tail(20));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As in `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// It hangs: whoever asks it gets no answer until it is thawed.
    pub fn freeze(&self) -> Frozen {
        self.server.freeze(false)
    }

    /// Presses a key, or moves the mouse; returns when that is done.
    pub fn touch(&self, touch: Touch) {
        let words: &[&str] = match touch {
            Touch::Key => &["key", "a"],
            Touch::Mouse => &["mousemove_relative", "--", "3", "-2"],
        };
        let mut command = Command::new("xdotool");
        let done = command.args(words).env("DISPLAY", &self.name).stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(done.expect("xdotool starts").success(), "xdotool {words:?} failed");
    }
}
