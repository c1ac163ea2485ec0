//! Remembers unfinished uploads between runs, so that the same command goes on where the last one stopped.
//!
//! A small JSON file in the user's state folder. It is a convenience: if it cannot be read or written, uploads still work.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use offpeak_api::ids::SourceId;
use serde::{Deserialize, Serialize};

/// Servers forget unfinished uploads sooner than this.
const REMEMBER_FOR: Duration = Duration::from_secs(14 * 24 * 3600);

/// The same file, unchanged, for the same server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    server: String,
    path: PathBuf,
    bytes: u64,
    modified_nanoseconds: u128,
}

impl Identity {
    pub fn of(server: &str, path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let metadata = fs::metadata(&path)?;
        let modified = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Self { server: server.to_owned(), path, bytes: metadata.len(), modified_nanoseconds: modified.as_nanos() })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Begun {
    file: Identity,
    begun_at_unix_seconds: u64,
}

/// The remembered uploads of this user.
#[derive(Debug)]
pub struct Memory {
    file: Option<PathBuf>,
}

impl Memory {
    /// In `OFFPEAK_STATE_DIR`, else where the platform keeps a user's state.
    pub fn of_user() -> Self {
        Self { file: state_folder().map(|folder| folder.join("uploads.json")) }
    }

    /// The upload begun for this file, if any.
    pub fn recall(&self, identity: &Identity) -> Option<SourceId> {
        self.read().into_iter().find(|(_, begun)| begun.file == *identity).map(|(id, _)| id)
    }

    pub fn remember(&self, id: &SourceId, identity: &Identity) {
        let mut begun = self.read();
        let now = unix_seconds();
        begun.retain(|_, b| b.file != *identity && now.saturating_sub(b.begun_at_unix_seconds) < REMEMBER_FOR.as_secs());
        begun.insert(id.clone(), Begun { file: identity.clone(), begun_at_unix_seconds: now });
        self.write(&begun);
    }

    pub fn forget(&self, id: &SourceId) {
        let mut begun = self.read();
        if begun.remove(id).is_some() {
            self.write(&begun);
        }
    }

    fn read(&self) -> BTreeMap<SourceId, Begun> {
        let text = self.file.as_ref().and_then(|file| fs::read(file).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn write(&self, begun: &BTreeMap<SourceId, Begun>) {
        let Some(file) = &self.file else { return };
        if let Err(error) = replace(file, begun) {
            eprintln!(
                "note: cannot remember this upload in {} ({error}); it could not be resumed by another run",
                file.display()
            );
        }
    }
}

/// Two runs at once must never leave half a file: written beside, then renamed.
fn replace(file: &Path, begun: &BTreeMap<SourceId, Begun>) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = folder.join(format!(".uploads.{}.tmp", std::process::id()));
    fs::write(&beside, serde_json::to_vec_pretty(begun)?)?;
    fs::rename(&beside, file)
}

fn state_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("OFFPEAK_STATE_DIR")
        .or_else(|| variable("XDG_STATE_HOME").map(|folder| folder.join("offpeak")))
        .or_else(|| variable("LOCALAPPDATA").map(|folder| folder.join("Offpeak")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/offpeak")))
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_changed_file_is_another_upload() {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("film.mp4");
        fs::write(&film, b"one").unwrap();
        let memory = Memory { file: Some(folder.path().join("state/uploads.json")) };
        let before = Identity::of("http://a", &film).unwrap();
        assert_eq!(memory.recall(&before), None);

        let id = SourceId::new();
        memory.remember(&id, &before);
        assert_eq!(memory.recall(&before), Some(id.clone()));
        assert_eq!(memory.recall(&Identity::of("http://b", &film).unwrap()), None);

        fs::write(&film, b"longer").unwrap();
        assert_eq!(memory.recall(&Identity::of("http://a", &film).unwrap()), None);

        memory.forget(&id);
        assert_eq!(memory.recall(&before), None);
    }

    #[test]
    fn a_broken_memory_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("uploads.json");
        fs::write(&file, b"{ not json").unwrap();
        let memory = Memory { file: Some(file.clone()) };
        let identity = Identity::of("http://a", &file).unwrap();
        assert_eq!(memory.recall(&identity), None);
        memory.remember(&SourceId::new(), &identity);
        assert!(memory.recall(&identity).is_some());
    }
}
