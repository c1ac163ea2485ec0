//! What the desk leaves to the engine. Rules are looked at in their order; each that speaks against work says whether work
//! stands still meanwhile or is handed back.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use offpeak_api::{agent::AgentState, lease::ReleaseReason};

use super::{Inputs, Moment, hours::next_allowed, state::Finding};
use crate::{
    desk::Allowed,
    lease::for_the_server,
    presence::{LastInput, Leaving, Power, Readings},
    words::{duration, share},
};

/// A suspended machine's person is taken to be there for this part of the quiet time; then work waits for the rest of it.
const PRESENT_PART: u32 = 2;
/// Work that goes on is not held up by every peak: others have to use so much more of the processor than where it may begin.
const CPU_MARGIN: f64 = 0.1;
/// Others must have been quiet for so long before a busy processor counts as free.
const CPU_QUIET_FOR: Duration = Duration::from_secs(30);
/// What ran out of memory once does so again: nothing is tried for a while.
const MEMORY_PAUSE: Duration = Duration::from_secs(300);
/// Wall and own clock differ by more than this: the machine slept, or somebody set the clock.
const CLOCK_JUMP: TimeDelta = TimeDelta::seconds(30);
/// A film or a talk is over by then: a window that was left in full screen for the night is no reason.
const LONGEST_SHOW: Duration = Duration::from_secs(4 * 3600);

/// What was before: where a rule depends on how it came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    phase: Phase,
    /// Others use the processor; since when they have been quiet again.
    cpu: Option<CpuBusy>,
    /// No work for want of memory until then.
    memory_until: Option<Duration>,
    last: Option<Moment>,
    /// The machine said that it is going to sleep, and not yet that it is awake again.
    asleep: bool,
    /// Somebody is taken to have come then: the machine woke up.
    woke_at: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Phase {
    /// Waiting for the machine to be left alone.
    #[default]
    Out,
    /// Work has been allowed since.
    Working { since: Duration },
    /// Work stands still since, and goes on after the shorter wait.
    Suspended { since: Duration },
    /// It stood still for too long: handed back.
    Released { why: ReleaseReason },
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct CpuBusy {
    quiet_since: Option<Duration>,
}

/// What the desk leaves to the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The first thing that speaks against work.
    pub finding: Option<Finding>,
    pub allowed: Allowed,
    /// Whether somebody, or somebody's program, has the machine now, whatever speaks against work besides: a pause, the hour, a
    /// fault.
    pub needed: bool,
}

/// What a rule that speaks against work makes of leases.
enum Effect {
    /// They live on, and wait.
    Stand,
    HandBack(ReleaseReason),
}

struct Against {
    finding: Finding,
    effect: Effect,
}

pub fn verdict(inputs: &Inputs<'_>, before: &Memory) -> (Verdict, Memory) {
    let mut memory = before.clone();
    memory.note_clock(inputs.now);
    memory.note_sleep(inputs.leaving, inputs.now.at);
    let mut against = Vec::new();
    engine_rules(inputs, &mut against);
    person_rules(inputs, &mut against);
    let wishes_and_faults = against.len();
    if let Some(machine) = inputs.machine {
        machine_rules(inputs, machine, &mut memory, &mut against);
    }
    against.extend(inputs.leaving.map(leaving));
    let needed = against.len() > wishes_and_faults;
    // The rules above come in their order, but for those of the engine.
    against.sort_by_key(|one| one.finding.state);
    let allowed = memory.step(inputs, &against);
    let finding = against.into_iter().next().map(|first| first.finding);
    (Verdict { finding, allowed, needed }, memory)
}

impl Memory {
    fn note_clock(&mut self, now: Moment) {
        if let Some(last) = self.last {
            let own = TimeDelta::from_std(now.at.saturating_sub(last.at)).unwrap_or(TimeDelta::MAX);
            if (now.utc - last.utc) - own > CLOCK_JUMP {
                // Whoever woke it is there; and if only the clock was set, a quiet time is lost and nothing else.
                self.woke_at = Some(now.at);
            }
        }
        self.last = Some(now);
    }

