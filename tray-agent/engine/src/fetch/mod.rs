//! Streams an address into storage, so that everything later reads storage only.
//!
//! In: an `http` or `https` address, by a stranger: only public ones are called, and what the office allows. Out: the bytes behind it, appended to the source's upload with the tus protocol. What
//! must hold: constant memory (two pieces of [`PIECE_BYTES`]); never the bytes of two versions of a file in one source: a
//! broken download goes on by range, and only where the origin vouches that nothing changed.

mod download;
#[cfg(test)]
pub(crate) mod origin;
#[cfg(test)]
mod tests;
mod upload;

use std::sync::Arc;

use offpeak_api::{lease::Progress, work};
use offpeak_outbound::{Lookup, SystemLookup};

use self::{download::Download, upload::Upload};
use crate::task::{TaskContext, TaskError};

/// What is read before it is sent on; as much again is being sent meanwhile.
const PIECE_BYTES: usize = 4 << 20;

/// Fetches `work.url` into the upload of `work.source`, as the holder of `token`.
///
/// Errors: `fetch_failed`, blaming the source, when the address gives no whole file; `fetch_cannot_resume` when a download
/// broke off and cannot go on from there, `upload_failed` when the server does not take the bytes: both blame the agent, and
/// the next lease begins again from 0.
pub async fn fetch(ctx: &TaskContext, work: &work::Fetch, token: &str) -> Result<(), TaskError> {
    fetch_by(ctx, work, token, Arc::new(SystemLookup)).await
}

async fn fetch_by(ctx: &TaskContext, work: &work::Fetch, token: &str, lookup: Arc<dyn Lookup>) -> Result<(), TaskError> {
    tokio::select! {
        biased;
        () = ctx.stop.cancelled() => Err(TaskError::Stopped),
        done = stream(ctx, work, token, lookup) => done,
    }
}

async fn stream(ctx: &TaskContext, work: &work::Fetch, token: &str, lookup: Arc<dyn Lookup>) -> Result<(), TaskError> {
    let mut upload = Upload::open(ctx, &work.source, token).await?;
    if upload.offset() > 0 {
        let message = format!(
            "{} bytes of the file were fetched before, and nothing tells whether the address still has the same file: \
             fetching begins again",
            upload.offset()
        );
        return Err(TaskError::agent("fetch_cannot_resume", message));
    }
    let mut download = Download::open(ctx, work, lookup).await?;
    let progress =
        |bytes: u64, total_bytes: Option<u64>| ctx.progress.set(Progress { bytes, total_bytes, ..Progress::default() });

    let mut piece = download.piece().await?;
    loop {
        let last = piece.len() < PIECE_BYTES;
        let end = upload.offset() + piece.len() as u64;
        let length = if last { Some(end) } else { download.total_bytes() };
        if last {
            upload.append(&piece, length).await?;
            progress(end, Some(end));
            return Ok(());
        }
        let (sent, next) = tokio::join!(upload.append(&piece, length), download.piece());
        // The source's fault is the one that ends the job with a reason, whatever else went wrong.
        piece = next?;
        sent?;
        progress(end, length);
    }
}
