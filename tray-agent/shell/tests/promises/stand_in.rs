//! A tray app whose engine only plays one.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use offpeak_desktop::{Desktop, Tray};

const TRAY: &str = env!("CARGO_BIN_EXE_offpeak-tray");

fn engine() -> PathBuf {
    let engine = Path::new(TRAY).with_file_name("examples").join("stand_in_engine");
    assert!(engine.exists(), "cargo builds the examples of a package with its tests");
    engine
}

fn variables<'a>(state: &'a str, orders: &'a Path, preset: &'a Path) -> [(&'static str, &'a OsStr); 3] {
    [("STAND_IN_STATE", state.as_ref()), ("STAND_IN_ORDERS", orders.as_os_str()), ("OFFPEAK_TRY_PRESET", preset.as_os_str())]
}

/// A desktop, and what the stand-in on it was told.
pub struct Desk {
    pub desktop: Desktop,
}

impl Desk {
    pub fn start() -> Self {
        Self { desktop: Desktop::start() }
    }

    /// Starts the tray app with a stand-in that begins in this state.
    pub fn tray(&self, state: &str, arguments: &[&str]) -> Tray {
        let (engine, [orders, preset]) = (engine(), self.files());
        self.desktop.start_tray(Path::new(TRAY), &engine, &variables(state, &orders, &preset), arguments)
    }

    /// As a login does: an icon, and no window.
    pub fn tray_at_login(&self, state: &str) -> Tray {
        let (engine, [orders, preset]) = (engine(), self.files());
        self.desktop.start_tray_at_login(Path::new(TRAY), &engine, &variables(state, &orders, &preset))
    }

    /// What an administrator put there.
    pub fn preset(&self, text: &str) {
        let [_, preset] = self.files();
        fs::write(preset, text).unwrap();
    }

    fn files(&self) -> [PathBuf; 2] {
        ["orders", "preset.json"].map(|name| self.desktop.folder.path().join(name))
    }

    /// What the stand-in was told, a line each.
    pub fn orders(&self) -> Vec<String> {
        let [orders, _] = self.files();
        fs::read_to_string(orders).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
