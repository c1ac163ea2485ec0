//! A source's file while it arrives, and the lock on it.
//!
//! The lock is the operating system's on the open file: it goes when its holder dies, however it dies, and it holds against
//! other servers on the same folder.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Seek, SeekFrom},
    time::Duration,
};

use offpeak_api::ids::SourceId;
use sha2::{
    Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::blob::{BlobKey, Folder, blocking};

/// How long a request waits for the one before: a client that was cut off comes back before its old connection is noticed.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_POLL: Duration = Duration::from_millis(20);

/// The right to append to a source; ends when dropped.
#[derive(Debug)]
pub struct Held {
    file: File,
    /// The file has its object's key already: a crash came between giving it that and saying so in the row.
    published: bool,
}

/// Waits a moment for the lock; nothing when another request keeps it.
pub async fn hold(folder: &Folder, id: &SourceId) -> io::Result<Option<Held>> {
    wait_for(|| {
        let (folder, id) = (folder.clone(), id.clone());
        blocking(move || lock(open(&folder, &id)?))
    })
    .await
}

/// Waits a moment for a request that is appending: what it got is noted when it ends.
pub async fn wait_idle(folder: &Folder, id: &SourceId) -> io::Result<()> {
    wait_for(|| {
        let path = folder.upload_path(id);
        blocking(move || match File::open(path) {
            Ok(file) => lock((file, false)).map(|held| held.map(drop)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(())),
            Err(error) => Err(error),
        })
    })
    .await
    .map(|_| ())
}

async fn wait_for<T, F: Future<Output = io::Result<Option<T>>>>(attempt: impl Fn() -> F) -> io::Result<Option<T>> {
    let deadline = tokio::time::Instant::now() + LOCK_WAIT;
    loop {
        let outcome = attempt().await?;
        if outcome.is_some() || tokio::time::Instant::now() >= deadline {
            return Ok(outcome);
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
}

fn lock((file, published): (File, bool)) -> io::Result<Option<Held>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(Held { file, published })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The file, wherever it is; made when it is nowhere.
fn open(folder: &Folder, id: &SourceId) -> io::Result<(File, bool)> {
    let arriving = folder.upload_path(id);
    // Twice, because another request may make it just now.
    for _ in 0..2 {
        for (path, published) in [(&arriving, false), (&folder.path(&BlobKey::source(id)), true)] {
            match File::options().write(true).open(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                file => return Ok((file?, published)),
            }
        }
        match File::options().write(true).create_new(true).open(&arriving) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => return Ok((file?, false)),
        }
    }
    Err(ErrorKind::NotFound.into())
}

impl Held {
    /// The file, cut back to the `received` bytes that the row vouches for, ready to append to. Nothing when it has fewer:
    /// then the upload is lost.
    pub async fn at(self, folder: &Folder, id: &SourceId, received: u64) -> io::Result<Option<File>> {
        let (from, to) = (folder.path(&BlobKey::source(id)), folder.upload_path(id));
        blocking(move || {
            let Self { mut file, published } = self;
            if published {
                fs::rename(from, to)?;
            }
            if file.metadata()?.len() < received {
                return Ok(None);
            }
            file.set_len(received)?;
            file.seek(SeekFrom::Start(received))?;
            Ok(Some(file))
        })
        .await
    }
}

/// A hash's inner state, as the row keeps it.
pub fn freeze(hash: &Sha256) -> Vec<u8> {
    hash.serialize().to_vec()
}

/// The hash that goes on from a kept state; none was kept before the first byte.
pub fn thaw(state: Option<&[u8]>) -> Option<Sha256> {
    let Some(state) = state else { return Some(Sha256::default()) };
    SerializedState::<Sha256>::try_from(state).ok().and_then(|state| Sha256::deserialize(&state).ok())
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    #[test]
    fn a_hash_goes_on_where_it_was() {
        let text: Vec<u8> = (0..200).collect();
        for cut in [0, 1, 63, 64, 65, 128, 199, 200] {
            let mut first = Sha256::new();
            first.update(&text[..cut]);
            let mut second = thaw(Some(&freeze(&first))).expect("a frozen state thaws");
            second.update(&text[cut..]);
            assert_eq!(second.finalize(), Sha256::digest(&text), "{cut}");
        }
        assert!(thaw(Some(&[1, 2, 3])).is_none());
        assert_eq!(thaw(None).map(Sha256::finalize), Some(Sha256::digest(b"")));
    }
}
