//! From finished pieces to committed rows: assemble, upload several rows at once, commit them in order.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesOrdered};
use offpeak_api::{
    ids::LeaseId,
    lease::{CommitRequest, Orders},
};
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::{
    Pace,
    ending::{Ending, persist},
    orders::Reins,
    rows::Assembly,
    upload::{UploadedRow, Uploader},
};
use crate::{client::Client, contribution::Tally, status::Held, task::Piece};

/// Rows that are being uploaded or wait for their commit. Together with the channel this bounds memory: at four rungs of at
/// most 10 Mbit/s and six seconds a row is under 12 MB. When they are full nothing more is read from the step, and its
/// ffmpeg blocks on its next write.
const ROWS_IN_HAND: usize = 3;

/// What delivering needs to know of its lease.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub client: Client,
    pub lease: LeaseId,
    pub uploader: Uploader,
    pub pace: Pace,
    /// Where finished video is counted; absent for what is none.
    pub tally: Option<Tally>,
    pub held: Arc<Held>,
}

impl Delivery {
    /// Delivers until the step has closed the channel and all whole rows are committed, or until the lease is over.
    /// Returns how many rows were begun but never became whole.
    pub async fn run(&self, reins: &Reins, mut assembly: Assembly, mut pieces: mpsc::Receiver<Piece>) -> Result<usize, Ending> {
        let mut open = true;
        let mut uploads: FuturesOrdered<BoxFuture<'_, Result<UploadedRow, Ending>>> = FuturesOrdered::new();
        let mut uploaded: VecDeque<UploadedRow> = VecDeque::new();
        let mut commit: Option<(usize, BoxFuture<'_, Result<Orders, Ending>>)> = None;

        loop {
            assembly.skip_to(reins.cursor());
            if commit.is_none() && !uploaded.is_empty() {
                uploaded.retain(|row| reins.wants(row.index));
                commit = self.next_commit(&mut uploaded);
            }
            let rows_in_hand = uploads.len() + uploaded.len() + commit.as_ref().map_or(0, |(rows, _)| *rows);
            // Whole rows may have piled up in the assembly while there was no room for them.
            if rows_in_hand < ROWS_IN_HAND
                && let Some(row) = assembly.next_row()
            {
                if reins.wants(row.index) {
                    uploads.push_back(Box::pin(self.uploader.row(row)));
                } else {
                    debug!(row = row.index, "dropped a row that is not wanted any more");
                }
                continue;
            }
            if !open && rows_in_hand == 0 {
                return Ok(assembly.begun_rows());
            }
            tokio::select! {
                piece = pieces.recv(), if open && rows_in_hand < ROWS_IN_HAND => match piece {
                    Some(piece) => {
                        assembly.take(piece).map_err(|error| Ending::mishap("bad_piece", error.to_string()))?;
                    }
                    None => open = false,
                },
                Some(row) = uploads.next(), if !uploads.is_empty() => uploaded.push_back(row?),
                orders = finished(&mut commit) => {
                    commit = None;
                    reins.obey(orders?)?;
                    reins.tell(&self.held);
                }
            }
        }
    }

    /// One commit of all rows that are in storage.
    fn next_commit(&self, uploaded: &mut VecDeque<UploadedRow>) -> Option<(usize, BoxFuture<'static, Result<Orders, Ending>>)> {
        let (first, past) = (uploaded.front()?.index, uploaded.back()?.index + 1);
        let rows = uploaded.len();
        let mut request = CommitRequest { segments: Vec::new(), inits: Vec::new() };
        let mut seconds = Vec::new();
        for row in uploaded.drain(..) {
            seconds.push((row.index, row.seconds));
            request.segments.extend(row.segments);
            request.inits.extend(row.inits);
        }
        let this = self.clone();
        let commit = async move {
            let orders =
                persist(&this.pace, this.client.status(), "commit", || this.client.commit(&this.lease, &request)).await?;
            let frames: u64 = request.segments.iter().map(|segment| u64::from(segment.frames)).sum();
            if let Some(tally) = &this.tally {
                let counted = seconds.iter().filter(|(index, _)| !orders.refused.contains(index));
                tally.video(counted.map(|(_, seconds)| seconds).sum());
            }
            let bytes: u64 = request.segments.iter().map(|segment| segment.bytes).sum();
            if orders.refused.is_empty() {
                info!(first, last = past, frames, bytes, "committed rows");
            } else {
                info!(first, last = past, refused = ?orders.refused, "committed rows; some belong to somebody else by now");
            }
            Ok(orders)
        };
        Some((rows, Box::pin(commit)))
    }
}

/// The running commit's answer; never, when none is running.
async fn finished(commit: &mut Option<(usize, BoxFuture<'_, Result<Orders, Ending>>)>) -> Result<Orders, Ending> {
    match commit {
        Some((_, commit)) => commit.await,
        None => std::future::pending().await,
    }
}
