//! The way of bytes from a request into a file: hashed as they come, in constant memory, with all disk work off the
//! threads that serve requests.

use std::{fs::File, io, io::Write, time::Duration};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256, digest::DynDigest};
use tokio::task::JoinHandle;

/// Bytes that are hashed and written in one go: large enough that the hop to a blocking thread costs nothing, small enough
/// that hundreds of uploads fit into memory.
const BATCH_BYTES: usize = 1 << 20;

/// A client that sends nothing for so long is gone; its connection must not hold a lock or a file any longer.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// The request's body ended before it was whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    #[error("nothing arrived for {} s", IDLE_LIMIT.as_secs())]
    Idle,
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// A request's body, chunk by chunk.
pub struct Chunks(BodyDataStream);

impl Chunks {
    pub fn new(body: Body) -> Self {
        Self(body.into_data_stream())
    }

    /// No body at all.
    pub fn empty() -> Self {
        Self::new(Body::empty())
    }

    /// The next chunk; nothing at the body's end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        match tokio::time::timeout(IDLE_LIMIT, self.0.next()).await {
            Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
            Ok(Some(Err(error))) => Err(Cut::Broken(error.to_string())),
            Ok(None) => Ok(None),
            Err(_) => Err(Cut::Idle),
        }
    }
}

/// A file being appended to, and the hashes of what went in.
pub struct Written {
    pub file: File,
    /// Of the whole file up to here.
    pub sha256: Sha256,
    /// Of what this intake added, when somebody asked for one.
    pub checksum: Option<Box<dyn DynDigest + Send + Sync>>,
}

impl Written {
    fn write(&mut self, batch: &[Bytes]) -> io::Result<()> {
        for chunk in batch {
            Digest::update(&mut self.sha256, chunk);
            if let Some(checksum) = &mut self.checksum {
                checksum.update(chunk);
            }
            self.file.write_all(chunk)?;
        }
        Ok(())
    }
}

type Job = JoinHandle<(Written, io::Result<()>)>;

/// Where the file is now: here, or on a blocking thread that writes the batch before.
enum State {
    Here(Written),
    Busy(Job),
    /// A write failed; the file's content is unknown.
    Failed,
}

/// Appends to a file. One batch is written while the next one arrives.
pub struct Intake {
    state: State,
    batch: Vec<Bytes>,
    batch_bytes: usize,
}

impl Intake {
    pub fn new(written: Written) -> Self {
        Self { state: State::Here(written), batch: Vec::new(), batch_bytes: 0 }
    }

    /// Takes a chunk; waits only when the disk is a batch behind.
    pub async fn push(&mut self, chunk: Bytes) -> io::Result<()> {
        self.batch_bytes += chunk.len();
        self.batch.push(chunk);
        if self.batch_bytes < BATCH_BYTES { Ok(()) } else { self.start_batch().await }
    }

    async fn start_batch(&mut self) -> io::Result<()> {
        let mut written = self.take().await?;
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        self.state = State::Busy(tokio::task::spawn_blocking(move || {
            let result = written.write(&batch);
            (written, result)
        }));
        Ok(())
    }

    /// Waits for the batch that is being written.
    async fn take(&mut self) -> io::Result<Written> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Here(written) => Ok(written),
            State::Busy(job) => {
                let (written, result) = job.await.map_err(io::Error::other)?;
                result.map(|()| written)
            }
            State::Failed => Err(io::Error::other("an earlier write to this file failed")),
        }
    }

    /// Everything taken so far is on disk, safe from a power cut, when this returns: the hash is that of the whole file.
    pub async fn sync(&mut self) -> io::Result<Sha256> {
        self.start_batch().await?;
        let written = self.take().await?;
        let (written, result) = tokio::task::spawn_blocking(move || {
            let result = written.file.sync_data();
            (written, result)
        })
        .await
        .map_err(io::Error::other)?;
        result?;
        let sha256 = written.sha256.clone();
        self.state = State::Here(written);
        Ok(sha256)
    }

    /// As [`Intake::sync`], and gives the file back.
    pub async fn finish(mut self) -> io::Result<Written> {
        self.sync().await?;
        self.take().await
    }
}
