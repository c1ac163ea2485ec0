use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::try_join_all;
use offpeak_api::work::Encode;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::{Instant, MissedTickBehavior, interval, timeout},
};

pub(super) use super::drain::SpanState;
use super::{
    argv,
    drain::{Drain, DrainEnd, Fault, Signs, send},
    graph::Frames,
    progress::Pace,
    rows::Mismatch,
    tries::How,
};
use crate::{
    ffmpeg::{Ended, Process, cannot_start, explain},
    loopback::Loopback,
    task::{Pieces, TaskContext, TaskEnd, TaskError},
};

/// Chunks that may wait between ffmpeg and a rendition's drain.
const SINK_DEPTH: usize = 4;
/// x264 delays the first frames by two, unless it gets fewer than three: then times in the init segment come out
/// different from everybody else's.
const FEWEST_FRAMES: u32 = 3;
/// A run in which nothing at all happens for this long, neither reading nor encoding, will not end by itself.
const STALL_LIMIT: Duration = Duration::from_secs(300);
/// ffmpeg has nothing left to do once its outputs are closed.
const EXIT_LIMIT: Duration = Duration::from_secs(20);

/// One run of ffmpeg over what is left of a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass<'a> {
    pub ctx: &'a TaskContext,
    pub work: &'a Encode,
    pub loopback: &'a Loopback,
    pub out: &'a Pieces,
    pub state: &'a SpanState,
    /// The first row that is wanted.
    pub from: u32,
    pub end: TaskEnd,
    /// Encode one row before `from` too, and drop it.
    pub lead_in: bool,
    pub attempt: u32,
    pub how: How,
}

/// How a run ended whose process did what it was told.
#[derive(Debug)]
pub(super) enum PassEnd {
    /// All rows up to the task's end, as far as it was known, are sent.
    RowsDone,
    /// A span to the end is sent up to its end.
    StreamEnded {
        end_frame: u64,
    },
    /// Of a span to the end, no frame came.
    NothingLeft,
    /// Of a span to the end, one or two frames came: to be encoded again with a row before them.
    TooShortAlone,
    Mismatch(Mismatch),
    /// ffmpeg gave up. Reading from elsewhere may still help.
    Broke(TaskError),
}

