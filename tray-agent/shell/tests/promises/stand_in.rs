//! A tray app whose engine only plays one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use offpeak_desktop::{Desktop, Tray};

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
        let tray = Path::new(env!("CARGO_BIN_EXE_offpeak-tray"));
        let engine = tray.with_file_name("examples").join("stand_in_engine");
        assert!(engine.exists(), "cargo builds the examples of a package with its tests");
        let orders = self.orders_file();
        let variables = [("STAND_IN_STATE", state.as_ref()), ("STAND_IN_ORDERS", orders.as_os_str())];
        self.desktop.start_tray(tray, &engine, &variables, arguments)
    }

    fn orders_file(&self) -> PathBuf {
        self.desktop.folder.path().join("orders")
    }

    /// What the stand-in was told, a line each.
    pub fn orders(&self) -> Vec<String> {
        fs::read_to_string(self.orders_file()).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
