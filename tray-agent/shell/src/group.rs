//! Which picture stands for a state. People tell six pictures apart at 16 pixels, not twenty; the words say the rest.

use offpeak_api::agent::AgentState;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// It works for the farm.
    Working,
    /// It would, if there were work and it were the time for it.
    Waiting,
    /// Somebody uses the machine, or something of theirs does.
    InUse,
    /// Its person said no for now.
    Paused,
    /// Somebody has to do something.
    Attention,
    /// There is no farm, or no way to it.
    NoServer,
}

impl Group {
    pub const ALL: [Self; 6] = [Self::Working, Self::Waiting, Self::InUse, Self::Paused, Self::Attention, Self::NoServer];

    pub fn of(state: AgentState) -> Self {
        match state {
            AgentState::Encoding | AgentState::Leasing => Self::Working,
            AgentState::Waiting
            | AgentState::OffSchedule
            | AgentState::OnBattery
            | AgentState::Metered
            | AgentState::Draining
            | AgentState::Updating => Self::Waiting,
            AgentState::UserActive
            | AgentState::Presenting
            | AgentState::BusyCpu
            | AgentState::BusyMemory
            | AgentState::Suspended => Self::InUse,
            AgentState::Paused | AgentState::Snoozed => Self::Paused,
            AgentState::Broken | AgentState::Revoked | AgentState::SetAside | AgentState::Offline => Self::Attention,
            AgentState::NoServer => Self::NoServer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_picture() {
        let states = |group| AgentState::ALL.into_iter().filter(|state| Group::of(*state) == group).collect::<Vec<_>>();
        assert_eq!(states(Group::Working), [AgentState::Encoding, AgentState::Leasing]);
        assert_eq!(states(Group::Paused), [AgentState::Paused, AgentState::Snoozed]);
        assert_eq!(states(Group::NoServer), [AgentState::NoServer]);
        assert_eq!(
            states(Group::Attention),
            [AgentState::Broken, AgentState::Revoked, AgentState::SetAside, AgentState::Offline]
        );
        assert!(states(Group::InUse).contains(&AgentState::UserActive));
        assert!(states(Group::Waiting).contains(&AgentState::Waiting));
        assert_eq!(Group::ALL.into_iter().map(|group| states(group).len()).sum::<usize>(), AgentState::ALL.len());
    }
}
