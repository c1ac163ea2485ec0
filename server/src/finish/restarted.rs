//! What an earlier process of an engine held, when a later one asks for work: it waits again at once.

use serde_json::json;

use super::{failure, http::end};
use crate::{
    app::App,
    auth::AgentAuth,
    db::Writes,
    error::ApiError,
    lease::{LeaseEvent, LeaseState, TaskEvent, store as lease_store},
};

/// Ends the leases that other processes of the agent's engine hold as handed back. Returns how many.
///
/// Nobody is blamed for a restart. But a file may bring the machine down each time, and then it comes back as a new process:
/// what had nothing committed counts as one silence, as it would if the lease had run out, and three of them as a failure.
pub async fn hand_back_of_others(app: &App, agent: &AgentAuth, instance: &str) -> Result<usize, ApiError> {
    let now = app.clock.now();
    let mut freed = 0;
    for id in lease_store::active_of_other_instances(&app.db.reader, &agent.agent_id, instance).await? {
        let tx = app.db.write().await?;
        let id = id.parse().map_err(ApiError::internal)?;
        let held = lease_store::lock_with_task(&tx.tx, &id, &agent.agent_id).await?;
        // One whose time ran out is offered already, or with the next look; its silence counts there.
        let is_held =
            |lease: &crate::entity::lease::Model| lease.state == LeaseState::Active.as_str() && lease.expires_at_ms >= now.ms();
        let Some((task, lease)) = held.filter(|(_, lease)| is_held(lease)) else { continue };
        if !failure::take_silence(&tx.tx, &lease, &task, now).await? {
            let mut writes = Writes::default();
            end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Release, json!("restarted"), now);
            // Before the task is settled: that asks who still holds it.
            writes.carry_out(&tx.tx).await?;
            lease_store::settle_task(&tx.tx, &task, TaskEvent::GiveBack, now).await?;
        }
        tx.commit().await?;
        freed += 1;
    }
    if freed > 0 {
        app.wake.work();
        app.wake.events();
    }
    Ok(freed)
}
