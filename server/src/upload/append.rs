//! One piece of a source: from a request's body to bytes that are safe, and a row that says so.

use axum::http::StatusCode;
use offpeak_api::{ids::SourceId, job::SourceState};
use sha2::Digest;

use super::{
    begun_anew, delete_bytes,
    partial::{self, freeze, thaw},
    settle,
    sink::{Resume, Safe, Sink},
    store::{self, Progress},
    tidy,
    tus::{self, Checksum},
};
use crate::{
    app::App,
    auth::{Caller, hex},
    blob::{
        Storage,
        intake::{Chunks, Cut},
        storage_error,
    },
    entity::source,
    error::ApiError,
};

/// Bytes after which progress is noted within one piece: what a crash may cost, against a sync of storage and a row.
const NOTE_EVERY_BYTES: u64 = 64 << 20;

/// A piece that is about to arrive.
pub struct Piece {
    pub id: SourceId,
    pub sender: Caller,
    /// Where the client believes to be.
    pub offset: u64,
    /// The whole source's length, if this request tells it.
    pub length: Option<u64>,
    /// The piece's own length, if the request tells it.
    pub announced: Option<u64>,
    pub checksum: Option<Checksum>,
}

/// Takes the piece in; the row as it is then.
///
/// Runs in a task of its own, because a server drops the handler of a request whose connection broke: what had arrived by
/// then is kept all the same.
pub async fn append(app: App, piece: Piece, chunks: Chunks) -> Result<source::Model, ApiError> {
    tokio::spawn(async move { append_here(&app, piece, chunks).await }).await.map_err(ApiError::internal)?
}

async fn append_here(app: &App, piece: Piece, chunks: Chunks) -> Result<source::Model, ApiError> {
    let id = &piece.id;
    let held = match app.blobs.storage() {
        Storage::Folder(folder) => Some(partial::hold(folder, id).await.map_err(|e| storage_error(&e))?.ok_or_else(locked)?),
        Storage::Bucket(_) => None,
    };
    // Only now: the request before may have changed it.
    let row = settle(app, store::get(&app.db.reader, id).await?).await?;
    if !check_state(&row, &piece)? {
        return Ok(row);
    }
    let received = row.received.cast_unsigned();
    let length = agree_on_length(app, &row, &piece).await?;
    let limit = length.unwrap_or(app.config.max_source_bytes);
    if piece.announced.is_some_and(|announced| announced > limit.saturating_sub(received)) {
        return Err(too_long(limit));
    }

    let sha256 =
        thaw(row.hash_state.as_deref()).ok_or_else(|| ApiError::internal(format!("the hash state of {id} is damaged")))?;
    let (checksum, expected) = piece.checksum.map(|checksum| (checksum.hash, checksum.expected)).unzip();
    let Some(sink) = Sink::open(app, id, held, Resume { received, length, sha256, checksum }).await? else {
        return Err(lost(app, id).await);
    };
    let arrival = Arrival { app, id, sender: &piece.sender, noted: received, received, limit, sink };
    arrival.take_in(chunks, length, expected).await?;
    store::get(&app.db.reader, id).await
}

fn locked() -> ApiError {
    ApiError::new(StatusCode::LOCKED, "upload_locked", "Another request is appending to this upload.")
        .hint("Wait for it to end, ask for the offset with HEAD, and go on from there.")
}

pub fn gone(id: &str) -> ApiError {
    ApiError::new(StatusCode::GONE, "upload_gone", format!("{id} has expired or was deleted; its bytes are gone."))
        .hint("Begin a new upload.")
}

pub fn too_long(limit: u64) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "source_too_large", format!("There is room for {limit} bytes, and no more."))
}

async fn lost(app: &App, id: &SourceId) -> ApiError {
    tracing::error!(source.id = %id, "storage holds fewer bytes of this upload than were safe; it is given up");
    let give_up = async {
        let tx = app.db.write().await?;
        store::mark_deleted(&tx.tx, id).await?;
        tx.commit().await.map_err(ApiError::from)
    };
    match give_up.await {
        Ok(()) => gone(id.as_str()),
        Err(error) => error,
    }
}

/// True when the piece can be appended; false when there is nothing to do, as for an empty piece at the end.
fn check_state(row: &source::Model, piece: &Piece) -> Result<bool, ApiError> {
    let received = row.received.cast_unsigned();
    let at_end = match store::state_of(row)? {
        SourceState::Uploading => false,
        SourceState::Ready => true,
        SourceState::Deleted => return Err(gone(&row.id)),
    };
    if piece.offset != received {
        let detail = format!("The server has {received} bytes; the piece begins at {}.", piece.offset);
        return Err(ApiError::conflict("wrong_offset", detail).hint("Ask for the offset with HEAD, and go on from there."));
    }
    if at_end && piece.announced != Some(0) {
        return Err(too_long(received));
    }
    Ok(!at_end)
}

/// The source's length, which cannot change once it is known.
async fn agree_on_length(app: &App, row: &source::Model, piece: &Piece) -> Result<Option<u64>, ApiError> {
    let known = row.length.map(i64::cast_unsigned);
    let Some(told) = piece.length else { return Ok(known) };
    if known.is_some_and(|known| known != told) || told < row.received.cast_unsigned() {
        let before = known.map(|known| format!("it was {known} before, and ")).unwrap_or_default();
        let detail = format!("Upload-Length is {told}, but {before}{} bytes have arrived.", row.received);
        return Err(ApiError::bad_request("wrong_length", detail));
    }
    if told > app.config.max_source_bytes {
        return Err(too_long(app.config.max_source_bytes));
    }
    if known.is_none() {
        let tx = app.db.write().await?;
        store::set_length(&tx.tx, &piece.id, told).await?;
        tx.commit().await?;
    }
    Ok(Some(told))
}

