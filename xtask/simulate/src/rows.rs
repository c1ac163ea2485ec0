//! What the server keeps of jobs, tasks and leases.

use offpeak_server::lease::TaskKind;

use crate::{events::Ms, figures::Cause, films::Film, world::Promise};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Running,
    Completed,
    Failed,
}

#[derive(Debug)]
pub struct Job {
    pub team: u32,
    pub rank: i32,
    pub arrived: Ms,
    pub film: Film,
    pub state: JobState,
    /// One bit a row that was committed.
    committed: Vec<u64>,
    pub rows_left: u32,
    /// Rows from the start on that are committed.
    pub prefix: u32,
    pub sound_has_begun: bool,
    pub playable_at: Option<Ms>,
    /// Tasks that are not done, by number.
    pub open: Vec<u32>,
    /// What was told of its end: when it was planned, and when half of it was done.
    pub promises: Vec<Promise>,
}

impl Job {
    pub fn new(team: u32, rank: i32, arrived: Ms, film: Film) -> Self {
        Self {
            team,
            rank,
            arrived,
            state: JobState::Running,
            committed: vec![0; film.rows.div_ceil(64) as usize],
            rows_left: film.rows,
            prefix: 0,
            sound_has_begun: !film.has_sound,
            playable_at: None,
            open: Vec::new(),
            promises: Vec::new(),
            film,
        }
    }

    /// A row that counts from now on. It must not have counted before.
    pub fn commit(&mut self, row: u32) {
        assert!(row < self.film.rows, "row {row} of {}", self.film.rows);
        let (word, bit) = ((row / 64) as usize, 1 << (row % 64));
        assert_eq!(self.committed[word] & bit, 0, "row {row} is committed twice");
        self.committed[word] |= bit;
        self.rows_left -= 1;
        while self.prefix < self.film.rows && self.committed[(self.prefix / 64) as usize] & (1 << (self.prefix % 64)) != 0 {
            self.prefix += 1;
        }
    }

    /// Half of its rows have just been reached.
    pub fn is_half_done(&self) -> bool {
        self.film.rows > 1 && self.rows_left == self.film.rows / 2
    }

    /// Two rows of everything, or all.
    pub fn is_playable(&self) -> bool {
        self.sound_has_begun && self.prefix >= self.film.rows.min(2)
    }

    /// Frees what only a running job needs.
    pub fn close(&mut self, state: JobState) {
        self.state = state;
        self.committed = Vec::new();
        self.film.spans = Vec::new();
        self.film.span_work = Vec::new();
        self.open = Vec::new();
    }
}

/// What is not cut into rows has one: `[0, 1)`.
#[derive(Debug)]
pub struct Task {
    pub job: u32,
    pub kind: TaskKind,
    pub class: u8,
    pub first: u32,
    pub cursor: u32,
    pub last: u32,
    /// The first is the primary one, the second a backup; both empty while it waits.
    pub holders: [Option<u32>; 2],
    /// The tag that its work was charged with.
    pub tag: f64,
    /// Agents, an entry a failure.
    pub failed_by: Vec<u32>,
}

#[derive(Debug)]
pub struct Lease {
    pub task: u32,
    pub job: u32,
    pub kind: TaskKind,
    pub class: u8,
    pub tag: f64,
    pub place: u32,
    /// Which lease this is: numbers are used again.
    pub stamp: u32,
    /// Which turn of its row this is: a suspended row ends later than planned.
    pub turn: u32,
    pub granted: Ms,
    /// The server counts on it.
    pub active: bool,
    /// The engine works on it.
    pub at_work: bool,
    /// The row being encoded, or encoded and not committed.
    pub row: u32,
    pub row_started: Ms,
    pub row_ends: Ms,
    /// The part of the row that is encoded, while the machine is suspended.
    pub frozen: Option<f64>,
    /// A row is encoded and under way while the machine is suspended; `frozen` is then of the row after it.
    pub uploading: bool,
    /// Where the task ends, as far as the holder knows.
    pub known_last: u32,
    /// The machine is gone without a word since then.
    pub vanished: Option<Ms>,
    /// Why it is not active, once it is not.
    pub lost_to: Cause,
    /// Where it stands among the active leases.
    pub listed_at: u32,
}
