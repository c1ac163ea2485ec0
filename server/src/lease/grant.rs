//! Finding work for an agent that asks.

use offpeak_api::{
    ids::{AgentId, JobId, LeaseId, TaskId},
    lease::{Capabilities, Lease},
};
use serde_json::json;

use super::{LeaseState, TaskKind, spec, store};
use crate::{
    app::App,
    clock::Instant,
    entity::{lease, task},
    error::ApiError,
    jobs, notify, upload,
};

/// The kinds of task that these capabilities allow.
pub fn kinds_for(capabilities: &Capabilities) -> Vec<TaskKind> {
    let has = |encoder: &str| capabilities.encoders.iter().any(|name| name == encoder);
    TaskKind::ALL.into_iter().filter(|kind| kind.encoder().is_none_or(has)).collect()
}

/// One look: the lease that this request already got, or the first task in the order of work that is ready or whose lease
/// ran out. `None` when there is nothing for this agent.
pub async fn try_grant(app: &App, agent: &AgentId, request_id: &str, kinds: &[TaskKind]) -> Result<Option<Lease>, ApiError> {
    let now = app.clock.now();
    if let Some(lease) = store::lease_of_request(&app.db.reader, agent, request_id).await? {
        return repeat(app, &lease, now).await;
    }
    // Look without the write lock first: most looks find nothing.
    let nothing = store::first_ready(&app.db.reader, agent, kinds).await?.is_none()
        && store::first_expired(&app.db.reader, agent, kinds, now).await?.is_none();
    if nothing {
        return Ok(None);
    }

    let tx = app.db.write().await?;
    // The same request may have come twice at once: an engine that lost patience, while its first call still waits here.
    if let Some(lease) = store::lease_of_request(&tx.tx, agent, request_id).await? {
        drop(tx);
        return repeat(app, &lease, now).await;
    }
    let ready = store::first_ready(&tx.tx, agent, kinds).await?;
    let expired = store::first_expired(&tx.tx, agent, kinds, now).await?.map(|(task, _)| task);
    let order = |task: &task::Model| (task.rank, task.job_id.clone(), task.ordinal);
    let Some(task) = ready.into_iter().chain(expired).min_by_key(order) else { return Ok(None) };
    let Some(lease) = store::grant(&tx.tx, &task, agent, request_id, now, now + app.config.lease.lifetime).await? else {
        return Ok(None);
    };
    jobs::store::mark_started(&tx.tx, &task, now).await?;
    let event = json!({
        "lease": lease.id, "task": task.id, "kind": task.kind, "agent": agent, "first": task.first, "cursor": task.cursor,
        "last": task.last, "taken_over": task.lease_id,
    });
    notify::record(&tx.tx, &task.job_id, "lease.granted", event, now).await?;
    tx.commit().await?;
    app.wake.events();
    tracing::info!(lease.id, task.id, task.kind, agent.id = %agent, "leased task");
    if spec::kind_of(&task)? == TaskKind::Fetch {
        // Whatever an earlier holder brought is of no known state at the origin now.
        let job = jobs::store::get(&app.db.reader, &task.job_id).await?;
        upload::reset_fetch_source(app, &job.source_id.parse().map_err(ApiError::internal)?).await?;
    }
    Ok(Some(to_wire(app, &lease, &task, now).await?))
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
