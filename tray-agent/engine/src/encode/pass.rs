use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::try_join_all;
use offpeak_api::work::Encode;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::{MissedTickBehavior, interval},
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
    ffmpeg::{Argv, Ended, LogTail, Process, Run, cannot_start, explain},
    loopback::Loopback,
    sandbox::{Limits, longest_output},
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

    /// One run of ffmpeg over this span.
    pub fn ffmpeg(&self, argv: Argv) -> Run<'_> {
        let limits = Limits::of_span(self.work, self.how.seek);
        let tools = &self.ctx.tools;
        Run { sandbox: &tools.sandbox, program: &tools.ffmpeg, argv, limits, loopback: Some(self.loopback) }
    }

    pub async fn run(&self) -> Result<PassEnd, TaskError> {
        let grid = &self.work.grid;
        let frames = Frames {
            first: grid.first_frame(self.first_row()),
            end: (!self.end.to_end).then(|| grid.first_frame(self.end.last)),
        };
        let sinks = self.work.renditions.iter().map(|r| self.loopback.sink(SINK_DEPTH, longest_output(self.work, r)));
        let (urls, sinks): (Vec<_>, Vec<_>) = sinks.unzip();
        let tools = &self.ctx.tools;
        let argv = argv::encode(self.work, frames, self.how, &self.loopback.source_url(), &urls, tools.threads);
        let mut process =
            Process::start(self.ffmpeg(argv), &self.ctx.desk).await.map_err(|error| cannot_start(&tools.ffmpeg, &error))?;
        let signs = Signs::default();
        let drains = try_join_all(sinks.into_iter().enumerate().map(|(index, sink)| Drain::new(self, &signs, index, sink).run()));
        let (drained, ended) = tokio::select! {
            outcome = self.watch(&mut process, &signs, drains) => outcome?,
            () = self.ctx.stop.cancelled() => {
                process.kill().await;
                return Err(TaskError::Stopped);
            }
        };
        process.kill().await;
        self.judge(process.log(), drained, ended).await
    }

    /// Waits until the drains have all they want or can get, and for ffmpeg's end where that matters (with a limit).
    async fn watch(
        &self,
        process: &mut Process,
        signs: &Signs,
        drains: impl Future<Output = Result<Vec<DrainEnd>, Fault>>,
    ) -> Result<(Drained, Option<Ended>), TaskError> {
        let mut drains = std::pin::pin!(drains);
        let mut ended = None;
        let mut drained: Option<Result<Vec<DrainEnd>, Fault>> = None;
        let desk = &self.ctx.desk;
        let mut exit_by = desk.worked();
        let mut printed = process.take_stdout().map(|stdout| BufReader::new(stdout).lines());
        let mut pace = Pace::new(self);
        let mut ticks = interval(Duration::from_secs(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_seen = (0, desk.worked());
        loop {
            if let Some(result) = drained.take_if(|result| ended.is_some() || !matters_how_it_ends(result)) {
                return Ok((Drained::Streams(result), ended));
            }
            tokio::select! {
                result = &mut drains, if drained.is_none() => {
                    drained = Some(result);
                    exit_by = desk.worked() + EXIT_LIMIT;
                }
                () = signs.all_done.notified() => return Ok((Drained::AllRows, ended)),
                status = process.wait(), if ended.is_none() => {
                    ended = Some(status.map_err(|error| TaskError::agent("program_lost", format!("cannot wait for ffmpeg: {error}")))?);
                    self.loopback.close_unused_sinks();
                }
                line = next_line(&mut printed), if printed.is_some() => match line {
                    Some(line) => pace.read(&line),
                    None => printed = None,
                },
                () = desk.sleep_until(exit_by), if drained.is_some() => {
                    return Err(TaskError::agent("ffmpeg_stalled", "ffmpeg does not end").with_log(process.log().lines()));
                }
                _ = ticks.tick() => {
                    let seen = signs.events.load(Ordering::Relaxed) + self.loopback.source_bytes() + pace.frames();
                    let uploading = signs.sending.load(Ordering::Acquire) > 0;
                    if seen != last_seen.0 || uploading {
                        last_seen = (seen, desk.worked());
                    } else if desk.worked() - last_seen.1 > STALL_LIMIT {
                        let message = format!("ffmpeg did nothing for {} s", STALL_LIMIT.as_secs());
                        return Err(TaskError::agent("ffmpeg_stalled", message).with_log(process.log().lines()));
                    }
                }
            }
        }
    }

    async fn judge(&self, log: &LogTail, drained: Drained, ended: Option<Ended>) -> Result<PassEnd, TaskError> {
        let ends = match drained {
            Drained::AllRows => return Ok(PassEnd::RowsDone),
            Drained::Streams(Err(Fault::Task(error))) => return Err(error),
            Drained::Streams(streams) => {
                // A source that could not be read explains everything else.
                self.loopback.check()?;
                streams
            }
        };
        let gave_up = ended.filter(|ended| *ended != Ended::Well).map(|ended| PassEnd::Broke(explain(ended, log)));
        let ends = match (ends, gave_up) {
            (Ok(ends), _) if ends.iter().any(|end| matches!(end, DrainEnd::Done)) => return Ok(PassEnd::RowsDone),
            // Found while ffmpeg was at work: how it ends says nothing.
            (Err(Fault::Mismatch(mismatch)), _) => return Ok(PassEnd::Mismatch(mismatch)),
            (Err(Fault::Task(error)), _) => return Err(error),
            // An end is believed only when ffmpeg had no reason to give up.
            (_, Some(broke)) => return Ok(broke),
            (Ok(ends), None) => ends,
            (Err(Fault::CutOff), None) => {
                return Err(TaskError::agent("output_cut_off", "ffmpeg broke off an output").with_log(log.lines()));
            }
            (Err(Fault::Media(why)), None) => {
                let message = format!("ffmpeg wrote something else than fragmented MP4: {why}");
                return Err(TaskError::agent("output_not_understood", message).with_log(log.lines()));
            }
        };
        self.finish(ends).await
    }

    /// Sends what is left of a span to the end.
    async fn finish(&self, ends: Vec<DrainEnd>) -> Result<PassEnd, TaskError> {
        let first_frame = self.work.grid.first_frame(self.first_row());
        let mut end_frames = Vec::new();
        for end in &ends {
            if let DrainEnd::Short(mismatch) = end {
                return Ok(PassEnd::Mismatch(*mismatch));
            }
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
}

/// Whether what the drains came to is worth nothing without knowing how ffmpeg ended.
fn matters_how_it_ends(drained: &Result<Vec<DrainEnd>, Fault>) -> bool {
    match drained {
        Ok(ends) => !ends.iter().any(|end| matches!(end, DrainEnd::Done)),
        Err(Fault::CutOff) => true,
        Err(Fault::Mismatch(_) | Fault::Media(_) | Fault::Task(_)) => false,
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
