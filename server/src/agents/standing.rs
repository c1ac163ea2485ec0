//! What people and the server make of an agent: who may change it to what, and what follows from it.

use std::time::Duration;

use axum::http::StatusCode;
use offpeak_api::{
    agent::{SetAsideBy, Standing},
    webhook::WebhookEvent,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::store;
use crate::{clock::Instant, entity::agent, error::ApiError, lease::rules::blame, webhooks::outbox};

/// A person may change their mind at any minute; an agent that asks more often gains nothing.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// [`Standing`], with who set an agent aside: that decides who can undo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStanding {
    Active,
    Draining,
    SetAside(SetAsideBy),
    Revoked,
}

/// What happens to a standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandingEvent {
    /// A person's words replace whatever was before,
    Drain,
    SetAside,
    Resume,
    /// but for this one.
    Revoke,
    TooManyFailures,
    /// What it sent was not what it said.
    Lie,
    /// Its test encodes succeeded.
    Prove,
    /// Others failed where it did: the fault was elsewhere.
    Forgive,
}

impl AgentStanding {
    /// The standing after `event`; nothing when the event does not apply: who was revoked stays it.
    pub fn after(self, event: StandingEvent) -> Option<Self> {
        match (self, event) {
            (_, StandingEvent::Revoke) => Some(Self::Revoked),
            (Self::Revoked, _) => None,
            (_, StandingEvent::Drain) => Some(Self::Draining),
            (_, StandingEvent::SetAside) => Some(Self::SetAside(SetAsideBy::Person)),
            (_, StandingEvent::Resume) => Some(Self::Active),
            (Self::Active, StandingEvent::TooManyFailures) => Some(Self::SetAside(SetAsideBy::Failures)),
            // Else proving itself would undo what a person wanted.
            (Self::Draining | Self::SetAside(_), StandingEvent::TooManyFailures) => Some(self),
            (Self::SetAside(SetAsideBy::Person), StandingEvent::Lie) => Some(self),
            (Self::Active | Self::Draining | Self::SetAside(_), StandingEvent::Lie) => Some(Self::SetAside(SetAsideBy::Distrust)),
            (Self::SetAside(SetAsideBy::Failures), StandingEvent::Prove) => Some(Self::Active),
            (Self::SetAside(SetAsideBy::Failures), StandingEvent::Forgive) => Some(Self::Active),
            // A proof is what the agent says of itself.
            (
                Self::Active | Self::Draining | Self::SetAside(SetAsideBy::Person | SetAsideBy::Distrust),
                StandingEvent::Prove | StandingEvent::Forgive,
            ) => Some(self),
        }
    }

    pub fn wire(self) -> Standing {
        match self {
            Self::Active => Standing::Active,
            Self::Draining => Standing::Draining,
            Self::SetAside(_) => Standing::SetAside,
            Self::Revoked => Standing::Revoked,
        }
    }

    pub fn set_aside_by(self) -> Option<SetAsideBy> {
        match self {
            Self::SetAside(by) => Some(by),
            Self::Active | Self::Draining | Self::Revoked => None,
        }
    }

    /// As the columns `standing` and `set_aside_by` have it.
    pub fn parse(standing: &str, by: Option<&str>) -> Result<Self, ApiError> {
        Ok(match Standing::parse(standing).ok_or_else(|| ApiError::internal(format!("{standing} is no standing")))? {
            Standing::Active => Self::Active,
            Standing::Draining => Self::Draining,
            Standing::SetAside if by == Some("failures") => Self::SetAside(SetAsideBy::Failures),
            Standing::SetAside if by == Some("distrust") => Self::SetAside(SetAsideBy::Distrust),
            Standing::SetAside => Self::SetAside(SetAsideBy::Person),
            Standing::Revoked => Self::Revoked,
        })
    }
}

/// The column `set_aside_by`.
pub fn by_as_str(by: SetAsideBy) -> &'static str {
    match by {
        SetAsideBy::Person => "person",
        SetAsideBy::Failures => "failures",
        SetAsideBy::Distrust => "distrust",
    }
}

/// A standing with what was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingNow {
    pub standing: AgentStanding,
    pub reason: Option<String>,
    /// From when on an agent that was set aside by failures may prove itself.
    pub prove_after: Option<Instant>,
}

impl StandingNow {
    pub fn of(row: &agent::Model) -> Result<Self, ApiError> {
        Ok(Self {
            standing: AgentStanding::parse(&row.standing, row.set_aside_by.as_deref())?,
            reason: row.standing_reason.clone(),
            prove_after: row.prove_after_ms.map(Instant),
        })
    }

    /// How long until it may prove itself.
    pub fn prove_after_seconds(&self, now: Instant) -> Option<u64> {
        self.prove_after.map(|at| at.since(now).as_millis().div_ceil(1000) as u64)
    }

