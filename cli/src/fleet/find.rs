//! Agents and groups by what people call them.

use offpeak_api::{
    agent::{Agent, ListAgents},
    fleet::Group,
    ids::{AgentId, GroupId},
};

use super::list;
use crate::{client::Client, error::CliError};

/// The agents that these names and ids mean, each once. All are found before anything is done to one.
pub async fn agents(client: &Client, called: &[String]) -> Result<Vec<Agent>, CliError> {
    let mut found: Vec<Agent> = Vec::new();
    for called in called {
        let agent = agent(client, called).await?;
        if found.iter().all(|known| known.id != agent.id) {
            found.push(agent);
        }
    }
    Ok(found)
}

/// An id, or the whole name in capitals or not: a part of one is no way to say which machine to stop.
pub async fn agent(client: &Client, called: &str) -> Result<Agent, CliError> {
    if let Ok(id) = called.parse::<AgentId>() {
        return Ok(client.get_agent(&id).await?.agent);
    }
    // The API looks for a part of the name, so that near misses can be told.
    let wanted = ListAgents { name: Some(called.to_owned()), ..ListAgents::default() };
    let (similar, _) = list::pages(client, wanted, u32::MAX).await?;
    let lower = called.to_lowercase();
    let (mut same, other): (Vec<_>, Vec<_>) = similar.into_iter().partition(|agent| agent.name.to_lowercase() == lower);
    match (same.len(), same.pop()) {
        (1, Some(agent)) => Ok(agent),
        (_, None) => {
            Err(CliError::NotFound { what: "agent", called: called.to_owned(), similar: other.iter().map(say).collect() })
        }
        (_, Some(last)) => {
            Err(CliError::Ambiguous { called: called.to_owned(), fitting: same.iter().chain([&last]).map(say).collect() })
        }
    }
}

fn say(agent: &Agent) -> String {
    format!("{}  {}", agent.id, agent.name)
}

/// An id or a name; only where no group has just this name do capitals not matter.
pub fn group(groups: &[Group], called: &str) -> Result<GroupId, CliError> {
    let exact = groups.iter().find(|group| group.id.as_str() == called || group.name == called);
    match exact.or_else(|| groups.iter().find(|group| group.name.to_lowercase() == called.to_lowercase())) {
        Some(group) => Ok(group.id.clone()),
        None => {
            let similar = groups.iter().map(|group| format!("{}  {}", group.id, group.name)).collect();
            Err(CliError::NotFound { what: "group", called: called.to_owned(), similar })
        }
    }
}