    /// Where the own clock goes on during sleep, the clocks do not differ afterwards; but the machine says so itself.
    fn note_sleep(&mut self, leaving: Option<Leaving>, now: Duration) {
        let asleep = match leaving {
            Some(Leaving::Sleep) => true,
            Some(Leaving::Shutdown) | None => false,
        };
        if self.asleep && !asleep {
            self.woke_at = Some(now);
        }
        self.asleep = asleep;
    }

    /// Goes over to the next phase, and says what may be done in it.
    fn step(&mut self, inputs: &Inputs<'_>, against: &[Against]) -> Allowed {
        let now = inputs.now.at;
        let back = against.iter().find_map(|one| match one.effect {
            Effect::HandBack(why) => Some(why),
            Effect::Stand => None,
        });
        if let Some(why) = back {
            self.phase = Phase::Out;
            return Allowed::Nothing { why };
        }
        let Some(first) = against.first() else {
            self.phase = match self.phase {
                Phase::Working { since } => Phase::Working { since },
                Phase::Out | Phase::Suspended { .. } | Phase::Released { .. } => Phase::Working { since: now },
            };
            return Allowed::Work;
        };
        self.phase = match self.phase {
            // A lease that was asked for before may come while work is not allowed any more.
            Phase::Working { .. } | Phase::Out if inputs.engine.leases > 0 => Phase::Suspended { since: now },
            Phase::Suspended { since } if inputs.engine.leases > 0 => {
                if now.saturating_sub(since) >= inputs.rules.release_after {
                    Phase::Released { why: released(first.finding.state) }
                } else {
                    Phase::Suspended { since }
                }
            }
            // With nothing in hand there is nothing to go on with: the longer wait again.
            Phase::Out | Phase::Working { .. } | Phase::Suspended { .. } => Phase::Out,
            Phase::Released { why } => Phase::Released { why },
        };
        match self.phase {
            Phase::Released { why } => Allowed::Nothing { why },
            Phase::Out | Phase::Working { .. } | Phase::Suspended { .. } => {
                // The server hears it with heartbeats.
                let reason = for_the_server(first.finding.state).unwrap_or("work stands still").to_owned();
                Allowed::Suspended { reason }
            }
        }
    }
}

fn engine_rules(inputs: &Inputs<'_>, against: &mut Vec<Against>) {
    if let Some(fault) = inputs.engine.broken.as_ref().filter(|fault| fault.stops) {
        let finding =
            Finding::new(AgentState::Broken, &fault.why, "work needs the bundled programs and a little room on the disk");
        against.push(Against { finding, effect: Effect::HandBack(ReleaseReason::Shutdown) });
    }
    if inputs.engine.updating {
        let finding =
            Finding::new(AgentState::Updating, "an update is being installed", "nothing is held while the programs are replaced");
        against.push(Against { finding, effect: Effect::HandBack(ReleaseReason::Shutdown) });
    }
}

fn person_rules(inputs: &Inputs<'_>, against: &mut Vec<Against>) {
    let Inputs { person, rules, now, .. } = inputs;
    let back = |finding, why| Against { finding, effect: Effect::HandBack(why) };
    if person.paused {
        let finding = Finding::new(AgentState::Paused, "paused until you resume", "a pause lasts until it is taken back");
        against.push(back(finding, ReleaseReason::UserReturned));
    }
    if let Some(ends) = person.snooze.and_then(|snooze| snooze.ends(now.utc)) {
        let left = (ends - now.utc).to_std().unwrap_or_default();
        let mut finding =
            Finding::new(AgentState::Snoozed, "snoozed", format!("a snooze lasts as long as asked: {} more", duration(left)));
        finding.until = Some(ends);
        against.push(back(finding, ReleaseReason::UserReturned));
    }
    if !rules.is_on_schedule(now.day, now.minute) {
        let mut finding = Finding::new(
            AgentState::OffSchedule,
            "it is not the time for it",
            "work is allowed in the hours of the policy and of your own limits",
        );
        finding.until = next_allowed(rules, *now);
        against.push(back(finding, ReleaseReason::Schedule));
    }
}

