//! A job's past, from its events: who was granted what, what was committed, and whether anything was done twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use offpeak_api::{ids::JobId, job::JobEvent};
use serde::{Deserialize, de::DeserializeOwned};

use crate::client::Client;

/// `lease.granted`: the right to rows `[cursor, last)` of a task.
#[derive(Debug, Clone, Deserialize)]
pub struct Granted {
    pub lease: String,
    pub task: String,
    pub kind: String,
    pub agent: String,
    pub first: u32,
    pub cursor: u32,
    pub last: u32,
}

/// `segments.committed`: rows `[first, last)` of a task, all its renditions.
#[derive(Debug, Clone, Deserialize)]
pub struct Committed {
    pub lease: String,
    pub task: String,
    pub kind: String,
    pub agent: String,
    pub first: u32,
    pub last: u32,
}

/// `lease.ended`: by `complete`, `release` or `fail`.
#[derive(Debug, Clone, Deserialize)]
pub struct Ended {
    pub lease: String,
    pub how: String,
    pub cursor: u32,
    pub last: u32,
}

#[derive(Debug, Clone)]
pub enum Step {
    Granted(Granted),
    Committed(Committed),
    Ended(Ended),
    /// Any other kind of event.
    Other(String),
}

#[derive(Debug, Clone)]
pub struct History {
    pub steps: Vec<Step>,
}

impl Step {
    pub fn read(event: JobEvent) -> Self {
        match event.kind.as_str() {
            "lease.granted" => Self::Granted(data(event)),
            "segments.committed" => Self::Committed(data(event)),
            "lease.ended" => Self::Ended(data(event)),
            _ => Self::Other(event.kind),
        }
    }
}

fn data<T: DeserializeOwned>(event: JobEvent) -> T {
    serde_json::from_value(event.data.clone()).unwrap_or_else(|e| panic!("{} {}: {e}", event.kind, event.data))
}

impl History {
    /// All that happened to a job; waits until it is over.
    pub async fn of(client: &Client, job: &JobId) -> Self {
        Self { steps: client.events(job).await.into_iter().map(Step::read).collect() }
    }

    /// Waits until leases of a job were handed back so often.
    pub async fn until_released(client: &Client, job: &JobId, times: usize, limit: Duration) {
        let mut released = 0;
        let count = |event| {
            match Step::read(event) {
                Step::Ended(ended) => released += usize::from(ended.how == "released"),
                Step::Granted(_) | Step::Committed(_) | Step::Other(_) => {}
            }
            released < times
        };
        let followed = tokio::time::timeout(limit, client.each_event(job, count)).await;
        assert!(followed.is_ok() && released >= times, "leases were handed back {released} times, and not {times}");
    }

    pub fn granted(&self, kind: &str) -> Vec<&Granted> {
        let granted = self.steps.iter().filter_map(|step| if let Step::Granted(granted) = step { Some(granted) } else { None });
        granted.filter(|granted| granted.kind == kind).collect()
    }

    pub fn committed(&self, kind: &str) -> Vec<&Committed> {
        let committed = self.steps.iter().filter_map(|step| if let Step::Committed(rows) = step { Some(rows) } else { None });
        committed.filter(|rows| rows.kind == kind).collect()
    }

    pub fn ended(&self) -> Vec<&Ended> {
        self.steps.iter().filter_map(|step| if let Step::Ended(ended) = step { Some(ended) } else { None }).collect()
    }

    /// Agents that held leases of this kind.
    pub fn agents(&self, kind: &str) -> BTreeSet<String> {
        self.granted(kind).into_iter().map(|granted| granted.agent.clone()).collect()
    }

    /// Tasks of this kind that were ever leased.
    pub fn tasks(&self, kind: &str) -> BTreeSet<String> {
        self.granted(kind).into_iter().map(|granted| granted.task.clone()).collect()
    }

    /// What must never happen, whoever dies: a row committed twice or out of turn, a lease that asks for committed rows again.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut cursors: BTreeMap<&str, u32> = BTreeMap::new();
        let mut rows: BTreeSet<u32> = BTreeSet::new();
        for step in &self.steps {
            match step {
                Step::Granted(granted) => {
                    let cursor = *cursors.entry(&granted.task).or_insert(granted.first);
                    if granted.cursor != cursor {
                        wrong.push(format!("rows up to {cursor} were committed when this was granted: {granted:?}"));
                    }
                }
                Step::Committed(committed) => {
                    let cursor = cursors.insert(&committed.task, committed.last);
                    if cursor != Some(committed.first) {
                        wrong.push(format!("the cursor was at {cursor:?} when this was committed: {committed:?}"));
                    }
                    if committed.kind == "encode" {
                        let again = (committed.first..committed.last).filter(|row| !rows.insert(*row)).collect::<Vec<_>>();
                        if !again.is_empty() {
                            wrong.push(format!("segments {again:?} were committed before: {committed:?}"));
                        }
                    }
                }
                Step::Ended(_) | Step::Other(_) => {}
            }
        }
        if let Some(last) = rows.last()
            && rows.len() as u32 != last + 1
        {
            wrong.push(format!("segments are missing from those committed: {rows:?}"));
        }
        wrong
    }
}
