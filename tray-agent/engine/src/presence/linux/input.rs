//! When somebody last touched this machine: at its display, in other sessions, at terminals.

use std::{fs, path::Path, sync::Arc, time::Duration};

use super::{bus::Failed, logind::Session, mutter::Mutter, wayland::Wayland, x11::X11};
use crate::presence::{Clock, Known, LastInput, NewsSender};

/// The display of the session that the engine runs in.
#[derive(Debug)]
pub enum Display {
    /// The engine runs in no graphical session.
    None,
    /// It does, but the display cannot be asked: why.
    Mute(String),
    X11(Arc<X11>),
    Wayland(Wayland),
    Mutter(Mutter),
}

/// What a display told.
#[derive(Debug)]
pub struct Looked {
    /// `None` without a display.
    pub input: Option<Known<LastInput>>,
    pub full_screen: Known<bool>,
}

impl Looked {
    fn mute(why: &str) -> Self {
        Self { input: Some(Known::unknown(why)), full_screen: Known::unknown(why) }
    }
}

impl Display {
    /// Wayland comes before X11: under XWayland, X11 sees only what its own windows get, and takes a working person for an idle
    /// one.
    pub async fn open(news: &NewsSender) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if is_set("WAYLAND_DISPLAY") || std::env::var("XDG_SESSION_TYPE").is_ok_and(|kind| kind == "wayland") {
            let wayland = match Wayland::open(news.clone()).await {
                Ok(wayland) => return Self::Wayland(wayland),
                Err(why) => why,
            };
            return match Mutter::open(news.clone()).await {
                Ok(mutter) => Self::Mutter(mutter),
                Err(why) => Self::Mute(format!("Wayland: {wayland}; Mutter: {why}")),
            };
        }
        if !is_set("DISPLAY") {
            return Self::None;
        }
        let news = news.clone();
        let opened = tokio::task::spawn_blocking(move || X11::open(news)).await;
        match opened.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(x11) => Self::X11(Arc::new(x11)),
            Err(why) => Self::Mute(format!("X11: {why}")),
        }
    }

    pub fn is_open(&self) -> bool {
        match self {
            // A session may begin later, but not this process's environment.
            Self::None => false,
            Self::Mute(_) => false,
            Self::X11(_) | Self::Wayland(_) | Self::Mutter(_) => true,
        }
    }

    /// Whether the first input is told of at once.
    pub fn tells_by_itself(&self) -> bool {
        match self {
            Self::None | Self::Mute(_) | Self::Wayland(_) | Self::Mutter(_) => true,
            Self::X11(x11) => x11.tells_by_itself(),
        }
    }

    /// What it tells now. A display that stops answering is gone.
    pub async fn look(&mut self, clock: &Clock) -> Looked {
        let on_wayland = || Known::unknown("Wayland does not tell");
        let (idle, how, full_screen) = match self {
            Self::None => return Looked { input: None, full_screen: Known::new(false, "no display here") },
            Self::Mute(why) => return Looked::mute(why),
            Self::X11(x11) => match x11.clone().look().await {
                Ok((idle, full_screen)) => (Ok(idle), x11.how(), full_screen),
                Err(why) => (Err(why), x11.how(), Known::default()),
            },
            Self::Wayland(wayland) => (wayland.idle(), "ext-idle-notify-v1 of the Wayland compositor".to_owned(), on_wayland()),
            Self::Mutter(mutter) => (mutter.idle().await, "org.gnome.Mutter.IdleMonitor".to_owned(), on_wayland()),
        };
        match idle {
            Ok(idle) => Looked { input: Some(Known::new(LastInput::At(clock.ago(idle)), how)), full_screen },
            Err(why) => {
                let why = format!("{how}: {why}");
                let looked = Looked::mute(&why);
                *self = Self::Mute(why);
                looked
            }
        }
    }
}