fn machine_rules(inputs: &Inputs<'_>, machine: &Readings, memory: &mut Memory, against: &mut Vec<Against>) {
    let stand = |finding| Against { finding, effect: Effect::Stand };
    let (rules, now) = (inputs.rules, inputs.now);
    let idle = memory.idle(machine, now);
    if let Some(why) = show(machine, idle) {
        against.push(stand(Finding::new(AgentState::Presenting, why, "nothing runs beside a presentation, a film or a call")));
    }
    against.extend(memory.user(inputs, machine, idle).map(stand));
    if rules.mains_only {
        let rule = "work needs mains power";
        match machine.power.value {
            Some(Power::Mains) => {}
            Some(Power::Battery) => {
                let finding = Finding::new(AgentState::OnBattery, "this computer runs on battery", rule);
                against.push(Against { finding, effect: Effect::HandBack(ReleaseReason::Battery) });
            }
            None => {
                let why = format!("it is not known whether this computer has mains power ({})", machine.power.how);
                against.push(stand(Finding::new(AgentState::OnBattery, why, rule)));
            }
        }
    }
    // Nobody says so on most machines that are not metered.
    if rules.unmetered_only && machine.metered.value == Some(true) {
        let why = "the network connection is paid by volume";
        against.push(stand(Finding::new(AgentState::Metered, why, "nothing goes over metered connections")));
    }
    against.extend(memory.processor(inputs, machine).map(stand));
    if let Some(finding) = memory.memory(machine, now.at) {
        against.push(Against { finding, effect: Effect::HandBack(ReleaseReason::LowMemory) });
    }
}

fn leaving(leaving: Leaving) -> Against {
    let why = match leaving {
        Leaving::Sleep => "this computer is going to sleep",
        Leaving::Shutdown => "this computer is shutting down",
    };
    let finding = Finding::new(AgentState::Suspended, why, "everything is handed back before the machine stops");
    Against { finding, effect: Effect::HandBack(ReleaseReason::Shutdown) }
}

/// Why work goes back that stood still for too long, by what holds it up.
fn released(state: AgentState) -> ReleaseReason {
    match state {
        AgentState::OnBattery => ReleaseReason::Battery,
        AgentState::BusyMemory => ReleaseReason::LowMemory,
        AgentState::OffSchedule => ReleaseReason::Schedule,
        AgentState::Draining => ReleaseReason::Drained,
        AgentState::Broken | AgentState::Updating => ReleaseReason::Shutdown,
        // The protocol has no word of its own for a busy processor or a network that is paid by volume: what somebody does at
        // their machine comes nearest.
        AgentState::BusyCpu
        | AgentState::Metered
        | AgentState::Presenting
        | AgentState::UserActive
        | AgentState::Suspended
        | AgentState::Paused
        | AgentState::Snoozed
        | AgentState::Revoked
        | AgentState::SetAside
        | AgentState::NoServer
        | AgentState::Encoding
        | AgentState::Leasing
        | AgentState::Waiting
        | AgentState::Offline => ReleaseReason::UserReturned,
    }
}

/// Full screen, a call, or a program that wants the screen to stay on.
fn show(machine: &Readings, idle: Option<Duration>) -> Option<String> {
    let is_over = machine.locked.value == Some(true) || idle.is_some_and(|idle| idle > LONGEST_SHOW);
    if machine.call.value == Some(true) {
        return Some("the microphone is in use".to_owned());
    }
    if machine.full_screen.value == Some(true) && !is_over {
        return Some("something is shown in full screen".to_owned());
    }
    let who = machine.inhibited.value.as_ref().and_then(Option::as_ref)?;
    Some(format!("{who} keeps this computer awake"))
}

impl Memory {
    /// Time since somebody was last there; `None` when that is not known. Nobody at all is longer than any wait.
    fn idle(&self, machine: &Readings, now: Moment) -> Option<Duration> {
        let read = match machine.input.value {
            Some(LastInput::At(at)) => Some(now.at.saturating_sub(at)),
            Some(LastInput::Nobody) => Some(Duration::MAX),
            None => None,
        };
        let since_wake = self.woke_at.map_or(Duration::MAX, |woke| now.at.saturating_sub(woke));
        match machine.input.value {
            // A machine that nobody sits at is woken by its own clock.
            Some(LastInput::Nobody) => read,
            Some(LastInput::At(_)) | None => read.map(|read| read.min(since_wake)),
        }
    }

