//! Reading agents in pages, and what those at work are doing.

use offpeak_api::{
    agent::{Agent, ListAgents},
    ids::JobId,
    job::{AgentAtWork, JobState, ListJobs},
};

use crate::{client::Client, error::CliError};

/// Things asked for with one request; the API's own limit.
const PER_PAGE: u32 = 200;

/// At most `limit` agents, and whether there are more.
pub async fn pages(client: &Client, wanted: ListAgents, limit: u32) -> Result<(Vec<Agent>, bool), CliError> {
    let mut agents: Vec<Agent> = Vec::new();
    let mut cursor = None;
    loop {
        let missing = limit - u32::try_from(agents.len()).unwrap_or(limit).min(limit);
        let page = client.list_agents(&ListAgents { limit: Some(missing.min(PER_PAGE)), cursor, ..wanted.clone() }).await?;
        let empty = page.agents.is_empty();
        agents.extend(page.agents);
        cursor = page.next_cursor;
        if cursor.is_none() || empty || agents.len() >= limit as usize {
            return Ok((agents, cursor.is_some()));
        }
    }
}

/// What agents do for jobs that are under way: a request for 200 jobs, where the agents themselves would be one each.
pub async fn at_work(client: &Client) -> Result<Vec<(JobId, AgentAtWork)>, CliError> {
    let under_way = [JobState::Queued, JobState::Probing, JobState::Encoding, JobState::Finishing];
    let state = Some(under_way.map(JobState::as_str).join(","));
    let mut doing = Vec::new();
    let mut cursor = None;
    loop {
        let wanted = ListJobs { state: state.clone(), limit: Some(PER_PAGE), cursor, ..ListJobs::default() };
        let page = client.list_jobs(&wanted).await?;
        let empty = page.jobs.is_empty();
        for job in page.jobs {
            doing.extend(job.progress.agents.into_iter().map(|agent| (job.id.clone(), agent)));
        }
        cursor = page.next_cursor;
        if cursor.is_none() || empty {
            return Ok(doing);
        }
    }
}
