//! Where bytes are kept: keys that are written once, and signed, expiring addresses to put and get them.
//!
//! In: bytes under a [`BlobKey`]. Out: the same bytes, whole or in ranges. What must hold: an object appears under its key
//! whole and safe, or not at all; a key that holds bytes never gets others (manifests, which the server itself writes,
//! are the exception); nothing here keeps an object in memory.
//!
//! Two kinds of storage are behind it: a folder, whose addresses lead to this server, and a bucket, whose addresses lead past
//! it. What both can do is a method of [`BlobStore`]; what only one does is asked of it by a `match` on [`Storage`].

mod address;
pub mod bucket;
pub mod folder;
pub mod http;
pub mod intake;
mod key;
mod location;
pub mod range;
pub mod send;
#[cfg(test)]
mod tests;

use std::{io, ops::Range, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use offpeak_api::lease::UploadAddress;

pub use self::{
    address::{Allows, Refusal, SignedQuery, Signer},
    bucket::Bucket,
    folder::{Folder, Incoming, OpenBlob, Published},
    key::{BadKey, BlobKey, content_type},
    location::{BucketAddress, Location},
};
use crate::{clock::Instant, error::ApiError};

/// A handle on storage; clones share it.
#[derive(Debug, Clone)]
pub struct BlobStore {
    storage: Storage,
    signer: Signer,
}

#[derive(Debug, Clone)]
pub enum Storage {
    Folder(Folder),
    Bucket(Bucket),
}

/// Runs file work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// What a failure of storage means for a request.
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

impl Storage {
    /// Opens a folder, making what is missing, or a bucket, which must exist.
    pub async fn open(location: &Location) -> anyhow::Result<Self> {
        Ok(match location {
            Location::Folder(root) => Self::Folder(Folder::open(root.clone())?),
            Location::Bucket(address) => Self::Bucket(Bucket::open(address, None).await),
        })
    }
}

impl BlobStore {
    pub fn new(storage: Storage, signing_key: Vec<u8>) -> Self {
        Self { storage, signer: Signer::new(signing_key) }
    }

    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Where to PUT an object of exactly this length and SHA-256 (lower-case hex), for `lifetime` from now.
    pub async fn put_address(
        &self,
        key: &BlobKey,
        bytes: u64,
        sha256: &str,
        now: Instant,
        lifetime: Duration,
    ) -> Result<UploadAddress, ApiError> {
        match &self.storage {
            Storage::Folder(_) => Ok(UploadAddress {
                url: self.signer.address(key, Allows::Put { bytes, sha256 }, now, lifetime),
                headers: Default::default(),
                expires_in_seconds: lifetime.as_secs(),
            }),
            Storage::Bucket(_) if bytes > bucket::LARGEST_PUT_BYTES => {
                let detail =
                    format!("{key} would have {bytes} bytes; one object in a bucket takes {}.", bucket::LARGEST_PUT_BYTES);
                Err(ApiError::unfit("object_too_large", detail).hint("Choose a lower rung or a shorter source for this file."))
            }
            Storage::Bucket(bucket) => {
                bucket.put_address(key, bytes, sha256, lifetime).await.map_err(|error| storage_error(&error))
            }
        }
    }

    /// Where to GET an object, whole or in ranges, for `lifetime` from now.
    pub async fn get_address(&self, key: &BlobKey, now: Instant, lifetime: Duration) -> Result<String, ApiError> {
        match &self.storage {
            Storage::Folder(_) => Ok(self.signer.address(key, Allows::Get, now, lifetime)),
            Storage::Bucket(bucket) => bucket.get_address(key, lifetime).await.map_err(|error| storage_error(&error)),
        }
    }

    /// The object's length, if it is there.
    pub async fn stat(&self, key: &BlobKey) -> io::Result<Option<u64>> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.clone());
                blocking(move || folder.stat(&key)).await
            }
            Storage::Bucket(bucket) => bucket.stat(key).await,
        }
    }

    /// Whether the object is there, with this length and SHA-256 (lower-case hex). A bucket that tells no hash of what it holds
    /// is believed: it checked the one that was signed when the object came in.
    pub async fn holds(&self, key: &BlobKey, bytes: u64, sha256: &str) -> io::Result<bool> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, key, sha256) = (folder.clone(), key.clone(), sha256.to_owned());
                blocking(move || folder.holds(&key, bytes, &sha256)).await
            }
            Storage::Bucket(bucket) => bucket.holds(key, bytes, sha256).await,
        }
    }

    /// A small object, whole, if it is there: for manifests.
    pub async fn read_small(&self, key: &BlobKey) -> io::Result<Option<Bytes>> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.clone());
                blocking(move || folder.read_small(&key)).await
            }
            Storage::Bucket(bucket) => bucket.read_small(key).await,
        }
    }

    /// Some bytes of an object, if it is there: at most those of `range`, fewer when it ends before.
    pub async fn read_range(&self, key: &BlobKey, range: Range<u64>) -> io::Result<Option<Bytes>> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.clone());
                blocking(move || folder.read_range(&key, range)).await
            }
            Storage::Bucket(bucket) => bucket.read_range(key, range).await,
        }
    }

    /// Writes a small object over whatever is there: for manifests. Readers see the old one or the new one.
    pub async fn put_small(&self, key: &BlobKey, bytes: Vec<u8>) -> io::Result<()> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.clone());
                blocking(move || folder.put_small(&key, &bytes)).await
            }
            Storage::Bucket(bucket) => bucket.put_small(key, bytes.into()).await,
        }
    }

    /// Deletes an object; one that is not there is fine.
    pub async fn delete(&self, key: &BlobKey) -> io::Result<()> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.clone());
                blocking(move || folder.delete(&key)).await
            }
            Storage::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// Deletes all objects whose keys begin with `prefix`, which must hold a `/`: `jobs/job_…/`, `jobs/job_…/abc-`.
    pub async fn delete_prefix(&self, prefix: &str) -> io::Result<()> {
        match &self.storage {
            Storage::Folder(folder) => {
                let (folder, prefix) = (folder.clone(), prefix.to_owned());
                blocking(move || folder.delete_prefix(&prefix)).await
            }
            Storage::Bucket(bucket) => bucket.delete_prefix(prefix).await,
        }
    }

    /// Fails when storage does not answer, or does not take bytes.
    pub async fn check(&self) -> io::Result<()> {
        let key = "health/ready".parse().map_err(io::Error::other)?;
        match &self.storage {
            Storage::Folder(_) => {}
            // A write for every question would cost money; that one was possible once is enough.
            Storage::Bucket(bucket) if bucket.stat(&key).await.is_ok_and(|found| found.is_some()) => return Ok(()),
            Storage::Bucket(_) => {}
        }
        self.put_small(&key, b"ready".to_vec()).await
    }

    /// Removes half-received objects that a crash left behind more than a day ago. A bucket has none: what arrives there in
    /// parts is known to the database.
    pub async fn sweep(&self, now: Instant) -> io::Result<()> {
        let Storage::Folder(folder) = &self.storage else { return Ok(()) };
        let folder = folder.clone();
        let removed = blocking(move || folder.sweep(now)).await?;
        if removed > 0 {
            tracing::info!(removed, "removed half-received objects");
        }
        Ok(())
    }
}
