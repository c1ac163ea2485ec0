//! One progressive MP4 (index first) out of committed segments, without encoding again, without ffmpeg and without disk.
//!
//! In: the stored init segments and segments of the file's tracks. Out: one object in storage. Three passes over the
//! segments: their `moof` boxes give the index and with it the file's length; all their bytes give its SHA-256 (an upload
//! address is signed for both); then the same bytes are sent. Only the sample tables are kept in memory.
//!
//! What must hold: the file shows the same frames at the same times as the stream. The edit lists say the same as those of
//! the init segments, so that sound keeps its place.

mod layout;
mod read;
#[cfg(test)]
mod tests;
mod track;

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use offpeak_api::{
    lease::{ObjectName, Progress, UploadAddress, UploadObject},
    profile::FileContainer,
    work::{self, FileTrack},
};
pub(crate) use offpeak_boxes::boxes;
use sha2::{Digest, Sha256};

use self::{
    layout::Layout,
    read::Stored,
    track::{Track, TrackInit},
};
use crate::{
    backoff::Patience,
    ffmpeg::hex,
    task::{TaskContext, TaskError},
};

/// A file that lies in storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMade {
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// The try that got through.
    pub attempt: u32,
}

/// Makes the file that `work` describes and uploads it.
///
/// `put` asks the server for an upload address of the object named (always [`ObjectName::File`], with its `attempt`). Errors:
/// `file_parts_unreadable` and `file_parts_unusable` for segments, `file_upload_failed` for the way back, all blaming the
/// agent; what `put` returned; `Stopped`.
pub async fn make_file<P, F>(ctx: &TaskContext, work: &work::File, put: P) -> Result<FileMade, TaskError>
where
    P: Fn(UploadObject) -> F,
    F: Future<Output = Result<UploadAddress, TaskError>>,
{
    tokio::select! {
        biased;
        () = ctx.stop.cancelled() => Err(TaskError::Stopped),
        made = make(ctx, work, put) => made,
    }
}

async fn make<P, F>(ctx: &TaskContext, work: &work::File, put: P) -> Result<FileMade, TaskError>
where
    P: Fn(UploadObject) -> F,
    F: Future<Output = Result<UploadAddress, TaskError>>,
{
    match work.container {
        FileContainer::Mp4 => {}
    }
    let mut tracks = Vec::with_capacity(work.tracks.len());
    for track in &work.tracks {
        tracks.push(read_track(ctx, track).await?);
    }
    let layout = Layout::new(tracks).map_err(|why| unusable(work, &why))?;
    let film = Arc::new(Film { layout, parts: work.tracks.clone(), name: work.name.clone() });

    let bytes = film.layout.bytes;
    // The file passes through the engine twice.
    let total_bytes = Some(bytes * 2);
    let mut hash = Sha256::new();
    let mut hashed = 0;
    let mut stream = std::pin::pin!(film.clone().bytes(ctx.clone()));
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        hash.update(&chunk);
        hashed += chunk.len() as u64;
        ctx.progress.set(Progress { bytes: hashed, total_bytes, ..Progress::default() });
    }
    let sha256 = hex(&hash.finalize());

    let (mut attempt, mut patience) = (0, Patience::default());
    loop {
        ctx.desk.until_work().await;
        let stops = ctx.desk.stops();
        // Each try has an address of its own, as keys are written once.
        let address = put(UploadObject { name: ObjectName::File, attempt, bytes, sha256: sha256.clone() }).await?;
        match send(ctx, &film, &address).await {
            Ok(()) => return Ok(FileMade { bytes, sha256, attempt }),
            Err(SendError::Final(error)) => return Err(error),
            Err(SendError::Passing(why)) => {
                tracing::warn!(file.name = %work.name, attempt, why, "upload of a file broke off, trying again");
                attempt += 1;
                if ctx.desk.stops() != stops {
                    // Storage hangs up on who stands still for long: that is no trouble of its own.
                    patience.renew();
                }
                if !patience.wait(&ctx.desk).await {
                    let message = format!("cannot upload {}: {why}. Tried {attempt} times.", work.name);
                    return Err(TaskError::agent("file_upload_failed", message));
                }
            }
        }
    }
}

fn unusable(work: &work::File, why: &boxes::BadMedia) -> TaskError {
    TaskError::agent("file_parts_unusable", format!("cannot make {}: {why}", work.name))
}

