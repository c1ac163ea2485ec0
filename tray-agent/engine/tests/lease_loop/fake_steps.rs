//! A step that makes up its segments, under the test's control.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use offpeak_api::{
    lease::{Capabilities, Progress, TaskResult},
    work::Work,
};
use offpeak_engine::{
    capabilities::Incapable,
    lease::{Outlets, Steps},
    task::{InitHeader, Piece, TaskContext, TaskEnd, TaskError, Tools},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How the step sends its pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Row by row.
    InStep,
    /// One rendition runs two rows ahead of the others, and everything is sent again by a second attempt.
    OutOfStepAndTwice,
    /// Segments without init segments.
    WithoutInits,
}

#[derive(Debug)]
pub struct Script {
    pub manner: Manner,
    /// One permit lets one row out.
    pub rows_let_out: Semaphore,
    /// After so many rows the source turns out to be bad.
    pub fails_after: Option<u32>,
    /// Before this row somebody at the desk comes in the way.
    pub disturbed_before: Option<u32>,
    /// Rows that an audio step makes beyond the planned ones.
    pub extra_rows: u32,
    pub seen: Mutex<Seen>,
}

/// What the step saw of its context.
#[derive(Debug, Default)]
pub struct Seen {
    pub started: u32,
    pub stopped: u32,
    pub rows_sent: u32,
    pub ends: Vec<TaskEnd>,
}

#[derive(Debug, Clone)]
pub struct FakeSteps(pub Arc<Script>);

/// Enough permits for every test that does not count them.
pub const FREELY: usize = 10_000;

impl FakeSteps {
    pub fn new(rows: usize) -> Self {
        Self::with(rows, |_| {})
    }

    pub fn with(rows: usize, change: impl FnOnce(&mut Script)) -> Self {
        let mut script = Script {
            manner: Manner::InStep,
            rows_let_out: Semaphore::new(rows),
            fails_after: None,
            disturbed_before: None,
            extra_rows: 0,
            seen: Mutex::default(),
        };
        change(&mut script);
        Self(Arc::new(script))
    }

    pub fn seen<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.0.seen.lock().unwrap())
    }

    pub async fn until(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        let all = async {
            while !self.seen(&condition) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(10), all).await.is_ok(), "waited in vain until {what}");
    }

    async fn make(&self, ctx: &TaskContext, work: &Work, outlets: &Outlets) -> Result<TaskResult, TaskError> {
        let (renditions, rows): (Vec<String>, _) = match work {
            Work::Encode(encode) => (encode.renditions.iter().map(|r| r.id.clone()).collect(), encode.rows),
            Work::Audio(audio) => (vec![audio.rendition.clone()], audio.rows),
            Work::Fetch(_) => return Ok(TaskResult::Fetch {}),
            Work::Probe(_) => return Err(TaskError::source("not_media", "this is a shopping list")),
            Work::File(_) => return Err(TaskError::agent("no_files_here", "the test makes no files")),
        };
        let script = &self.0;
        let attempts = if script.manner == Manner::OutOfStepAndTwice { 2 } else { 1 };
        for attempt in 0..attempts {
            if script.manner != Manner::WithoutInits {
                for rendition in &renditions {
                    send(outlets, init(rendition, attempt)).await?;
                }
            }
            let mut row = rows.cursor;
            loop {
                let end = *ctx.end.borrow();
                self.0.seen.lock().unwrap().ends.push(end);
                // `to_end` means that the source decides; this source ends where the plan says, or a bit later.
                if row >= end.last + if end.to_end { script.extra_rows } else { 0 } {
                    break;
                }
                script.rows_let_out.acquire().await.unwrap().forget();
                if script.fails_after == Some(row - rows.cursor) {
                    return Err(TaskError::source("source_broken", "the source ends in noise").with_log(vec!["noise".to_owned()]));
                }
                if script.disturbed_before == Some(row) {
                    return Err(TaskError::Disturbed("the source hung up meanwhile".to_owned()));
                }
                let past = rows.last;
                for (place, rendition) in renditions.iter().enumerate() {
                    if script.manner != Manner::OutOfStepAndTwice {
                        send(outlets, segment(rendition, row, attempt)).await?;
                    } else if place == 0 {
                        // Rows 0, 1 and 2 first, then one at a time.
                        let ahead = if row == rows.cursor { row..(row + 3).min(past) } else { row + 2..(row + 3).min(past) };
                        for index in ahead {
                            send(outlets, segment(rendition, index, attempt)).await?;
                        }
                    } else {
                        send(outlets, segment(rendition, row, attempt)).await?;
                    }
                }
                row += 1;
                self.0.seen.lock().unwrap().rows_sent += 1;
                ctx.progress.set(Progress { frames: u64::from(row - rows.cursor) * 48, ..Progress::default() });
            }
        }
        Ok(match work {
            Work::Audio(_) => TaskResult::Audio { segments: rows.last + script.extra_rows, warnings: Vec::new() },
            Work::Fetch(_) | Work::Probe(_) | Work::Encode(_) | Work::File(_) => {
                TaskResult::Encode { end_frame: None, warnings: Vec::new() }
            }
        })
    }
}

async fn send(outlets: &Outlets, piece: Piece) -> Result<(), TaskError> {
    outlets.pieces.send(piece).await.map_err(|_| TaskError::Stopped)
}

fn init(rendition: &str, attempt: u32) -> Piece {
    let header = InitHeader {
        fingerprint: format!("print of {rendition}"),
        codecs: "avc1.64001f".to_owned(),
        timescale: 12_800,
        media_time: 1024,
    };
    Piece::Init { rendition: rendition.to_owned(), attempt, data: Bytes::from(format!("init {rendition}")), header }
}

fn segment(rendition: &str, index: u32, attempt: u32) -> Piece {
    // Several chunks of the uploader's body, and different for everything.
    let data = format!("{rendition} {index} {attempt} ").repeat(20_000);
    Piece::Segment {
        rendition: rendition.to_owned(),
        index,
        attempt,
        frames: 48,
        start_ticks: u64::from(index) * 48 * 512,
        duration_ticks: 48 * 512,
        data: Bytes::from(data),
    }
}

impl Steps for FakeSteps {
    async fn run(&self, ctx: TaskContext, work: Work, outlets: Outlets) -> Result<TaskResult, TaskError> {
        self.0.seen.lock().unwrap().started += 1;
        tokio::select! {
            biased;
            () = ctx.stop.cancelled() => {
                self.0.seen.lock().unwrap().stopped += 1;
                Err(TaskError::Stopped)
            }
            made = self.make(&ctx, &work, &outlets) => made,
        }
    }

    async fn prove(&self, _: &Tools, before: &Capabilities, _: &CancellationToken) -> Result<Capabilities, Incapable> {
        Ok(before.clone())
    }
}
