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
        // One that dies over and over is told of once; the icon and the menu say the rest.
        Engine::Down { again: true, .. } => return None,
        Engine::Down { again: false, .. } => words::NOTE_ENGINE_GONE,
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
    use offpeak_link::FromEngine;

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

    /// As `app.rs` shows it: what was shown before, and what is known now.
    struct Shown(Option<Face>, Desk);

    impl Shown {
        fn after(&mut self, change: impl FnOnce(&mut Desk)) -> Option<Note> {
            change(&mut self.1);
            let face = Face::of(&self.1, &Utc);
            let before = self.0.replace(face.clone());
            about(before.as_ref(), &face, &self.1)
        }
    }

    #[test]
    fn an_engine_that_dies_over_and_over_is_told_of_once() {
        let mut shown = Shown(None, desk(now(AgentState::Encoding, "")));
        assert_eq!(shown.after(|_| {}), None);
        let down =
            |seconds, again| move |desk: &mut Desk| desk.engine = Engine::Down { seconds, why: "it ended".to_owned(), again };
        assert!(shown.after(down(1, false)).is_some());
        for seconds in [2, 5] {
            assert_eq!(shown.after(Desk::starting), None);
            assert_eq!(shown.0.as_ref().map(|face| face.picture), Some(Group::Attention), "the icon stays");
            assert_eq!(shown.after(down(seconds, true)), None);
        }
        // One that says how things are, and dies all the same.
        for seconds in [15, 60] {
            assert_eq!(shown.after(Desk::starting), None);
            let said = FromEngine::Now(Box::new(now(AgentState::Waiting, "x")));
            assert_eq!(shown.after(move |desk| _ = desk.hear(said)), None);
            assert_eq!(shown.0.as_ref().map(|face| face.picture), Some(Group::Waiting));
            assert_eq!(shown.after(down(seconds, true)), None);
        }
        // After a good run it is news again.
        let said = FromEngine::Now(Box::new(now(AgentState::Waiting, "x")));
        assert_eq!(shown.after(move |desk| _ = desk.hear(said)), None);
        assert!(shown.after(down(1, false)).is_some());
    }

    #[test]
    fn a_crash_is_told_and_an_end_is_not() {
        let before = Face::of(&desk(now(AgentState::Encoding, "")), &Utc);
        for (engine, told) in [(Engine::Down { seconds: 1, why: "x".to_owned(), again: false }, true), (Engine::Ended, false)] {
            let mut desk = desk(now(AgentState::Encoding, ""));
            desk.engine = engine;
            assert_eq!(about(Some(&before), &Face::of(&desk, &Utc), &desk).is_some(), told);
        }
    }
}
