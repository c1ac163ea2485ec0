//! What the tray shows of the moment: picture, tooltip and menu, as values. `tray.rs` puts them on the screen.

use chrono::{DateTime, TimeZone, Utc};
use offpeak_api::agent::AgentState;
use offpeak_link::{Now, Work};
use serde::Serialize;

use crate::{
    desk::{Desk, Engine},
    group::Group,
    words,
};

/// Design §7: the spans of a snooze.
pub const SNOOZE_HOURS: [u64; 4] = [1, 3, 6, 12];
/// More than this would not be seen anyway (Windows cuts tooltips at 127 characters).
const LONGEST_TOOLTIP: usize = 127;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Face {
    pub picture: Group,
    /// "Waiting".
    pub headline: String,
    /// "someone is using this computer"; may be empty.
    pub reason: String,
    #[serde(skip)]
    pub menu: Vec<Entry>,
}

/// What somebody wants who clicks in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Snooze {
        hours: u64,
    },
    EndSnooze,
    Pause,
    Resume,
    Join,
    /// The page where a new version can be installed.
    Update,
    Open,
    About,
    Quit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Only to be read.
    Line(String),
    Item {
        wish: Wish,
        text: String,
    },
    Below {
        text: String,
        items: Vec<(Wish, String)>,
    },
    Separator,
}

impl Face {
    /// "Waiting: someone is using this computer".
    pub fn sentence(&self) -> String {
        if self.reason.is_empty() { self.headline.clone() } else { format!("{}: {}", self.headline, self.reason) }
    }

    pub fn tooltip(&self) -> String {
        let text = format!("{}: {}", words::PRODUCT, uncapitalised(&self.sentence()));
        if text.chars().count() <= LONGEST_TOOLTIP {
            return text;
        }
        text.chars().take(LONGEST_TOOLTIP - 1).chain(['…']).collect()
    }

    pub fn of<Tz: TimeZone>(desk: &Desk, zone: &Tz) -> Self
    where
        Tz::Offset: std::fmt::Display,
    {
        let (picture, headline, reason) = match (&desk.engine, &desk.now) {
            (Engine::Starting, _) => (Group::Waiting, words::ENGINE_STARTS.to_owned(), String::new()),
            (Engine::Down { seconds, why, again: _ }, _) => {
                (Group::Attention, words::ENGINE_GONE.to_owned(), format!("{why}; {}", words::restarts_in(*seconds)))
            }
            (Engine::Ended, _) if desk.updating => (Group::Waiting, words::UPDATING.to_owned(), String::new()),
            (Engine::Ended, _) => (Group::Waiting, words::ENDING.to_owned(), String::new()),
            (Engine::Running { .. }, None) => (Group::Waiting, words::ENGINE_STARTS.to_owned(), String::new()),
            (Engine::Running { .. }, Some(now)) => state_in_words(now, zone),
        };
        let mut face = Self { picture, headline, reason, menu: Vec::new() };
        face.menu = menu(desk, &face);
        face
    }
}

fn state_in_words<Tz: TimeZone>(now: &Now, zone: &Tz) -> (Group, String, String)
where
    Tz::Offset: std::fmt::Display,
{
    let picture = Group::of(now.state);
    // A machine that has never joined has no server either; it is not at fault, and needs other advice.
    if now.farm.is_none() && picture != Group::Attention && picture != Group::Paused {
        return (Group::NoServer, words::NOT_JOINED.to_owned(), String::new());
    }
    let headline = match (now.state, now.until) {
        (AgentState::Snoozed, Some(until)) => format!("{} {}", words::state(now.state), words::until(&clock_time(until, zone))),
        (state, _) => words::state(state).to_owned(),
    };
    // What somebody did themselves needs no reason.
    let reason = if picture == Group::Paused { String::new() } else { now.reason.clone() };
    (picture, headline, reason)
}

