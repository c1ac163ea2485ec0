//! What an administrator left on the machine before anybody sat down at it: which farm to join, and whether to start at login.

use std::path::{Path, PathBuf};

use offpeak_api::agent::AgentState;
use offpeak_link::{Now, Order};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::settings::Settings;

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

impl Preset {
    /// By which a link is known again once it was used; the link itself is a secret, and is not kept.
    fn mark(&self) -> Option<String> {
        let Order::Join { link_or_code, server, .. } = self.join()? else { return None };
        let server = server.map(String::from).unwrap_or_default();
        let hash = Sha256::new().chain_update(link_or_code).chain_update("\n").chain_update(server).finalize();
        Some(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What is to be kept, and what to ask of the engine, after it has said how things are.
///
/// A link is used once: a machine that has been in a farm since the link was put there has no need of it any more, and one that
/// somebody took out of a farm stays out, whatever is put there.
pub fn due(preset: Option<&Preset>, settings: &Settings, now: &Now) -> (Settings, Option<Order>) {
    let mut kept = settings.clone();
    let mark = preset.and_then(Preset::mark);
    if now.state == AgentState::Revoked {
        kept.taken_out = true;
    }
    if now.farm.is_some() && mark.is_some() {
        kept.preset_used.clone_from(&mark);
    }
    let is_due = now.farm.is_none() && !kept.taken_out && mark != kept.preset_used;
    let order = preset.filter(|_| is_due).and_then(Preset::join);
    (kept, order)
}

/// The link has been used, or is good for nothing.
pub fn used(preset: Option<&Preset>, settings: &mut Settings) {
    settings.preset_used = preset.and_then(Preset::mark);
}

/// Whether a refusal says nothing against the link: the network was missing, or the engine.
pub fn may_go_well_later(code: &str) -> bool {
    matches!(code, "no_answer" | "no_connection" | "ending" | crate::engine::NOT_RUNNING)
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

    fn preset(link: &str) -> Preset {
        Preset { join: Some(link.to_owned()), ..Preset::default() }
    }

    fn farmless(state: AgentState) -> Now {
        Now { farm: None, ..crate::testing::now(state, "x") }
    }

    #[test]
    fn a_link_is_used_once() {
        let (first, second) = (preset("offpeak://farm.lan/ofe_a"), preset("offpeak://farm.lan/ofe_b"));
        let new = Settings::default();
        let (kept, order) = due(Some(&first), &new, &farmless(AgentState::Waiting));
        assert_eq!((&kept, order), (&new, first.join()), "a new machine joins, and nothing is kept before that is done");

        let (joined, order) = due(Some(&first), &new, &crate::testing::now(AgentState::Waiting, "x"));
        assert_eq!(order, None);
        assert!(!joined.preset_used.as_deref().unwrap().contains("ofe_a"), "the code is a secret");
        let (kept, order) = due(Some(&first), &joined, &farmless(AgentState::Waiting));
        assert_eq!((&kept, order), (&joined, None), "one that has no farm any more does not join again");
        let (_, order) = due(Some(&second), &joined, &farmless(AgentState::Waiting));
        assert_eq!(order, second.join(), "unless there is another link");

        let mut refused = new.clone();
        used(Some(&first), &mut refused);
        assert_eq!(
            due(Some(&first), &refused, &farmless(AgentState::Waiting)).1,
            None,
            "nor is one tried again that was refused"
        );
    }

    #[test]
    fn whoever_was_taken_out_stays_out() {
        let (first, second) = (preset("offpeak://farm.lan/ofe_a"), preset("offpeak://farm.lan/ofe_b"));
        // Revoked before the shell ever saw the farm.
        let (revoked, order) = due(Some(&first), &Settings::default(), &farmless(AgentState::Revoked));
        assert_eq!((revoked.taken_out, order), (true, None));
        for preset in [&first, &second] {
            assert_eq!(due(Some(preset), &revoked, &farmless(AgentState::Waiting)).1, None);
        }
        let left = Settings { taken_out: true, ..Settings::default() };
        assert_eq!(due(Some(&first), &left, &farmless(AgentState::Waiting)).1, None);
    }

    #[test]
    fn without_a_link_nothing_is_asked() {
        for preset in [None, Some(&Preset::default())] {
            let (kept, order) = due(preset, &Settings::default(), &farmless(AgentState::Waiting));
            assert_eq!((kept, order), (Settings::default(), None));
        }
    }

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