    /// Refuses the agents that are given nothing.
    pub fn may_lease(&self, now: Instant) -> Result<(), ApiError> {
        let refused = |code, detail: &str| {
            let why = self.reason.as_ref().map(|reason| format!(" The reason given: {reason}")).unwrap_or_default();
            ApiError::new(StatusCode::FORBIDDEN, code, format!("{detail}{why}")).retry_after(ASK_AGAIN_AFTER)
        };
        match self.standing {
            AgentStanding::Active => Ok(()),
            AgentStanding::Draining => Err(refused("draining", "This agent is being drained: it gets no more work.")
                .hint("End what it holds. `offpeak agents resume` gives it work again.")),
            AgentStanding::SetAside(SetAsideBy::Person) => {
                Err(refused("set_aside", "A person set this agent aside.").hint("`offpeak agents resume` gives it work again."))
            }
            AgentStanding::SetAside(SetAsideBy::Distrust) => {
                Err(refused("set_aside", "What this agent sent was not what it said, and it was set aside.")
                    .hint("Look at the machine: its memory, its disk, who uses it. `offpeak agents resume` gives it work again."))
            }
            AgentStanding::SetAside(SetAsideBy::Failures) => {
                let wait = self.prove_after.map_or(Duration::ZERO, |at| at.since(now));
                Err(refused("set_aside", "This agent failed too often and was set aside.")
                    .hint("Test its encoders after Retry-After, and POST what they proved to /v1/agents/me/proof.")
                    .retry_after(wait))
            }
            AgentStanding::Revoked => Err(revoked()),
        }
    }

    /// Refuses the agents that a proof does not bring back, or not yet.
    pub fn may_prove(&self, now: Instant) -> Result<(), ApiError> {
        match self.standing {
            AgentStanding::SetAside(SetAsideBy::Failures) if self.prove_after.is_none_or(|at| at <= now) => Ok(()),
            AgentStanding::SetAside(_) | AgentStanding::Revoked => self.may_lease(now),
            AgentStanding::Active | AgentStanding::Draining => Ok(()),
        }
    }
}

/// The answer to whatever a revoked agent asks.
pub fn revoked() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "agent_revoked", "This agent was revoked; its token is good for nothing any more.")
        .hint("Enrol the machine again with a new code if it is to come back.")
}

/// A task failed under this agent, and not for its source's sake: with the third job in a row it is set aside.
pub async fn note_failure(tx: &impl ConnectionTrait, agent: &str, job: &str, now: Instant) -> Result<(), ApiError> {
    let row = store::get_for_change(tx, agent).await?;
    let mut jobs: Vec<&str> = row.failed_jobs.split_whitespace().collect();
    if !jobs.contains(&job) && jobs.len() < blame::JOBS_IN_A_ROW {
        jobs.push(job);
    }
    let failed_jobs = jobs.join(" ");
    let before = StandingNow::of(&row)?.standing;
    let after = before.after(StandingEvent::TooManyFailures).unwrap_or(before);
    if !blame::is_suspect(&jobs) || after == before {
        return store::set_failed_jobs(tx, agent, &failed_jobs, row.times_set_aside).await;
    }
    let reason = format!("It failed tasks of {} jobs in a row.", jobs.len());
    set_aside(tx, &row, &failed_jobs, reason, now).await
}

/// What an agent made was not to be believed: it is set aside until a test encode succeeds.
pub async fn distrust(tx: &impl ConnectionTrait, agent: &str, reason: &str, now: Instant) -> Result<(), ApiError> {
    let row = store::get_for_change(tx, agent).await?;
    let before = StandingNow::of(&row)?.standing;
    if before.after(StandingEvent::TooManyFailures).is_none_or(|after| after == before) {
        return Ok(());
    }
    let failed_jobs = row.failed_jobs.clone();
    set_aside(tx, &row, &failed_jobs, reason.to_owned(), now).await
}

/// What an agent sent was not what it said: it is set aside until a person has looked at it.
pub async fn note_lie(tx: &impl ConnectionTrait, agent: &str, reason: &str, now: Instant) -> Result<(), ApiError> {
    let row = store::get_for_change(tx, agent).await?;
    let before = StandingNow::of(&row)?.standing;
    let Some(standing) = before.after(StandingEvent::Lie).filter(|after| *after != before) else { return Ok(()) };
    let to = StandingNow { standing, reason: Some(reason.to_owned()), prove_after: None };
    store::set_standing(tx, &row.id, &to).await?;
    store::record(tx, &row.id, "agent.quarantined", json!({ "reason": reason, "by": "distrust" }), now).await
}

