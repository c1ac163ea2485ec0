//! Init segments that differ from the pinned one: which of them is believed (docs/decisions/renditions-that-begin-again.md).
//!
//! The commit is refused, and whose it is does not get the task again; that blames nobody. When two other agents of the same
//! build agree on another init segment, and are more than those who agree with the pinned one, then the one who pinned it is
//! set aside and its renditions begin again.

use std::collections::BTreeMap;

use offpeak_api::lease::InitReport;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{again, pins, store};
use crate::{
    agents::standing,
    app::App,
    clock::Instant,
    entity::{lease, rendition, task},
    error::ApiError,
    finish::{
        failure::INIT_MISMATCH,
        store::{Why, insert_failure},
    },
    lease::{LeaseEvent, LeaseState, TaskEvent, spec, store as lease_store},
    notify,
};

/// So many agents must agree on another init segment than the pinned one.
const AGENTS_AGAINST: usize = 2;

/// An init segment that is not the pinned one, or comes of another build than the job began with.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    pub rendition: rendition::Model,
    fingerprint: String,
    build: String,
    /// That of the job, if it has one.
    pinned_build: Option<String>,
}

impl Disagreement {
    /// The first of these init segments that does not fit.
    pub fn find(
        renditions: &[rendition::Model],
        inits: &[InitReport],
        pinned_build: Option<&str>,
        build: &str,
    ) -> Result<Option<Self>, ApiError> {
        for init in inits {
            let Some(rendition) = renditions.iter().find(|rendition| rendition.name == init.rendition) else { continue };
            let differs = match store::pinned_init(rendition)? {
                Some(pinned) => pinned.fingerprint != init.fingerprint,
                None => pinned_build.is_some_and(|pinned| pinned != build),
            };
            if differs {
                return Ok(Some(Self {
                    rendition: rendition.clone(),
                    fingerprint: init.fingerprint.clone(),
                    build: build.to_owned(),
                    pinned_build: pinned_build.map(str::to_owned),
                }));
            }
        }
        Ok(None)
    }

    pub fn refusal(&self) -> ApiError {
        ApiError::unfit(INIT_MISMATCH, self.message()).hint("All agents of a job need the same build of ffmpeg.")
    }

    fn message(&self) -> String {
        match self.pinned_build.as_ref().filter(|pinned| **pinned != self.build) {
            Some(pinned) => {
                format!("This job began with the build {pinned} of ffmpeg; {} came from {}.", self.rendition.name, self.build)
            }
            None => format!("The init segment of {} is not the one that its first commit brought.", self.rendition.name),
        }
    }
}

/// Ends a held lease whose init segment does not fit, and notes the vote.
pub async fn take(
    tx: &impl ConnectionTrait,
    lease: &lease::Model,
    task: &task::Model,
    disagreement: &Disagreement,
    now: Instant,
) -> Result<(), ApiError> {
    pins::insert_vote(tx, &disagreement.rendition, &lease.agent_id, &disagreement.build, &disagreement.fingerprint).await?;
    let why = Why { code: INIT_MISMATCH.to_owned(), message: disagreement.message(), log_tail: Vec::new() };
    insert_failure(tx, lease, task, &why, now).await?;
    lease_store::end_lease(tx, &lease.id, LeaseEvent::Fail, now).await?;
    lease_store::settle_task(tx, task, TaskEvent::GiveBack, now).await?;
    let event = json!({
        "lease": lease.id, "task": task.id, "kind": task.kind, "agent": lease.agent_id, "how": LeaseState::Failed.as_str(),
        "why": { "code": why.code, "message": why.message }, "cursor": task.cursor, "last": task.last,
    });
    notify::record(tx, &task.job_id, "lease.ended", event, now).await
}

/// Counts the votes on a rendition, and begins again what was outvoted. To be called after the vote was committed: what begins
/// again locks more than a commit may.
pub async fn count(app: &App, task: &task::Model, name: &str, now: Instant) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    let locked = again::lock(&tx.tx, &task.job_id).await?;
    let Some(rendition) = store::find_rendition(&tx.tx, &task.job_id, name).await? else { return Ok(()) };
    let (Some(build), Some(by)) = (&locked.job.build, &rendition.init_agent_id) else { return Ok(()) };
    let votes = pins::votes_on(&tx.tx, &rendition, build).await?;
    let supporters = pins::makers_of(&tx.tx, &rendition).await?;
    if !locked.is_encoding()? || !is_outvoted(supporters, votes.iter().map(String::as_str)) {
        return Ok(());
    }
    tracing::warn!(
        job.id = task.job_id,
        rendition = name,
        agent.id = by,
        supporters,
        votes = votes.len(),
        "init segment outvoted"
    );
    standing::distrust(&tx.tx, by, "Other machines with the same build of ffmpeg made other init segments.", now).await?;
    again::begin(&tx.tx, locked, &[spec::kind_of(task)?], "outvoted", now).await?;
    tx.commit().await?;
    app.wake.work();
    app.wake.events();
    Ok(())
}

/// True when enough agree on one other init segment.
fn is_outvoted<'a>(supporters: usize, against: impl IntoIterator<Item = &'a str>) -> bool {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for fingerprint in against {
        *counted.entry(fingerprint).or_default() += 1;
    }
    counted.into_values().max().is_some_and(|most| most >= AGENTS_AGAINST && most > supporters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_agree_outvote_one_and_not_two() {
        for (supporters, against, outvoted) in [
            (1, &[][..], false),
            (1, &["b"], false),
            (1, &["b", "c"], false),
            (1, &["b", "b"], true),
            (1, &["b", "c", "b"], true),
            (2, &["b", "b"], false),
            (2, &["b", "b", "b"], true),
            (0, &["b"], false),
        ] {
            assert_eq!(is_outvoted(supporters, against.iter().copied()), outvoted, "{supporters} against {against:?}");
        }
    }
}
