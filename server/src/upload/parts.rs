//! A source on its way into a bucket: parts of one size, and the bytes behind the last whole one as an object of their own.
//!
//! What must hold: the source's row never counts a byte that is not in the bucket; the parts of a source are cut at the same
//! places whoever sends them, so that a part sent twice is the same part. There is no lock: of two requests that append at
//! the same place, the first to note progress goes on, and the other is told 409.

use bytes::{Bytes, BytesMut};
use offpeak_api::ids::SourceId;
use sha2::{Digest, Sha256, digest::DynDigest};
use tokio::task::JoinHandle;

use super::{
    append::too_long,
    sink::{Resume, Safe, Tail},
    store,
};
use crate::{
    app::App,
    auth::random_name,
    blob::{
        BlobKey, Bucket,
        bucket::{Multipart, StoredPart},
        storage_error,
    },
    entity::arrival,
    error::ApiError,
};

/// Large enough that a request for each costs little, small enough that a server holds a hundred in memory.
const PART_BYTES: u64 = 8 << 20;
/// Of a source whose length is not known: enough for 156 GiB.
const PART_BYTES_OF_UNKNOWN: u64 = 16 << 20;
/// An object has at most so many (Amazon S3 user guide, "Multipart upload limits").
pub const MOST_PARTS: u64 = 10_000;
const MEBIBYTE: u64 = 1 << 20;

/// The size of all parts but the last. It grows only as a long source needs.
pub fn part_bytes(length: Option<u64>) -> u64 {
    match length {
        Some(length) => length.div_ceil(MOST_PARTS).next_multiple_of(MEBIBYTE).max(PART_BYTES),
        None => PART_BYTES_OF_UNKNOWN,
    }
}

/// The sending end of a source, in one request.
pub struct Parts {
    app: App,
    bucket: Bucket,
    id: SourceId,
    row: arrival::Model,
    part_bytes: u64,
    /// Bytes in whole parts that the bucket has, or is being sent.
    sent: u64,
    /// What follows them.
    buffer: BytesMut,
    sending: Option<JoinHandle<std::io::Result<()>>>,
    sha256: Sha256,
    checksum: Option<Box<dyn DynDigest + Send + Sync>>,
    /// The source was too short for parts, and is an object already.
    published: bool,
}

impl Parts {
    /// Goes on behind the first `received` bytes; nothing when the bucket does not have them.
    pub async fn open(app: &App, bucket: &Bucket, id: &SourceId, from: Resume) -> Result<Option<Self>, ApiError> {
        let row = match store::arrival_of(&app.db.reader, id).await? {
            Some(row) if row.direct => return Err(direct_upload()),
            Some(row) => row,
            None => {
                let tx = app.db.write().await?;
                let row = store::begin_arrival(&tx.tx, id, None, part_bytes(from.length), false).await?;
                tx.commit().await?;
                row
            }
        };
        let part_bytes = row.part_bytes.cast_unsigned();
        let sent = from.received - from.received % part_bytes;
        let mut buffer = BytesMut::new();
        if from.received > sent {
            let Some(tail) = read_tail(bucket, &row).await? else { return Ok(None) };
            if tail.len() as u64 != from.received - sent {
                return Ok(None);
            }
            buffer.extend_from_slice(&tail);
        }
        let (app, bucket, id) = (app.clone(), bucket.clone(), id.clone());
        let (sha256, checksum) = (from.sha256, from.checksum);
        Ok(Some(Self { app, bucket, id, row, part_bytes, sent, buffer, sending: None, sha256, checksum, published: false }))
    }

