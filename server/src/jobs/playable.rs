//! When a player could start.

use crate::{
    entity::task,
    lease::{TaskKind, TaskState},
};

/// Players start well with two segments: one to show, one to come.
pub const ENOUGH_SEGMENTS: u32 = 2;

/// True when two segments, or all, are committed from the start on in every rendition.
pub fn is_playable(tasks: &[task::Model]) -> bool {
    let of = |kind: TaskKind| tasks.iter().filter(move |task| task.kind == kind.as_str());
    let has_video = of(TaskKind::Encode).next().is_some();
    let enough = |kind: TaskKind| {
        let mut prefix = 0;
        for task in of(kind) {
            prefix = task.cursor.cast_unsigned();
            if task.state != TaskState::Done.as_str() {
                return prefix >= ENOUGH_SEGMENTS;
            }
        }
        // All are done, or this job has none of the kind, or its sound turned out to be empty.
        prefix > 0 || of(kind).next().is_none() || kind == TaskKind::Audio && has_video
    };
    tasks.iter().any(|task| task.kind == TaskKind::Encode.as_str() || task.kind == TaskKind::Audio.as_str())
        && enough(TaskKind::Encode)
        && enough(TaskKind::Audio)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(kind: TaskKind, first: i32, cursor: i32, last: i32) -> task::Model {
        task::Model {
            id: String::new(),
            job_id: String::new(),
            team_id: String::new(),
            kind: kind.as_str().to_owned(),
            class: String::new(),
            state: if cursor == last { "done" } else { "leased" }.to_owned(),
            rank: 4,
            deadline_ms: 0,
            ordinal: first,
            first,
            cursor,
            last,
            to_end: false,
            spec: serde_json::Value::Null,
            estimated_work: 1.0,
            lease_id: None,
            tag: 0.0,
            backup_lease_id: None,
            failures: 0,
            created_at_ms: 0,
            done_at_ms: None,
        }
    }

    #[test]
    fn two_segments_of_everything_are_enough() {
        use TaskKind::{Audio, Encode, Probe};
        let cases: &[(&str, &[task::Model], bool)] = &[
            ("nothing planned", &[task(Probe, 0, 0, 0)], false),
            ("audio lags", &[task(Audio, 0, 1, 9), task(Encode, 0, 3, 4)], false),
            ("video lags", &[task(Audio, 0, 9, 9), task(Encode, 0, 1, 4)], false),
            ("both have two", &[task(Audio, 0, 2, 9), task(Encode, 0, 2, 4)], true),
            ("the second span is no prefix", &[task(Audio, 0, 9, 9), task(Encode, 0, 0, 3), task(Encode, 3, 6, 6)], false),
            ("two spans of one segment", &[task(Encode, 0, 1, 1), task(Encode, 1, 1, 2)], false),
            ("both of them done", &[task(Encode, 0, 1, 1), task(Encode, 1, 2, 2)], true),
            ("one segment is all there is", &[task(Audio, 0, 1, 1), task(Encode, 0, 1, 1)], true),
            ("only sound", &[task(Audio, 0, 2, 5)], true),
            ("sound that is empty", &[task(Audio, 0, 0, 0), task(Encode, 0, 2, 4)], true),
            ("only sound, and that is empty", &[task(Audio, 0, 0, 0)], false),
        ];
        for (name, tasks, playable) in cases {
            assert_eq!(is_playable(tasks), *playable, "{name}");
        }
    }
}
