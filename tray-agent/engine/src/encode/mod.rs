//! The `encode` step: frames of a span in, segments of every rendition out.
//!
//! In: a span of rows, where to begin reading, the renditions. Out: segments of exactly the frames that the grid gives
//! them, each counted before it is sent. What must hold: the frames are those of an unsplit run of the same filters, and a
//! source that could not be read never looks like a source that ended.
//!
//! `graph` and `argv` say what ffmpeg is to do, `rows` joins fragments to segments and counts, `pass` is one run of ffmpeg,
//! `tries` knows what to do when its frames are not the ones asked for, `ending` finds the end of a presentation.

mod argv;
mod drain;
mod ending;
mod graph;
mod pass;
mod progress;
mod rows;
mod tries;

use offpeak_api::{facts::Warning, work::Encode};

pub use graph::{Frames, filter_graph};
use pass::{Pass, PassEnd};
use rows::Mismatch;
use tries::Tries;

use crate::{
    loopback::Loopback,
    task::{Pieces, TaskContext, TaskError},
};

/// How an encode task ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncodeEnd {
    /// For a span to the end: the number of frames of the presentation.
    pub end_frame: Option<u64>,
    pub warnings: Vec<Warning>,
}

/// Encodes the rows from `work.rows.cursor` up to the task's end as `ctx.end` has it, which may be lowered meanwhile.
///
/// # Errors
/// [`TaskError::Stopped`] when `ctx.stop` was cancelled; `frames_missing` when the frames of the span cannot be had from
/// the source in any way; otherwise what is wrong with the source or this machine.
pub async fn encode(ctx: &TaskContext, work: &Encode, out: Pieces) -> Result<EncodeEnd, TaskError> {
    let loopback = Loopback::start(&ctx.tools.sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await?;
    let state = pass::SpanState::new(work);
    let mut tries = Tries::new(work);
    let mut attempt = 0;
    let mut lead_in = false;
    let mut warnings = Vec::new();
    loop {
        let end = *ctx.end.borrow();
        let from = state.next_row();
        if !end.to_end && from >= end.last {
            return Ok(EncodeEnd { end_frame: None, warnings });
        }
        let pass =
            Pass { ctx, work, loopback: &loopback, out: &out, state: &state, from, end, lead_in, attempt, how: tries.now() };
        let mismatch = match pass.run().await? {
            PassEnd::RowsDone => None,
            PassEnd::StreamEnded { end_frame } => return Ok(EncodeEnd { end_frame: Some(end_frame), warnings }),
            PassEnd::NothingLeft => match ending::find(&pass).await? {
                Some(end_frame) if end_frame <= work.grid.first_frame(from) => {
                    return Ok(EncodeEnd { end_frame: Some(end_frame), warnings });
                }
                // There are frames where none came out: the seek went past them.
                Some(_) | None => Some(Mismatch::Start { wanted: work.grid.first_frame(from), got: None }),
            },
            PassEnd::TooShortAlone => {
                lead_in = true;
                attempt += 1;
                None
            }
            PassEnd::Mismatch(mismatch) => Some(mismatch),
            PassEnd::Broke(error) => {
                attempt += 1;
                if !tries.next_seek() {
                    return Err(error);
                }
                tracing::info!(row = from, attempt, how = ?tries.now(), %error, "ffmpeg gave up: reading differently");
                None
            }
        };
        let Some(mismatch) = mismatch else { continue };
        tracing::info!(row = from, attempt, how = ?tries.now(), %mismatch, "frames are not the ones asked for: reading differently");
        attempt += 1;
        if let Err(exhausted) = tries.next(mismatch, end.to_end) {
            let rows = format!("{from}..{}", end.last);
            let message =
                format!("cannot get the frames of segments {rows} out of the source, wherever reading begins: {exhausted}");
            return Err(TaskError::agent("frames_missing", message));
        }
        if tries.now().fill {
            let at = work.grid.seconds_at(work.grid.first_frame(end.last));
            warnings.push(Warning {
                code: "hole_filled".to_owned(),
                message: format!("The source has no pictures for a while before {at:.1} s; the last one is shown until then."),
            });
        }
    }
}

#[cfg(test)]
mod tests;
