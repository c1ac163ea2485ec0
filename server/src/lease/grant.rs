//! Finding work for an agent that asks: what waits, else what others will not get done soon.

use std::time::Duration;

use offpeak_api::{
    ids::{AgentId, JobId, LeaseId, TaskId},
    lease::Lease,
};

use sea_orm::DbBackend;

use super::{
    LeaseState, TaskKind, expiry, help,
    queue::{self, AtOnce, Claimant},
    rules::classes::NO_ENCODER,
    shorten, spec,
    store::{self, Grantee},
};
use crate::{
    app::App,
    clock::Instant,
    entity::{lease, task},
    error::ApiError,
    jobs, upload,
};

/// An agent's request for work.
#[derive(Debug, Clone)]
pub struct Asker {
    pub agent: AgentId,
    pub request_id: String,
    /// The process that asks, if it says.
    pub instance: Option<String>,
    /// Classes of tasks that it serves.
    pub classes: Vec<String>,
    /// Its build of ffmpeg.
    pub build: String,
    /// For how long it will probably be left alone, if it says.
    pub expected_idle: Option<Duration>,
}

impl Asker {
    pub fn claimant(&self) -> Claimant<'_> {
        Claimant { agent: &self.agent, classes: &self.classes, build: &self.build }
    }

    pub fn grantee(&self, app: &App, now: Instant) -> Grantee<'_> {
        Grantee {
            agent: &self.agent,
            request_id: &self.request_id,
            instance: self.instance.as_deref(),
            expires: now + app.config.lease.lifetime,
        }
    }
}

/// One look: the lease that this request already got; else what waits in the queues, or waits again because a lease ran out;
/// else a part of what somebody else holds. `None` when there is nothing for this agent.
pub async fn try_grant(app: &App, asker: &Asker) -> Result<Option<Lease>, ApiError> {
    let now = app.clock.now();
    expiry::offer_now_and_then(app, now).await?;
    let mut granted = waiting(app, asker, now).await?;
    if granted.is_none() && expiry::offer(app, now).await? > 0 {
        granted = claim(app, asker, now).await?;
    }
    let granted = match granted {
        Some(granted) => Some(granted),
        None => help::somebody(app, asker, now).await?,
    };
    let Some((lease, task)) = granted else {
        // Nothing, or the request came before: its engine lost patience, or the answer. One request never gets two leases.
        return match store::lease_of_request(&app.db.reader, &asker.agent, &asker.request_id).await? {
            Some(lease) => repeat(app, &lease, now).await,
            None => Ok(None),
        };
    };
    app.wake.events();
    tracing::info!(lease.id, task.id, task.kind, agent.id = %asker.agent, "leased task");
    if spec::kind_of(&task)? == TaskKind::Fetch {
        // Whatever an earlier holder brought is of no known state at the origin now.
        let job = jobs::store::get(&app.db.reader, &task.job_id).await?;
        upload::reset_fetch_source(app, &job.source_id.parse().map_err(ApiError::internal)?).await?;
    }
    let task = shorten::to_idle_time(app, asker, &lease, task, now).await?;
    Ok(Some(to_wire(app, &lease, &task, now).await?))
}

/// The next task in the queues, leased, with as few locks and trips as the database allows.
async fn waiting(app: &App, asker: &Asker, now: Instant) -> Result<Option<(lease::Model, task::Model)>, ApiError> {
    let db = &app.db.reader;
    if db.get_database_backend() != DbBackend::Postgres {
        // Looked at without the one write lock first: most looks find nothing.
        return if queue::anything_for(db, &asker.classes).await? { claim(app, asker, now).await } else { Ok(None) };
    }
    match queue::claim_at_once(db, asker.claimant(), asker.grantee(app, now), now).await {
        Ok(AtOnce::Granted(granted)) => Ok(Some(*granted)),
        Ok(AtOnce::LookCloser) => claim(app, asker, now).await,
        Ok(AtOnce::Nothing) => Ok(None),
        // This request got a lease meanwhile.
        Err(error) if store::is_taken(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The next task in the queues, leased, whatever it is.
async fn claim(app: &App, asker: &Asker, now: Instant) -> Result<Option<(lease::Model, task::Model)>, ApiError> {
    loop {
        let tx = app.db.write().await?;
        let Some(claimed) = queue::claim(&tx.tx, asker.claimant()).await? else { return Ok(None) };
        // The first task of a job begins it, and takes no encoder. Jobs are locked before tasks.
        if claimed.class == NO_ENCODER
            && let Some(job) = store::first_of_job(&tx.tx, &claimed.task_id).await?
        {
            jobs::store::mark_started(&tx.tx, &job, now).await?;
        }
        match store::grant_waiting(&tx.tx, &claimed, asker.grantee(app, now), now).await {
            Ok(Some(granted)) => {
                tx.commit().await?;
                return Ok(Some(granted));
            }
            Ok(None) => {}
            Err(error) if store::is_taken(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let task = store::lock_task(&tx.tx, &claimed.task_id).await?;
        // One that is over was put into the queue while its job ended: it leaves the queue by this.
        let Some(task) = task.filter(|task| store::state_of(task).is_ok_and(super::TaskState::is_open)) else {
            tx.commit().await?;
            continue;
        };
        let Some(lease) = store::grant(&tx.tx, &task, claimed.tag, asker.grantee(app, now), now).await? else {
            return Ok(None);
        };
        tx.commit().await?;
        return Ok(Some((lease, task)));
    }
}

/// The lease that this request got before, as long as it lives.
async fn repeat(app: &App, lease: &lease::Model, now: Instant) -> Result<Option<Lease>, ApiError> {
    if lease.state != LeaseState::Active.as_str() {
        return Err(ApiError::conflict("request_answered", "This request got a lease, and that lease has ended.")
            .hint("Ask again with another request_id."));
    }
    let task = store::find_task(&app.db.reader, &lease.task_id).await?;
    Ok(Some(to_wire(app, lease, &task, now).await?))
}

async fn to_wire(app: &App, lease: &lease::Model, task: &task::Model, now: Instant) -> Result<Lease, ApiError> {
    Ok(Lease {
        id: lease.id.parse::<LeaseId>().map_err(ApiError::internal)?,
        job: lease.job_id.parse::<JobId>().map_err(ApiError::internal)?,
        task: task.id.parse::<TaskId>().map_err(ApiError::internal)?,
        expires_in_seconds: Instant(lease.expires_at_ms).since(now).min(app.config.lease.lifetime).as_secs(),
        heartbeat_every_seconds: app.config.lease.heartbeat_every().as_secs(),
        work: spec::work_of(app, &app.db.reader, task).await?,
    })
}
