//! What an administrator left on the machine before anybody sat down at it: which farm to join, and whether to start at login.

use std::path::{Path, PathBuf};

use offpeak_link::Order;
use serde::Deserialize;
use url::Url;

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preset {
    /// An enrolment link, or a code with `server` beside it.
    pub join: Option<String>,
    pub server: Option<Url>,
    /// Answers for the person whether to start at login; they can change it.
    pub start_at_login: Option<bool>,
}

impl Preset {
    /// Null where there is no such file.
    ///
    /// # Errors
    /// When there is one, and it cannot be used: which file, and why.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        // PowerShell writes a byte-order mark.
        let text = text.trim_start_matches('\u{feff}');
        serde_json::from_str(text).map(Some).map_err(|error| format!("{} is not a preset: {error}", path.display()))
    }

    /// What to ask of an engine that has no farm yet.
    pub fn join(&self) -> Option<Order> {
        let link_or_code = self.join.as_deref().map(str::trim).filter(|text| !text.is_empty())?.to_owned();
        Some(Order::Join { link_or_code, server: self.server.clone(), name: None })
    }
}

/// Where it is; only administrators can write there.
pub fn file(os: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    match os {
        "windows" => variable("PROGRAMDATA").map(|folder| folder.join("Offpeak").join("preset.json")),
        "macos" => Some(PathBuf::from("/Library/Application Support/Offpeak/preset.json")),
        _ => Some(PathBuf::from("/etc/offpeak/preset.json")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn presets_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("preset.json");
        assert_eq!(Preset::read(&path), Ok(None));
        for (text, join, start_at_login) in [
            ("{}", None, None),
            ("\u{feff}{\"join\":\" offpeak://farm.lan/ofe_x \"}", Some("offpeak://farm.lan/ofe_x"), None),
            ("{\"join\":\"\",\"start_at_login\":true}", None, Some(true)),
        ] {
            std::fs::write(&path, text).unwrap();
            let preset = Preset::read(&path).unwrap().unwrap();
            let order = join.map(|link| Order::Join { link_or_code: link.to_owned(), server: None, name: None });
            assert_eq!((preset.join(), preset.start_at_login), (order, start_at_login), "{text}");
        }
        std::fs::write(&path, "{\"jion\":\"x\"}").unwrap();
        assert!(Preset::read(&path).unwrap_err().contains("is not a preset: unknown field `jion`"));
    }
}
