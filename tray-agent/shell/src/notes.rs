//! Which changes are worth a notification: those after which somebody has to do something. Pure.

use crate::{
    desk::{Desk, Engine},
    face::Face,
    group::Group,
    words,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub title: &'static str,
    pub body: String,
}

/// `before` and `after` are faces of the same desk, which is now as `desk` says.
pub fn about(before: Option<&Face>, after: &Face, desk: &Desk) -> Option<Note> {
    let was_well = before.is_none_or(|before| before.picture != Group::Attention);
    if after.picture != Group::Attention || !was_well {
        return None;
    }
    let title = match desk.engine {
        Engine::Down { .. } => words::NOTE_ENGINE_GONE,
        // Somebody told it to end.
        Engine::Ended => return None,
        Engine::Starting | Engine::Running { .. } => words::NOTE_ATTENTION,
    };
    Some(Note { title, body: after.sentence() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{desk, now};
    use chrono::Utc;
    use offpeak_api::agent::AgentState;

    #[test]
    fn only_what_needs_somebody_is_told_and_once() {
        let face = |state| Face::of(&desk(now(state, "x")), &Utc);
        for (before, after, told) in [
            (Some(AgentState::Waiting), AgentState::Encoding, false),
            (Some(AgentState::Encoding), AgentState::UserActive, false),
            (Some(AgentState::Encoding), AgentState::NoServer, false),
            (Some(AgentState::Encoding), AgentState::Broken, true),
            (Some(AgentState::Broken), AgentState::Revoked, false),
            (None, AgentState::Broken, true),
        ] {
            let (before, desk) = (before.map(face), desk(now(after, "x")));
            assert_eq!(about(before.as_ref(), &face(after), &desk).is_some(), told, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_crash_is_told_and_an_end_is_not() {
        let before = Face::of(&desk(now(AgentState::Encoding, "")), &Utc);
        for (engine, told) in [(Engine::Down { seconds: 1, why: "x".to_owned() }, true), (Engine::Ended, false)] {
            let mut desk = desk(now(AgentState::Encoding, ""));
            desk.engine = engine;
            assert_eq!(about(Some(&before), &Face::of(&desk, &Utc), &desk).is_some(), told);
        }
    }
}
