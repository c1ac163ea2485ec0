//! A person's limits beside their office's policy: the stricter of each holds, and no limit is looser than the policy.

use offpeak_api::policy::Policy;
use offpeak_link::{Limits, Now};
use serde::Serialize;

/// As the policy's own checks ask (`offpeak_api::policy`).
const LEAST_MEMORY_MIB: u64 = 256;
const LEAST_BITS_PER_SECOND: u64 = 100_000;
const LONGEST_IDLE_SECONDS: u32 = 86_400;
const DAY_MINUTES: u16 = 24 * 60;

/// What holds on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InForce {
    pub cores: u32,
    pub memory_mib: u64,
    pub bits_per_second: Option<u64>,
    pub start_after_idle_seconds: u32,
    pub mains_only: bool,
    pub unmetered_only: bool,
}

pub fn in_force(now: &Now) -> InForce {
    let (limits, policy) = (&now.limits, &now.policy);
    InForce {
        cores: stricter(limits.max_cores, policy.max_cores).unwrap_or(u32::MAX).min(now.machine_cores),
        memory_mib: stricter(limits.max_memory_mib, policy.max_memory_mib).unwrap_or(u64::MAX).min(now.machine_memory_mib),
        bits_per_second: stricter(limits.max_bits_per_second, policy.max_bits_per_second),
        start_after_idle_seconds: limits.start_after_idle_seconds.unwrap_or(0).max(policy.start_after_idle_seconds),
        mains_only: limits.mains_only || policy.mains_only,
        unmetered_only: limits.unmetered_only || policy.unmetered_only,
    }
}

fn stricter<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Hours that say nothing, or not what somebody means who wrote them.
///
/// # Errors
/// What is wrong, as a sentence. Leaving such hours out would be worse: without any, every hour is allowed.
pub fn check(wanted: &Limits) -> Result<(), String> {
    for hours in &wanted.schedule {
        if hours.days.is_empty() {
            return Err("Choose at least one day for each of your hours, or remove the line.".to_owned());
        }
        if hours.from == hours.to {
            return Err("Your hours begin and end at the same time. For a whole day write 00:00 to 24:00.".to_owned());
        }
        if hours.from.minutes() >= DAY_MINUTES {
            return Err("Hours begin at 23:59 at the latest; midnight is 00:00.".to_owned());
        }
    }
    Ok(())
}

