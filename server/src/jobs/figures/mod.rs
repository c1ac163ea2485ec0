//! Figures over a team's jobs: how many there are, and how much film came out.
//!
//! In: a range of time. Out: counts and sums, by the database. What a job made is written on its row when it is completed.

pub mod http;
pub mod store;

use crate::plan::Plan;

/// How long the film of a completed job is, and how long its video renditions are together.
///
/// `end_frame` is where the pictures end. Without pictures the film is as long as its sound, in whole segments.
pub fn seconds_made(plan: &Plan, end_frame: Option<i64>) -> (f64, f64) {
    let frames = end_frame.map_or(plan.frames, i64::cast_unsigned);
    let pictures = frames as f64 / plan.grid.rate.as_f64();
    let sound = plan.audio.as_ref().map_or(0.0, |audio| f64::from(audio.segments) * plan.grid.segment_seconds());
    let film = if plan.video.is_empty() { sound } else { pictures };
    (film, pictures * plan.video.len() as f64)
}
