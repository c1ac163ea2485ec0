//! Where bytes are kept: keys that are written once, and signed, expiring addresses to put and get them.
//!
//! In: bytes under a [`BlobKey`]. Out: the same bytes, whole or in ranges. What must hold: an object appears under its key
//! whole and synced, or not at all; a key that holds bytes never gets others (manifests, which the server itself writes,
//! are the exception); nothing here keeps an object in memory.
//!
//! Objects are files below a folder. S3 will come beside it: everything that callers use is a method of [`BlobStore`].

mod address;
mod folder;
pub mod http;
pub mod intake;
mod key;
pub mod range;
pub mod send;
#[cfg(test)]
mod tests;

use std::{fs, io, path::PathBuf, time::Duration};

use axum::http::StatusCode;
use offpeak_api::{ids::SourceId, lease::UploadAddress};
use url::Url;

use self::folder::Folder;
pub use self::{
    address::{Allows, Refusal, SignedQuery, Signer},
    folder::{Incoming, Published},
    key::{BadKey, BlobKey},
};
use crate::{clock::Instant, error::ApiError};

/// A handle on storage; clones share it.
#[derive(Debug, Clone)]
pub struct BlobStore {
    folder: Folder,
    signer: Signer,
}

/// An object that is open for reading: later changes of its key do not concern the reader.
#[derive(Debug)]
pub struct OpenBlob {
    pub file: tokio::fs::File,
    pub bytes: u64,
    /// Strong entity tag, with its quotes.
    pub etag: String,
}

/// Runs file work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// What a failure of the disk means for a request.
pub fn storage_error(error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            tracing::error!(%error, "storage is full");
            ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", "The server's storage is full.")
                .hint("Make room in OFFPEAK_STORAGE, or delete old jobs and sources; then repeat the request.")
        }
        _ => ApiError::internal(format!("storage: {error}")),
    }
}

impl BlobStore {
    /// Opens `file:///folder`, making what is missing.
    pub fn open(storage: &Url, signing_key: Vec<u8>) -> anyhow::Result<Self> {
        let root = storage.to_file_path().map_err(|()| anyhow::anyhow!("{storage} is not a folder"))?;
        fs::create_dir_all(&root)?;
        Ok(Self { folder: Folder::open(root)?, signer: Signer::new(signing_key) })
    }

    /// Where to PUT an object of exactly this length and SHA-256 (lower-case hex), for `lifetime` from now.
    pub fn put_address(&self, key: &BlobKey, bytes: u64, sha256: &str, now: Instant, lifetime: Duration) -> UploadAddress {
        UploadAddress {
            url: self.signer.address(key, Allows::Put { bytes, sha256 }, now, lifetime),
            headers: Default::default(),
            expires_in_seconds: lifetime.as_secs(),
        }
    }

    /// Where to GET an object, whole or in ranges, for `lifetime` from now.
    pub fn get_address(&self, key: &BlobKey, now: Instant, lifetime: Duration) -> String {
        self.signer.address(key, Allows::Get, now, lifetime)
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The object's length, if it is there.
    pub async fn stat(&self, key: &BlobKey) -> io::Result<Option<u64>> {
        let path = self.folder.path(key);
        blocking(move || match fs::metadata(path) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Opens the object for reading, if it is there.
    pub async fn read(&self, key: &BlobKey) -> io::Result<Option<OpenBlob>> {
        let path = self.folder.path(key);
        blocking(move || match fs::File::open(path) {
            Ok(file) => {
                let metadata = file.metadata()?;
                if !metadata.is_file() {
                    return Ok(None);
                }
                // Keys are written once; of a manifest that is replaced, the time changes.
                let changed = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
                let etag = format!("\"{:x}-{changed:x}\"", metadata.len());
                Ok(Some(OpenBlob { bytes: metadata.len(), etag, file: tokio::fs::File::from_std(file) }))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Writes a small object over whatever is there: for manifests. Readers see the old one or the new one.
    pub async fn put_small(&self, key: &BlobKey, bytes: Vec<u8>) -> io::Result<()> {
        let (folder, key) = (self.folder.clone(), key.clone());
        blocking(move || folder.put_small(&key, &bytes)).await
    }

    /// Deletes an object; one that is not there is fine.
    pub async fn delete(&self, key: &BlobKey) -> io::Result<()> {
        let (folder, key) = (self.folder.clone(), key.clone());
        blocking(move || folder.delete(&key)).await
    }

    /// Deletes all objects whose keys begin with `prefix`, which must hold a `/`: `jobs/job_…/`, `jobs/job_…/abc-`.
    pub async fn delete_prefix(&self, prefix: &str) -> io::Result<()> {
        let (folder, prefix) = (self.folder.clone(), prefix.to_owned());
        blocking(move || folder.delete_prefix(&prefix)).await
    }

    /// A new file to receive an object into.
    pub async fn incoming(&self) -> io::Result<Incoming> {
        let folder = self.folder.clone();
        blocking(move || folder.incoming()).await
    }

    /// Gives a received and synced object its key.
    pub async fn publish(&self, incoming: Incoming, key: &BlobKey, bytes: u64, sha256: &str) -> io::Result<Published> {
        let (folder, key, sha256) = (self.folder.clone(), key.clone(), sha256.to_owned());
        blocking(move || folder.publish(incoming, &key, bytes, &sha256)).await
    }

    /// Where a source's bytes are while they arrive.
    pub(crate) fn upload_path(&self, id: &SourceId) -> PathBuf {
        self.folder.upload_path(id)
    }

    /// Where an object is.
    pub(crate) fn object_path(&self, key: &BlobKey) -> PathBuf {
        self.folder.path(key)
    }

    /// Sources that are arriving, or were left behind.
    pub async fn uploads(&self) -> io::Result<Vec<SourceId>> {
        let folder = self.folder.clone();
        blocking(move || folder.uploads()).await
    }

    /// Removes what is left of a source that will not be finished.
    pub async fn delete_upload(&self, id: &SourceId) -> io::Result<()> {
        let path = self.upload_path(id);
        blocking(move || match fs::remove_file(path) {
            Err(error) if !is_absent(&error) => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// A source has arrived whole and synced: it becomes an object. To be called from a thread that may block.
    pub(crate) fn publish_upload(&self, id: &SourceId) -> io::Result<()> {
        self.folder.rename_to_key(&self.folder.upload_path(id), &BlobKey::source(id))
    }

    /// Removes half-received objects that a crash left behind more than a day ago.
    pub async fn sweep(&self, now: Instant) -> io::Result<()> {
        let folder = self.folder.clone();
        let removed = blocking(move || folder.sweep(now)).await?;
        if removed > 0 {
            tracing::info!(removed, "removed half-received objects");
        }
        Ok(())
    }
}

/// A key whose folder is missing, or is an object, names no object.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