/// When a terminal was last typed at: on the console, over SSH, in a terminal's window.
pub fn terminals(dev: &Path, clock: &Clock) -> Option<(Duration, String)> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
    let numbered =
        |name: &str| name.strip_prefix("tty").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    let consoles = entries(dev).into_iter().filter(|entry| numbered(&entry.file_name().to_string_lossy()));
    let windows = entries(&dev.join("pts")).into_iter().filter(|entry| entry.file_name() != "ptmx");
    let read = consoles.chain(windows).filter_map(|entry| Some((entry.metadata().ok()?.accessed().ok()?, entry.path())));
    let (at, terminal) = read.max()?;
    // The kernel notes a time every 8 s only, so that nobody's keys can be counted.
    Some((clock.ago(super::ago(at)), format!("{} was last typed at (known to 8 s)", terminal.display())))
}

/// The latest of all; unknown when a place where somebody may sit cannot be asked.
pub fn combine(
    display: Option<Known<LastInput>>,
    sessions: &Result<Vec<Session>, Failed>,
    terminals: Option<(Duration, String)>,
    unseen_display: Option<String>,
    clock: &Clock,
) -> Known<LastInput> {
    let mut known: Vec<(Duration, String)> = terminals.into_iter().collect();
    let has_display = display.is_some();
    if let Some(display) = display {
        match display.value {
            Some(LastInput::At(at)) => known.push((at, display.how)),
            Some(LastInput::Nobody) => {}
            None => return Known::unknown(display.how),
        }
    }
    match sessions {
        Ok(sessions) => {
            for session in sessions.iter().filter(|session| session.is_at_a_screen() && !(has_display && session.is_own)) {
                let how = format!("logind on session {} of {}", session.id, session.user);
                known.push((session.idle_for.map_or_else(|| clock.at(), |idle| clock.ago(idle)), how));
            }
        }
        // A machine without logind has no sessions that could be asked for.
        Err(Failed::Absent(_)) => {}
        Err(why @ (Failed::Refused { .. } | Failed::NoAnswer(_))) => {
            return Known::unknown(format!("logind does not say who is logged in: {why}"));
        }
    }
    // In a session of its own the engine is there for that desk; other displays there are its person's.
    if let Some(display) = unseen_display.filter(|_| !has_display) {
        return Known::unknown(format!(
            "a display runs here ({display}) that this engine cannot ask: run it in that session, or with DISPLAY or \
             WAYLAND_DISPLAY set"
        ));
    }
    match known.into_iter().max() {
        Some((at, how)) => Known::new(LastInput::At(at), how),
        None => Known::new(LastInput::Nobody, "no display, no graphical session and no terminal"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::time::SystemTime;

    use super::*;
    use crate::presence::linux::logind::Kind;

    fn absent() -> Result<Vec<Session>, Failed> {
        Err(Failed::Absent("no bus".to_owned()))
    }

    fn session(idle_for: Option<u64>, is_own: bool) -> Session {
        Session {
            id: "c2".to_owned(),
            user: "anna".to_owned(),
            uid: 1000,
            kind: Kind::X11,
            display: None,
            is_greeter: false,
            is_own,
            locked: None,
            idle_for: idle_for.map(Duration::from_secs),
        }
    }

    #[test]
    fn the_latest_input_anywhere_counts() {
        let clock = Clock::start();
        let ago = |seconds: u64| clock.ago(Duration::from_secs(seconds));
        let display = |seconds| Some(Known::new(LastInput::At(ago(seconds)), "display"));
        let terminal = |seconds| Some((ago(seconds), "terminal".to_owned()));
        let idle = |known: Known<LastInput>| match known.value.unwrap() {
            LastInput::At(at) => Some((clock.at().saturating_sub(at).as_secs_f64().round() as u64, known.how)),
            LastInput::Nobody => None,
        };
        let how = |known| idle(known).unwrap().1;
        assert_eq!(how(combine(display(100), &absent(), terminal(500), None, &clock)), "display");
        assert_eq!(how(combine(display(500), &absent(), terminal(100), None, &clock)), "terminal");
        // The own session's display knows better than logind; another one's is as logind says.
        let own = Ok(vec![session(None, true)]);
        assert_eq!(idle(combine(display(500), &own, None, None, &clock)).unwrap().0, 500);
        let other = Ok(vec![session(None, false)]);
        assert_eq!(idle(combine(display(500), &other, None, None, &clock)).unwrap().0, 0);
        let idle_other = Ok(vec![session(Some(900), false)]);
        assert_eq!(idle(combine(None, &idle_other, None, None, &clock)).unwrap().0, 900);
        // A service beside its user's session has no display: logind's word holds.
        assert_eq!(idle(combine(None, &own, None, None, &clock)).unwrap().0, 0);
    }

    #[test]
    fn nobody_and_unknown_are_not_the_same() {
        let clock = Clock::start();
        let socket = || Some("/tmp/.X11-unix/X0".to_owned());
        let all_known: [Result<Vec<Session>, Failed>; 2] = [Ok(Vec::new()), absent()];
        for sessions in all_known {
            let nobody = combine(None, &sessions, None, None, &clock);
            assert_eq!(nobody.value, Some(LastInput::Nobody), "{sessions:?}");
            // startx and Xvnc: logind answers, and does not know of that display.
            let blind = combine(None, &sessions, None, socket(), &clock);
            assert_eq!(blind.value, None, "{sessions:?}");
            assert!(blind.how.contains("DISPLAY"), "{}", blind.how);
        }
        let greeter = Session { is_greeter: true, ..session(None, false) };
        assert_eq!(combine(None, &Ok(vec![greeter]), None, None, &clock).value, Some(LastInput::Nobody));
        let display = || Some(Known::new(LastInput::At(clock.ago(Duration::from_secs(70))), "display"));
        assert!(combine(display(), &absent(), None, socket(), &clock).value.is_some());
        let mute = combine(Some(Known::unknown("refused")), &Ok(Vec::new()), Some((clock.at(), String::new())), None, &clock);
        assert_eq!((mute.value, mute.how.as_str()), (None, "refused"));
    }

    #[test]
    fn a_logind_that_does_not_answer_leaves_everything_open() {
        let clock = Clock::start();
        let long_ago = || clock.ago(Duration::from_secs(5000));
        let refused = Failed::Refused { name: "org.freedesktop.DBus.Error.LimitsExceeded".to_owned(), why: "full".to_owned() };
        for failed in [Failed::NoAnswer("it does not answer".to_owned()), refused] {
            let sessions = Err(failed);
            let display = Some(Known::new(LastInput::At(long_ago()), "display"));
            for display in [None, display] {
                let terminal = Some((long_ago(), "terminal".to_owned()));
                let known = combine(display, &sessions, terminal, None, &clock);
                assert_eq!(known.value, None, "{sessions:?}");
                assert!(known.how.contains("logind"), "{}", known.how);
            }
        }
    }

    #[test]
    fn terminals_are_read() {
        let (dev, clock) = (tempfile::tempdir().unwrap(), Clock::start());
        assert_eq!(terminals(dev.path(), &clock), None);
        fs::create_dir(dev.path().join("pts")).unwrap();
        let touched = |name: &str, ago: u64| {
            let file = fs::File::create(dev.path().join(name)).unwrap();
            #[expect(clippy::disallowed_methods, reason = "the file's time is on this clock")]
            let at = SystemTime::now() - Duration::from_secs(ago);
            file.set_times(fs::FileTimes::new().set_accessed(at)).unwrap();
        };
        touched("tty", 0);
        touched("ttyS0", 0);
        touched("pts/ptmx", 0);
        assert_eq!(terminals(dev.path(), &clock), None);
        touched("tty1", 5000);
        touched("pts/3", 70);
        let (at, how) = terminals(dev.path(), &clock).unwrap();
        assert_eq!(clock.at().saturating_sub(at).as_secs(), 70);
        assert!(how.contains("pts/3"), "{how}");
    }
}
