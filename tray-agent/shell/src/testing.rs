//! Values for tests, as an engine would send them.

use chrono::{DateTime, Utc};
use offpeak_api::{agent::AgentState, policy::Policy};
use offpeak_link::{Farm, Limits, Now, Work};

use crate::desk::{Desk, Engine};

/// A machine of a farm, with a span of video on it, at nine in the morning.
pub fn now(state: AgentState, reason: &str) -> Now {
    let since: DateTime<Utc> = "2026-11-25T09:00:00Z".parse().expect("a time");
    Now {
        state,
        reason: reason.to_owned(),
        code: None,
        since,
        until: None,
        farm: Some(Farm {
            server: "https://farm.lan:7070/".parse().expect("an address"),
            agent_id: "agent_01JDJ3X9Q2T8M4V6N0B7C5K1RZ".parse().expect("an id"),
            agent_name: "desk 14".to_owned(),
        }),
        work: vec![Work {
            job_id: "job_01JDJ3X9Q2T8M4V6N0B7C5K1RZ".parse().expect("an id"),
            kind: "encode".to_owned(),
            rows_done: 4,
            rows: 10,
            since,
        }],
        limits: Limits::default(),
        policy: Policy::default(),
        machine_cores: 8,
        machine_memory_mib: 16 << 10,
    }
}

pub fn desk(now: Now) -> Desk {
    Desk { engine: Engine::Running { version: "0.1.0".to_owned() }, now: Some(now), ..Desk::default() }
}
