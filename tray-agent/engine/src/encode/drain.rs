use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use offpeak_api::work::Encode;
use tokio::sync::{Notify, mpsc};

use super::{
    pass::Pass,
    rows::{Mismatch, Rest, Rows},
};
use crate::{
    fragment::{BadMedia, Fragment, Part, Row, Splitter, TrackInit},
    loopback::SinkEvent,
    sandbox::longest_frames,
    task::{InitHeader, Piece, TaskError},
};

/// What has been sent of a span so far, over all passes.
#[derive(Debug)]
pub(super) struct SpanState {
    renditions: Vec<Mutex<Sent>>,
}

#[derive(Debug)]
struct Sent {
    next_row: u32,
    header: Option<InitHeader>,
}

impl SpanState {
    pub fn new(work: &Encode) -> Self {
        let sent = || Mutex::new(Sent { next_row: work.rows.cursor, header: None });
        Self { renditions: work.renditions.iter().map(|_| sent()).collect() }
    }

    /// The lowest row that is not sent in every rendition.
    pub fn next_row(&self) -> u32 {
        (0..self.renditions.len()).map(|index| self.sent(index).next_row).min().unwrap_or(u32::MAX)
    }

    fn sent(&self, rendition: usize) -> MutexGuard<'_, Sent> {
        self.renditions[rendition].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What the drains of one pass tell the one who waits for them.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Renditions that have all rows the task wants now.
    done: AtomicUsize,
    pub all_done: Notify,
    /// Counts everything that happens.
    pub events: AtomicU64,
    /// Drains that wait for the network.
    pub sending: AtomicUsize,
}

/// How one rendition's stream ended.
#[derive(Debug)]
pub(super) enum DrainEnd {
    /// All rows up to the task's end were sent.
    Done,
    /// The stream ended, in a span to the end. What is left is not sent yet.
    Ended { rest: Rest, init: Option<Init> },
    /// The stream ended within the span.
    Short(Mismatch),
}

pub(super) type Init = (Bytes, TrackInit);

/// Why one rendition's stream is of no use.
#[derive(Debug)]
pub(super) enum Fault {
    Mismatch(Mismatch),
    /// It broke off: ffmpeg died or was killed.
    CutOff,
    Media(BadMedia),
    Task(TaskError),
}

/// Takes one rendition out of ffmpeg: fragments to rows, counted, sent on.
#[derive(Debug)]
pub(super) struct Drain<'a> {
    pass: &'a Pass<'a>,
    signs: &'a Signs,
    rendition: usize,
    events: mpsc::Receiver<SinkEvent>,
    splitter: Splitter,
    rows: Rows,
    to_end: bool,
    /// All that came.
    frames: u64,
    init: Option<Init>,
    /// The first row whose segment was not logged as encoded.
    to_log: u32,
    done: bool,
}

impl<'a> Drain<'a> {
    pub fn new(pass: &'a Pass<'a>, signs: &'a Signs, rendition: usize, events: mpsc::Receiver<SinkEvent>) -> Self {
        let to_end = pass.end.to_end;
        let rows = Rows::new(&pass.work.grid, pass.first_row(), pass.from, to_end);
        let to_log = pass.first_row();
        Self {
            pass,
            signs,
            rendition,
            events,
            splitter: Splitter::new(),
            rows,
            to_end,
            frames: 0,
            init: None,
            to_log,
            done: false,
        }
    }

