//! Resumable upload of one file with the tus protocol, version 1.0.
//!
//! The file is streamed from disk in requests of bounded size. After a cut the server is asked how much it has, and the
//! upload goes on from there; the same holds between runs of the command. What the server holds is compared with the disk by
//! SHA-256 at the end, which is hashed beside the upload from the page cache.

mod hash;
mod tus;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use offpeak_api::{ids::SourceId, job::SourceState};

pub use self::hash::hex;
use self::{
    hash::DiskHash,
    tus::{Failure, Tus},
};
use crate::{
    client::Client,
    error::CliError,
    resume::{Identity, Memory},
    view::UploadView,
};

/// A cut costs a round trip and no bytes, since the server keeps what arrived; proxies often refuse bodies over 100 MB.
const REQUEST_BYTES: u64 = 32 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Long enough for a server to be restarted or a laptop to change networks.
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// A file on its way to the server.
#[derive(Debug)]
pub struct Upload {
    client: Client,
    tus: Tus,
    path: PathBuf,
    bytes: u64,
    identity: Identity,
    memory: Memory,
}

impl Upload {
    pub fn of(client: &Client, path: &Path) -> Result<Self, CliError> {
        let failed = |reason: String| CliError::File { path: path.to_owned(), reason };
        let metadata = fs::metadata(path).map_err(|e| failed(e.to_string()))?;
        if !metadata.is_file() {
            return Err(failed("is not a file".to_owned()));
        }
        // Opened now, so that a missing permission is told before anything is created on the server.
        fs::File::open(path).map_err(|e| failed(e.to_string()))?;
        let identity = Identity::of(client.server(), path).map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            client: client.clone(),
            tus: Tus::new(client.clone()),
            path: path.to_owned(),
            bytes: metadata.len(),
            identity,
            memory: Memory::of_user(),
        })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Uploads what the server does not have yet; the upload stays remembered until [`Upload::forget`].
    pub async fn run(&self, view: &UploadView) -> Result<SourceId, CliError> {
        let (mut id, mut offset) = match self.memory.recall(&self.identity) {
            Some(id) => match self.patiently(&id, view).await {
                Ok(offset) => {
                    view.resumed(offset);
                    (id, offset)
                }
                Err(Failure::Gone) => (self.create().await?, 0),
                Err(failure) => return Err(self.stuck(failure)),
            },
            None => (self.create().await?, 0),
        };
        let hash = DiskHash::of(&self.path);
        let mut last_progress = Instant::now();
        let mut pause = FIRST_PAUSE;
        while offset < self.bytes {
            let end = self.bytes.min(offset + REQUEST_BYTES);
            match self.tus.append(&id, &self.path, offset..end, view).await {
                Ok(reached) if reached > offset => {
                    offset = reached;
                    hash.up_to(offset);
                    (last_progress, pause) = (Instant::now(), FIRST_PAUSE);
                    continue;
                }
                // A server that accepts nothing without saying why is treated like a cut.
                Ok(_) => {}
                Err(Failure::Gone) => {
                    view.note("the server has dropped this upload; starting again");
                    self.memory.forget(&id);
                    (id, offset) = (self.create().await?, 0);
                    view.confirmed(0);
                    last_progress = Instant::now();
                    continue;
                }
                Err(Failure::Passing(reason)) if last_progress.elapsed() < GIVE_UP_AFTER => {
                    view.note(&format!("{reason}; asking the server how much it has"));
                }
                Err(failure) => return Err(self.stuck(failure)),
            }
            tokio::time::sleep(with_jitter(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.patiently(&id, view).await {
                Ok(reached) => {
                    if reached > offset {
                        (last_progress, pause) = (Instant::now(), FIRST_PAUSE);
                    }
                    offset = reached;
                }
                Err(Failure::Gone) => offset = 0,
                Err(failure) => return Err(self.stuck(failure)),
            }
            view.confirmed(offset);
        }
        view.checking();
        self.compare(&id, hash).await?;
        Ok(id)
    }

    /// The job exists now: the next run with this file is another upload.
    pub fn forget(&self, id: &SourceId) {
        self.memory.forget(id);
    }

    async fn create(&self) -> Result<SourceId, CliError> {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let id = self.tus.create(self.bytes, &name).await?;
        self.memory.remember(&id, &self.identity);
        Ok(id)
    }

    /// Asks how much the server has, through passing trouble, until it answers or [`GIVE_UP_AFTER`] is over.
    async fn patiently(&self, id: &SourceId, view: &UploadView) -> Result<u64, Failure> {
        let since = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.tus.offset(id, self.bytes).await {
                Err(Failure::Passing(reason)) if since.elapsed() < GIVE_UP_AFTER => view.note(&format!("{reason}; trying again")),
                answer => return answer,
            }
            tokio::time::sleep(with_jitter(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The server's hash must be that of the file as it is on disk.
    async fn compare(&self, id: &SourceId, hash: DiskHash) -> Result<(), CliError> {
        let ours =
            hash.finish(self.bytes).await.map_err(|e| CliError::File { path: self.path.clone(), reason: e.to_string() })?;
        let source = self.client.get_source(id).await?;
        match (source.state, source.sha256) {
            (SourceState::Ready, Some(theirs)) if !theirs.eq_ignore_ascii_case(&ours) => {
                self.memory.forget(id);
                Err(CliError::UploadDiffers { path: self.path.clone(), source_id: id.clone() })
            }
            _ => Ok(()),
        }
    }

    fn stuck(&self, failure: Failure) -> CliError {
        match failure {
            Failure::Refused(error) => error,
            Failure::Passing(reason) => CliError::UploadStuck { path: self.path.clone(), reason },
            Failure::Gone => CliError::UploadStuck { path: self.path.clone(), reason: "the server has dropped it".to_owned() },
        }
    }
}

/// Half to the whole of `pause`, so that clients cut off together do not come back together.
fn with_jitter(pause: Duration) -> Duration {
    let random = u64::from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.subsec_nanos()));
    pause / 2 + pause.mul_f64((random % 1000) as f64 / 2000.0)
}
