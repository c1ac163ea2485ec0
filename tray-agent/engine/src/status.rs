//! Which state the engine is in, and why, in words for the person at the desk. Exactly one state is true at a time.
//!
//! Here the parts come together: what the engine knows of itself, what the desk leaves to it, and the office's policy.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use offpeak_api::{agent::AgentState, policy::Policy};
use offpeak_link::Work;
use tokio::sync::watch;
use tracing::{info, warn};

pub use crate::policy::{Engine, Fault, Finding, Verdict, state};

/// All that is true now.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub engine: Engine,
    /// Of the desk; absent where nobody watches one.
    pub verdict: Option<Verdict>,
    /// As the server last sent it.
    pub policy: Policy,
    /// Leases, by the order in which they came.
    pub work: BTreeMap<u64, Work>,
    /// Since when the state is what it is.
    pub since: DateTime<Utc>,
}

impl Standing {
    pub fn state(&self) -> (AgentState, Finding) {
        state(&self.engine, self.verdict.as_ref())
    }

    /// Whether nobody has to hear of the difference: the rule is read by those who ask why.
    fn is_told_as(&self, before: &Self) -> bool {
        let Self { engine, verdict, policy, work, since } = self;
        (engine, policy, work, since) == (&before.engine, &before.policy, &before.work, &before.since)
            && match (verdict, &before.verdict) {
                (Some(now), Some(before)) => now.allowed == before.allowed && is_told_as(&now.finding, &before.finding),
                (now, before) => now == before,
            }
    }
}

fn is_told_as(now: &Option<Finding>, before: &Option<Finding>) -> bool {
    let told = |finding: &Option<Finding>| finding.clone().map(|finding| Finding { rule: String::new(), ..finding });
    told(now) == told(before)
}

/// A moment that follows from a clock is another one with each look; less than a second is no other one.
fn steady(now: &mut Finding, before: &Finding) {
    if let (Some(moment), Some(told)) = (now.until, before.until)
        && (moment - told).abs() < TimeDelta::seconds(1)
    {
        now.until = before.until;
    }
}

/// The standing of a running engine. Clones share it; a change of state is logged once.
#[derive(Debug, Clone)]
pub struct Status(Arc<watch::Sender<Standing>>);

impl Default for Status {
    fn default() -> Self {
        let standing = Standing {
            engine: Engine::default(),
            verdict: None,
            policy: Policy::default(),
            work: BTreeMap::new(),
            since: Utc::now(),
        };
        Self(Arc::new(watch::Sender::new(standing)))
    }
}

impl Status {
    pub fn standing(&self) -> Standing {
        self.0.borrow().clone()
    }

    pub fn subscribe(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }

    /// Waits until `is_so`.
    pub async fn until(&self, is_so: impl Fn(&Standing) -> bool) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|standing| is_so(standing)).await;
    }

    /// The last call did (or did not) get an answer.
    pub fn reached(&self, reached: bool) {
        self.engine(|engine| engine.unreachable = !reached);
    }

    /// Waits until the state or its reason is another one than `before`.
    pub async fn changed(&self, before: &(AgentState, String)) {
        let is_other = |standing: &Standing| {
            let (state, finding) = standing.state();
            state != before.0 || finding.reason != before.1
        };
        self.until(is_other).await;
    }

    /// Waits until the policy does not forbid work for want of walls.
    pub async fn until_boxed(&self) {
        self.until(|standing| standing.engine.unboxed.is_none()).await;
    }

    /// Ends when a server that does not answer now answers again; never, if it answers now.
    pub async fn back(&self) {
        if self.0.borrow().engine.unreachable {
            self.until(|standing| !standing.engine.unreachable).await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    pub fn revoked(&self, revoked: bool) {
        self.engine(|engine| engine.revoked = revoked);
    }

    pub fn unjoined(&self, unjoined: bool) {
        self.engine(|engine| engine.unjoined = unjoined);
    }

    pub fn preparing(&self, preparing: bool) {
        self.engine(|engine| engine.preparing = preparing);
    }

    pub fn set_aside(&self, why: Option<String>) {
        self.engine(|engine| engine.set_aside = why);
    }

    pub fn draining(&self, why: Option<String>) {
        self.engine(|engine| engine.draining = why);
    }

    pub fn updating(&self, updating: bool) {
        self.engine(|engine| engine.updating = updating);
    }

    pub fn suspended(&self, why: Option<String>) {
        self.engine(|engine| engine.suspended = why);
    }

    pub fn broken(&self, fault: Option<Fault>) {
        self.engine(|engine| engine.broken = fault);
    }

    pub fn unwatched(&self) {
        self.engine(|engine| engine.unwatched = true);
    }

    pub fn unboxed(&self, why: Option<String>) {
        self.engine(|engine| engine.unboxed = why);
    }

    pub fn policy(&self, policy: Policy) {
        self.change(|standing| standing.policy = policy);
    }

    pub fn verdict(&self, mut verdict: Verdict) {
        self.change(|standing| {
            let before = standing.verdict.as_ref().and_then(|before| before.finding.as_ref());
            if let (Some(now), Some(before)) = (&mut verdict.finding, before) {
                steady(now, before);
            }
            standing.verdict = Some(verdict);
        });
    }

    /// Counts a lease as held until the answer is dropped.
    pub fn hold(&self, work: Work) -> Held {
        let mut id = 0;
        self.change(|standing| {
            id = standing.work.last_key_value().map_or(0, |(last, _)| last + 1);
            standing.work.insert(id, work);
            standing.engine.leases += 1;
        });
        Held { status: self.clone(), id, is_handing_over: std::sync::atomic::AtomicBool::new(false) }
    }

    fn engine(&self, with: impl FnOnce(&mut Engine)) {
        self.change(|standing| with(&mut standing.engine));
    }

    fn change(&self, with: impl FnOnce(&mut Standing)) {
        self.0.send_if_modified(|standing| {
            let before = standing.clone();
            with(standing);
            let (was, _) = before.state();
            let (is, finding) = standing.state();
            if was != is {
                standing.since = Utc::now();
                tell(is, &finding.reason);
            }
            !standing.is_told_as(&before)
        });
    }
}

fn tell(state: AgentState, why: &str) {
    match state {
        AgentState::Broken | AgentState::Revoked | AgentState::SetAside | AgentState::NoServer => {
            warn!(state = state.as_str(), "{why}");
        }
        AgentState::Updating
        | AgentState::Paused
        | AgentState::Snoozed
        | AgentState::Draining
        | AgentState::OffSchedule
        | AgentState::Presenting
        | AgentState::UserActive
        | AgentState::OnBattery
        | AgentState::Metered
        | AgentState::BusyCpu
        | AgentState::BusyMemory
        | AgentState::Suspended
        | AgentState::Encoding
        | AgentState::Leasing
        | AgentState::Waiting
        | AgentState::Offline => info!(state = state.as_str(), "{why}"),
    }
}

/// A held lease, as far as the status is concerned.
#[derive(Debug)]
pub struct Held {
    status: Status,
    id: u64,
    is_handing_over: std::sync::atomic::AtomicBool,
}

impl Held {
    /// How far it is, in rows; the second number is all of them.
    pub fn rows(&self, done: u32, rows: u32) {
        self.status.change(|standing| {
            if let Some(work) = standing.work.get_mut(&self.id) {
                (work.rows_done, work.rows) = (done, rows);
            }
        });
    }

    /// Its step is done; the last rows are on their way.
    pub fn hand_over(&self) {
        if !self.is_handing_over.swap(true, std::sync::atomic::Ordering::Relaxed) {
            self.status.engine(|engine| engine.handing_over += 1);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let handed_over = *self.is_handing_over.get_mut();
        self.status.change(|standing| {
            standing.work.remove(&self.id);
            let engine = &mut standing.engine;
            engine.leases = engine.leases.saturating_sub(1);
            engine.handing_over = engine.handing_over.saturating_sub(u32::from(handed_over));
        });
    }
}

#[cfg(test)]
mod tests {
    use offpeak_api::ids::JobId;

    use super::*;

    fn work() -> Work {
        Work { job_id: JobId::new(), kind: "encode".to_owned(), rows_done: 0, rows: 5, since: Utc::now() }
    }

    #[test]
    fn a_lease_counts_until_it_is_dropped() {
        let status = Status::default();
        let (held, other) = (status.hold(work()), status.hold(work()));
        assert_eq!(status.standing().state().0, AgentState::Encoding);
        held.rows(2, 5);
        assert_eq!(status.standing().work[&0].rows_done, 2);
        held.hand_over();
        assert_eq!(status.standing().state().0, AgentState::Encoding);
        drop(other);
        assert_eq!(status.standing().state().0, AgentState::Leasing);
        status.reached(false);
        assert_eq!(status.standing().state().0, AgentState::NoServer);
        status.reached(true);
        drop(held);
        assert_eq!(status.standing().state().0, AgentState::Waiting);
        assert!(status.standing().work.is_empty());
    }

    #[test]
    fn what_nobody_has_to_hear_wakes_nobody() {
        let status = Status::default();
        let told = |rule: &str, millis: i64| {
            let mut finding = Finding::new(AgentState::UserActive, "someone is using this computer", rule);
            finding.until = DateTime::from_timestamp_millis(1_800_000_000_000 + millis);
            Verdict { finding: Some(finding), ..Verdict::default() }
        };
        status.verdict(told("the last input was 1 s ago", 0));
        let mut heard = status.subscribe();
        status.verdict(told("the last input was 16 s ago", 3));
        assert_eq!(heard.has_changed().ok(), Some(false));
        assert_eq!(status.standing().state().1.rule, "the last input was 16 s ago");
        // Step by step it becomes another one.
        status.verdict(told("the last input was 31 s ago", 900));
        assert_eq!(heard.has_changed().ok(), Some(false));
        status.verdict(told("the last input was 46 s ago", 1800));
        assert_eq!(heard.has_changed().ok(), Some(true));
        heard.mark_unchanged();
        status.verdict(told("the last input was 1 s ago", 15_000));
        assert_eq!(heard.has_changed().ok(), Some(true));
        heard.mark_unchanged();
        status.verdict(Verdict::default());
        assert_eq!(heard.has_changed().ok(), Some(true));
    }

    #[test]
    fn what_the_engine_knows_of_itself_has_its_order() {
        let why = || Some("because".to_owned());
        let fault = Fault { code: "cannot_encode", why: "no encoder works".to_owned(), stops: false };
        let mut all = Engine {
            broken: Some(fault),
            unboxed: why(),
            revoked: true,
            set_aside: why(),
            draining: why(),
            suspended: why(),
            unreachable: true,
            leases: 1,
            ..Engine::default()
        };
        assert_eq!((state(&all, None).0, all.broken_code()), (AgentState::Broken, Some("cannot_encode")));
        all.broken = None;
        assert_eq!((state(&all, None).0, all.broken_code()), (AgentState::Broken, Some("sandbox_failed")));
        all.unboxed = None;
        assert_eq!(state(&all, None).0, AgentState::Revoked);
        all.revoked = false;
        assert_eq!(state(&all, None).0, AgentState::SetAside);
        all.set_aside = None;
        assert_eq!(state(&all, None).0, AgentState::Draining);
        all.draining = None;
        assert_eq!(state(&all, None).0, AgentState::NoServer);
        all.unreachable = false;
        assert_eq!(state(&all, None).0, AgentState::Suspended);
        all.suspended = None;
        assert_eq!(state(&all, None).0, AgentState::Encoding);
    }
}