    fn user(&self, inputs: &Inputs<'_>, machine: &Readings, idle: Option<Duration>) -> Option<Finding> {
        let (rules, now) = (inputs.rules, inputs.now);
        let Some(idle) = idle else {
            let why = format!("it is not known whether someone is using this computer ({})", machine.input.how);
            return Some(Finding::new(AgentState::UserActive, why, "what is not known counts as use"));
        };
        let (wait, rule) = match self.phase {
            Phase::Out | Phase::Released { .. } => (rules.start_after, "work begins"),
            // Input since work began, however short that is ago.
            Phase::Working { since } if now.at.saturating_sub(idle) < since => return None,
            Phase::Working { .. } | Phase::Suspended { .. } => (rules.resume_after, "work goes on"),
        };
        if idle >= wait {
            return None;
        }
        let rule = format!("{rule} after {} without input; the last was {} ago", duration(wait), duration(idle));
        let is_waiting = inputs.engine.leases > 0
            && match self.phase {
                Phase::Suspended { .. } => idle >= rules.resume_after / PRESENT_PART,
                Phase::Out | Phase::Working { .. } | Phase::Released { .. } => false,
            };
        let (state, reason) = if is_waiting {
            (AgentState::Suspended, "someone was using this computer a moment ago")
        } else {
            (AgentState::UserActive, "someone is using this computer")
        };
        let mut finding = Finding::new(state, reason, rule);
        finding.until = Some(later(now.utc, wait - idle));
        Some(finding)
    }

    fn processor(&mut self, inputs: &Inputs<'_>, machine: &Readings) -> Option<Finding> {
        let (below, now) = (inputs.rules.other_cpu_below, inputs.now.at);
        if below >= 1.0 {
            return None;
        }
        let rule = format!("other programs use less than {} of the processor", share(below));
        let Some(load) = machine.other_cpu.value else {
            let why = format!("it is not known how busy the processor is ({})", machine.other_cpu.how);
            return Some(Finding::new(AgentState::BusyCpu, why, rule));
        };
        let enough = match self.phase {
            Phase::Working { .. } => below + CPU_MARGIN,
            Phase::Out | Phase::Suspended { .. } | Phase::Released { .. } => below,
        };
        self.cpu = match self.cpu {
            None if load >= enough => Some(CpuBusy::default()),
            None => None,
            Some(_) if load >= below => Some(CpuBusy::default()),
            Some(CpuBusy { quiet_since: None }) => Some(CpuBusy { quiet_since: Some(now) }),
            Some(CpuBusy { quiet_since: Some(since) }) if now.saturating_sub(since) >= CPU_QUIET_FOR => None,
            still => still,
        };
        let busy = self.cpu?;
        let mut finding =
            Finding::new(AgentState::BusyCpu, "other programs are using the processor", format!("{rule}; now {}", share(load)));
        finding.until =
            busy.quiet_since.map(|since| later(inputs.now.utc, CPU_QUIET_FOR.saturating_sub(now.saturating_sub(since))));
        Some(finding)
    }

    fn memory(&mut self, machine: &Readings, now: Duration) -> Option<Finding> {
        let rule = "work leaves memory to whoever works here";
        let (Some(free), Some(total)) = (machine.free_memory_mib.value, machine.total_memory_mib) else {
            let why = format!("it is not known how much memory is free ({})", machine.free_memory_mib.how);
            return Some(Finding::new(AgentState::BusyMemory, why, rule));
        };
        if free < least_free_mib(total) {
            self.memory_until = Some(now + MEMORY_PAUSE);
        }
        self.memory_until = self.memory_until.filter(|until| *until > now);
        self.memory_until?;
        let rule = format!("{rule}: {} MiB have to be free, and for {}", least_free_mib(total), duration(MEMORY_PAUSE));
        Some(Finding::new(AgentState::BusyMemory, format!("memory is short: {free} MiB are free"), rule))
    }
}

/// A twentieth of the memory, though not less than a browser's tab or two and not more than a GiB.
pub fn least_free_mib(total_mib: u64) -> u64 {
    (total_mib / 20).clamp(200, 1024)
}

fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(by).unwrap_or(TimeDelta::zero())
}
