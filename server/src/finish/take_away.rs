//! Taking from an agent what it holds, without its word: it was revoked, or a person set it aside.

use axum::http::StatusCode;
use serde_json::json;

use super::http::end;
use crate::{
    app::App,
    auth::AgentAuth,
    db::Writes,
    error::ApiError,
    lease::{LeaseEvent, TaskEvent, hold::hold, store as lease_store},
};

/// Ends the agent's leases as lost; their tasks wait again with what is left of them. Returns how many.
///
/// One transaction each, with the locks of a release; one that the agent ends itself meanwhile is passed over.
pub async fn take_away(app: &App, agent: &AgentAuth, why: &str) -> Result<usize, ApiError> {
    // Whoever loses all it holds lost its standing a moment ago.
    app.known_agents.forget();
    let now = app.clock.now();
    let mut taken = 0;
    for id in lease_store::active_of_agent(&app.db.reader, &agent.agent_id).await? {
        let tx = app.db.write().await?;
        let (lease, task) = match hold(&tx.tx, &id.parse().map_err(ApiError::internal)?, agent, now).await {
            Ok(held) => held,
            Err(gone) if gone.status == StatusCode::CONFLICT => continue,
            Err(error) => return Err(error),
        };
        let mut writes = Writes::default();
        end(&tx.tx, &mut writes, (&lease, &task), LeaseEvent::Lose, json!(why), now);
        writes.carry_out(&tx.tx).await?;
        lease_store::settle_task(&tx.tx, &task, TaskEvent::GiveBack, now).await?;
        tx.commit().await?;
        taken += 1;
    }
    if taken > 0 {
        app.wake.work();
        app.wake.events();
    }
    Ok(taken)
}
