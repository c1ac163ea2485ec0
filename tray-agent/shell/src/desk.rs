//! What the shell knows: the engine's last words, and whether there is an engine.

use std::collections::VecDeque;

use offpeak_link::{Contribution, FromEngine, LogLine, Now};
use serde::Serialize;

/// Enough for what led to a problem, small enough to keep and to read.
const LOG_LINES: usize = 500;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Desk {
    pub engine: Engine,
    pub now: Option<Now>,
    pub contribution: Contribution,
    #[serde(skip)]
    pub log: VecDeque<LogLine>,
    /// A new version is being installed.
    #[serde(skip)]
    pub updating: bool,
    /// A new version that waits for somebody to say so.
    #[serde(skip)]
    pub newer: Option<String>,
    /// Of the engine that said hello last.
    #[serde(skip)]
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Engine {
    /// Started, and not heard of yet.
    Starting,
    Running {
        version: String,
    },
    /// It ended by itself, and starts again in so many seconds.
    Down {
        seconds: u64,
        why: String,
        /// It has done so before, and was not well for long since.
        #[serde(skip)]
        again: bool,
    },
    /// It was told to end.
    Ended,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            engine: Engine::Starting,
            now: None,
            contribution: Contribution::default(),
            log: VecDeque::new(),
            updating: false,
            newer: None,
            version: String::new(),
        }
    }
}

/// What of the screen is old now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    State,
    Log,
    Nothing,
}

impl Desk {
    pub fn hear(&mut self, event: FromEngine) -> Changed {
        match event {
            FromEngine::Hello { version, .. } => {
                self.version.clone_from(&version);
                if !self.is_down() {
                    self.engine = Engine::Running { version };
                }
            }
            FromEngine::Now(now) => {
                self.engine = Engine::Running { version: self.version.clone() };
                self.now = Some(*now);
            }
            FromEngine::Contribution(contribution) => self.contribution = contribution,
            FromEngine::Log(line) => {
                self.log(line);
                return Changed::Log;
            }
            // The supervisor has brought it to whoever asked.
            FromEngine::Answer { .. } => return Changed::Nothing,
        }
        Changed::State
    }

    /// One that died is well again when it says how things are, and not when it is tried once more.
    pub fn starting(&mut self) {
        if !self.is_down() {
            self.engine = Engine::Starting;
        }
    }

    fn is_down(&self) -> bool {
        match self.engine {
            Engine::Down { .. } => true,
            Engine::Starting | Engine::Running { .. } | Engine::Ended => false,
        }
    }

    pub fn log(&mut self, line: LogLine) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    /// What the engine last said, if it is there to be asked for anything.
    pub fn running(&self) -> Option<&Now> {
        match self.engine {
            Engine::Running { .. } => self.now.as_ref(),
            Engine::Starting | Engine::Down { .. } | Engine::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::now;
    use offpeak_api::agent::AgentState;
    use offpeak_link::Level;

    #[test]
    fn what_is_heard_is_known() {
        let mut desk = Desk::default();
        assert_eq!(desk.hear(FromEngine::Hello { protocol: 1, version: "9".to_owned(), pid: 1 }), Changed::State);
        assert_eq!(desk.hear(FromEngine::Now(Box::new(now(AgentState::Waiting, "x")))), Changed::State);
        assert_eq!(desk.running().map(|now| now.state), Some(AgentState::Waiting));
        desk.engine = Engine::Down { seconds: 1, why: String::new(), again: false };
        assert_eq!(desk.running(), None);
        desk.starting();
        desk.hear(FromEngine::Hello { protocol: 1, version: "10".to_owned(), pid: 2 });
        assert_eq!(desk.running(), None, "it may die again before it says how things are");
        desk.hear(FromEngine::Now(Box::new(now(AgentState::Encoding, "x"))));
        assert_eq!(desk.engine, Engine::Running { version: "10".to_owned() });
        assert_eq!(desk.running().map(|now| now.state), Some(AgentState::Encoding));
    }

    #[test]
    fn the_log_keeps_its_last_lines() {
        let mut desk = Desk::default();
        for number in 0..LOG_LINES + 7 {
            let line = LogLine { at: chrono::DateTime::UNIX_EPOCH, level: Level::Info, text: number.to_string() };
            assert_eq!(desk.hear(FromEngine::Log(line)), Changed::Log);
        }
        assert_eq!(desk.log.len(), LOG_LINES);
        assert_eq!(desk.log[0].text, "7");
    }
}
