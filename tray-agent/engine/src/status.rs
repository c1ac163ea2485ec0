//! Which state the engine is in, and why, in words for the person at the desk. Exactly one state is true at a time.

use std::sync::Arc;

use offpeak_api::agent::AgentState;
use tokio::sync::watch;
use tracing::{info, warn};

/// The states that a headless engine can be in, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Broken,
    Revoked,
    SetAside,
    Draining,
    NoServer,
    Suspended,
    Encoding,
    Waiting,
}

impl State {
    /// As in the API.
    pub fn wire(self) -> AgentState {
        match self {
            Self::Broken => AgentState::Broken,
            Self::Revoked => AgentState::Revoked,
            Self::SetAside => AgentState::SetAside,
            Self::Draining => AgentState::Draining,
            Self::NoServer => AgentState::NoServer,
            Self::Suspended => AgentState::Suspended,
            Self::Encoding => AgentState::Encoding,
            Self::Waiting => AgentState::Waiting,
        }
    }

    /// As in logs and in the API.
    pub fn as_str(self) -> &'static str {
        self.wire().as_str()
    }
}

/// What the state follows from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    /// Something without which nothing can be encoded, in words for a person.
    pub broken: Option<String>,
    /// ffmpeg is not walled off in full, and the policy wants that: what is missing.
    pub unboxed: Option<String>,
    pub revoked: bool,
    /// The server set this agent aside, or drains it: why, in its words.
    pub set_aside: Option<String>,
    pub draining: Option<String>,
    /// Work is not allowed by the desk: why.
    pub suspended: Option<String>,
    /// The last call got no answer.
    pub unreachable: bool,
    /// Leases held now.
    pub leases: u32,
}

impl Readings {
    /// Stable name of what is broken.
    pub fn broken_code(&self) -> Option<&'static str> {
        match (&self.broken, &self.unboxed) {
            (Some(_), _) => Some("cannot_encode"),
            (None, Some(_)) => Some("sandbox_failed"),
            (None, None) => None,
        }
    }
}

/// The one state that is true, and why.
pub fn state(readings: &Readings) -> (State, String) {
    let held = |n: u32| if n == 1 { "one lease".to_owned() } else { format!("{n} leases") };
    if let Some(why) = readings.broken.as_ref().or(readings.unboxed.as_ref()) {
        return (State::Broken, why.clone());
    }
    if readings.revoked {
        return (State::Revoked, "the server does not accept this agent's token".to_owned());
    }
    if let Some(why) = &readings.set_aside {
        return (State::SetAside, why.clone());
    }
    if let Some(why) = &readings.draining {
        return (State::Draining, why.clone());
    }
    if let (Some(why), false) = (&readings.suspended, readings.unreachable) {
        return (State::Suspended, why.clone());
    }
    match (readings.unreachable, readings.leases) {
        (true, 0) => (State::NoServer, "the server does not answer; asking again".to_owned()),
        (true, n) => (State::NoServer, format!("the server does not answer; finished segments of {} are kept", held(n))),
        (false, 0) => (State::Waiting, "there is nothing to do".to_owned()),
        (false, n) => (State::Encoding, format!("working on {}", held(n))),
    }
}

/// The readings of a running engine. Clones share them; a change of state is logged once.
#[derive(Debug, Clone)]
pub struct Status(Arc<watch::Sender<Readings>>);

impl Default for Status {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Readings::default())))
    }
}

impl Status {
    pub fn readings(&self) -> Readings {
        self.0.borrow().clone()
    }

    /// The last call did (or did not) get an answer.
    pub fn reached(&self, reached: bool) {
        self.change(|readings| readings.unreachable = !reached);
    }

    /// Waits until the state or its reason is another one than `before`.
    pub async fn changed(&self, before: &(State, String)) -> (State, String) {
        let mut readings = self.0.subscribe();
        let found = readings.wait_for(|readings| state(readings) != *before).await.map(|readings| state(&readings));
        match found {
            Ok(now) => now,
            // The sender lives as long as `self`.
            Err(_closed) => std::future::pending().await,
        }
    }

