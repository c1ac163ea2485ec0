//! Looking after a fleet: its agents, and its figures.

pub mod args;
pub mod find;
mod list;
pub mod text;

pub use text::table;

use std::io::{IsTerminal as _, Write as _};

use offpeak_api::{
    agent::{Agent, ChangeAgent, ChangeStanding, ListAgents},
    fleet::FleetQuery,
    plain::one_line,
};

use self::args::{Agents, Change, Fleet, Stop, Wanted};
use crate::{
    client::{self, Client},
    commands::print,
    error::CliError,
};

pub async fn agents(client: &Client, agents: Agents, json: bool) -> Result<(), CliError> {
    match agents.change {
        None => list_agents(client, agents.wanted, json).await,
        Some(change) => change_agents(client, change, json).await,
    }
}

pub async fn figures(client: &Client, asked: &Fleet, json: bool) -> Result<(), CliError> {
    let figures = client.get_fleet(&FleetQuery { within_seconds: Some(asked.within) }).await?;
    print(json, &figures, || text::figures(&figures))
}

async fn list_agents(client: &Client, wanted: Wanted, json: bool) -> Result<(), CliError> {
    let groups = client::groups(client).await?;
    let group = wanted.group.map(|called| find::group(&groups, &called)).transpose()?;
    let words = |words: Vec<String>| Some(words.join(",")).filter(|words| !words.is_empty());
    let asked = ListAgents {
        state: words(wanted.state),
        standing: words(wanted.standing),
        group,
        name: wanted.name,
        ..ListAgents::default()
    };
    let (agents, more) = list::pages(client, asked, wanted.limit).await?;
    let doing = if !json && agents.iter().any(|agent| agent.working) { list::at_work(client).await? } else { Vec::new() };
    let none = || "no agents".to_owned();
    print(json, &agents, || if agents.is_empty() { none() } else { text::agents_table(&agents, &groups, &doing) })?;
    if more {
        eprintln!("note: there are more; --limit {} shows them", wanted.limit.saturating_mul(2));
    }
    Ok(())
}

async fn change_agents(client: &Client, change: Change, json: bool) -> Result<(), CliError> {
    match change {
        Change::Drain(stop) => {
            let (agents, change) = stopped(client, stop).await?;
            each(&agents, json, "draining", async |agent| Ok(client.drain_agent(&agent.id, &change).await?)).await
        }
        Change::SetAside(stop) => {
            let (agents, change) = stopped(client, stop).await?;
            each(&agents, json, "set aside", async |agent| Ok(client.set_agent_aside(&agent.id, &change).await?)).await
        }
        Change::Resume { agents } => {
            let agents = find::agents(client, &agents).await?;
            each(&agents, json, "active", async |agent| Ok(client.resume_agent(&agent.id).await?)).await
        }
        Change::Revoke { agents, yes } => {
            let agents = find::agents(client, &agents).await?;
            if !yes {
                confirm(&agents)?;
            }
            each(&agents, json, "revoked", async |agent| {
                client.revoke_agent(&agent.id).await?;
                Ok(client.get_agent(&agent.id).await?.agent)
            })
            .await
        }
        Change::Rename { agent, to } => {
            let agent = find::agent(client, &agent).await?;
            let renamed = format!("renamed, was {}", agent.name);
            let change = ChangeAgent { name: Some(to), group: None };
            each(&[agent], json, &renamed, async |agent| Ok(client.change_agent(&agent.id, &change).await?)).await
        }
        Change::Move { agents, to } => {
            let group = find::group(&client::groups(client).await?, &to)?;
            let agents = find::agents(client, &agents).await?;
            let change = ChangeAgent { name: None, group: Some(group) };
            each(&agents, json, &format!("moved to {to}"), async |agent| Ok(client.change_agent(&agent.id, &change).await?)).await
        }
    }
}

async fn stopped(client: &Client, stop: Stop) -> Result<(Vec<Agent>, ChangeStanding), CliError> {
    Ok((find::agents(client, &stop.agents).await?, ChangeStanding { reason: stop.reason }))
}

/// Changes one after the other, and tells of those that changed, even if a later one is refused.
async fn each(
    agents: &[Agent],
    json: bool,
    now: &str,
    change: impl AsyncFn(&Agent) -> Result<Agent, CliError>,
) -> Result<(), CliError> {
    let mut changed = Vec::new();
    let mut outcome = Ok(());
    for agent in agents {
        match change(agent).await {
            Ok(agent) => changed.push(agent),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    if !changed.is_empty() {
        let line = |agent: &Agent| format!("{}  {}  {now}", agent.id, agent.name);
        print(json, &changed, || changed.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    }
    outcome
}

/// Asks the person at the terminal; without one, nobody agreed.
fn confirm(agents: &[Agent]) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Usage("revoking is for good: say --yes where nobody can be asked".to_owned()));
    }
    let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
    eprint!("Revoke {} for good? Only enrolling again brings a machine back. [y/N] ", one_line(&names.join(", ")));
    let mut answer = String::new();
    let _shown = std::io::stderr().flush();
    let _unread_is_no = std::io::stdin().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError::Interrupted("Nothing was revoked.".to_owned())),
    }
}
