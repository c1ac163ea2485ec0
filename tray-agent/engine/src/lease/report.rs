//! Telling the server what the engine is doing: at every change, and now and then to be known as alive.

use std::time::Duration;

use offpeak_api::{
    agent::{AgentOrders, AgentState, StateReport},
    lease::{SandboxReport, SandboxState},
    policy::Policy,
};
use tracing::debug;

use crate::{client::Client, sandbox::in_words, status::Standing};

/// The server takes an agent that is silent for a minute and a half for switched off.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// The last report must not hold up the end.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// Reports for as long as it is polled.
pub async fn report_states(client: Client, sandbox: &SandboxReport, least_between: Duration) {
    loop {
        let standing = client.status().standing();
        let (state, finding) = standing.state();
        // Of the others nobody would hear.
        if !matches!(state, AgentState::Revoked | AgentState::NoServer)
            && let Some(orders) = tell(&client, report(&standing)).await
        {
            client.status().unboxed(unboxed(&orders.policy, sandbox));
            client.status().policy(orders.policy);
        }
        let now = (state, finding.reason);
        tokio::time::sleep(least_between).await;
        tokio::select! {
            () = client.status().changed(&now) => {}
            () = tokio::time::sleep(REPORT_EVERY.saturating_sub(least_between)) => {}
        }
    }
}

/// What the server hears of all this.
fn report(standing: &Standing) -> StateReport {
    let (state, finding) = standing.state();
    let code = (state == AgentState::Broken).then(|| standing.engine.broken_code()).flatten().map(str::to_owned);
    let reason = for_the_server(state).map_or(finding.reason, str::to_owned);
    StateReport { state, code, reason: Some(reason) }
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

/// What a person does at their desk leaves it as the state's name and a sentence that is the same for everybody (PRIVACY.md);
/// `None` for states that say nothing about a person.
pub fn for_the_server(state: AgentState) -> Option<&'static str> {
    match state {
        AgentState::Paused => Some("paused at the desk"),
        AgentState::Snoozed => Some("snoozed at the desk"),
        AgentState::OffSchedule => Some("it is not the time for it"),
        AgentState::Presenting => Some("a presentation, a film or a call"),
        AgentState::UserActive => Some("someone is using this computer"),
        AgentState::OnBattery => Some("not on mains power"),
        AgentState::Metered => Some("the network connection is paid by volume"),
        AgentState::BusyCpu => Some("other programs are using the processor"),
        AgentState::BusyMemory => Some("memory is short"),
        AgentState::Suspended => Some("work stands still"),
        AgentState::Broken
        | AgentState::Revoked
        | AgentState::SetAside
        | AgentState::Updating
        | AgentState::Draining
        | AgentState::NoServer
        | AgentState::Encoding
        | AgentState::Leasing
        | AgentState::Waiting
        | AgentState::Offline => None,
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::{
        policy::{Finding, Inputs, Memory, Person, Rules, look},
        presence::{Clock, Known, LastInput, Power, Readings},
        status::{Status, Verdict},
        watch::moment,
    };

    #[test]
    fn the_server_hears_the_same_of_everybody() {
        let states = [
            AgentState::Paused,
            AgentState::Snoozed,
            AgentState::OffSchedule,
            AgentState::Presenting,
            AgentState::UserActive,
            AgentState::OnBattery,
            AgentState::Metered,
            AgentState::BusyCpu,
            AgentState::BusyMemory,
            AgentState::Suspended,
        ];
        for state in states {
            let status = Status::default();
            let told = |reason: &str| {
                let finding = Some(Finding::new(state, reason, "a rule"));
                status.verdict(Verdict { finding, ..Verdict::default() });
                report(&status.standing())
            };
            let anna = told("Anna's diary keeps this computer awake");
            assert_eq!((anna.state, &anna.code), (state, &None));
            assert_eq!(anna, told("the last input was 7 s ago"), "{state:?}");
        }
    }

    #[test]
    fn who_keeps_the_screen_on_stays_here() {
        let (clock, status) = (Clock::start(), Status::default());
        let machine = Readings {
            input: Known::new(LastInput::Nobody, "told by a test"),
            inhibited: Known::new(Some("a player of films".to_owned()), "told by a test"),
            power: Known::new(Power::Mains, "told by a test"),
            ..Readings::default()
        };
        let rules = Rules::of(&Policy::default(), &offpeak_link::Limits::default(), None);
        let (person, engine) = (Person::default(), crate::policy::Engine::default());
        let now = moment(&clock);
        let inputs = Inputs { machine: Some(&machine), leaving: None, rules: &rules, person: &person, engine: &engine, now };
        let (verdict, _memory) = look(&inputs, &Memory::default());
        assert_eq!(verdict.finding.as_ref().unwrap().reason, "a player of films keeps this computer awake");
        status.verdict(verdict);
        let told = report(&status.standing());
        assert_eq!((told.state, told.reason.as_deref()), (AgentState::Presenting, Some("a presentation, a film or a call")));
    }
}
