//! Reading committed objects from storage: by range, or streamed whole and checked against their hash.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use futures_util::Stream;
use offpeak_api::work::StoredObject;
use sha2::{Digest, Sha256};

use super::boxes::{self, BadMedia};
use super::track::Track;
use crate::{
    backoff::Patience,
    ffmpeg::hex,
    task::{TaskContext, TaskError},
};

/// A storage that is silent for so long is taken for dead.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// Boxes are looked for in pieces of this size: a `moof` of a few hundred frames fits.
const WINDOW: u64 = 64 << 10;
/// Objects up to this size are read in one go: for the many small fragments of audio that is less than asking for each.
const SMALL: u64 = 256 << 10;
/// A `moof` larger than this is no index of one segment.
const LARGEST_MOOF: u64 = 16 << 20;

/// An object in storage, and what to call it in messages.
#[derive(Debug, Clone)]
pub struct Stored {
    pub ctx: TaskContext,
    pub object: StoredObject,
    /// Such as `segment 12 of h264-1080p`.
    pub name: String,
}

impl Stored {
    fn broken(&self, why: &str) -> TaskError {
        TaskError::agent("file_parts_unreadable", format!("cannot read {} from storage: {why}", self.name))
    }

    pub fn not_media(&self, why: &BadMedia) -> TaskError {
        TaskError::agent("file_parts_unusable", format!("cannot put {} into the file: {why}", self.name))
    }

    /// Asks for bytes of the object; the answer's body is not read yet. `Err(true)` may pass when tried again.
    async fn ask(&self, range: &Range<u64>) -> Result<reqwest::Response, (bool, String)> {
        let url = self.ctx.server.join(&self.object.url).map_err(|error| (false, format!("its address is not one: {error}")))?;
        let mut request = self.ctx.http.client.get(url);
        let whole = *range == (0..self.object.bytes);
        if !whole {
            request = request.header("range", format!("bytes={}-{}", range.start, range.end - 1));
        }
        let answer = tokio::time::timeout(IDLE_LIMIT, request.send()).await;
        let answer = answer.map_err(|_| (true, "no answer within a minute".to_owned()))?;
        let answer = answer.map_err(|error| (true, error.without_url().to_string()))?;
        match answer.status().as_u16() {
            206 if !whole => Ok(answer),
            200 if whole => Ok(answer),
            status => Err((status >= 500 || status == 429, format!("storage answered {}", answer.status()))),
        }
    }

    /// The object's bytes in `range`, as they arrive; a cut connection is taken up again where it broke.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, TaskError>> + Send {
        async_stream::try_stream! {
            let mut at = range.start;
            let mut patience = Patience::default();
            while at < range.end {
                self.ctx.desk.until_work().await;
                let why = match self.ask(&(at..range.end)).await {
                    Err((false, why)) => Err(self.broken(&why))?,
                    Err((true, why)) => why,
                    Ok(mut answer) => loop {
                        match tokio::time::timeout(IDLE_LIMIT, answer.chunk()).await {
                            Err(_) => break "it stopped sending for a minute".to_owned(),
                            Ok(Err(error)) => break error.without_url().to_string(),
                            Ok(Ok(None)) => break "it ended before its time".to_owned(),
                            Ok(Ok(Some(mut chunk))) => {
                                chunk.truncate(usize::try_from(range.end - at).unwrap_or(usize::MAX));
                                self.ctx.http.pay(chunk.len()).await;
                                at += chunk.len() as u64;
                                patience.renew();
                                yield chunk;
                                if at == range.end {
                                    break String::new();
                                }
                            }
                        }
                    },
                };
                if at < range.end && !patience.wait(&self.ctx.desk).await {
                    Err(self.broken(&why))?;
                }
            }
        }
    }

    /// The object's bytes in `range`, in memory.
    async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, TaskError> {
        use futures_util::StreamExt;
        let mut all = Vec::with_capacity(usize::try_from(range.end - range.start).unwrap_or(0));
        let mut stream = std::pin::pin!(self.clone().stream(range));
        while let Some(chunk) = stream.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    /// The whole of a small object, checked.
    pub async fn read_whole(&self) -> Result<Vec<u8>, TaskError> {
        if self.object.bytes > LARGEST_MOOF {
            return Err(self.broken("it is too large for an init segment"));
        }
        let all = self.read(0..self.object.bytes).await?;
        self.check(&Sha256::digest(&all))?;
        Ok(all)
    }

    /// Compares the hash of all bytes read with the one that was committed.
    pub fn check(&self, sha256: &[u8]) -> Result<(), TaskError> {
        match hex(sha256) == self.object.sha256 {
            true => Ok(()),
            false => Err(self.broken("its SHA-256 is not the one that was committed; look for a failing disk or proxy")),
        }
    }

    /// Adds the object's samples to `track`, reading only its `moof` boxes when it is large.
    pub async fn add_to(&self, track: &mut Track) -> Result<(), TaskError> {
        let mut window = Window { start: 0, data: Vec::new() };
        track.begin_segment();
        let mut at = 0;
        while at < self.object.bytes {
            let data = window.at(self, at, 16).await?;
            let found = boxes::header(data).map_err(|why| self.not_media(&why))?;
            let (kind, header, size) = found.ok_or_else(|| self.not_media(&BadMedia::CutOff("box header".to_owned())))?;
            if size > self.object.bytes - at {
                return Err(self.not_media(&BadMedia::CutOff(String::from_utf8_lossy(&kind).into_owned())));
            }
            if &kind == b"moof" {
                if size > LARGEST_MOOF {
                    return Err(self.not_media(&BadMedia::Other("its index is absurdly large".to_owned())));
                }
                let data = window.at(self, at, size).await?;
                track.add_fragment(&data[header..size as usize], at).map_err(|why| self.not_media(&why))?;
            }
            at += size;
        }
        let past_end = |chunk: &super::track::Chunk| chunk.payload.iter().any(|range| range.end > self.object.bytes);
        match track.chunks.last().is_some_and(past_end) {
            true => Err(self.not_media(&BadMedia::CutOff("mdat".to_owned()))),
            false => Ok(()),
        }
    }
}

/// The part of an object that is in memory while its boxes are read.
struct Window {
    start: u64,
    data: Vec<u8>,
}

impl Window {
    /// The object's bytes from `at` on: at least `wanted`, unless it ends before.
    async fn at(&mut self, stored: &Stored, at: u64, wanted: u64) -> Result<&[u8], TaskError> {
        let end = (at + wanted).min(stored.object.bytes);
        if at < self.start || end > self.start + self.data.len() as u64 {
            let length = if stored.object.bytes <= SMALL { SMALL } else { wanted.max(WINDOW) };
            self.data = stored.read(at..(at + length).min(stored.object.bytes)).await?;
            self.start = at;
        }
        Ok(&self.data[usize::try_from(at - self.start).unwrap_or(0)..])
    }
}