impl Pass<'_> {
    /// The first row that is encoded.
    pub fn first_row(&self) -> u32 {
        if self.lead_in { self.from.saturating_sub(1) } else { self.from }
    }

    pub async fn run(&self) -> Result<PassEnd, TaskError> {
        let grid = &self.work.grid;
        let frames = Frames {
            first: grid.first_frame(self.first_row()),
            end: (!self.end.to_end).then(|| grid.first_frame(self.end.last)),
        };
        let (urls, sinks): (Vec<_>, Vec<_>) = self.work.renditions.iter().map(|_| self.loopback.sink(SINK_DEPTH)).unzip();
        let tools = &self.ctx.tools;
        let argv = argv::encode(self.work, frames, self.how, &self.loopback.source_url(), &urls, tools.threads);
        let mut process = Process::start(&tools.ffmpeg, argv).await.map_err(|error| cannot_start(&tools.ffmpeg, &error))?;
        let signs = Signs::default();
        let drains = try_join_all(sinks.into_iter().enumerate().map(|(index, sink)| Drain::new(self, &signs, index, sink).run()));
        let (drained, ended) = tokio::select! {
            outcome = self.watch(&mut process, &signs, drains) => outcome?,
            () = self.ctx.stop.cancelled() => {
                process.kill().await;
                return Err(TaskError::Stopped);
            }
        };
        let outcome = self.judge(&mut process, drained, ended).await;
        process.kill().await;
        outcome
    }

    /// Waits until the drains have all they want or can get. Says how ffmpeg ended, if it did first.
    async fn watch(
        &self,
        process: &mut Process,
        signs: &Signs,
        drains: impl Future<Output = Result<Vec<DrainEnd>, Fault>>,
    ) -> Result<(Drained, Option<Ended>), TaskError> {
        let mut drains = std::pin::pin!(drains);
        let mut ended = None;
        let mut printed = process.take_stdout().map(|stdout| BufReader::new(stdout).lines());
        let mut pace = Pace::new(self);
        let mut ticks = interval(Duration::from_secs(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_seen = (0, Instant::now());
        loop {
            tokio::select! {
                result = &mut drains => return Ok((Drained::Streams(result), ended)),
                () = signs.all_done.notified() => return Ok((Drained::AllRows, ended)),
                status = process.wait(), if ended.is_none() => {
                    ended = Some(status.map_err(|error| TaskError::agent("program_lost", format!("cannot wait for ffmpeg: {error}")))?);
                    self.loopback.close_unused_sinks();
                }
                line = next_line(&mut printed), if printed.is_some() => match line {
                    Some(line) => pace.read(&line),
                    None => printed = None,
                },
                _ = ticks.tick() => {
                    let seen = signs.events.load(Ordering::Relaxed) + self.loopback.source_bytes() + pace.frames();
                    let uploading = signs.sending.load(Ordering::Acquire) > 0;
                    if seen != last_seen.0 || uploading {
                        last_seen = (seen, Instant::now());
                    } else if last_seen.1.elapsed() > STALL_LIMIT {
                        let message = format!("ffmpeg did nothing for {} s", STALL_LIMIT.as_secs());
                        return Err(TaskError::agent("ffmpeg_stalled", message).with_log(process.log().lines()));
                    }
                }
            }
        }
    }

    async fn judge(&self, process: &mut Process, drained: Drained, ended: Option<Ended>) -> Result<PassEnd, TaskError> {
        let ends = match drained {
            Drained::AllRows => return Ok(PassEnd::RowsDone),
            Drained::Streams(Ok(ends)) => ends,
            Drained::Streams(Err(Fault::Task(error))) => return Err(error),
            Drained::Streams(Err(fault)) => {
                // A source that could not be read explains everything else.
                self.loopback.check()?;
                return match fault {
                    Fault::Mismatch(mismatch @ Mismatch::Short { .. }) => match self.exit(process, ended).await? {
                        None | Some(Ended::Well) => Ok(PassEnd::Mismatch(mismatch)),
                        Some(ended) => Ok(PassEnd::Broke(explain(ended, process.log()))),
                    },
                    // Found while ffmpeg was at work: how it would end says nothing.
                    Fault::Mismatch(mismatch) => Ok(PassEnd::Mismatch(mismatch)),
                    Fault::CutOff => match self.exit(process, ended).await? {
                        None | Some(Ended::Well) => {
                            Err(TaskError::agent("output_cut_off", "ffmpeg broke off an output").with_log(process.log().lines()))
                        }
                        Some(ended) => Ok(PassEnd::Broke(explain(ended, process.log()))),
                    },
                    Fault::Media(why) => {
                        let message = format!("ffmpeg wrote something else than fragmented MP4: {why}");
                        Err(TaskError::agent("output_not_understood", message).with_log(process.log().lines()))
                    }
                    Fault::Task(error) => Err(error),
                };
            }
        };
        if ends.iter().any(|end| matches!(end, DrainEnd::Done)) {
            return Ok(PassEnd::RowsDone);
        }
        // An end is believed only when ffmpeg had no reason to give up and the source was read to its end.
        match self.exit(process, ended).await? {
            Some(Ended::Well) => {}
            Some(ended) => return Ok(PassEnd::Broke(explain(ended, process.log()))),
            None => return Err(TaskError::agent("ffmpeg_stalled", "ffmpeg does not end").with_log(process.log().lines())),
        }
        self.loopback.check()?;
        self.finish(ends).await
    }

    /// Sends what is left of a span to the end.
    async fn finish(&self, ends: Vec<DrainEnd>) -> Result<PassEnd, TaskError> {
        let first_frame = self.work.grid.first_frame(self.first_row());
        let mut end_frames = Vec::new();
        for end in &ends {
            if let DrainEnd::Ended { rest, .. } = end {
                end_frames.push(rest.end_frame);
                let is_alone = rest.end_frame > first_frame && rest.end_frame < first_frame + u64::from(FEWEST_FRAMES);
                if is_alone && self.from > 0 && !self.lead_in {
                    return Ok(PassEnd::TooShortAlone);
                }
            }
        }
        end_frames.dedup();
        let &[end_frame] = end_frames.as_slice() else {
            let message = format!("the renditions end at different frames: {end_frames:?}");
            return Err(TaskError::agent("renditions_disagree", message));
        };
        if end_frame == first_frame {
            return Ok(PassEnd::NothingLeft);
        }
        for (rendition, end) in ends.into_iter().enumerate() {
            if let DrainEnd::Ended { rest, init } = end {
                for row in rest.rows {
                    tokio::select! {
                        sent = send(self, rendition, row, init.as_ref()) => sent?,
                        () = self.ctx.stop.cancelled() => return Err(TaskError::Stopped),
                    }
                }
            }
        }
        Ok(PassEnd::StreamEnded { end_frame })
    }

    /// How ffmpeg ended, if it does without being told.
    async fn exit(&self, process: &mut Process, ended: Option<Ended>) -> Result<Option<Ended>, TaskError> {
        if ended.is_some() {
            return Ok(ended);
        }
        match timeout(EXIT_LIMIT, process.wait()).await {
            Ok(Ok(ended)) => Ok(Some(ended)),
            Ok(Err(error)) => Err(TaskError::agent("program_lost", format!("cannot wait for ffmpeg: {error}"))),
            Err(_) => Ok(None),
        }
    }
}

/// What the drains came to.
enum Drained {
    AllRows,
    Streams(Result<Vec<DrainEnd>, Fault>),
}

async fn next_line(lines: &mut Option<tokio::io::Lines<BufReader<tokio::process::ChildStdout>>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => None,
    }
}
