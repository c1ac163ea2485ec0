//! The storage of a test: a folder, or a bucket for the tests that ask for one, and for all of them when
//! `OFFPEAK_TEST_STORAGE` is `bucket`.

use std::path::{Path, PathBuf};

use offpeak_backends::S3Server;
use offpeak_server::blob;

/// Everything is kept below it, so that nothing relies on a bucket of its own.
const PREFIX: &str = "some/where/";

/// Gone when dropped.
pub enum Storage {
    Folder(tempfile::TempDir),
    Bucket(S3Server),
}

impl Storage {
    pub async fn of_this_run() -> Self {
        match std::env::var("OFFPEAK_TEST_STORAGE").as_deref() {
            Ok("bucket") => Self::bucket().await,
            Ok(other) => panic!("OFFPEAK_TEST_STORAGE is {other:?}, and can only be \"bucket\""),
            Err(_) => Self::Folder(tempfile::tempdir().unwrap()),
        }
    }

    pub async fn bucket() -> Self {
        Self::Bucket(S3Server::start().await.unwrap())
    }

    pub fn url(&self) -> String {
        match self {
            Self::Folder(folder) => format!("file://{}", folder.path().display()),
            Self::Bucket(server) => server.storage_url(PREFIX),
        }
    }

    pub async fn open(&self) -> blob::Storage {
        match blob::Location::parse(&self.url().parse().unwrap()).unwrap() {
            blob::Location::Folder(root) => blob::Storage::Folder(blob::Folder::open(root).unwrap()),
            blob::Location::Bucket(address) => {
                let (key, secret) = S3Server::credentials();
                let credentials = blob::bucket::Credentials::new(key, secret, None, None, "test");
                blob::Storage::Bucket(blob::Bucket::open(&address, Some(credentials)).await)
            }
        }
    }

    /// The server behind a bucket.
    pub fn server(&self) -> &S3Server {
        match self {
            Self::Folder(_) => panic!("this test is on a folder"),
            Self::Bucket(server) => server,
        }
    }

    /// Where the file of an object is.
    pub fn path(&self, key: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join(key),
            Self::Bucket(server) => server.path(&format!("{PREFIX}{key}")),
        }
    }

    /// The keys of all objects that begin so, in order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys: Vec<String> = match self {
            Self::Folder(folder) => walk(folder.path()).iter().map(|path| relative(folder.path(), path)).collect(),
            Self::Bucket(server) => {
                server.keys().iter().map(|key| key.strip_prefix(PREFIX).expect("all is below the prefix").to_owned()).collect()
            }
        };
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        keys
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()
}

/// The files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
