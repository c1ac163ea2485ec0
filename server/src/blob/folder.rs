//! Objects as files below one folder. Everything here blocks; callers run it on threads that may.
//!
//! Names that begin with a dot are the store's own and cannot be keys: `.incoming/` holds objects that are being received,
//! `.uploads/` the sources that are. Both are in the same file system as the objects, so that a rename publishes a file.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use offpeak_api::ids::SourceId;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use bytes::Bytes;

use super::{BlobKey, key::check_prefix};
use crate::{auth::random_name, clock::Instant, private};

const INCOMING: &str = ".incoming";
const UPLOADS: &str = ".uploads";

/// Incoming objects older than this were left behind by a crash: no segment takes so long to arrive.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What became of an object that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    New,
    /// The key held the same bytes already.
    Same,
    /// The key holds other bytes, and keeps them.
    Taken,
}

#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    /// SHA-256 of objects that came in here lately, so that a commit need not read them again.
    hashes: Arc<Cache<String, String>>,
}

/// Objects between their arrival and their commit; some 200 bytes each.
const MOST_HASHES: usize = 20_000;

/// An object that is open for reading: later changes of its key do not concern the reader.
#[derive(Debug)]
pub struct OpenBlob {
    pub file: File,
    pub bytes: u64,
    /// Strong entity tag, with its quotes.
    pub etag: String,
}

