//! The rules of scheduling, without the queue: pure functions of what the database says.
//!
//! In: tags, capabilities, how far holders are, who failed what. Out: who goes first, where a span is cut, whether a second
//! lease is worth it, who is to blame. No clock, no SQL, no randomness, so that the server and `cargo xtask simulate` run the
//! very same rules. All times are in seconds from now; all positions are rows.

pub mod backup;
pub mod blame;
pub mod classes;
pub mod fair;
pub mod spell;
pub mod steal;

use std::time::Duration;

/// A holder that has been suspended for this long loses what it has not committed, if somebody idle wants it. A person who
/// only wiggled the mouse is gone again by then; but the engine goes on only after a whole minute without input.
pub const HELD_UP_AFTER: Duration = Duration::from_secs(20);

/// What it costs a second machine to begin: the lease, the start of ffmpeg, the first bytes of the source and decoding from
/// the keyframe before the first frame. Half of it was measured (0.3 s to start, up to one GOP to decode); the rest is for
/// networks slower than a test's.
pub const START_UP_SECONDS: f64 = 3.0;
