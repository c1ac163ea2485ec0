//! Who this engine is on which server, kept in its state folder; and the lock that keeps two engines from being one agent.
//!
//! Tokens are secrets: the file is readable by its owner only, and is replaced whole, so that a crash leaves the old one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use offpeak_api::{
    enrolment::Fingerprint,
    ids::AgentId,
    lease::{EnrolRequest, EnrolResponse},
};
use offpeak_link::Farm;
use serde::{Deserialize, Serialize};
use tracing::info;
use url::Url;

use crate::client::{self, CallError, Token};

/// One server's view of this engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub server: Url,
    pub agent_id: AgentId,
    pub name: String,
    pub token: Token,
    /// The certificate that the server is known by; those that this system trusts when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

impl Enrolment {
    /// As the person at the desk sees it.
    pub fn farm(&self) -> Farm {
        Farm { server: self.server.clone(), agent_id: self.agent_id.clone(), agent_name: self.name.clone() }
    }
}

/// What helps a person at a desk against most of what can go wrong with joining.
pub(crate) const ASK_FOR_A_CODE: &str = "Ask whoever runs the farm for a new code.";

/// Why there is no enrolment.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("cannot use the state folder {}: {error}; give another with --state-dir", folder.display())]
    Folder { folder: PathBuf, error: io::Error },
    #[error("{} is damaged ({error}); delete it and enrol again", file.display())]
    Damaged { file: PathBuf, error: serde_json::Error },
    #[error("another engine runs with the state folder {}; give this one its own with --state-dir", folder.display())]
    InUse { folder: PathBuf },
    #[error(
        "this engine is not enrolled with {server}; make a code with `offpeak-server token enrol` and give it with \
         --enrol-code or OFFPEAK_ENROL_CODE"
    )]
    NotEnrolled { server: Url },
    #[error("{server} does not take the enrolment code: {error}; make a new one with `offpeak-server token enrol`")]
    CodeRefused { server: Url, error: CallError },
    #[error("cannot enrol with {server}: {error}")]
    NoAnswer { server: Url, error: CallError },
}

impl EnrolError {
    /// For somebody who sits in front of the tray app: they have no command line, and no server.
    pub fn for_the_desk(&self) -> String {
        let helper = "Ask whoever looks after this computer.";
        match self {
            Self::Folder { folder, error } => format!("Offpeak cannot use its folder {}: {error}. {helper}", folder.display()),
            Self::Damaged { file, error } => format!(
                "Offpeak's file {} is damaged ({error}). When it is deleted, this computer can join again with a new code. {helper}",
                file.display()
            ),
            Self::InUse { folder } => {
                format!(
                    "Offpeak runs on this computer already, with the folder {}: as a service, perhaps. {helper}",
                    folder.display()
                )
            }
            Self::NotEnrolled { server } => format!("This computer is not part of the farm at {server}. {ASK_FOR_A_CODE}"),
            Self::CodeRefused { server, error } => {
                format!("{server} does not take this code: {}. {ASK_FOR_A_CODE}", error.detail())
            }
            Self::NoAnswer { server, error } => format!("Cannot join {server}: {error}."),
        }
    }

    /// Whether the same may go well later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NoAnswer { error, .. } => error.is_passing(),
            Self::Folder { .. }
            | Self::Damaged { .. }
            | Self::InUse { .. }
            | Self::NotEnrolled { .. }
            | Self::CodeRefused { .. } => false,
        }
    }
}

/// The folder that an engine keeps between its runs.
#[derive(Debug, Clone)]
pub struct StateFolder(PathBuf);

/// Held by the one engine that uses the folder, for as long as it lives.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the operating system drops the lock when the file is closed")] File);

impl StateFolder {
    /// Makes the folder where it is missing.
    pub fn open(folder: PathBuf) -> Result<Self, EnrolError> {
        match make_private_folder(&folder) {
            Ok(()) => Ok(Self(folder)),
            Err(error) => Err(EnrolError::Folder { folder, error }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Locks the folder against other engines.
    pub fn lock(&self) -> Result<FolderLock, EnrolError> {
        let file = File::options().create(true).append(true).open(self.0.join("engine.lock"));
        let file = file.map_err(|error| self.unusable(error))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(fs::TryLockError::WouldBlock) => Err(EnrolError::InUse { folder: self.0.clone() }),
            Err(fs::TryLockError::Error(error)) => Err(self.unusable(error)),
        }
    }

    /// All enrolments; none when there is no file yet.
    pub fn enrolments(&self) -> Result<Vec<Enrolment>, EnrolError> {
        match fs::read(self.file()) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| EnrolError::Damaged { file: self.file(), error }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.unusable(error)),
        }
    }

    pub fn enrolment(&self, server: &Url) -> Result<Option<Enrolment>, EnrolError> {
        Ok(self.enrolments()?.into_iter().find(|enrolment| enrolment.server == *server))
    }

    /// Keeps an enrolment, in place of an older one with the same server.
    pub fn keep(&self, enrolment: Enrolment) -> Result<(), EnrolError> {
        let mut all = self.enrolments()?;
        all.retain(|other| other.server != enrolment.server);
        all.push(enrolment);
        let text = serde_json::to_vec_pretty(&all).map_err(|error| EnrolError::Damaged { file: self.file(), error })?;
        self.write(&text).map_err(|error| self.unusable(error))
    }