/// For longer each time that it happens without a success in between.
async fn set_aside(
    tx: &impl ConnectionTrait,
    row: &agent::Model,
    failed_jobs: &str,
    reason: String,
    now: Instant,
) -> Result<(), ApiError> {
    let times = row.times_set_aside + 1;
    let wait = blame::cool_down(times.cast_unsigned());
    tracing::warn!(agent.id = row.id, failed_jobs, reason, cool_down_seconds = wait.as_secs(), "set agent aside");
    store::set_failed_jobs(tx, &row.id, failed_jobs, times).await?;
    let data = json!({
        "jobs": failed_jobs.split_whitespace().collect::<Vec<_>>(), "reason": reason, "time": times, "cool_down_seconds": wait.as_secs(),
    });
    let standing = AgentStanding::SetAside(SetAsideBy::Failures);
    let to = StandingNow { standing, reason: Some(reason), prove_after: Some(now + wait) };
    store::set_standing(tx, &row.id, &to).await?;
    store::record(tx, &row.id, "agent.quarantined", data, now).await?;
    outbox::agent(tx, &row.id, WebhookEvent::AgentQuarantined, now).await
}

/// A task that this agent failed was failed by others, too, until there was nobody left to try: that says more of the task than of
/// any machine. An agent that was set aside with its help comes back.
pub async fn forgive(tx: &impl ConnectionTrait, agent: &str, job: &str, now: Instant) -> Result<(), ApiError> {
    let row = store::get_for_change(tx, agent).await?;
    if !row.failed_jobs.split_whitespace().any(|known| known == job) {
        return Ok(());
    }
    let others: Vec<&str> = row.failed_jobs.split_whitespace().filter(|known| *known != job).collect();
    let before = StandingNow::of(&row)?.standing;
    let after = before.after(StandingEvent::Forgive).filter(|after| *after != before && !blame::is_suspect(&others));
    let times = if after.is_some() { (row.times_set_aside - 1).max(0) } else { row.times_set_aside };
    store::set_failed_jobs(tx, &row.id, &others.join(" "), times).await?;
    let Some(standing) = after else { return Ok(()) };
    tracing::info!(agent.id = row.id, job.id = job, "other machines failed the same task; the agent gets work again");
    store::set_standing(tx, &row.id, &StandingNow { standing, reason: None, prove_after: None }).await?;
    store::record(tx, &row.id, "agent.forgiven", json!({ "job": job }), now).await
}

/// A task succeeded under this agent: what it failed before is forgiven. A standing stays.
pub async fn note_success(tx: &impl ConnectionTrait, agent: &str) -> Result<(), ApiError> {
    store::set_failed_jobs(tx, agent, "", 0).await
}

#[cfg(test)]
mod tests {
    use super::{
        AgentStanding::{Active, Draining, Revoked, SetAside},
        SetAsideBy::{Distrust, Failures, Person},
        StandingEvent::{Drain, Forgive, Lie, Prove, Resume, Revoke, TooManyFailures},
        *,
    };

    #[test]
    fn who_may_change_a_standing() {
        for (before, event, after) in [
            (Active, Drain, Some(Draining)),
            (Active, TooManyFailures, Some(SetAside(Failures))),
            (Active, Prove, Some(Active)),
            // What a person wanted, no machine undoes.
            (Draining, TooManyFailures, Some(Draining)),
            (Draining, Prove, Some(Draining)),
            (SetAside(Person), Prove, Some(SetAside(Person))),
            (SetAside(Person), TooManyFailures, Some(SetAside(Person))),
            (SetAside(Person), Resume, Some(Active)),
            (SetAside(Failures), Prove, Some(Active)),
            (SetAside(Failures), Resume, Some(Active)),
            (SetAside(Failures), Forgive, Some(Active)),
            (SetAside(Person), Forgive, Some(SetAside(Person))),
            (SetAside(Distrust), Forgive, Some(SetAside(Distrust))),
            (Revoked, Forgive, None),
            (SetAside(Failures), StandingEvent::SetAside, Some(SetAside(Person))),
            (SetAside(Failures), Revoke, Some(Revoked)),
            (Active, Lie, Some(SetAside(Distrust))),
            (Draining, Lie, Some(SetAside(Distrust))),
            (SetAside(Failures), Lie, Some(SetAside(Distrust))),
            (SetAside(Person), Lie, Some(SetAside(Person))),
            (SetAside(Distrust), Prove, Some(SetAside(Distrust))),
            (SetAside(Distrust), TooManyFailures, Some(SetAside(Distrust))),
            (SetAside(Distrust), Resume, Some(Active)),
            (Revoked, Lie, None),
            (Revoked, Revoke, Some(Revoked)),
            (Revoked, Resume, None),
            (Revoked, Prove, None),
        ] {
            assert_eq!(before.after(event), after, "{before:?}, {event:?}");
        }
    }
}