/// The limits that somebody asked for, as far as they can be had. One that is no stricter than the policy becomes absent, so
/// that it does not bind when the office changes its mind. Yes and no stay as they were said: a machine that shall never work
/// on battery shall not when the policy is relaxed either.
pub fn clamp(wanted: Limits, policy: &Policy, machine_cores: u32, machine_memory_mib: u64) -> Limits {
    let cores = policy.max_cores.unwrap_or(u32::MAX).min(machine_cores);
    let memory = policy.max_memory_mib.unwrap_or(u64::MAX).min(machine_memory_mib);
    let bits = policy.max_bits_per_second.unwrap_or(u64::MAX);
    let idle = policy.start_after_idle_seconds;
    Limits {
        max_cores: wanted.max_cores.map(|wanted| wanted.max(1)).filter(|wanted| *wanted < cores),
        max_memory_mib: wanted.max_memory_mib.map(|wanted| wanted.max(LEAST_MEMORY_MIB)).filter(|wanted| *wanted < memory),
        max_bits_per_second: wanted
            .max_bits_per_second
            .map(|wanted| wanted.max(LEAST_BITS_PER_SECOND))
            .filter(|wanted| *wanted < bits),
        start_after_idle_seconds: wanted
            .start_after_idle_seconds
            .map(|wanted| wanted.min(LONGEST_IDLE_SECONDS))
            .filter(|wanted| *wanted > idle),
        mains_only: wanted.mains_only,
        unmetered_only: wanted.unmetered_only,
        schedule: wanted.schedule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::now;
    use offpeak_api::agent::AgentState;

    #[test]
    fn limits_can_only_be_stricter() {
        let policy = Policy {
            max_cores: Some(6),
            max_memory_mib: Some(8192),
            max_bits_per_second: Some(50_000_000),
            start_after_idle_seconds: 300,
            ..Policy::default()
        };
        let cores = |max_cores| Limits { max_cores, ..Limits::default() };
        let memory = |max_memory_mib| Limits { max_memory_mib, ..Limits::default() };
        let bits = |max_bits_per_second| Limits { max_bits_per_second, ..Limits::default() };
        let idle = |start_after_idle_seconds| Limits { start_after_idle_seconds, ..Limits::default() };
        for (wanted, given) in [
            (cores(Some(4)), cores(Some(4))),
            (cores(Some(0)), cores(Some(1))),
            (cores(Some(6)), cores(None)),
            (cores(Some(64)), cores(None)),
            (memory(Some(4096)), memory(Some(4096))),
            (memory(Some(1)), memory(Some(256))),
            (memory(Some(1 << 20)), memory(None)),
            (bits(Some(20_000_000)), bits(Some(20_000_000))),
            (bits(Some(1)), bits(Some(100_000))),
            (bits(Some(1 << 40)), bits(None)),
            (idle(Some(900)), idle(Some(900))),
            (idle(Some(10)), idle(None)),
            (idle(Some(u32::MAX)), idle(Some(86_400))),
        ] {
            assert_eq!(clamp(wanted.clone(), &policy, 8, 16 << 10), given, "{wanted:?}");
        }
    }

    #[test]
    fn hours_that_say_nothing_are_refused() {
        let hours = |days: &[&str], from: &str, to: &str| Limits {
            schedule: vec![serde_json::from_value(serde_json::json!({ "days": days, "from": from, "to": to })).expect("hours")],
            ..Limits::default()
        };
        for (wanted, problem) in [
            (Limits::default(), None),
            (hours(&["mon"], "18:00", "08:00"), None),
            (hours(&["sat", "sun"], "00:00", "24:00"), None),
            (hours(&[], "18:00", "08:00"), Some("at least one day")),
            (hours(&["mon"], "18:00", "18:00"), Some("begin and end at the same time")),
            (hours(&["mon"], "24:00", "08:00"), Some("midnight is 00:00")),
        ] {
            let said = check(&wanted).err();
            assert_eq!(said.is_some(), problem.is_some(), "{wanted:?}");
            assert!(said.unwrap_or_default().contains(problem.unwrap_or_default()), "{wanted:?}");
            assert_eq!(clamp(wanted.clone(), &Policy::default(), 8, 1024), wanted, "nothing is left out in silence");
        }
    }

    #[test]
    fn the_machine_is_a_limit_too() {
        let wanted = Limits { max_cores: Some(8), max_memory_mib: Some(16 << 10), ..Limits::default() };
        assert_eq!(clamp(wanted, &Policy::default(), 8, 16 << 10), Limits::default());
    }

    #[test]
    fn no_stays_no() {
        let wanted = Limits { mains_only: true, unmetered_only: true, ..Limits::default() };
        assert_eq!(clamp(wanted.clone(), &Policy::default(), 8, 1024), wanted);
    }

    #[test]
    fn the_stricter_of_each_holds() {
        let mut now = now(AgentState::Waiting, "");
        now.policy = Policy { max_cores: Some(6), max_bits_per_second: None, mains_only: false, ..Policy::default() };
        now.limits = Limits {
            max_cores: Some(12),
            max_bits_per_second: Some(5_000_000),
            start_after_idle_seconds: Some(60),
            mains_only: true,
            ..Limits::default()
        };
        assert_eq!(
            in_force(&now),
            InForce {
                cores: 6,
                memory_mib: now.machine_memory_mib,
                bits_per_second: Some(5_000_000),
                start_after_idle_seconds: 300,
                mains_only: true,
                unmetered_only: true,
            }
        );
    }
}
