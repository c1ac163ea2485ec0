//! Bytes into storage: addresses from the server, PUTs to wherever they point, tried again until they arrive.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::try_join_all;
use offpeak_api::{
    ids::LeaseId,
    lease::{InitReport, ObjectName, ReleaseReason, SegmentReport, UploadAddress, UploadObject, UploadUrlsRequest},
};
use reqwest::{StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use super::{Pace, ending::Ending, ending::persist, rows::Row};
use crate::{
    backoff::Backoff,
    client::{Client, root_cause},
    ffmpeg::hex,
    http::Http,
    task::TaskError,
};

/// PUTs of one lease at a time: enough to hide the round trips, few enough not to starve each other on a thin line.
const PUTS_AT_A_TIME: usize = 4;
/// Bytes handed to the network at a time; with a bandwidth cap, each is paid for.
const CHUNK_BYTES: usize = 64 * 1024;
/// How long a PUT may go without taking a byte or answering.
const STALL_LIMIT: Duration = Duration::from_secs(30);
/// A refused PUT gets a fresh address (the old one may have expired); when fresh ones are refused as well, it is no accident.
const REFUSALS_LIMIT: u32 = 5;

/// The way into storage for one lease. Clones share the limit on PUTs.
#[derive(Debug, Clone)]
pub struct Uploader {
    client: Client,
    lease: LeaseId,
    pace: Pace,
    puts: Arc<Semaphore>,
    /// Cancelled when the lease is to end: what is finished then goes out, whoever is at the desk.
    ending: CancellationToken,
}

/// A row that is in storage, as the commit reports it.
#[derive(Debug)]
pub struct UploadedRow {
    pub index: u32,
    pub segments: Vec<SegmentReport>,
    pub inits: Vec<InitReport>,
    /// How long its segments last, all renditions together.
    pub seconds: f64,
}

impl Uploader {
    pub fn new(client: Client, lease: LeaseId, pace: Pace, ending: CancellationToken) -> Self {
        Self { client, lease, pace, puts: Arc::new(Semaphore::new(PUTS_AT_A_TIME)), ending }
    }

    /// Waits while work stands still. What has begun is let end, as it is short.
    async fn may_begin(&self) {
        tokio::select! {
            () = self.client.http.desk.until_work() => {}
            () = self.ending.cancelled() => {}
        }
    }

    /// Hashes and uploads one row; ends when all of it is in storage.
    pub async fn row(&self, row: Row) -> Result<UploadedRow, Ending> {
        self.may_begin().await;
        let (row, hashes) = hashed(row).await?;
        let (init_hashes, segment_hashes) = hashes.split_at(row.inits.len());
        let inits = row.inits.iter().zip(init_hashes).map(|(init, sha256)| {
            (object(ObjectName::Init { rendition: init.rendition.clone() }, init.attempt, &init.data, sha256), &init.data)
        });
        let segments = row.segments.iter().zip(segment_hashes).map(|(segment, sha256)| {
            let name = ObjectName::Segment { rendition: segment.rendition.clone(), index: segment.index };
            (object(name, segment.attempt, &segment.data, sha256), &segment.data)
        });
        self.all(inits.chain(segments).collect()).await?;

        let inits = row.inits.iter().zip(init_hashes).map(|(init, sha256)| InitReport {
            rendition: init.rendition.clone(),
            attempt: init.attempt,
            bytes: init.data.len() as u64,
            sha256: sha256.clone(),
            fingerprint: init.header.fingerprint.clone(),
            codecs: init.header.codecs.clone(),
            timescale: init.header.timescale,
            media_time: init.header.media_time,
        });
        let segments = row.segments.iter().zip(segment_hashes).map(|(segment, sha256)| SegmentReport {
            rendition: segment.rendition.clone(),
            index: segment.index,
            attempt: segment.attempt,
            frames: segment.frames,
            start_ticks: segment.start_ticks,
            duration_ticks: segment.duration_ticks,
            bytes: segment.data.len() as u64,
            sha256: sha256.clone(),
        });
        Ok(UploadedRow { index: row.index, segments: segments.collect(), inits: inits.collect(), seconds: row.seconds })
    }

    /// Addresses for all, in one call; then the PUTs.
    async fn all(&self, objects: Vec<(UploadObject, &Bytes)>) -> Result<(), Ending> {
        self.may_begin().await;
        let stops = self.client.http.desk.stops();
        let addresses = self.addresses(objects.iter().map(|(object, _)| object.clone()).collect()).await?;
        let puts = objects.iter().zip(addresses).map(|((object, data), address)| self.one(object, data, address, stops));
        try_join_all(puts).await?;
        Ok(())
    }

    /// Addresses in the order of `objects`.
    async fn addresses(&self, objects: Vec<UploadObject>) -> Result<Vec<UploadAddress>, Ending> {
        let request = UploadUrlsRequest { objects };
        let urls = persist(&self.pace, self.client.status(), "request for upload addresses", || {
            self.client.upload_urls(&self.lease, &request)
        })
        .await?;
        if urls.addresses.len() != request.objects.len() {
            let (got, wanted) = (urls.addresses.len(), request.objects.len());
            return Err(Ending::mishap("bad_answer", format!("the server gave {got} upload addresses for {wanted} objects")));
        }
        Ok(urls.addresses)
    }

    /// PUTs one object, asking for a fresh address before every further try, and where work has stood still since `stops` was
    /// what the desk counted: the one at hand may have expired.
    async fn one(&self, object: &UploadObject, data: &Bytes, mut address: UploadAddress, mut stops: u64) -> Result<(), Ending> {
        let desk = &self.client.http.desk;
        let mut backoff = Backoff::new(self.pace.retry_first, self.pace.retry_most);
        let mut refusals = 0;
        loop {
            let tried = match self.puts.acquire().await {
                Ok(_permit) => {
                    self.may_begin().await;
                    if std::mem::replace(&mut stops, desk.stops()) != stops {
                        address = self.addresses(vec![object.clone()]).await?.remove(0);
                    }
                    put(&self.client.http, &self.client.server, &address, data).await
                }
                Err(_closed) => return Err(Ending::Released(ReleaseReason::Shutdown)),
            };
            match tried {
                Ok(()) => return Ok(()),
                Err(PutError::Refused(status)) if refusals + 1 >= REFUSALS_LIMIT => {
                    let message = format!("storage refused {:?} {REFUSALS_LIMIT} times, at last with {status}", object.name);
                    return Err(Ending::mishap("upload_refused", message));
                }
                Err(error) => {
                    refusals += u32::from(matches!(error, PutError::Refused(_)));
                    debug!(object = ?object.name, "upload failed, trying again: {error}");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_wait()) => {}
                () = self.client.status().back() => {}
            }
            self.may_begin().await;
            stops = desk.stops();
            address = self.addresses(vec![object.clone()]).await?.remove(0);
        }
    }
}

/// Hashes a row away from the threads that serve the network: megabytes take milliseconds.
async fn hashed(row: Row) -> Result<(Row, Vec<String>), Ending> {
    tokio::task::spawn_blocking(move || {
        let inits = row.inits.iter().map(|init| &init.data);
        let hashes = inits.chain(row.segments.iter().map(|segment| &segment.data)).map(|data| sha256_hex(data)).collect();
        (row, hashes)
    })
    .await
    .map_err(|error| Ending::mishap("engine_crashed", format!("hashing a row failed: {error}")))
}

fn object(name: ObjectName, attempt: u32, data: &Bytes, sha256: &str) -> UploadObject {
    UploadObject { name, attempt, bytes: data.len() as u64, sha256: sha256.to_owned() }
}

/// Lower-case hex, as the protocol has it.
fn sha256_hex(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

#[derive(Debug, thiserror::Error)]
enum PutError {
    /// Not the object's fault, nor the address's.
    #[error("{0}")]
    Passing(String),
    /// 4xx: the address is not (or no longer) good for this object.
    #[error("storage answered {0}")]
    Refused(StatusCode),
}

/// One try. Storage that has the object already (412) is as good as storage that took it: an address is signed for one key,
/// length and SHA-256, so what lies there is the same.
async fn put(http: &Http, server: &Url, address: &UploadAddress, data: &Bytes) -> Result<(), PutError> {
    let url = server.join(&address.url).map_err(|error| PutError::Passing(format!("{}: {error}", address.url)))?;
    let (moved, stalled) = watchdog();
    let mut request = http.client.put(url).header(header::CONTENT_LENGTH, data.len());
    for (name, value) in &address.headers {
        if !name.eq_ignore_ascii_case(header::CONTENT_LENGTH.as_str()) {
            request = request.header(name, value);
        }
    }
    let answer = tokio::select! {
        answer = request.body(paid_body(http.clone(), data.clone(), moved)).send() => answer,
        () = stalled => return Err(PutError::Passing(format!("nothing moved for {} s", STALL_LIMIT.as_secs()))),
    };
    let status = answer.map_err(|error| PutError::Passing(root_cause(&error)))?.status();
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::PRECONDITION_FAILED => Ok(()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(PutError::Passing(format!("storage answered {status}")))
        }
        status if status.is_client_error() => Err(PutError::Refused(status)),
        status => Err(PutError::Passing(format!("storage answered {status}"))),
    }
}

/// The body in chunks, each paid for before it goes out.
fn paid_body(http: Http, data: Bytes, moved: watch::Sender<Option<Instant>>) -> reqwest::Body {
    reqwest::Body::wrap_stream(async_stream::stream! {
        let mut rest = data;
        while !rest.is_empty() {
            let chunk = rest.split_to(CHUNK_BYTES.min(rest.len()));
            // Waiting for one's share of the bandwidth is not a stall.
            moved.send_replace(None);
            http.pay_for_begun(chunk.len()).await;
            moved.send_replace(Some(Instant::now()));
            yield Ok::<_, std::convert::Infallible>(chunk);
        }
    })
}

/// Ends when nothing was moved for [`STALL_LIMIT`]: a time-out that knows nothing of size and speed.
fn watchdog() -> (watch::Sender<Option<Instant>>, impl Future<Output = ()>) {
    let (moved, mut seen) = watch::channel(Some(Instant::now()));
    let stalled = async move {
        loop {
            let last = *seen.borrow_and_update();
            let until_stalled = async {
                match last {
                    Some(at) => tokio::time::sleep_until(at + STALL_LIMIT).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = until_stalled => return,
                changed = seen.changed() => if changed.is_err() {
                    // The body is gone: what is left is the answer, which has the same limit.
                    return tokio::time::sleep(STALL_LIMIT).await;
                },
            }
        }
    };
    (moved, stalled)
}

/// Gives the `file` step upload addresses for its one file; it does its PUT itself.
#[derive(Debug, Clone)]
pub struct FileUpload {
    uploader: Uploader,
    news: mpsc::Sender<Ending>,
}

impl FileUpload {
    /// `news` takes the lease's end to its holder, should the server tell of it here first.
    pub fn new(uploader: Uploader, news: mpsc::Sender<Ending>) -> Self {
        Self { uploader, news }
    }

    /// An address for the object, asked for until the server answers; `Stopped` when the lease turns out to be over.
    pub async fn address(&self, object: UploadObject) -> Result<UploadAddress, TaskError> {
        match self.uploader.addresses(vec![object]).await {
            Ok(mut addresses) => Ok(addresses.remove(0)),
            Err(ending) => {
                // The holder may have heard the same already; then it does not listen any more.
                let _ = self.news.try_send(ending);
                Err(TaskError::Stopped)
            }
        }
    }
}