    pub async fn push(&mut self, mut chunk: Bytes) -> Result<(), ApiError> {
        Digest::update(&mut self.sha256, &chunk);
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&chunk);
        }
        while !chunk.is_empty() {
            let room = usize::try_from(self.part_bytes).unwrap_or(usize::MAX) - self.buffer.len();
            self.buffer.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
            if self.buffer.len() as u64 == self.part_bytes {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Starts sending the buffer as a part. One is on its way while the next one arrives.
    async fn send_part(&mut self) -> Result<(), ApiError> {
        let number = u32::try_from(self.sent / self.part_bytes + 1).unwrap_or(u32::MAX);
        if u64::from(number) > MOST_PARTS {
            return Err(too_long(self.part_bytes * MOST_PARTS).hint("Begin again, and tell the length at the start."));
        }
        self.sent_before().await?;
        let upload = self.multipart().await?;
        let (bucket, bytes) = (self.bucket.clone(), self.buffer.split().freeze());
        self.sent += bytes.len() as u64;
        self.sending = Some(tokio::spawn(async move { bucket.put_part(&upload, number, bytes).await }));
        Ok(())
    }

    async fn sent_before(&mut self) -> Result<(), ApiError> {
        let Some(sending) = self.sending.take() else { return Ok(()) };
        match sending.await.map_err(ApiError::internal)? {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(begun_anew(&self.id)),
            sent => sent.map_err(|e| storage_error(&e)),
        }
    }

    async fn multipart(&mut self) -> Result<Multipart, ApiError> {
        if let Some(upload) = multipart_of(&self.row, &self.id) {
            return Ok(upload);
        }
        let upload = self.bucket.begin_multipart(&BlobKey::source(&self.id)).await.map_err(|e| storage_error(&e))?;
        let tx = self.app.db.write().await?;
        let noted = store::note_multipart(&tx.tx, self.row.id, &upload.id).await?;
        tx.commit().await?;
        if !noted {
            // Another request was first, or the upload was deleted.
            self.bucket.abort_multipart(&upload).await.map_err(|e| storage_error(&e))?;
            return Err(begun_anew(&self.id));
        }
        self.row.multipart = Some(upload.id.clone());
        Ok(upload)
    }

    /// All that was pushed is in the bucket when this returns.
    pub async fn sync(&mut self) -> Result<Safe, ApiError> {
        self.sent_before().await?;
        let object = if self.buffer.is_empty() {
            None
        } else {
            // A name that no other request writes to: what the row names is what that row's bytes are.
            let key = tails_of(&self.row, &self.id) + &random_name(16);
            let key: BlobKey = key.parse().map_err(ApiError::internal)?;
            self.bucket.put_small(&key, self.buffer.clone().freeze()).await.map_err(|e| storage_error(&e))?;
            Some(key)
        };
        let tail = Tail { arrival: self.row.id, object };
        Ok(Safe { bytes: self.sent + self.buffer.len() as u64, sha256: self.sha256.clone(), in_parts: Some(tail) })
    }

    pub fn take_checksum(&mut self) -> Option<Vec<u8>> {
        self.checksum.take().map(|hash| hash.finalize().into_vec())
    }

    /// As [`Parts::sync`], at the end: what is left becomes the last part, or the whole object when it is the only one.
    pub async fn sync_all(&mut self) -> Result<Safe, ApiError> {
        let bytes = self.sent + self.buffer.len() as u64;
        if self.row.multipart.is_none() && self.sent == 0 {
            let key = BlobKey::source(&self.id);
            self.bucket.put_small(&key, self.buffer.split().freeze()).await.map_err(|e| storage_error(&e))?;
            self.published = true;
        } else if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        self.sent_before().await?;
        let tail = Tail { arrival: self.row.id, object: None };
        Ok(Safe { bytes, sha256: self.sha256.clone(), in_parts: Some(tail) })
    }

    /// Makes an object of the parts.
    pub async fn publish(&self, bytes: u64) -> Result<Vec<StoredPart>, ApiError> {
        match multipart_of(&self.row, &self.id) {
            Some(upload) if !self.published => publish(&self.bucket, &upload, bytes, self.part_bytes).await,
            _ => Ok(Vec::new()),
        }
    }
}

/// The beginning of the keys of all that an arrival stores beside its parts.
pub fn tails_of(row: &arrival::Model, id: &SourceId) -> String {
    format!("{}{}-", BlobKey::upload_folder(id), row.id)
}

async fn read_tail(bucket: &Bucket, row: &arrival::Model) -> Result<Option<Bytes>, ApiError> {
    let Some(key) = &row.tail else { return Ok(None) };
    let key: BlobKey = key.parse().map_err(ApiError::internal)?;
    bucket.read_small(&key).await.map_err(|e| storage_error(&e))
}

/// The multipart upload that an arrival goes to, once it is begun.
pub fn multipart_of(row: &arrival::Model, id: &SourceId) -> Option<Multipart> {
    row.multipart.clone().map(|upload| Multipart { key: BlobKey::source(id), id: upload })
}

/// Makes an object of `bytes` bytes of the parts, which it returns. May be repeated: then there are no parts any more.
///
/// # Errors
/// 409 `parts_missing` when the parts are not all there, or have other sizes.
pub async fn publish(bucket: &Bucket, upload: &Multipart, bytes: u64, part_bytes: u64) -> Result<Vec<StoredPart>, ApiError> {
    let mut parts = match bucket.all_parts(upload).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return published_before(bucket, upload, bytes).await,
        parts => parts.map_err(|e| storage_error(&e))?,
    };
    if let Some(number) = first_wrong(&parts, bytes, part_bytes) {
        let detail = format!("Part {number} is not in storage, or not of the size that it should have.");
        return Err(ApiError::conflict("parts_missing", detail).hint("Send it, and complete the upload then."));
    }
    // A piece whose checksum turned out wrong may have left parts behind the end.
    parts.truncate(usize::try_from(bytes.div_ceil(part_bytes)).unwrap_or(usize::MAX));
    match bucket.complete_multipart(upload, &parts).await {
        Ok(()) => Ok(parts),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => published_before(bucket, upload, bytes).await,
        Err(error) => Err(storage_error(&error)),
    }
}

