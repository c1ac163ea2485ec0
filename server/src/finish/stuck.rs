//! Tasks that nobody will ever take: each agent that could has failed them (docs/decisions/when-nobody-is-left-to-try.md).

use std::collections::{BTreeSet, HashSet};

use offpeak_api::{agent::AgentState, lease::Capabilities};

use super::{failure, store};
use crate::{
    app::App,
    clock::Instant,
    commit::again,
    entity::{agent, task},
    error::ApiError,
    groups, jobs,
    lease::{
        TaskState,
        rules::{blame, classes},
        store as lease_store,
    },
};

/// What counts of an agent here.
struct Candidate {
    id: String,
    classes: BTreeSet<String>,
    build: String,
}

impl Candidate {
    /// Nothing for one that has never asked for work, that says itself that it can do none, or that gets none for want of walls
    /// around its ffmpeg (`boxed_only`: the groups that ask for them).
    fn of(row: agent::Model, boxed_only: &HashSet<String>) -> Option<Self> {
        let capabilities: Capabilities = serde_json::from_value(row.capabilities?).ok()?;
        let classes = classes::served_by(&capabilities).into_iter().collect();
        let gets_work = capabilities.is_boxed() || !boxed_only.contains(&row.group_id);
        (gets_work && row.state != AgentState::Broken.as_str()).then_some(Self {
            id: row.id,
            classes,
            build: capabilities.ffmpeg,
        })
    }
}

/// Fails the jobs of such tasks. Returns how many. Where no agent could take a task at all, nothing is given up: machines that
/// are off, or lack the memory, are no verdict on a video.
pub async fn give_up(app: &App, now: Instant) -> Result<usize, ApiError> {
    let db = &app.db.reader;
    let tried = store::tried(db).await?;
    if tried.is_empty() {
        return Ok(0);
    }
    let boxed_only = groups::store::ids_of_boxed(db).await?;
    let seen = store::expected_agents(db, now).await?;
    let expected: Vec<Candidate> = seen.into_iter().filter_map(|row| Candidate::of(row, &boxed_only)).collect();
    let mut failed = 0;
    for task in tried {
        match verdict(app, &task, &expected).await? {
            Verdict::GoesOn => {}
            Verdict::FailsForGood => failed += usize::from(fail(app, &task, now).await?),
            Verdict::BeginsAgain => begin_again(app, &task, now).await?,
        }
    }
    Ok(failed)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    GoesOn,
    FailsForGood,
    /// Those who are left could do it, if they were not the minority that made other init segments.
    BeginsAgain,
}

async fn verdict(app: &App, task: &task::Model, expected: &[Candidate]) -> Result<Verdict, ApiError> {
    let failures = store::failures_of(&app.db.reader, &task.id).await?;
    if failure::is_for_good(&failures) {
        return Ok(Verdict::FailsForGood);
    }
    let build = if task.class == "none" { None } else { store::build_of(&app.db.reader, &task.job_id).await? };
    let able = expected
        .iter()
        .filter(|agent| agent.classes.contains(&task.class) && build.as_ref().is_none_or(|build| *build == agent.build))
        .map(|agent| agent.id.as_str());
    let failed_by: Vec<&str> = failures.iter().map(|failure| failure.agent_id.as_str()).collect();
    Ok(match blame::nobody_is_left(&failed_by, able) {
        false => Verdict::GoesOn,
        true if failures.iter().all(failure::counts) => Verdict::FailsForGood,
        true => Verdict::BeginsAgain,
    })
}

async fn begin_again(app: &App, task: &task::Model, now: Instant) -> Result<(), ApiError> {
    let tx = app.db.write().await?;
    let locked = again::lock(&tx.tx, &task.job_id).await?;
    if locked.is_encoding()? {
        again::unpin(&tx.tx, locked, "nobody is left who makes its init segments", now).await?;
        tx.commit().await?;
        app.wake.work();
        app.wake.events();
    }
    Ok(())
}

/// False when things have changed meanwhile.
async fn fail(app: &App, task: &task::Model, now: Instant) -> Result<bool, ApiError> {
    let tx = app.db.write().await?;
    jobs::store::lock(&tx.tx, &task.job_id).await?;
    let found = lease_store::lock_task(&tx.tx, &task.id).await?;
    let Some(task) = found.filter(|found| found.state == TaskState::Ready.as_str() && found.failures == task.failures) else {
        return Ok(false);
    };
    failure::fail_job(app, &tx.tx, &task, now).await?;
    tx.commit().await?;
    Ok(true)
}