    /// Waits until the policy does not forbid work for want of walls.
    pub async fn until_boxed(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|readings| readings.unboxed.is_none()).await;
    }

    /// Ends when a server that does not answer now answers again; never, if it answers now.
    pub async fn back(&self) {
        let mut readings = self.0.subscribe();
        if readings.borrow().unreachable {
            // The sender lives as long as `self`.
            let _ = readings.wait_for(|readings| !readings.unreachable).await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    pub fn revoked(&self, revoked: bool) {
        self.change(|readings| readings.revoked = revoked);
    }

    pub fn set_aside(&self, why: Option<String>) {
        self.change(|readings| readings.set_aside = why);
    }

    pub fn draining(&self, why: Option<String>) {
        self.change(|readings| readings.draining = why);
    }

    pub fn suspended(&self, why: Option<String>) {
        self.change(|readings| readings.suspended = why);
    }

    pub fn broken(&self, why: Option<String>) {
        self.change(|readings| readings.broken = why);
    }

    pub fn unboxed(&self, why: Option<String>) {
        self.change(|readings| readings.unboxed = why);
    }

    /// Counts a lease as held until the answer is dropped.
    pub fn hold(&self) -> Held {
        self.change(|readings| readings.leases += 1);
        Held(self.clone())
    }

    fn change(&self, with: impl FnOnce(&mut Readings)) {
        self.0.send_if_modified(|readings| {
            let before = readings.clone();
            with(readings);
            let (was, _) = state(&before);
            let (is, why) = state(readings);
            if was != is {
                match is {
                    State::Broken | State::Revoked | State::SetAside | State::NoServer => warn!(state = is.as_str(), "{why}"),
                    State::Draining | State::Suspended | State::Encoding | State::Waiting => info!(state = is.as_str(), "{why}"),
                }
            }
            *readings != before
        });
    }
}

/// A held lease, as far as the status is concerned.
#[derive(Debug)]
pub struct Held(Status);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.change(|readings| readings.leases = readings.leases.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_state_is_true() {
        let readings = |broken: bool, revoked, unreachable, leases| Readings {
            broken: broken.then(|| "ffmpeg is missing".to_owned()),
            revoked,
            unreachable,
            leases,
            ..Readings::default()
        };
        let cases = [
            (readings(true, true, true, 1), State::Broken),
            (readings(false, true, true, 1), State::Revoked),
            (readings(false, false, true, 1), State::NoServer),
            (readings(false, false, true, 0), State::NoServer),
            (readings(false, false, false, 2), State::Encoding),
            (readings(false, false, false, 0), State::Waiting),
        ];
        for (readings, expected) in cases {
            assert_eq!(state(&readings).0, expected, "{readings:?}");
        }
        let why = || Some("because".to_owned());
        let unboxed = Readings { unboxed: why(), leases: 1, ..Readings::default() };
        assert_eq!(state(&unboxed), (State::Broken, "because".to_owned()));
        assert_eq!(unboxed.broken_code(), Some("sandbox_failed"));
        assert_eq!(Readings { broken: why(), ..unboxed }.broken_code(), Some("cannot_encode"));
        let all = Readings { set_aside: why(), draining: why(), suspended: why(), leases: 1, ..Readings::default() };
        assert_eq!(state(&all).0, State::SetAside);
        let all = Readings { set_aside: None, ..all };
        assert_eq!(state(&all).0, State::Draining);
        let all = Readings { draining: None, ..all };
        assert_eq!(state(&all), (State::Suspended, "because".to_owned()));
        assert_eq!(state(&Readings { unreachable: true, ..all }).0, State::NoServer);
    }

    #[test]
    fn a_lease_counts_until_it_is_dropped() {
        let status = Status::default();
        let held = status.hold();
        assert_eq!(state(&status.readings()).0, State::Encoding);
        status.reached(false);
        assert_eq!(state(&status.readings()).0, State::NoServer);
        status.reached(true);
        drop(held);
        assert_eq!(state(&status.readings()).0, State::Waiting);
    }
}
