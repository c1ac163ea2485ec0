//! What encoding was for nothing, from the engines' own logs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What engines encoded, as their logs tell (`OFFPEAK_LOG=json`, `debug` for `offpeak_engine`). A line is written before the
/// segment goes anywhere, so one that was finished just before a SIGKILL is counted too.
#[derive(Debug, Default)]
pub struct Encoded {
    /// Whole segments of pictures, by lease, row and rendition; those that were encoded twice under one lease count twice.
    segments: BTreeMap<(String, u32, String), u32>,
    /// Leases of pictures, with how many renditions each has.
    leases: BTreeMap<String, u32>,
    completed: BTreeSet<String>,
}

/// Segments of pictures that were encoded, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waste {
    /// They count: their jobs are complete.
    pub used: u64,
    /// Whole ones that do not count, whether they were uploaded or not.
    pub unused: u64,
    /// Ones that had been begun when their lease ended early. How far each was nobody knows; faults come at random, so half of
    /// it is right on average, and too much for leases whose ffmpeg had not begun yet.
    pub begun: u64,
}

impl Waste {
    /// Wasted over useful work.
    pub fn share(&self) -> f64 {
        (self.unused as f64 + self.begun as f64 / 2.0) / (self.used as f64).max(1.0)
    }
}

#[derive(Deserialize)]
struct Line {
    fields: Fields,
    span: Option<Lease>,
}

#[derive(Deserialize)]
struct Fields {
    message: Option<String>,
    row: Option<u32>,
    rendition: Option<String>,
    work: Option<String>,
}

#[derive(Deserialize)]
struct Lease {
    id: Option<String>,
}

impl Encoded {
    /// Adds an engine's log. Lines that are not JSON (a write that was cut off) tell nothing.
    pub fn read(&mut self, log: &str) {
        for line in log.lines() {
            let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
            let (Some(lease), Some(message)) = (line.span.and_then(|span| span.id), line.fields.message) else { continue };
            match message.as_str() {
                "leased" => {
                    // "encode rows 0..20 in 2 renditions"
                    let work = line.fields.work.unwrap_or_default();
                    let renditions = work.strip_suffix(" renditions").and_then(|work| work.rsplit(' ').next()?.parse().ok());
                    if let Some(renditions) = renditions.filter(|_| work.starts_with("encode ")) {
                        self.leases.insert(lease, renditions);
                    }
                }
                "encoded a segment" => {
                    if let (Some(row), Some(rendition)) = (line.fields.row, line.fields.rendition) {
                        *self.segments.entry((lease, row, rendition)).or_default() += 1;
                    }
                }
                "completed" => {
                    self.completed.insert(lease);
                }
                _ => {}
            }
        }
    }

    /// `used`: segments of pictures that count.
    pub fn waste(&self, used: u64) -> Waste {
        let encoded: u64 = self.segments.values().map(|times| u64::from(*times)).sum();
        let ended_early = self.leases.iter().filter(|(lease, _)| !self.completed.contains(*lease));
        let begun = ended_early.map(|(_, renditions)| u64::from(*renditions)).sum();
        Waste { used, unused: encoded.saturating_sub(used), begun }
    }

    pub fn leases(&self) -> usize {
        self.leases.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_is_wasted() {
        let line = |lease: &str, fields: &str| {
            format!(r#"{{"level":"DEBUG","fields":{{{fields}}},"span":{{"id":"{lease}","name":"lease"}}}}"#)
        };
        let leased = |lease| line(lease, r#""message":"leased","work":"encode rows 0..9 to the end in 2 renditions""#);
        let segment = |lease, row, rendition| {
            line(lease, &format!(r#""message":"encoded a segment","row":{row},"rendition":"{rendition}""#))
        };
        let log = [
            leased("a"),
            segment("a", 0, "x"),
            segment("a", 0, "y"),
            segment("a", 1, "x"),
            r#"{"level":"DEBUG","fields":{"mess"#.to_owned(),
            leased("b"),
            segment("b", 1, "x"),
            segment("b", 1, "y"),
            line("b", r#""message":"completed""#),
            line("c", r#""message":"leased","work":"audio aac-1 rows 0..9""#),
        ];
        let mut encoded = Encoded::default();
        encoded.read(&log.join("\n"));
        let waste = encoded.waste(4);
        assert_eq!(waste, Waste { used: 4, unused: 1, begun: 2 });
        assert_eq!(waste.share(), 0.5);
    }
}