    pub async fn run(mut self) -> Result<DrainEnd, Fault> {
        let mut end = self.pass.ctx.end.clone();
        let mut orders = true;
        loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(SinkEvent::Data(data)) => self.take(&data).await?,
                    Some(SinkEvent::End) => break,
                    None => return Err(Fault::CutOff),
                },
                changed = end.changed(), if orders => orders = changed.is_ok(),
            }
            self.signs.events.fetch_add(1, Ordering::Relaxed);
            self.obey().await?;
        }
        if self.done {
            return Ok(DrainEnd::Done);
        }
        if !self.splitter.is_between_parts() {
            return Err(Fault::CutOff);
        }
        let last = self.pass.ctx.end.borrow().last;
        let name = self.name();
        Ok(match self.rows.finish(last) {
            Ok(rest) if self.to_end => {
                log_encoded(name, self.to_log..rest.last_row().map_or(0, |row| row + 1));
                DrainEnd::Ended { rest, init: self.init }
            }
            Ok(_) => DrainEnd::Done,
            Err(mismatch) => DrainEnd::Short(mismatch),
        })
    }

    async fn take(&mut self, data: &[u8]) -> Result<(), Fault> {
        // What comes after the last row is read, so that the other renditions are not held up, and dropped.
        if self.done {
            return Ok(());
        }
        self.splitter.push(data);
        while let Some(part) = self.splitter.next_part().map_err(Fault::Media)? {
            match part {
                Part::Init { data, init } => self.init = Some((data, init)),
                Part::Fragment(fragment) => self.take_fragment(fragment).await?,
            }
        }
        Ok(())
    }

    async fn take_fragment(&mut self, fragment: Fragment) -> Result<(), Fault> {
        self.frames = self.frames.saturating_add(fragment.samples.into());
        let work = self.pass.work;
        // With a row before the span, which is encoded and dropped.
        if self.frames > longest_frames(work) + 2 * u64::from(work.grid.frames_per_segment) {
            let message = "The source goes on for much longer than its packets said when it was probed: it is damaged, or was made \
                           to keep machines busy. Export it again.";
            return Err(Fault::Task(TaskError::source("too_many_frames", message)));
        }
        let final_row = self.rows.push(fragment).map_err(Fault::Mismatch)?;
        // Before it goes anywhere, and also when it is held back because it may be the film's last but one.
        let whole = self.rows.whole();
        log_encoded(self.name(), self.to_log..whole);
        self.to_log = whole;
        if let Some(row) = final_row {
            self.send(row).await?;
        }
        Ok(())
    }

    fn name(&self) -> &'a str {
        &self.pass.work.renditions[self.rendition].id
    }

    /// Follows the task's end, which may have come nearer.
    async fn obey(&mut self) -> Result<(), Fault> {
        let end = *self.pass.ctx.end.borrow();
        if self.to_end && !end.to_end {
            self.to_end = false;
            if let Some(row) = self.rows.give_up_end() {
                self.send(row).await?;
            }
        }
        let is_done = !self.to_end && self.pass.state.sent(self.rendition).next_row >= end.last;
        if is_done && !self.done {
            self.done = true;
            if self.signs.done.fetch_add(1, Ordering::AcqRel) + 1 == self.pass.work.renditions.len() {
                self.signs.all_done.notify_one();
            }
        }
        Ok(())
    }

    async fn send(&mut self, row: Row) -> Result<(), Fault> {
        let end = *self.pass.ctx.end.borrow();
        if !end.to_end && row.index >= end.last {
            return Ok(());
        }
        self.signs.sending.fetch_add(1, Ordering::AcqRel);
        let mut end = self.pass.ctx.end.clone();
        let index = row.index;
        let sent = tokio::select! {
            biased;
            sent = send(self.pass, self.rendition, row, self.init.as_ref()) => sent,
            // While the network was waited for, the row became somebody else's.
            Ok(_) = end.wait_for(|end| !end.to_end && index >= end.last) => Ok(()),
        };
        self.signs.sending.fetch_sub(1, Ordering::AcqRel);
        sent.map_err(Fault::Task)
    }
}

/// Tells the log of segments that are encoded. What encoding was for nothing is counted from these lines.
fn log_encoded(rendition: &str, rows: std::ops::Range<u32>) {
    for row in rows {
        tracing::debug!(row, rendition, "encoded a segment");
    }
}

/// Sends a row on, before it the init segment if there was none yet. Rows of an earlier pass are left out.
pub(super) async fn send(pass: &Pass<'_>, rendition: usize, row: Row, init: Option<&Init>) -> Result<(), TaskError> {
    // ffmpeg may have made a picture out of half a packet.
    pass.loopback.check()?;
    let name = &pass.work.renditions[rendition].id;
    let (init_data, init) =
        init.ok_or_else(|| TaskError::agent("no_init_segment", format!("ffmpeg wrote segments of {name} without a header")))?;
    let is_first = {
        let sent = pass.state.sent(rendition);
        if row.index < sent.next_row {
            return Ok(());
        }
        match &sent.header {
            None => true,
            Some(header) if *header == init.header => false,
            Some(_) => {
                let message = format!("two runs of one ffmpeg made different init segments of {name}");
                return Err(TaskError::agent("init_differs", message));
            }
        }
    };
    let attempt = pass.attempt;
    if is_first {
        let piece = Piece::Init { rendition: name.clone(), attempt, data: init_data.clone(), header: init.header.clone() };
        pass.out.send(piece).await.map_err(|_| TaskError::Stopped)?;
    }
    let Row { index, frames, start_ticks, duration_ticks, data } = row;
    let piece = Piece::Segment { rendition: name.clone(), index, attempt, frames, start_ticks, duration_ticks, data };
    pass.out.send(piece).await.map_err(|_| TaskError::Stopped)?;
    let mut sent = pass.state.sent(rendition);
    sent.next_row = index + 1;
    sent.header.get_or_insert_with(|| init.header.clone());
    Ok(())
}