fn menu(desk: &Desk, face: &Face) -> Vec<Entry> {
    let item = |wish, text: &str| Entry::Item { wish, text: text.to_owned() };
    let now = desk.running();
    let mut menu = vec![Entry::Line(face.sentence())];
    // One line whatever is in hand: pieces come and go many a minute, and a menu whose lines come and go with them has to be made
    // anew, which closes it under somebody's hand.
    menu.extend(now.filter(|now| now.farm.is_some()).map(|now| Entry::Line(in_hand(&now.work))));
    menu.push(Entry::Separator);
    if let Some(now) = now {
        if now.farm.is_none() {
            menu.push(item(Wish::Join, words::JOIN));
        }
        // Whoever is paused has no use for a snooze: it would end the pause by itself.
        match now.state {
            AgentState::Paused => menu.push(item(Wish::Resume, words::RESUME)),
            AgentState::Snoozed => {
                menu.push(item(Wish::EndSnooze, words::END_SNOOZE));
                menu.extend(now.farm.is_some().then(|| item(Wish::Pause, words::PAUSE)));
            }
            // Without a farm there is nothing to be kept from.
            _ if now.farm.is_none() => {}
            _ => {
                let items = SNOOZE_HOURS.map(|hours| (Wish::Snooze { hours }, words::hours(hours))).to_vec();
                menu.push(Entry::Below { text: words::SNOOZE.to_owned(), items });
                menu.push(item(Wish::Pause, words::PAUSE));
            }
        }
        menu.push(Entry::Separator);
    }
    menu.extend(desk.newer.as_deref().map(|version| item(Wish::Update, &words::update_to(version))));
    menu.extend([
        item(Wish::Open, words::OPEN),
        item(Wish::About, words::ABOUT),
        Entry::Separator,
        item(Wish::Quit, words::QUIT),
    ]);
    menu
}

/// "Encoding video: 12 of 60 (20 %), and 1 more".
fn in_hand(work: &[Work]) -> String {
    match work {
        [] => words::NOTHING_IN_HAND.to_owned(),
        [one] => progress(one),
        [one, others @ ..] => format!("{}, {}", progress(one), words::and_more(others.len())),
    }
}

/// "Encoding video: 12 of 60 (20 %)".
pub fn progress(work: &Work) -> String {
    let name = words::work(&work.kind);
    match work.rows {
        0 => name.to_owned(),
        rows => {
            let done = work.rows_done.min(rows);
            format!("{name}: {done} of {rows} ({} %)", u64::from(done) * 100 / u64::from(rows))
        }
    }
}

fn clock_time<Tz: TimeZone>(time: DateTime<Utc>, zone: &Tz) -> String
where
    Tz::Offset: std::fmt::Display,
{
    time.with_timezone(zone).format("%H:%M").to_string()
}

