//! Telling the server what the engine is doing: at every change, and now and then to be known as alive.

use std::time::Duration;

use offpeak_api::{
    agent::{AgentOrders, AgentState, StateReport},
    lease::{SandboxReport, SandboxState},
    policy::Policy,
};
use tracing::debug;

use crate::{
    client::Client,
    sandbox::in_words,
    status::{State, state},
};

/// The server takes an agent that is silent for a minute and a half for switched off.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// The last report must not hold up the end.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// Reports for as long as it is polled.
pub async fn report_states(client: Client, sandbox: &SandboxReport, least_between: Duration) {
    loop {
        let readings = client.status().readings();
        let now = state(&readings);
        match now.0 {
            // Nobody would hear it.
            State::Revoked | State::NoServer => {}
            State::Broken | State::SetAside | State::Draining | State::Suspended | State::Encoding | State::Waiting => {
                let code = readings.broken_code().map(str::to_owned);
                let report = StateReport { state: now.0.wire(), code, reason: Some(now.1.clone()) };
                if let Some(orders) = tell(&client, report).await {
                    client.status().unboxed(unboxed(&orders.policy, sandbox));
                }
            }
        }
        tokio::time::sleep(least_between).await;
        tokio::select! {
            _ = client.status().changed(&now) => {}
            () = tokio::time::sleep(REPORT_EVERY.saturating_sub(least_between)) => {}
        }
    }
}

/// Says that the engine stops.
pub async fn farewell(client: &Client) {
    let report = StateReport { state: AgentState::Offline, code: None, reason: Some("the engine was stopped".to_owned()) };
    let _ = tokio::time::timeout(FAREWELL_LIMIT, tell(client, report)).await;
}

async fn tell(client: &Client, report: StateReport) -> Option<AgentOrders> {
    match client.report(&report).await {
        Ok(orders) => Some(orders),
        Err(error) => {
            debug!(state = report.state.as_str(), "the state was not reported: {error}");
            None
        }
    }
}

/// Why this machine may not work under a policy, whatever the server would give it.
fn unboxed(policy: &Policy, sandbox: &SandboxReport) -> Option<String> {
    let is_missing = policy.require_sandbox && sandbox.state != SandboxState::Full;
    is_missing.then(|| {
        let is = in_words(sandbox);
        format!("the policy wants ffmpeg walled off in full, and here it is not: {is}; see docs/sandbox.md")
    })
}
