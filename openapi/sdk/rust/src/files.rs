//! Files on their way there (tus 1.0) and back.

use std::{
    io::SeekFrom,
    ops::Range,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::StreamExt;
use offpeak_api::{
    ids::SourceId,
    job::{Job, OutputFile},
};
use reqwest::{Body, Method, RequestBuilder, Response, header};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use tokio_util::io::ReaderStream;

use crate::{calls::Client, error::Error, retry};

/// No byte moved, and no answer came, for so long: the connection is dead although nobody said so. Generous, because the
/// last request of a large file is answered only when the server has written it all to disk.
const STALLED_AFTER: Duration = Duration::from_secs(120);
const OFFSET_WITHIN: Duration = Duration::from_secs(30);
const READ_BYTES: usize = 256 << 10;
/// A cut costs a round trip and no bytes, since the server keeps what arrived; proxies often refuse bodies over 100 MB.
const REQUEST_BYTES: u64 = 32 << 20;
/// In a row, without one more byte arriving.
const TRIES: u32 = 12;

impl Client {
    fn tus(&self, method: Method, path: &str) -> Result<RequestBuilder, Error> {
        Ok(self.request(method, self.resolve(path)?).header("Tus-Resumable", "1.0.0"))
    }

    /// Begins an upload of a known length.
    pub async fn begin_upload(&self, bytes: u64, filename: &str) -> Result<SourceId, Error> {
        let request = self
            .tus(Method::POST, "/v1/uploads")?
            .header("Upload-Length", bytes)
            .header("Upload-Metadata", format!("filename {}", BASE64_STANDARD.encode(filename)))
            .timeout(STALLED_AFTER);
        let response = self.once(request).await?;
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        location.rsplit('/').next().unwrap_or_default().parse().map_err(|_| Error::Garbled {
            address: response.url().to_string(),
            reason: format!("it began an upload at {location:?}, which names none"),
        })
    }

    /// How much of an upload of this length is safe. A refusal with status 404 or 410 says that it is gone; so does another
    /// length, for that is not what was begun.
    pub async fn upload_offset(&self, id: &SourceId, bytes: u64) -> Result<Option<u64>, Error> {
        let request = self.tus(Method::HEAD, &format!("/v1/uploads/{id}"))?.timeout(OFFSET_WITHIN);
        let response = self.send(request).await?;
        let length = number(&response, "Upload-Length");
        Ok(number(&response, "Upload-Offset").filter(|offset| *offset <= bytes && length.is_none_or(|length| length == bytes)))
    }

    /// Sends `range` of a file; the answer is how many bytes are safe now. `sent` is told how many have left, from the file's
    /// beginning on.
    pub async fn append_upload(
        &self,
        id: &SourceId,
        path: &Path,
        range: Range<u64>,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<u64, Error> {
        let length = range.end - range.start;
        let unreadable = |e: std::io::Error| Error::File { path: path.to_owned(), reason: e.to_string() };
        let mut file = File::open(path).await.map_err(unreadable)?;
        file.seek(SeekFrom::Start(range.start)).await.map_err(unreadable)?;
        let moved = Arc::new(AtomicU64::new(0));
        let (counter, start) = (moved.clone(), range.start);
        let chunks = ReaderStream::with_capacity(file.take(length), READ_BYTES).inspect(move |chunk| {
            let bytes = chunk.as_ref().map_or(0, Bytes::len) as u64;
            sent(start + counter.fetch_add(bytes, Ordering::Relaxed) + bytes);
        });
        let request = self
            .tus(Method::PATCH, &format!("/v1/uploads/{id}"))?
            .header(header::CONTENT_TYPE, "application/offset+octet-stream")
            .header(header::CONTENT_LENGTH, length)
            .header("Upload-Offset", range.start)
            .body(Body::wrap_stream(chunks));
        let response = tokio::select! {
            response = self.send(request) => response?,
            () = stalled(&moved) => return Err(Error::Unreachable {
                server: self.server().to_owned(),
                reason: format!("no byte moved for {} s", STALLED_AFTER.as_secs()),
            }),
        };
        number(&response, "Upload-Offset").ok_or_else(|| Error::Garbled {
            address: response.url().to_string(),
            reason: "it does not say how much arrived (no Upload-Offset)".to_owned(),
        })
    }

    /// Uploads a file: whatever breaks on the way, it goes on where it stopped. `progress` is told the bytes that are safe and
    /// those of the whole file.
    pub async fn upload(&self, path: &Path, progress: impl Fn(u64, u64)) -> Result<SourceId, Error> {
        let unreadable = |e: std::io::Error| Error::File { path: path.to_owned(), reason: e.to_string() };
        let bytes = tokio::fs::metadata(path).await.map_err(unreadable)?.len();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let id = self.begin_upload(bytes, &name).await?;
        let (mut offset, mut failures) = (0, 0);
        while offset < bytes {
            progress(offset, bytes);
            match self.append_upload(&id, path, offset..bytes.min(offset + REQUEST_BYTES), |_| ()).await {
                Ok(reached) if reached > offset => (offset, failures) = (reached, 0),
                Ok(_) => failures += 1,
                Err(error) if failures < TRIES && (error.is_passing() || is_behind(&error)) => failures += 1,
                Err(error) => return Err(error),
            }
            if failures > 0 {
                tokio::time::sleep(retry::pause(failures - 1)).await;
                let before = offset;
                let known = retry::patiently(async || self.upload_offset(&id, bytes).await).await?;
                offset = known.ok_or_else(|| Error::Garbled {
                    address: self.server().to_owned(),
                    reason: format!("{id} is not the upload that was begun"),
                })?;
                if offset > before {
                    failures = 0;
                }
            }
        }
        progress(bytes, bytes);
        Ok(id)
    }

    /// Downloads one of a job's files, the first when no name is given, to a path. Half a file is never left there.
    pub async fn download(&self, job: &Job, name: Option<&str>, to: &Path) -> Result<OutputFile, Error> {
        let failed = |reason: String| Error::File { path: to.to_owned(), reason };
        let file = job.outputs.files.iter().find(|file| name.is_none_or(|name| file.name == name));
        let file = file.ok_or_else(|| failed(format!("{} has no file {}", job.id, name.unwrap_or("at all"))))?;
        let partial = to.with_extension("part");
        let mut out = File::create(&partial).await.map_err(|e| failed(e.to_string()))?;
        let response = self.send(self.request(Method::GET, self.resolve(&file.url)?)).await?;
        let mut chunks = response.bytes_stream();
        let mut arrived = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|e| self.unreachable(&e))?;
            arrived += chunk.len() as u64;
            out.write_all(&chunk).await.map_err(|e| failed(e.to_string()))?;
        }
        out.flush().await.map_err(|e| failed(e.to_string()))?;
        if arrived != file.bytes {
            return Err(failed(format!("{arrived} of {} bytes arrived", file.bytes)));
        }
        tokio::fs::rename(&partial, to).await.map_err(|e| failed(e.to_string()))?;
        Ok(file.clone())
    }
}

/// Another number of bytes has arrived than was thought.
fn is_behind(error: &Error) -> bool {
    matches!(error, Error::Refused(problem) if problem.code == "wrong_offset")
}

fn number(response: &Response, header: &str) -> Option<u64> {
    response.headers().get(header)?.to_str().ok()?.parse().ok()
}

/// Returns when `sent` has not grown for [`STALLED_AFTER`].
async fn stalled(sent: &AtomicU64) {
    let mut before = sent.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(STALLED_AFTER).await;
        let now = sent.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}
