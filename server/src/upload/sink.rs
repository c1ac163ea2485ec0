//! Where the bytes of a source go while they arrive: a file in the folder, or parts in the bucket.

use bytes::Bytes;
use offpeak_api::ids::SourceId;
use sha2::{Sha256, digest::DynDigest};

use super::{append, partial, parts::Parts};
use crate::{
    app::App,
    blob::{
        BlobKey, Folder, Storage, blocking,
        intake::{Intake, Written},
        storage_error,
    },
    error::ApiError,
};

pub type Checksum = Box<dyn DynDigest + Send + Sync>;

pub enum Sink {
    File { folder: Folder, intake: Intake },
    Parts(Box<Parts>),
}

/// Where a source goes on.
pub struct Resume {
    pub received: u64,
    /// Of the whole source, when it is known.
    pub length: Option<u64>,
    /// After the bytes that were received.
    pub sha256: Sha256,
    /// Takes in what this request brings.
    pub checksum: Option<Checksum>,
}

/// What is safe in storage, whatever happens to this server.
pub struct Safe {
    pub bytes: u64,
    /// After those bytes.
    pub sha256: Sha256,
    /// Of a bucket: the row of the arrival, and the object with the bytes behind the last whole part.
    pub in_parts: Option<Tail>,
}

/// The end of what has arrived in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    pub arrival: i64,
    pub object: Option<BlobKey>,
}

impl Sink {
    /// Opens the source where it is to go on; nothing when storage has fewer bytes of it.
    pub async fn open(app: &App, id: &SourceId, held: Option<partial::Held>, from: Resume) -> Result<Option<Self>, ApiError> {
        match (app.blobs.storage(), held) {
            (Storage::Folder(folder), Some(held)) => {
                let file = held.at(folder, id, from.received).await.map_err(|e| storage_error(&e))?;
                let intake = |file| Intake::new(Written { file, sha256: from.sha256, checksum: from.checksum });
                Ok(file.map(|file| Self::File { folder: folder.clone(), intake: intake(file) }))
            }
            (Storage::Folder(_), None) => Err(ApiError::internal("a file was to be appended to without its lock")),
            (Storage::Bucket(bucket), _) => {
                Ok(Parts::open(app, bucket, id, from).await?.map(|parts| Self::Parts(Box::new(parts))))
            }
        }
    }

    pub async fn push(&mut self, chunk: Bytes) -> Result<(), ApiError> {
        match self {
            Self::File { intake, .. } => intake.push(chunk).await.map_err(|e| storage_error(&e)),
            Self::Parts(parts) => parts.push(chunk).await,
        }
    }

    /// Everything pushed so far is safe when this returns. `bytes` is how many that are, of the whole source.
    pub async fn sync(&mut self, bytes: u64) -> Result<Safe, ApiError> {
        match self {
            Self::File { intake, .. } => {
                let sha256 = intake.sync().await.map_err(|e| storage_error(&e))?;
                Ok(Safe { bytes, sha256, in_parts: None })
            }
            Self::Parts(parts) => parts.sync().await,
        }
    }

    /// The hash of what this request brought, when it was to be taken.
    pub async fn checksum(self) -> Result<(Self, Option<Vec<u8>>), ApiError> {
        match self {
            Self::File { folder, intake } => {
                let mut written = intake.finish().await.map_err(|e| storage_error(&e))?;
                let found = written.checksum.take().map(|hash| hash.finalize().into_vec());
                Ok((Self::File { folder, intake: Intake::new(written) }, found))
            }
            Self::Parts(mut parts) => {
                let found = parts.take_checksum();
                Ok((Self::Parts(parts), found))
            }
        }
    }

    /// The last byte was pushed: all are safe when this returns, though they are no object yet.
    pub async fn sync_all(&mut self, bytes: u64) -> Result<Safe, ApiError> {
        match self {
            Self::File { .. } => self.sync(bytes).await,
            Self::Parts(parts) => parts.sync_all().await,
        }
    }

    /// Makes an object of what is safe.
    pub async fn publish(&self, id: &SourceId, bytes: u64) -> Result<(), ApiError> {
        match self {
            Self::File { folder, .. } => {
                let (folder, id) = (folder.clone(), id.clone());
                let published = blocking({
                    let id = id.clone();
                    move || folder.publish_upload(&id)
                });
                published.await.map_err(|error| match error.kind() {
                    // Deleted while its last bytes arrived.
                    std::io::ErrorKind::NotFound => append::gone(id.as_str()),
                    _ => storage_error(&error),
                })
            }
            Self::Parts(parts) => parts.publish(bytes).await.map(|_| ()),
        }
    }
}
