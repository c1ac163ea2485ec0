//! The `audio` step: a whole track of sound in, its segments out.
//!
//! In: the stream, the frame grid that says where segments begin. Out: AAC segments of whole fragments, each of 12 AAC
//! frames, counted before they are sent. What must hold: sound begins at T0 (silence where the track begins later), holes
//! are silent, nothing drifts; the encoder's priming stays an edit of the init segment.

mod argv;
mod grouping;

use std::time::Duration;

use grouping::Grouping;
use offpeak_api::{facts::Warning, lease::Progress, work::Audio};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{
    ffmpeg::{Ended, Process, Run, cannot_start, explain},
    fragment::{Part, Row, Splitter},
    loopback::{Loopback, SinkEvent},
    sandbox::{Limits, longest_sound},
    task::{Piece, Pieces, TaskContext, TaskError},
};

/// Chunks that may wait between ffmpeg and the grouping.
const SINK_DEPTH: usize = 4;
/// A run in which nothing at all happens for this long will not end by itself.
const STALL_LIMIT: Duration = Duration::from_secs(300);
/// ffmpeg has nothing left to do once its output is closed.
const EXIT_LIMIT: Duration = Duration::from_secs(20);

/// How an audio task ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioEnd {
    /// Segments of the whole track.
    pub segments: u32,
    pub warnings: Vec<Warning>,
}

/// Encodes the whole track; sends the segments from `work.rows.cursor` on.
///
/// # Errors
/// [`TaskError::Stopped`] when `ctx.stop` was cancelled; `no_sound` when nothing could be decoded; otherwise what is wrong
/// with the source or this machine.
pub async fn encode_audio(ctx: &TaskContext, work: &Audio, out: Pieces) -> Result<AudioEnd, TaskError> {
    let loopback = Loopback::start(&ctx.tools.sandbox, &ctx.http, &ctx.server, ctx.source.clone()).await?;
    let (url, sink) = loopback.sink(SINK_DEPTH, longest_sound(work));
    let argv = argv::encode(work, &loopback.source_url(), &url, ctx.tools.threads);
    let ffmpeg = &ctx.tools.ffmpeg;
    let sandbox = &ctx.tools.sandbox;
    let run = Run { sandbox, program: ffmpeg, argv, limits: Limits::of_audio(work), loopback: Some(&loopback) };
    let mut process = Process::start(run, &ctx.desk).await.map_err(|error| cannot_start(ffmpeg, &error))?;
    let mut track = Track { ctx, work, loopback: &loopback, out: &out, grouping: Grouping::new(&work.grid), init: None };
    let end = tokio::select! {
        end = track.run(&mut process, sink) => end,
        () = ctx.stop.cancelled() => Err(TaskError::Stopped),
    };
    process.kill().await;
    end
}

struct Track<'a> {
    ctx: &'a TaskContext,
    work: &'a Audio,
    loopback: &'a Loopback,
    out: &'a Pieces,
    grouping: Grouping,
    /// The init segment, until it is sent.
    init: Option<Piece>,
}

impl Track<'_> {
    async fn run(&mut self, process: &mut Process, mut sink: mpsc::Receiver<SinkEvent>) -> Result<AudioEnd, TaskError> {
        let mut splitter = Splitter::new();
        let mut ended = None;
        let mut ticks = interval(Duration::from_secs(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_seen = (0, self.ctx.desk.worked());
        let whole = loop {
            tokio::select! {
                event = sink.recv() => match event {
                    Some(SinkEvent::Data(data)) => {
                        splitter.push(&data);
                        self.take(&mut splitter).await?;
                        last_seen.1 = self.ctx.desk.worked();
                    }
                    Some(SinkEvent::End) => break splitter.is_between_parts(),
                    None => break false,
                },
                status = process.wait(), if ended.is_none() => {
                    ended = Some(status.map_err(lost)?);
                    self.loopback.close_unused_sinks();
                }
                _ = ticks.tick() => {
                    let seen = self.loopback.source_bytes();
                    if seen != last_seen.0 {
                        last_seen = (seen, self.ctx.desk.worked());
                    } else if self.ctx.desk.worked() - last_seen.1 > STALL_LIMIT {
                        let message = format!("ffmpeg did nothing for {} s", STALL_LIMIT.as_secs());
                        return Err(TaskError::agent("ffmpeg_stalled", message).with_log(process.log().lines()));
                    }
                }
            }
        };
        // A source that could not be read explains everything else.
        self.loopback.check()?;
        let ended = match ended {
            Some(ended) => ended,
            None => match self.ctx.desk.timeout(EXIT_LIMIT, process.wait()).await {
                Some(ended) => ended.map_err(lost)?,
                None => return Err(TaskError::agent("ffmpeg_stalled", "ffmpeg does not end").with_log(process.log().lines())),
            },
        };
        if ended != Ended::Well {
            return Err(explain(ended, process.log()));
        }
        if !whole {
            return Err(TaskError::agent("output_cut_off", "ffmpeg broke off its output").with_log(process.log().lines()));
        }
        let (last, segments) = self.grouping.finish();
        if let Some(row) = last {
            self.send(row).await?;
        }
        if segments == 0 {
            let message = "The source says that it has sound, but none of it can be decoded.";
            return Err(TaskError::source("no_sound", message).with_log(process.log().lines()));
        }
        Ok(AudioEnd { segments, warnings: Vec::new() })
    }

    async fn take(&mut self, splitter: &mut Splitter) -> Result<(), TaskError> {
        let not_understood =
            |why: String| TaskError::agent("output_not_understood", format!("ffmpeg wrote something unexpected: {why}"));
        while let Some(part) = splitter.next_part().map_err(|why| not_understood(why.to_string()))? {
            match part {
                Part::Init { data, init } => {
                    self.grouping.set_media_time(init.header.media_time);
                    let rendition = self.work.rendition.clone();
                    self.init = Some(Piece::Init { rendition, attempt: 0, data, header: init.header });
                }
                Part::Fragment(fragment) => {
                    if let Some(row) = self.grouping.push(fragment).map_err(|why| not_understood(why.to_string()))? {
                        self.send(row).await?;
                    }
                    self.ctx.progress.set(Progress {
                        frames: self.grouping.frames(),
                        bytes: self.loopback.source_bytes(),
                        total_bytes: Some(self.work.source.bytes),
                        ..self.ctx.progress.get()
                    });
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, row: Row) -> Result<(), TaskError> {
        if row.index < self.work.rows.cursor {
            return Ok(());
        }
        self.loopback.check()?;
        if let Some(init) = self.init.take() {
            self.out.send(init).await.map_err(|_| TaskError::Stopped)?;
        }
        let rendition = self.work.rendition.clone();
        let Row { index, frames, start_ticks, duration_ticks, data } = row;
        let piece = Piece::Segment { rendition, index, attempt: 0, frames, start_ticks, duration_ticks, data };
        self.out.send(piece).await.map_err(|_| TaskError::Stopped)
    }
}

fn lost(error: std::io::Error) -> TaskError {
    TaskError::agent("program_lost", format!("cannot wait for ffmpeg: {error}"))
}

#[cfg(test)]
mod tests;