/// After "Offpeak: " a sentence goes on.
fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{desk, now};

    fn face(desk: &Desk) -> Face {
        Face::of(desk, &Utc)
    }

    #[test]
    fn states_in_words() {
        for (state, reason, picture, sentence) in [
            (AgentState::UserActive, "someone is using this computer", Group::InUse, "Waiting: someone is using this computer"),
            (AgentState::Waiting, "the farm has no work", Group::Waiting, "Waiting: the farm has no work"),
            (AgentState::Encoding, "nobody is here", Group::Working, "Encoding: nobody is here"),
            (AgentState::Paused, "paused until you resume", Group::Paused, "Paused"),
            (AgentState::Leasing, "sending the last pieces", Group::Working, "Finishing: sending the last pieces"),
            (AgentState::Broken, "the disk is full", Group::Attention, "Needs attention: the disk is full"),
        ] {
            let face = face(&desk(now(state, reason)));
            assert_eq!((face.picture, face.sentence()), (picture, sentence.to_owned()), "{state:?}");
        }
    }

    #[test]
    fn a_snooze_says_when_it_ends() {
        let mut now = now(AgentState::Snoozed, "you asked for it");
        now.until = Some(now.since + chrono::TimeDelta::hours(1));
        assert_eq!(face(&desk(now)).sentence(), "Snoozed until 10:00");
    }

    #[test]
    fn a_machine_without_a_farm_is_told_to_join() {
        let mut now = now(AgentState::NoServer, "there is no server");
        now.farm = None;
        let face = face(&desk(now));
        assert_eq!(face.sentence(), "Not part of a farm yet");
        assert_eq!(wishes(&face), [Wish::Join, Wish::Open, Wish::About, Wish::Quit]);
    }

    #[test]
    fn a_pause_can_be_ended_without_a_farm() {
        for (state, end) in [(AgentState::Paused, Wish::Resume), (AgentState::Snoozed, Wish::EndSnooze)] {
            let mut now = now(state, "x");
            now.farm = None;
            assert_eq!(wishes(&face(&desk(now))), [Wish::Join, end, Wish::Open, Wish::About, Wish::Quit]);
        }
    }

    #[test]
    fn an_update_is_offered_and_no_trouble() {
        let mut desk = desk(now(AgentState::Waiting, "x"));
        desk.newer = Some("0.2.0".to_owned());
        let offer = Entry::Item { wish: Wish::Update, text: "Update to 0.2.0…".to_owned() };
        assert!(face(&desk).menu.contains(&offer));
        (desk.newer, desk.updating, desk.engine) = (None, true, Engine::Ended);
        let face = face(&desk);
        assert_eq!((face.picture, face.sentence()), (Group::Waiting, "Updating".to_owned()));
        assert!(!face.menu.contains(&offer));
    }

    #[test]
    fn an_engine_that_is_down_leaves_a_menu_that_works() {
        let mut desk = desk(now(AgentState::Encoding, ""));
        desk.engine = Engine::Down { seconds: 90, why: "it ended with exit status: 3".to_owned(), again: true };
        let face = face(&desk);
        assert_eq!(face.sentence(), "The engine has stopped: it ended with exit status: 3; it is started again in 2 min");
        assert_eq!(face.picture, Group::Attention);
        assert_eq!(wishes(&face), [Wish::Open, Wish::About, Wish::Quit]);
        assert!(!face.menu.iter().any(|entry| matches!(entry, Entry::Line(text) if text.contains("video"))), "stale work");
    }

    #[test]
    fn menus_by_state() {
        let snoozes = SNOOZE_HOURS.map(|hours| Wish::Snooze { hours });
        let rest = [Wish::Open, Wish::About, Wish::Quit];
        for (state, first) in [
            (AgentState::Encoding, [snoozes.as_slice(), &[Wish::Pause]].concat()),
            (AgentState::UserActive, [snoozes.as_slice(), &[Wish::Pause]].concat()),
            (AgentState::Snoozed, vec![Wish::EndSnooze, Wish::Pause]),
            (AgentState::Paused, vec![Wish::Resume]),
        ] {
            assert_eq!(wishes(&face(&desk(now(state, "x")))), [first.as_slice(), &rest].concat(), "{state:?}");
        }
    }

    #[test]
    fn work_is_shown_with_its_progress() {
        for (kind, done, rows, expected) in [
            ("encode", 12, 60, "Encoding video: 12 of 60 (20 %)"),
            ("encode", 70, 60, "Encoding video: 60 of 60 (100 %)"),
            ("probe", 0, 0, "Looking at a video"),
            ("polish", 1, 3, "polish: 1 of 3 (33 %)"),
        ] {
            let mut now = now(AgentState::Encoding, "");
            now.work[0] = Work { kind: kind.to_owned(), rows_done: done, rows, ..now.work[0].clone() };
            assert_eq!(face(&desk(now)).menu[1], Entry::Line(expected.to_owned()));
        }
    }

    #[test]
    fn a_menu_keeps_its_lines_while_work_comes_and_goes() {
        let with = |pieces: usize| {
            let mut now = now(AgentState::Encoding, "");
            let piece = Work { rows_done: 1, rows: 4, ..now.work[0].clone() };
            now.work = vec![piece; pieces];
            face(&desk(now)).menu
        };
        for (pieces, expected) in
            [(0, "No work at the moment"), (1, "Encoding video: 1 of 4 (25 %)"), (3, "Encoding video: 1 of 4 (25 %), and 2 more")]
        {
            let menu = with(pieces);
            assert_eq!((menu.len(), &menu[1]), (with(1).len(), &Entry::Line(expected.to_owned())));
        }
    }

    #[test]
    fn tooltips_fit() {
        let face = face(&desk(now(AgentState::Broken, &"ä".repeat(300))));
        assert_eq!(face.tooltip().chars().count(), LONGEST_TOOLTIP);
        assert!(face.tooltip().starts_with("Offpeak: needs attention: ää"));
    }

    fn wishes(face: &Face) -> Vec<Wish> {
        let of = |entry: &Entry| match entry {
            Entry::Line(_) | Entry::Separator => Vec::new(),
            Entry::Item { wish, .. } => vec![*wish],
            Entry::Below { items, .. } => items.iter().map(|(wish, _)| *wish).collect(),
        };
        face.menu.iter().flat_map(of).collect()
    }
}
