//! What the person at the desk wants, kept between runs.

use std::{io, path::PathBuf, sync::Arc};

use tokio::sync::watch;

use crate::{
    kept,
    policy::{Person, Snooze},
};

const FILE: &str = "person.json";

/// Clones share it.
#[derive(Debug, Clone)]
pub struct Wishes {
    folder: PathBuf,
    person: Arc<watch::Sender<Person>>,
}

impl Wishes {
    /// As they were kept in the state folder.
    pub fn load(folder: PathBuf) -> Self {
        let person = kept::read(&folder, FILE);
        Self { folder, person: Arc::new(watch::Sender::new(person)) }
    }

    pub fn person(&self) -> Person {
        self.person.borrow().clone()
    }

    pub fn subscribe(&self) -> watch::Receiver<Person> {
        self.person.subscribe()
    }

    /// Zero ends a snooze.
    pub fn snooze(&self, seconds: u64) -> io::Result<()> {
        let snooze = (seconds > 0).then(|| Snooze::new(seconds, chrono::Utc::now()));
        self.change(|person| person.snooze = snooze)
    }

    pub fn pause(&self) -> io::Result<()> {
        self.change(|person| person.paused = true)
    }

    pub fn resume(&self) -> io::Result<()> {
        self.change(|person| (person.paused, person.snooze) = (false, None))
    }

    pub fn set_limits(&self, limits: offpeak_link::Limits) -> io::Result<()> {
        self.change(|person| person.limits = limits)
    }

    /// Holds at once, even where it cannot be kept: the error says that it will not outlive the engine.
    fn change(&self, with: impl FnOnce(&mut Person)) -> io::Result<()> {
        self.person.send_modify(with);
        kept::write(&self.folder, FILE, &*self.person.borrow())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn wishes_outlive_the_engine() {
        let folder = tempfile::tempdir().unwrap();
        let load = || Wishes::load(folder.path().to_owned());
        let wishes = load();
        assert_eq!(wishes.person(), Person::default());
        wishes.pause().unwrap();
        wishes.snooze(3600).unwrap();
        let limits = offpeak_link::Limits { max_cores: Some(2), ..Default::default() };
        wishes.set_limits(limits.clone()).unwrap();
        let kept = load().person();
        assert!(kept.paused && kept.snooze.is_some_and(|snooze| snooze.ends(chrono::Utc::now()).is_some()));
        assert_eq!(kept.limits, limits);
        load().resume().unwrap();
        assert_eq!(load().person(), Person { limits, ..Person::default() });
    }

    #[test]
    fn a_wish_that_cannot_be_kept_holds_all_the_same() {
        let wishes = Wishes::load(PathBuf::from("/nowhere/at/all"));
        wishes.pause().unwrap_err();
        assert!(wishes.person().paused);
    }
}
