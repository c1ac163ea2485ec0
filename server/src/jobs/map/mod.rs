//! The map of a job: which machine made which segments, and who is at which now.
//!
//! In: tasks, active leases, and the job's own events, which outlive leases. Out: runs of segments, front to back. What must
//! hold: the made runs and the open spans of a track do not overlap, and together they are all that is planned of it.

pub mod http;
pub mod store;

use offpeak_api::{
    ids::AgentId,
    map::{MadeRun, OpenSpan, SpanHolder},
};
use serde::Deserialize;

use crate::{entity::task, lease::TaskState};

/// A commit or the beginning of a new epoch, as the job's events tell of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Made { kind: String, first: u32, last: u32, agent: AgentId },
    Voided { kinds: Vec<String> },
}

impl Told {
    /// What an event says about the map; nothing when it is about something else.
    pub fn read(kind: &str, data: &serde_json::Value) -> Option<Self> {
        #[derive(Deserialize)]
        struct Made {
            kind: String,
            first: u32,
            last: u32,
            agent: AgentId,
        }
        #[derive(Deserialize)]
        struct Voided {
            kinds: Vec<String>,
        }
        match kind {
            "segments.committed" => {
                let Made { kind, first, last, agent } = Made::deserialize(data).ok()?;
                Some(Self::Made { kind, first, last, agent })
            }
            "renditions.voided" => Voided::deserialize(data).ok().map(|Voided { kinds }| Self::Voided { kinds }),
            // Kinds of events are open-ended; these two are those that move the map.
            _ => None,
        }
    }
}

/// Who made each of `total` segments of a track, for what was made since it last began anew. Of two who made the same, the first
/// counts, as with commits.
pub fn makers(told: &[Told], kind: &str, total: u32) -> Vec<Option<AgentId>> {
    let mut makers = vec![None; total as usize];
    for one in told {
        match one {
            Told::Voided { kinds } if kinds.iter().any(|voided| voided == kind) => makers.fill(None),
            Told::Made { kind: of, first, last, agent } if of == kind => {
                for maker in makers.iter_mut().take(*last as usize).skip(*first as usize) {
                    maker.get_or_insert_with(|| agent.clone());
                }
            }
            Told::Voided { .. } | Told::Made { .. } => {}
        }
    }
    makers
}

/// The committed segments of a track in runs of one maker each. `done` are the half-open ranges that its tasks have behind
/// them, front to back; they are the truth, and events only tell by whom.
pub fn runs(done: &[(u32, u32)], makers: &[Option<AgentId>]) -> Vec<MadeRun> {
    let mut runs: Vec<MadeRun> = Vec::new();
    for index in done.iter().flat_map(|(first, last)| *first..*last) {
        let agent = makers.get(index as usize).cloned().flatten();
        match runs.last_mut() {
            Some(run) if run.last == index && run.agent == agent => run.last += 1,
            Some(_) | None => runs.push(MadeRun { first: index, last: index + 1, agent }),
        }
    }
    runs
}

/// What a task has behind it.
pub fn done_of(task: &task::Model) -> (u32, u32) {
    (task.first.cast_unsigned(), task.cursor.cast_unsigned())
}

/// What a task has before it; nothing when that is nothing.
pub fn open_of(task: &task::Model, state: TaskState, holders: Vec<SpanHolder>) -> Option<OpenSpan> {
    let (first, last) = (task.cursor.cast_unsigned(), task.last.cast_unsigned());
    let failed = match state {
        TaskState::Ready | TaskState::Leased | TaskState::Done | TaskState::Cancelled => false,
        TaskState::Failed => true,
    };
    (first < last).then_some(OpenSpan { first, last, holders, failed })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "agent_01J8ZC5V2M0N6QW3T7RX9KPEHD";
    const TWO: &str = "agent_01J8ZC5V2M0N6QW3T7RX9KPEHE";

    fn made(agent: &str, first: u32, last: u32) -> Told {
        let data = json!({ "kind": "encode", "first": first, "last": last, "agent": agent, "bytes": 1 });
        Told::read("segments.committed", &data).unwrap()
    }

    fn run(first: u32, last: u32, agent: Option<&str>) -> MadeRun {
        MadeRun { first, last, agent: agent.map(|agent| agent.parse().unwrap()) }
    }

    #[test]
    fn runs_end_where_the_maker_changes_or_a_segment_is_missing() {
        let told = [made(ONE, 0, 2), made(TWO, 2, 4), made(ONE, 6, 7), made(TWO, 0, 1)];
        let makers = makers(&told, "encode", 8);
        let expected = vec![run(0, 2, Some(ONE)), run(2, 4, Some(TWO)), run(6, 7, Some(ONE)), run(7, 8, None)];
        assert_eq!(runs(&[(0, 4), (6, 8)], &makers), expected);
    }

    #[test]
    fn what_began_anew_forgets_its_makers() {
        let voided = Told::read("renditions.voided", &json!({ "kinds": ["encode"], "why": "build_gone" })).unwrap();
        let makers = makers(&[made(ONE, 0, 3), voided, made(TWO, 0, 1)], "encode", 3);
        assert_eq!(runs(&[(0, 1)], &makers), vec![run(0, 1, Some(TWO))]);
        assert!(makers[1].is_none());
    }

    #[test]
    fn other_events_and_other_tracks_move_nothing() {
        assert_eq!(Told::read("job.playable", &json!({})), None);
        assert_eq!(Told::read("segments.committed", &json!({ "kind": "encode" })), None, "one from before agents were told");
        assert!(makers(&[made(ONE, 0, 2)], "audio", 2).iter().all(Option::is_none));
    }
}