/// A piece on its way in.
struct Arrival<'a> {
    app: &'a App,
    id: &'a SourceId,
    sender: &'a Caller,
    /// What the row says.
    noted: u64,
    received: u64,
    limit: u64,
    sink: Sink,
}

impl Arrival<'_> {
    async fn take_in(mut self, mut chunks: Chunks, length: Option<u64>, expected: Option<Vec<u8>>) -> Result<(), ApiError> {
        let ended = self.receive(&mut chunks, expected.is_some()).await;
        match (ended, expected) {
            (Ok(()), None) => self.finish(length).await,
            (Ok(()), Some(expected)) => self.finish_if(length, &expected).await,
            // What came is kept; the client goes on behind it.
            (Err(Stop::Cut(cut)), None) => {
                let safe = self.sink.sync(self.received).await?;
                self.note(&safe).await?;
                Err(cut_short(&cut))
            }
            // Nothing vouches for a part of a piece with a checksum: it is cut off by the next request.
            (Err(Stop::Cut(cut)), Some(_)) => Err(cut_short(&cut)),
            (Err(Stop::Refused(error)), _) => Err(error),
        }
    }

    async fn receive(&mut self, chunks: &mut Chunks, all_or_nothing: bool) -> Result<(), Stop> {
        while let Some(chunk) = chunks.next().await.map_err(Stop::Cut)? {
            self.received += chunk.len() as u64;
            if self.received > self.limit {
                return Err(Stop::Refused(too_long(self.limit)));
            }
            self.sink.push(chunk).await.map_err(Stop::Refused)?;
            if !all_or_nothing && self.received - self.noted >= NOTE_EVERY_BYTES {
                let safe = self.sink.sync(self.received).await.map_err(Stop::Refused)?;
                self.note(&safe).await.map_err(Stop::Refused)?;
            }
        }
        Ok(())
    }

    /// Writes down what is safe in storage.
    async fn note(&mut self, safe: &Safe) -> Result<(), ApiError> {
        let expires = self.app.clock.now() + self.app.config.upload_kept_for;
        let progress = Progress { from: self.noted, received: safe.bytes, hash_state: freeze(&safe.sha256), expires };
        let tx = self.app.db.write().await?;
        self.check_sender(&tx.tx).await?;
        if !store::note_progress(&tx.tx, self.id, progress).await? {
            return Err(self.overtaken(&tx.tx).await);
        }
        if let Some(tail) = &safe.in_parts {
            store::note_tail(&tx.tx, tail).await?;
        }
        tx.commit().await?;
        self.noted = safe.bytes;
        Ok(())
    }

    /// Why the row is not where this request found it.
    async fn overtaken(&self, db: &impl sea_orm::ConnectionTrait) -> ApiError {
        match store::get(db, self.id).await.and_then(|row| store::state_of(&row)) {
            Ok(SourceState::Uploading | SourceState::Ready) => begun_anew(self.id),
            Ok(SourceState::Deleted) => gone(self.id.as_str()),
            Err(error) => error,
        }
    }

    /// An agent that lost its lease meanwhile has no say any more: another one may have begun anew.
    async fn check_sender(&self, db: &impl sea_orm::ConnectionTrait) -> Result<(), ApiError> {
        match self.sender {
            Caller::Team(_) => Ok(()),
            Caller::Agent(agent) => store::find_fetched(db, &agent.agent_id, self.id).await.map(|_| ()),
        }
    }

    async fn finish_if(mut self, length: Option<u64>, expected: &[u8]) -> Result<(), ApiError> {
        let (sink, found) = self.sink.checksum().await?;
        if found.as_deref() != Some(expected) {
            return Err(tus::checksum_mismatch());
        }
        self.sink = sink;
        self.finish(length).await
    }

    async fn finish(mut self, length: Option<u64>) -> Result<(), ApiError> {
        if length != Some(self.received) {
            if self.received > self.noted {
                let safe = self.sink.sync(self.received).await?;
                self.note(&safe).await?;
            }
            return Ok(());
        }
        let safe = self.sink.sync_all(self.received).await?;
        if safe.in_parts.is_some() {
            // A bucket may take its time to make an object of parts: should this server die meanwhile, another one will.
            self.note(&safe).await?;
        }
        self.sink.publish(self.id, self.received).await?;
        let expires = self.app.clock.now() + self.app.config.source_kept_for;
        let tx = self.app.db.write().await?;
        self.check_sender(&tx.tx).await?;
        let sha256 = hex(&safe.sha256.finalize());
        let ready = store::Ready { from: self.noted, length: self.received, sha256: Some(&sha256), expires };
        if !store::note_ready(&tx.tx, self.id, ready).await? {
            let error = self.overtaken(&tx.tx).await;
            drop(tx);
            if error.status == StatusCode::GONE {
                // Deleted while its last bytes came.
                delete_bytes(self.app, self.id).await?;
            }
            return Err(error);
        }
        tx.commit().await?;
        tidy(self.app, self.id).await;
        tracing::info!(source.id = %self.id, bytes = self.received, "source is ready");
        Ok(())
    }
}

/// Why a piece is not taken in to its end.
enum Stop {
    Cut(Cut),
    Refused(ApiError),
}

fn cut_short(cut: &Cut) -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_cut", format!("The piece did not arrive whole: {cut}."))
        .hint("Ask for the offset with HEAD, and go on from there.")
}
