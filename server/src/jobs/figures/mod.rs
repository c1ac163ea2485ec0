//! Figures over a team's jobs: how many there are, and how much film came out.
//!
//! In: a range of time. Out: counts and sums, by the database. What a job made is written on its row when it is completed.

pub mod http;
pub mod store;

use crate::plan::Plan;

/// How long encodes that are so much work would have taken on one machine, from those that made them: of each how many segments,
/// and how much work it does a second, as far as that is known. It stands for all of the segments then; nothing is known when
/// nobody's speed is.
pub fn alone(work: f64, makers: &[(usize, Option<f64>)]) -> Option<f64> {
    let known =
        || makers.iter().filter_map(|(segments, speed)| Some((*segments as f64, (*speed)?))).filter(|(_, speed)| *speed > 0.0);
    let segments: f64 = known().map(|(segments, _)| segments).sum();
    let per_work = known().map(|(segments, speed)| segments / speed).sum::<f64>() / segments;
    (work > 0.0 && segments > 0.0).then_some(work * per_work)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_alone_is_as_fast_as_those_that_made_it() {
        for (about, makers, expected) in [
            ("one machine", &[(4, Some(10.0))][..], Some(12.0)),
            ("two that are equal", &[(2, Some(10.0)), (2, Some(10.0))], Some(12.0)),
            ("a slow one that made as much", &[(2, Some(10.0)), (2, Some(5.0))], Some(18.0)),
            ("one whose speed nobody knows", &[(1, Some(10.0)), (3, None)], Some(12.0)),
            ("none of a known speed", &[(4, None)], None),
            ("one that never got anything done", &[(4, Some(0.0))], None),
            ("nobody", &[], None),
        ] {
            // Rounding apart.
            let seconds = alone(120.0, makers).map(|seconds| (seconds * 1e6).round() / 1e6);
            assert_eq!(seconds, expected, "{about}");
        }
        assert_eq!(alone(0.0, &[(4, Some(10.0))]), None, "there was nothing to encode");
    }
}