async fn published_before(bucket: &Bucket, upload: &Multipart, bytes: u64) -> Result<Vec<StoredPart>, ApiError> {
    match bucket.stat(&upload.key).await.map_err(|e| storage_error(&e))? {
        Some(stored) if stored == bytes => Ok(Vec::new()),
        _ => Err(ApiError::conflict("upload_lost", "The bucket has given this upload up.").hint("Begin a new upload.")),
    }
}

/// The number of the first part that is missing, or that has another size than it must.
fn first_wrong(parts: &[StoredPart], bytes: u64, part_bytes: u64) -> Option<u64> {
    let count = bytes.div_ceil(part_bytes);
    let should = |number: u64| if number == count { bytes - (count - 1) * part_bytes } else { part_bytes };
    let fits = |number: u64, part: &StoredPart| u64::from(part.number) == number && part.bytes == should(number);
    (1..=count).find(|number| !parts.get(*number as usize - 1).is_some_and(|part| fits(*number, part)))
}

pub fn begun_anew(id: &SourceId) -> ApiError {
    ApiError::conflict("wrong_offset", format!("Another request went on with {id} meanwhile."))
        .hint("Ask for the offset with HEAD, and go on from there.")
}

fn direct_upload() -> ApiError {
    ApiError::conflict("direct_upload", "The parts of this upload go to the bucket, not through the server.")
        .hint("Get addresses for its parts, PUT them there, and complete it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_one_size_and_few_enough() {
        for (length, expected) in [
            (Some(0), 8 << 20),
            (Some(5), 8 << 20),
            (Some(8_388_608 * 10_000), 8 << 20),
            (Some(8_388_608 * 10_000 + 1), 9 << 20),
            (Some(1 << 40), 105 << 20),
            (None, 16 << 20),
        ] {
            assert_eq!(part_bytes(length), expected, "{length:?}");
            assert!(length.unwrap_or(0).div_ceil(part_bytes(length)) <= MOST_PARTS);
        }
    }

    #[test]
    fn all_parts_must_be_there_with_their_sizes() {
        let part = |number, bytes| StoredPart { number, bytes, etag: None, sha256: None };
        for (parts, bytes, wrong) in [
            (vec![part(1, 10), part(2, 5)], 15, None),
            (vec![part(1, 10), part(2, 10)], 20, None),
            (vec![part(1, 10)], 15, Some(2)),
            (vec![part(2, 5)], 15, Some(1)),
            (vec![part(1, 9), part(2, 6)], 15, Some(1)),
            (vec![part(1, 10), part(2, 6)], 15, Some(2)),
            (vec![part(1, 10), part(2, 5), part(3, 10)], 15, None),
            (vec![], 15, Some(1)),
        ] {
            assert_eq!(first_wrong(&parts, bytes, 10), wrong, "{parts:?} of {bytes}");
        }
    }
}