impl Folder {
    /// Makes what is missing.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        private::make_folder(&root)?;
        for own in [INCOMING, UPLOADS] {
            fs::create_dir_all(root.join(own))?;
        }
        sync_folder(&root)?;
        Ok(Self { root, hashes: Arc::new(Cache::new(MOST_HASHES)) })
    }

    pub fn path(&self, key: &BlobKey) -> PathBuf {
        key.as_str().split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    /// The object's length, if it is there.
    pub fn stat(&self, key: &BlobKey) -> io::Result<Option<u64>> {
        Ok(absent_is_none(fs::metadata(self.path(key)))?.filter(fs::Metadata::is_file).map(|metadata| metadata.len()))
    }

    /// Whether the object is there, with this length and SHA-256 (lower-case hex). Reads it, unless it came in lately.
    pub fn holds(&self, key: &BlobKey, bytes: u64, sha256: &str) -> io::Result<bool> {
        if self.stat(key)? != Some(bytes) {
            return Ok(false);
        }
        match self.hashes.get(key.as_str()) {
            Some(known) => Ok(known == sha256),
            None => holds(&self.path(key), bytes, sha256),
        }
    }

    /// Opens the object for reading, if it is there.
    pub fn read(&self, key: &BlobKey) -> io::Result<Option<OpenBlob>> {
        let Some(file) = absent_is_none(File::open(self.path(key)))? else { return Ok(None) };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        // Keys are written once; of a manifest that is replaced, the time changes.
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let etag = format!("\"{:x}-{changed:x}\"", metadata.len());
        Ok(Some(OpenBlob { bytes: metadata.len(), etag, file }))
    }

    /// The whole of a small object, if it is there.
    pub fn read_small(&self, key: &BlobKey) -> io::Result<Option<Bytes>> {
        let Some(mut open) = self.read(key)? else { return Ok(None) };
        let mut bytes = Vec::new();
        open.file.read_to_end(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    /// Some bytes of an object.
    pub fn read_range(&self, key: &BlobKey, range: Range<u64>) -> io::Result<Option<Bytes>> {
        let Some(mut open) = self.read(key)? else { return Ok(None) };
        let mut bytes = Vec::new();
        open.file.seek(SeekFrom::Start(range.start))?;
        open.file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    /// Where a source is while it arrives.
    pub fn upload_path(&self, id: &SourceId) -> PathBuf {
        self.root.join(UPLOADS).join(id.as_str())
    }

    /// Sources that are arriving, or were left behind.
    pub fn uploads(&self) -> io::Result<Vec<SourceId>> {
        let names = fs::read_dir(self.root.join(UPLOADS))?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes what is left of a source that will not be finished.
    pub fn delete_upload(&self, id: &SourceId) -> io::Result<()> {
        absent_is_none(fs::remove_file(self.upload_path(id))).map(|_| ())
    }

    /// A source has arrived whole and synced: it becomes an object.
    pub fn publish_upload(&self, id: &SourceId) -> io::Result<()> {
        self.rename_to_key(&self.upload_path(id), &BlobKey::source(id))
    }

    /// A new file to receive into.
    pub fn incoming(&self) -> io::Result<Incoming> {
        let path = self.root.join(INCOMING).join(random_name(26));
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok(Incoming { path, file: Some(file) })
    }

    /// Gives a synced incoming file its key, unless that is taken.
    pub fn publish(&self, incoming: Incoming, key: &BlobKey, bytes: u64, sha256: &str) -> io::Result<Published> {
        let target = self.path(key);
        let source = incoming.path.as_path();
        self.with_parent(&target, || match fs::hard_link(source, &target) {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Err(error),
            // A file system without hard links: the look before the rename leaves a gap, in which only a second holder of
            // the very same address could come.
            Err(_) if target.exists() => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(source, &target),
        })
        .map(|()| {
            self.hashes.insert(key.as_str().to_owned(), sha256.to_owned());
            Published::New
        })
        .or_else(|error| match error.kind() {
            ErrorKind::AlreadyExists if holds(&target, bytes, sha256)? => Ok(Published::Same),
            ErrorKind::AlreadyExists => Ok(Published::Taken),
            _ => Err(error),
        })
    }

    /// Moves a file to a key, over what is there.
    pub fn rename_to_key(&self, from: &Path, key: &BlobKey) -> io::Result<()> {
        let target = self.path(key);
        self.with_parent(&target, || fs::rename(from, &target))
    }

    /// Runs `place`, making the folders above `target` as needed, and syncs the folder that it changed.
    fn with_parent(&self, target: &Path, place: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let parent = target.parent().unwrap_or(&self.root);
        // More than once, because a deletion may remove the folder just when it was made.
        for _ in 0..3 {
            match place() {
                Err(error) if error.kind() == ErrorKind::NotFound => self.make_folder(parent)?,
                other => return other.and_then(|()| sync_folder(parent)),
            }
        }
        place().and_then(|()| sync_folder(parent))
    }

    /// Makes a folder and those above it, each of them synced into its parent.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder == self.root || folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().unwrap_or(&self.root);
        self.make_folder(parent)?;
        match fs::create_dir(folder) {
            Ok(()) => sync_folder(parent),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes a small object in one go, over what is there; readers see the old one or the new one.
    pub fn put_small(&self, key: &BlobKey, bytes: &[u8]) -> io::Result<()> {
        let mut incoming = self.incoming()?;
        let mut file = incoming.take_file()?;
        file.write_all(bytes)?;
        file.sync_data()?;
        self.rename_to_key(&incoming.path, key)
    }

    pub fn delete(&self, key: &BlobKey) -> io::Result<()> {
        gone_is_fine(fs::remove_file(self.path(key)))
    }

    /// Deletes all objects whose keys begin with `prefix`, such as `jobs/job_…/` or `jobs/job_…/abc-`.
    pub fn delete_prefix(&self, prefix: &str) -> io::Result<()> {
        let (folder, start) = check_prefix(prefix)?;
        let folder = self.path(&folder);
        if start.is_empty() {
            return remove_tree(&folder);
        }
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with(start) {
                continue;
            }
            let is_folder = entry.file_type()?.is_dir();
            if is_folder { remove_tree(&entry.path())? } else { gone_is_fine(fs::remove_file(entry.path()))? }
        }
        Ok(())
    }

    /// Removes incoming files that a crash left behind; returns how many.
    pub fn sweep(&self, now: Instant) -> io::Result<u64> {
        let mut removed = 0;
        for entry in fs::read_dir(self.root.join(INCOMING))? {
            let entry = entry?;
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            let modified = modified.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
            if now.since(Instant(modified)) > STALE_AFTER {
                gone_is_fine(fs::remove_file(entry.path()))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// A file that is being received; removed when dropped, unless it was moved away.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    file: Option<File>,
}

impl Incoming {
    /// The file to write to; it can be taken once.
    pub fn take_file(&mut self) -> io::Result<File> {
        self.file.take().ok_or_else(|| io::Error::other("this file is being written already"))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What was renamed is not there any more; what cannot be removed now is swept a day later.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes a folder with all in it, also when somebody who does not know yet puts a last file into it.
fn remove_tree(folder: &Path) -> io::Result<()> {
    for _ in 0..3 {
        match gone_is_fine(fs::remove_dir_all(folder)) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            other => return other,
        }
    }
    gone_is_fine(fs::remove_dir_all(folder))
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A key whose folder is missing, or is an object, names no object.
fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// True when the file has this length and hash.
fn holds(path: &Path, bytes: u64, sha256: &str) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() != bytes {
        return Ok(false);
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(crate::auth::hex(&hash.finalize()) == sha256);
        }
        hash.update(&buffer[..read]);
    }
}

/// A new name in a folder survives a power cut only once the folder itself is synced.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows journals names by itself and opens no folders.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
