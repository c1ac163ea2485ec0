//! What the person wants of the shell itself. What they want of the engine, the engine keeps.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Null until somebody has been asked.
    pub start_at_login: Option<bool>,
    pub notifications: bool,
    /// Whether it was once explained that closing the window does not end the program.
    pub knows_the_tray: bool,
    /// Which preset link is not to be used (any more), as [`crate::preset::Preset::mark`] has it.
    pub preset_used: Option<String>,
    /// Somebody took this computer out of its farm: its person, or the farm. Only a person's own joining ends that.
    pub taken_out: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { start_at_login: None, notifications: true, knows_the_tray: false, preset_used: None, taken_out: false }
    }
}

impl Settings {
    /// Those of a file; the usual ones where there is none, or none that can be read: a shell that does not start over a
    /// spoiled file would be worse.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path);
        text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// # Errors
    /// When the folder cannot be made or the file not written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Never half a file under the final name.
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec_pretty(self)?)?;
        fs::rename(beside, path)
    }
}

/// Where they are: `variable` reads the environment.
pub fn file(os: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = match os {
        "windows" => variable("APPDATA").map(|folder| folder.join("Offpeak")),
        "macos" => variable("HOME").map(|home| home.join("Library/Application Support/Offpeak")),
        _ => variable("XDG_CONFIG_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".config")))
            .map(|folder| folder.join("offpeak")),
    };
    folder.map(|folder| folder.join("tray.json"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn they_are_read_as_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/tray.json");
        assert_eq!(Settings::read(&path), Settings::default());
        let wanted = Settings {
            start_at_login: Some(true),
            notifications: false,
            knows_the_tray: true,
            preset_used: Some("3f2a".to_owned()),
            taken_out: true,
        };
        wanted.write(&path).unwrap();
        assert_eq!(Settings::read(&path), wanted);
        fs::write(&path, "{\"notifications\":false}").unwrap();
        assert_eq!(Settings::read(&path), Settings { notifications: false, ..Settings::default() });
        fs::write(&path, "{").unwrap();
        assert_eq!(Settings::read(&path), Settings::default());
    }

    #[test]
    fn every_platform_has_its_file() {
        let home = ("HOME", "/home/ada");
        for (os, set, expected) in [
            ("linux", vec![home], Some("/home/ada/.config/offpeak/tray.json")),
            ("linux", vec![home, ("XDG_CONFIG_HOME", "/c")], Some("/c/offpeak/tray.json")),
            ("linux", vec![home, ("XDG_CONFIG_HOME", "relative")], Some("/home/ada/.config/offpeak/tray.json")),
            ("macos", vec![home], Some("/home/ada/Library/Application Support/Offpeak/tray.json")),
            ("windows", vec![("APPDATA", "/Roaming")], Some("/Roaming/Offpeak/tray.json")),
            ("linux", vec![], None),
        ] {
            let found = file(os, |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value)));
            assert_eq!(found, expected.map(PathBuf::from), "{os} {set:?}");
        }
    }
}
