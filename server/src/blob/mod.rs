//! Where bytes are kept: keys that are written once, and signed, expiring addresses to put and get them.

use url::Url;

/// A handle on storage; clones share it.
#[derive(Debug, Clone)]
pub struct BlobStore {
    root: std::path::PathBuf,
    key: std::sync::Arc<[u8]>,
}

impl BlobStore {
    pub fn open(storage: &Url, signing_key: Vec<u8>) -> anyhow::Result<Self> {
        let root = storage.to_file_path().map_err(|()| anyhow::anyhow!("{storage} is not a folder"))?;
        std::fs::create_dir_all(&root)?;
        Ok(Self { root, key: signing_key.into() })
    }
}
