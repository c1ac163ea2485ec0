//! Telling the server what the engine is doing: at every change, and now and then to be known as alive.

use std::time::Duration;

use offpeak_api::agent::{AgentState, StateReport};
use tracing::debug;

use crate::{
    client::Client,
    status::{State, state},
};

/// The server takes an agent that is silent for a minute and a half for switched off.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// The last report must not hold up the end.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// Reports for as long as it is polled.
pub async fn report_states(client: Client, least_between: Duration) {
    loop {
        let now = state(&client.status().readings());
        match now.0 {
            // Nobody would hear it.
            State::Revoked | State::NoServer => {}
            State::Broken | State::SetAside | State::Draining | State::Suspended | State::Encoding | State::Waiting => {
                let code = (now.0 == State::Broken).then(|| "cannot_encode".to_owned());
                tell(&client, StateReport { state: now.0.wire(), code, reason: Some(now.1.clone()) }).await;
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

async fn tell(client: &Client, report: StateReport) {
    if let Err(error) = client.report(&report).await {
        debug!(state = report.state.as_str(), "the state was not reported: {error}");
    }
}
