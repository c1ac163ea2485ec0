//! Whether the shell starts when its person logs in: only after somebody said so.

use std::path::Path;

use tauri::AppHandle;
use tauri_plugin_autostart::ManagerExt;

use crate::{preset::Preset, settings::Settings};

/// What an entry for the login says, so that a refusal can be obeyed even where the entry is not ours to remove.
pub const AT_LOGIN: &str = "--at-login";
/// The package's entry for everybody on the machine (XDG Autostart).
const OF_THE_PACKAGE: &str = "/etc/xdg/autostart/offpeak-tray.desktop";

/// The person's answer, or else that of whoever set the machine up, or else no.
pub fn is_wanted(settings: &Settings, preset: Option<&Preset>) -> bool {
    settings.start_at_login.or(preset.and_then(|preset| preset.start_at_login)).unwrap_or(false)
}

/// # Errors
/// When the system does not let the entry be written or removed; as a sentence.
pub fn set(app: &AppHandle, wanted: bool) -> Result<(), String> {
    // That entry asks `is_wanted` each time; a second one would be one too many.
    if cfg!(target_os = "linux") && Path::new(OF_THE_PACKAGE).exists() {
        return Ok(());
    }
    let entry = app.autolaunch();
    let is_there = entry.is_enabled().unwrap_or(false);
    let done = match (wanted, is_there) {
        (true, _) => entry.enable(),
        (false, true) => entry.disable(),
        (false, false) => Ok(()),
    };
    done.map_err(|error| format!("This computer does not let Offpeak change what starts at login: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_started_unasked() {
        let said = |start_at_login| Settings { start_at_login, ..Settings::default() };
        let preset = |start_at_login| Preset { start_at_login, ..Preset::default() };
        for (person, machine, wanted) in [
            (None, None, false),
            (None, Some(true), true),
            (Some(false), Some(true), false),
            (Some(true), Some(false), true),
            (Some(true), None, true),
        ] {
            assert_eq!(is_wanted(&said(person), Some(&preset(machine))), wanted, "{person:?} {machine:?}");
        }
        assert!(!is_wanted(&said(None), None));
    }
}
