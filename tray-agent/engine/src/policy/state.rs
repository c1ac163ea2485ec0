//! The one state that is true: the engine's own part and the desk's, by precedence.

use chrono::{DateTime, Utc};
use offpeak_api::agent::AgentState;

use super::Verdict;
use crate::desk::Allowed;

/// Something without which nothing can be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable name: `ffmpeg_missing`, `ffmpeg_altered`, `cannot_encode`, `disk_full`, `sandbox_failed`, `code_refused`,
    /// `desk_unwatched`.
    pub code: &'static str,
    /// What is wrong and what to do, in words for a person.
    pub why: String,
    /// Nothing may be held while it lasts. Where this is false the lease loop itself tries again.
    pub stops: bool,
}

/// What the state follows from besides the desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engine {
    pub broken: Option<Fault>,
    /// Whoever watched the desk has crashed: nobody knows who is there.
    pub unwatched: bool,
    /// ffmpeg is not walled off in full, and the policy wants that: what is missing.
    pub unboxed: Option<String>,
    /// The machine is not in any farm.
    pub unjoined: bool,
    /// The programs are being tried; nothing is asked for yet.
    pub preparing: bool,
    pub revoked: bool,
    /// The server set this agent aside, or drains it: why, in its words.
    pub set_aside: Option<String>,
    pub draining: Option<String>,
    /// The programs are about to be replaced.
    pub updating: bool,
    /// Work is not allowed by the desk: why. What the desk says itself comes before this.
    pub suspended: Option<String>,
    /// The last call got no answer.
    pub unreachable: bool,
    /// Leases held now, and those of them whose step is done.
    pub leases: u32,
    pub handing_over: u32,
}

impl Engine {
    /// Stable name of what is broken.
    pub fn broken_code(&self) -> Option<&'static str> {
        match (&self.broken, self.unwatched, &self.unboxed) {
            (Some(fault), _, _) => Some(fault.code),
            (None, true, _) => Some("desk_unwatched"),
            (None, false, Some(_)) => Some("sandbox_failed"),
            (None, false, None) => None,
        }
    }
}

/// A state that applies, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub state: AgentState,
    pub reason: String,
    pub rule: String,
    pub until: Option<DateTime<Utc>>,
}

impl Finding {
    pub fn new(state: AgentState, reason: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { state, reason: reason.into(), rule: rule.into(), until: None }
    }
}

/// The first state, by precedence, that applies.
pub fn state(engine: &Engine, desk: Option<&Verdict>) -> (AgentState, Finding) {
    let of_desk = desk.and_then(|verdict| verdict.finding.clone());
    // Of the same state the desk has the better words.
    let first = of_desk.into_iter().chain(of_engine(engine)).min_by_key(|finding| finding.state);
    let finding = first.unwrap_or_else(|| working(engine));
    (finding.state, finding)
}

fn of_engine(engine: &Engine) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut add = |state, reason: &str, rule: &str| all.push(Finding::new(state, reason, rule));
    let unwatched =
        engine.unwatched.then_some("what watches the desk has crashed, so that nobody knows who is there; start again");
    let fault = engine.broken.as_ref().map(|fault| fault.why.as_str());
    if let Some(why) = fault.or(unwatched).or(engine.unboxed.as_deref()) {
        add(AgentState::Broken, why, "work needs an engine that is whole, and ffmpeg walled off as the policy wants it");
    }
    if engine.revoked {
        let why = "the server does not accept this computer any more; join again with a new code";
        add(AgentState::Revoked, why, "the server refused the agent's token");
    }
    if let Some(why) = &engine.set_aside {
        add(AgentState::SetAside, why, "the server set this agent aside");
    }
    if engine.updating {
        add(AgentState::Updating, "an update is being installed", "nothing is held while the programs are replaced");
    }
    if let Some(why) = &engine.draining {
        add(AgentState::Draining, why, "the server gives this agent nothing more");
    }
    if engine.unreachable {
        let why = match engine.leases {
            0 => "the server does not answer; asking again".to_owned(),
            n => format!("the server does not answer; finished segments of {} are kept", leases(n)),
        };
        add(AgentState::NoServer, &why, "the last call to the server got no answer");
    }
    if let Some(why) = &engine.suspended {
        add(AgentState::Suspended, why, "the desk does not allow work now");
    }
    all
}

/// Nothing keeps the engine from work.
fn working(engine: &Engine) -> Finding {
    if engine.unjoined {
        let why = "this computer has not joined a farm yet";
        return Finding::new(AgentState::Waiting, why, "there is no server to ask");
    }
    if engine.preparing {
        let why = "getting ready: the encoders are being tried";
        return Finding::new(AgentState::Waiting, why, "work is asked for when the programs have proved themselves");
    }
    match (engine.leases, engine.handing_over) {
        (0, _) => Finding::new(AgentState::Waiting, "there is nothing to do", "the server has no work for this machine"),
        (n, done) if done >= n => Finding::new(
            AgentState::Leasing,
            "sending the last pieces",
            format!("the last rows of {} are on their way", leases(n)),
        ),
        (n, _) => Finding::new(
            AgentState::Encoding,
            "nobody is using this computer",
            format!("nothing keeps this machine from work; it holds {}", leases(n)),
        ),
    }
}

fn leases(n: u32) -> String {
    if n == 1 { "one lease".to_owned() } else { format!("{n} leases") }
}

/// Of a verdict that says nothing against work.
impl Default for Verdict {
    fn default() -> Self {
        Self { finding: None, allowed: Allowed::Work, needed: false }
    }
}
