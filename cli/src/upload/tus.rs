//! The three requests of the tus protocol that an uploading client needs (tus.io, version 1.0.0, core and creation).

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
use offpeak_api::ids::SourceId;
use reqwest::{Body, Method, RequestBuilder, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::{client::Client, error::CliError, view::UploadView};

/// No byte moved, and no answer came, for so long: the connection is dead although nobody said so. Generous, because the
/// last request of a large file is answered only when the server has written it all to disk.
const STALLED_AFTER: Duration = Duration::from_secs(120);
const READ_BYTES: usize = 256 << 10;

/// Why a request did not do what it should.
#[derive(Debug)]
pub enum Failure {
    /// Worth another try: the network, or a server that is busy or restarting.
    Passing(String),
    /// The server does not know this upload any more.
    Gone,
    Refused(CliError),
}

#[derive(Debug)]
pub struct Tus {
    client: Client,
}

impl Tus {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, CliError> {
        Ok(self.client.request(method, self.client.resolve(path)?).header("Tus-Resumable", "1.0.0"))
    }

    /// Creates an empty upload of a known length.
    pub async fn create(&self, bytes: u64, filename: &str) -> Result<SourceId, CliError> {
        let request = self
            .request(Method::POST, "/v1/uploads")?
            .header("Upload-Length", bytes)
            .header("Upload-Metadata", format!("filename {}", BASE64_STANDARD.encode(filename)))
            .timeout(STALLED_AFTER);
        let response = self.client.send(request).await?;
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let id = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        id.parse().map_err(|e| CliError::Garbled {
            address: response.url().to_string(),
            reason: format!("its Location `{location}` names no upload ({e})"),
        })
    }

    /// How many bytes the server has.
    pub async fn offset(&self, id: &SourceId, bytes: u64) -> Result<u64, Failure> {
        let request = self.request(Method::HEAD, &format!("/v1/uploads/{id}")).map_err(Failure::Refused)?;
        let response = self.sent(request.timeout(Duration::from_secs(30))).await?;
        let length = number(&response, "Upload-Length");
        match number(&response, "Upload-Offset") {
            Some(offset) if offset <= bytes && length.is_none_or(|length| length == bytes) => Ok(offset),
            // Not what we began: better another upload than a mixture.
            _ => Err(Failure::Gone),
        }
    }

    /// Sends `range` of the file; the answer is how many bytes the server has now.
    pub async fn append(&self, id: &SourceId, path: &Path, range: Range<u64>, view: &UploadView) -> Result<u64, Failure> {
        let length = range.end - range.start;
        let unreadable = |e: std::io::Error| Failure::Refused(CliError::File { path: path.to_owned(), reason: e.to_string() });
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        file.seek(SeekFrom::Start(range.start)).await.map_err(unreadable)?;
        let sent = Arc::new(AtomicU64::new(0));
        let (counter, bar, start) = (sent.clone(), view.clone(), range.start);
        let chunks = ReaderStream::with_capacity(file.take(length), READ_BYTES).inspect(move |chunk| {
            let bytes = chunk.as_ref().map_or(0, Bytes::len) as u64;
            bar.sent(start + counter.fetch_add(bytes, Ordering::Relaxed) + bytes);
        });
        let request = self
            .request(Method::PATCH, &format!("/v1/uploads/{id}"))
            .map_err(Failure::Refused)?
            .header(header::CONTENT_TYPE, "application/offset+octet-stream")
            .header(header::CONTENT_LENGTH, length)
            .header("Upload-Offset", range.start)
            .body(Body::wrap_stream(chunks));
        let response = tokio::select! {
            response = self.sent(request) => response?,
            () = stalled(&sent) => return Err(Failure::Passing(format!("no byte moved for {} s", STALLED_AFTER.as_secs()))),
        };
        number(&response, "Upload-Offset").ok_or_else(|| {
            Failure::Refused(CliError::Garbled {
                address: response.url().to_string(),
                reason: "it does not say how much arrived (no Upload-Offset)".to_owned(),
            })
        })
    }

    async fn sent(&self, request: RequestBuilder) -> Result<reqwest::Response, Failure> {
        match self.client.send(request).await {
            Ok(response) => Ok(response),
            Err(CliError::Refused(problem)) => Err(match StatusCode::from_u16(problem.status).unwrap_or_default() {
                StatusCode::NOT_FOUND | StatusCode::GONE => Failure::Gone,
                // Another request of ours is still being written, or our idea of the offset is behind.
                StatusCode::LOCKED | StatusCode::CONFLICT => Failure::Passing(problem.detail),
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Failure::Passing(problem.detail),
                StatusCode::NOT_IMPLEMENTED | StatusCode::INSUFFICIENT_STORAGE => Failure::Refused(CliError::Refused(problem)),
                status if status.is_server_error() => Failure::Passing(problem.detail),
                _ => Failure::Refused(CliError::Refused(problem)),
            }),
            Err(CliError::Unreachable { reason, .. }) => Err(Failure::Passing(reason)),
            Err(other) => Err(Failure::Refused(other)),
        }
    }
}

fn number(response: &reqwest::Response, header: &str) -> Option<u64> {
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