    /// Forgets a server.
    pub fn forget(&self, server: &Url) -> Result<(), EnrolError> {
        let mut all = self.enrolments()?;
        all.retain(|other| other.server != *server);
        let text = serde_json::to_vec_pretty(&all).map_err(|error| EnrolError::Damaged { file: self.file(), error })?;
        self.write(&text).map_err(|error| self.unusable(error))
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        replace_private_file(&self.0, ENROLMENTS, text)
    }

    fn file(&self) -> PathBuf {
        self.0.join(ENROLMENTS)
    }

    fn unusable(&self, error: io::Error) -> EnrolError {
        EnrolError::Folder { folder: self.0.clone(), error }
    }
}

const ENROLMENTS: &str = "enrolments.json";

/// Writes a file that only its owner reads, so that at no time there is half of one.
pub(crate) fn replace_private_file(folder: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    let new = folder.join(format!("{name}.new"));
    // A leftover of a crash may have other permissions.
    if new.exists() {
        fs::remove_file(&new)?;
    }
    let mut file = create_private_file(&new)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // On a full disk the half that was written is room that others need.
        let _removed = fs::remove_file(&new);
        return Err(error);
    }
    fs::rename(new, folder.join(name))
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn create_private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Below a user's own AppData, whose permissions files inherit.
#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn create_private_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Uses a code up and keeps what it brings.
pub async fn enrol(
    state: &StateFolder,
    pool: &reqwest::Client,
    (server, fingerprint): (&Url, Option<Fingerprint>),
    code: &str,
    name: &str,
) -> Result<Enrolment, EnrolError> {
    let request = EnrolRequest { code: code.to_owned(), name: name.to_owned() };
    let EnrolResponse { agent_id, token } = match client::enrol(pool, server, &request).await {
        Ok(response) => response,
        Err(error @ (CallError::Refused(_) | CallError::Unauthorized(_))) => {
            return Err(EnrolError::CodeRefused { server: server.clone(), error });
        }
        Err(error) => return Err(EnrolError::NoAnswer { server: server.clone(), error }),
    };
    let enrolment = Enrolment { server: server.clone(), agent_id, name: name.to_owned(), token: Token::new(token), fingerprint };
    state.keep(enrolment.clone())?;
    info!(agent.id = %enrolment.agent_id, %server, name, "enrolled");
    Ok(enrolment)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    fn enrolment(server: &str, token: &str) -> Enrolment {
        Enrolment {
            server: server.parse().unwrap(),
            agent_id: AgentId::new(),
            name: "desk 7".to_owned(),
            token: Token::new(token.to_owned()),
            fingerprint: None,
        }
    }

    #[test]
    fn one_enrolment_a_server_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path().join("deep/state")).unwrap();
        assert_eq!(state.enrolments().unwrap(), []);
        let (first, other, second) = (enrolment("http://a/", "1"), enrolment("http://b/", "2"), enrolment("http://a/", "3"));
        for kept in [&first, &other, &second] {
            state.keep(kept.clone()).unwrap();
            assert_eq!(state.enrolment(&kept.server).unwrap().as_ref(), Some(kept));
        }
        assert_eq!(state.enrolments().unwrap(), [other, second]);
    }

    #[cfg(unix)]
    #[test]
    fn tokens_are_for_the_owners_eyes() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path().join("state")).unwrap();
        state.keep(enrolment("http://a/", "secret")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(state.path()), mode(&state.file())), (0o700, 0o600));
        assert!(!format!("{:?}", state.enrolments().unwrap()).contains("secret"));
    }

    #[test]
    fn a_folder_is_one_engines() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path().to_owned()).unwrap();
        let lock = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(EnrolError::InUse { .. })));
        drop(lock);
        state.lock().unwrap();
    }

    #[test]
    fn a_desk_is_not_told_to_type_commands() {
        let folder = || PathBuf::from("/home/ada/.local/state/offpeak");
        let server = || Url::parse("https://farm.lan/").unwrap();
        let refused = CallError::Refused(Box::new(
            serde_json::from_value(serde_json::json!({
                "type": "about:blank", "title": "Forbidden", "status": 403, "code": "bad_enrolment_code",
                "detail": "This enrolment code is unknown, used up or too old.",
            }))
            .unwrap(),
        ));
        for (error, expected) in [
            (EnrolError::Folder { folder: folder(), error: io::ErrorKind::PermissionDenied.into() }, "cannot use its folder"),
            (EnrolError::InUse { folder: folder() }, "runs on this computer already"),
            (EnrolError::NotEnrolled { server: server() }, "Ask whoever runs the farm for a new code."),
            (
                EnrolError::CodeRefused { server: server(), error: refused },
                "https://farm.lan/ does not take this code: This enrolment code is unknown, used up or too old. Ask whoever runs \
                 the farm for a new code.",
            ),
            (EnrolError::NoAnswer { server: server(), error: CallError::Unreachable("timed out".to_owned()) }, "timed out."),
        ] {
            let told = error.for_the_desk();
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("offpeak-server") && !told.contains("--"), "{told}");
        }
    }

    #[test]
    fn a_damaged_file_is_told_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path().to_owned()).unwrap();
        fs::write(state.file(), "[{").unwrap();
        assert!(matches!(state.keep(enrolment("http://a/", "1")), Err(EnrolError::Damaged { .. })));
        assert_eq!(fs::read(state.file()).unwrap(), b"[{");
    }
}