async fn read_track(ctx: &TaskContext, parts: &FileTrack) -> Result<Track, TaskError> {
    let name = format!("the init segment of {}", parts.rendition);
    let init = Stored { ctx: ctx.clone(), object: parts.init.clone(), name };
    let mut track = Track::new(TrackInit::read(&init.read_whole().await?).map_err(|why| init.not_media(&why))?);
    for index in 0..parts.segments.len() {
        segment(ctx, parts, index).add_to(&mut track).await?;
    }
    Ok(track)
}

fn segment(ctx: &TaskContext, parts: &FileTrack, index: usize) -> Stored {
    let name = format!("segment {index} of {}", parts.rendition);
    Stored { ctx: ctx.clone(), object: parts.segments[index].clone(), name }
}

/// A file whose every byte is known but not in memory.
struct Film {
    layout: Layout,
    parts: Vec<FileTrack>,
    name: String,
}

impl Film {
    /// The file from its first byte to its last. Every segment is read whole and its hash checked; an error comes, at the
    /// latest, before the segment's successor.
    fn bytes(self: Arc<Self>, ctx: TaskContext) -> impl Stream<Item = Result<Bytes, TaskError>> + Send + 'static {
        async_stream::try_stream! {
            yield Bytes::from(self.layout.header.clone());
            for place in &self.layout.order {
                let payload = &self.layout.tracks[place.track].chunks[place.segment].payload;
                let stored = segment(&ctx, &self.parts[place.track], place.segment);
                let mut hash = Sha256::new();
                let mut at = 0;
                let mut stream = std::pin::pin!(stored.clone().stream(0..stored.object.bytes));
                while let Some(chunk) = stream.next().await {
                    let chunk: Bytes = chunk?;
                    hash.update(&chunk);
                    let end = at + chunk.len() as u64;
                    for range in payload.iter().filter(|range| range.start < end && range.end > at) {
                        let (from, to) = (range.start.max(at) - at, range.end.min(end) - at);
                        yield chunk.slice(from as usize..to as usize);
                    }
                    at = end;
                }
                stored.check(&hash.finalize())?;
            }
        }
    }
}

/// SHA-256 of `bytes` in lower-case hex.
#[cfg(test)]
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

enum SendError {
    /// May go better another time.
    Passing(String),
    Final(TaskError),
}

async fn send(ctx: &TaskContext, film: &Arc<Film>, address: &UploadAddress) -> Result<(), SendError> {
    let failed = |why: String| TaskError::agent("file_upload_failed", format!("cannot upload {}: {why}", film.name));
    let url = ctx.server.join(&address.url).map_err(|error| SendError::Final(failed(format!("bad address: {error}"))))?;
    // What broke the body is lost on its way through the HTTP client; it is noted here.
    let broke = Arc::new(Mutex::new(None));
    let body = reqwest::Body::wrap_stream(sent_bytes(ctx.clone(), film.clone(), broke.clone()));
    let mut request = ctx.http.client.put(url).header("content-length", film.layout.bytes).body(body);
    for (name, value) in &address.headers {
        if !name.eq_ignore_ascii_case("content-length") {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await;
    if let Some(error) = broke.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take() {
        return Err(SendError::Final(error));
    }
    let answer = answer.map_err(|error| SendError::Passing(error.without_url().to_string()))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        // The file is there already, by a try whose answer was lost: the address is signed for one key, length and SHA-256.
        reqwest::StatusCode::PRECONDITION_FAILED => Ok(()),
        // 403: the address expired on the way; 409: another try is being stored just now, or other bytes were.
        status if status.is_server_error() || [403, 408, 409, 429].contains(&status.as_u16()) => {
            Err(SendError::Passing(format!("storage answered {status}")))
        }
        status => Err(SendError::Final(failed(format!("storage answered {status}")))),
    }
}

fn sent_bytes(
    ctx: TaskContext,
    film: Arc<Film>,
    broke: Arc<Mutex<Option<TaskError>>>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    async_stream::stream! {
        let total = film.layout.bytes;
        let mut sent = 0;
        let mut stream = std::pin::pin!(film.bytes(ctx.clone()));
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) => {
                    ctx.http.pay(chunk.len()).await;
                    sent += chunk.len() as u64;
                    ctx.progress.set(Progress { bytes: total + sent, total_bytes: Some(total * 2), ..Progress::default() });
                    yield Ok(chunk);
                }
                Err(error) => {
                    *broke.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                    yield Err(std::io::Error::other("the file's parts could not be read"));
                    return;
                }
            }
        }
    }
}
