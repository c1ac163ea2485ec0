//! SHA-256 of a file on disk, computed beside its upload.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
};

use sha2::{Digest, Sha256};

/// A thread that hashes the file as far as it has been told to. Reading behind the upload finds the bytes in memory.
#[derive(Debug)]
pub struct DiskHash {
    reach: Sender<u64>,
    thread: JoinHandle<io::Result<String>>,
}

impl DiskHash {
    pub fn of(path: &Path) -> Self {
        let (reach, reached) = channel::<u64>();
        let path = path.to_owned();
        let thread = std::thread::spawn(move || {
            let mut file = File::open(path)?;
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; 256 << 10];
            let mut at = 0;
            for end in reached {
                while at < end {
                    let want = buffer.len().min(usize::try_from(end - at).unwrap_or(buffer.len()));
                    let got = file.read(&mut buffer[..want])?;
                    if got == 0 {
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter during the upload"));
                    }
                    hasher.update(&buffer[..got]);
                    at += got as u64;
                }
            }
            Ok(hex(&hasher.finalize()))
        });
        Self { reach, thread }
    }

    /// The server has this much: what lies before may be hashed.
    pub fn up_to(&self, end: u64) {
        // A thread that has stopped reports why in `finish`.
        let _stopped = self.reach.send(end);
    }

    pub async fn finish(self, bytes: u64) -> io::Result<String> {
        self.up_to(bytes);
        drop(self.reach);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await.map_err(io::Error::other)?;
        joined.unwrap_or_else(|_| Err(io::Error::other("hashing it failed")))
    }
}

/// Lower-case hexadecimal, as the API has hashes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
