//! An engine that was started anew frees what its earlier process held, at its first request: nobody waits for those leases to
//! run out.
//!
//! A process is known by a random word of its own. The first request of one that was never seen hands back what others held
//! under the same agent, without blame: the newest wins. That happens once for each process, so that two which live at the same
//! time, on a copied machine perhaps, do not take from each other for ever. The older one is told that its leases are lost,
//! asks again, and from then on both work side by side.

use crate::{agents, app::App, auth::AgentAuth, error::ApiError, finish};

/// Processes remembered of each agent. Only if more than so many lived at once would one of them be taken for a new one.
const REMEMBERED: usize = 8;

/// Notes which process asks. One that is new frees what earlier ones held.
pub async fn note(app: &App, agent: &AgentAuth, instance: &str) -> Result<(), ApiError> {
    // As authentication read it, perhaps a moment ago: nearly always this is all.
    if with(&agent.instances, instance).is_none() {
        return Ok(());
    }
    let row = agents::store::get(&app.db.reader, agent.agent_id.as_str()).await?;
    if with(&row.instances, instance).is_none() {
        return Ok(());
    }
    // Freed before it is written down: should this server die in between, the next request does both again.
    let freed = finish::hand_back_of_others(app, agent, instance).await?;
    if freed > 0 {
        tracing::info!(agent.id = %agent.agent_id, freed, "the engine was started anew: what it held before waits again");
    }
    let tx = app.db.write().await?;
    let row = agents::store::get_for_change(&tx.tx, agent.agent_id.as_str()).await?;
    if let Some(instances) = with(&row.instances, instance) {
        agents::store::set_instances(&tx.tx, &row.id, &instances).await?;
        tx.commit().await?;
    }
    app.known_agents.forget();
    Ok(())
}

/// The list with this process at its end; nothing when it is known already.
fn with(known: &str, instance: &str) -> Option<String> {
    let mut known: Vec<&str> = known.split(' ').filter(|word| !word.is_empty()).collect();
    if known.contains(&instance) {
        return None;
    }
    known.push(instance);
    Some(known[known.len().saturating_sub(REMEMBERED)..].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_is_new_once() {
        assert_eq!(with("", "a").as_deref(), Some("a"));
        assert_eq!(with("a", "a"), None);
        assert_eq!(with("a b", "a"), None, "an older one that still lives");
        assert_eq!(with("a b", "c").as_deref(), Some("a b c"));
        assert_eq!(with("1 2 3 4 5 6 7 8", "9").as_deref(), Some("2 3 4 5 6 7 8 9"));
    }
}
