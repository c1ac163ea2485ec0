//! What heartbeats and commits order, and where a task ends because of it.

use std::sync::atomic::{AtomicU32, Ordering};

use offpeak_api::{
    lease::{Action, Orders},
    work::{SourceAddress, Work},
};
use tokio::sync::watch;
use tracing::info;

use super::ending::Ending;
use crate::{status::Held, task::TaskEnd};

/// The senders behind a step's context.
#[derive(Debug)]
pub struct Reins {
    pub end: watch::Sender<TaskEnd>,
    pub source: watch::Sender<Option<SourceAddress>>,
    /// The task's cursor as last heard of: rows before it count already, whoever made them.
    cursor: AtomicU32,
    /// Where it was when the lease was granted.
    granted_at: u32,
}

impl Reins {
    /// As the lease was granted.
    pub fn of(work: &Work) -> Self {
        Self {
            end: watch::Sender::new(granted_end(work)),
            source: watch::Sender::new(source_of(work)),
            cursor: AtomicU32::new(0),
            granted_at: granted_cursor(work),
        }
    }

    /// Passes orders on to the step.
    pub fn obey(&self, orders: Orders) -> Result<(), Ending> {
        match orders.action {
            Action::Stop => return Err(Ending::Ordered),
            Action::Continue => {}
        }
        self.end.send_if_modified(|end| {
            let now = lowered(*end, &orders);
            let changed = now != *end;
            if changed {
                info!(last = now.last, to_end = now.to_end, "the span was shortened or its end moved");
            }
            *end = now;
            changed
        });
        // Answers may overtake each other; a cursor never goes back while a lease lives.
        self.cursor.fetch_max(orders.cursor, Ordering::Relaxed);
        if let Some(fresh) = orders.source {
            self.source.send_replace(Some(fresh));
        }
        Ok(())
    }

    /// Tells the person at the desk how far it is.
    pub fn tell(&self, held: &Held) {
        let last = self.end.borrow().last;
        held.rows(self.cursor().saturating_sub(self.granted_at), last.saturating_sub(self.granted_at));
    }

    pub fn cursor(&self) -> u32 {
        self.cursor.load(Ordering::Relaxed)
    }

    /// Whether a row is still this lease's to deliver.
    pub fn wants(&self, index: u32) -> bool {
        let end = *self.end.borrow();
        index >= self.cursor() && (end.to_end || index < end.last)
    }
}

fn granted_end(work: &Work) -> TaskEnd {
    match work {
        Work::Encode(encode) => TaskEnd { last: encode.rows.last, to_end: encode.to_end },
        // A track is encoded whole, and may turn out longer than planned.
        Work::Audio(audio) => TaskEnd { last: audio.rows.last, to_end: true },
        Work::Fetch(_) | Work::Probe(_) | Work::File(_) => TaskEnd { last: 0, to_end: true },
    }
}

fn granted_cursor(work: &Work) -> u32 {
    match work {
        Work::Encode(encode) => encode.rows.cursor,
        Work::Audio(audio) => audio.rows.cursor,
        Work::Fetch(_) | Work::Probe(_) | Work::File(_) => 0,
    }
}

fn source_of(work: &Work) -> Option<SourceAddress> {
    match work {
        Work::Encode(encode) => Some(encode.source.clone()),
        Work::Audio(audio) => Some(audio.source.clone()),
        Work::Probe(probe) => Some(probe.source.clone()),
        Work::Fetch(_) | Work::File(_) => None,
    }
}

/// The end after these orders. A heartbeat's answer may be older than that of a commit that overtook it, and `last` is only
/// ever lowered while a lease lives: orders with a higher one are late and count for nothing.
fn lowered(end: TaskEnd, orders: &Orders) -> TaskEnd {
    if orders.last <= end.last { TaskEnd { last: orders.last, to_end: orders.to_end } } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(last: u32, to_end: bool) -> Orders {
        Orders { action: Action::Continue, cursor: 0, last, to_end, expires_in_seconds: 30, source: None, refused: Vec::new() }
    }

    #[test]
    fn the_end_is_only_lowered() {
        let end = |last, to_end| TaskEnd { last, to_end };
        let cases = [
            // The back half went to somebody else, the presentation's end with it.
            (end(10, true), orders(5, false), end(5, false)),
            // A late answer from before that.
            (end(5, false), orders(10, true), end(5, false)),
            // The span behind turned out to be empty: this one ends the presentation now.
            (end(5, false), orders(5, true), end(5, true)),
            (end(5, false), orders(5, false), end(5, false)),
        ];
        for (before, orders, expected) in cases {
            assert_eq!(lowered(before, &orders), expected, "{before:?} {orders:?}");
        }
    }
}
