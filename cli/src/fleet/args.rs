//! The command line of `offpeak agents` and `offpeak fleet`.

use clap::{Subcommand, builder::PossibleValuesParser};
use offpeak_api::agent::{AgentState, Standing};

use crate::time;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Agents {
    #[command(flatten)]
    pub wanted: Wanted,
    #[command(subcommand)]
    pub change: Option<Change>,
}

/// Which agents to list.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Only agents in these states (may be repeated, or separated by commas).
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(AgentState::ALL.map(AgentState::as_str)))]
    pub state: Vec<String>,
    /// Only agents of these standings (likewise); all but `revoked` when absent.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(Standing::ALL.map(Standing::as_str)))]
    pub standing: Vec<String>,
    /// Only agents of this group.
    #[arg(long, value_name = "NAME|ID")]
    pub group: Option<String>,
    /// Only agents whose name contains this.
    #[arg(long, value_name = "PART")]
    pub name: Option<String>,
    /// At most this many.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

#[derive(Debug, Subcommand)]
pub enum Change {
    /// Let agents end what they hold, and give them nothing more.
    Drain(Stop),
    /// Take away at once what agents hold, and give them nothing more.
    SetAside(Stop),
    /// Give agents work again.
    Resume {
        #[arg(required = true, value_name = "NAME|ID")]
        agents: Vec<String>,
    },
    /// Throw agents out for good; their machines come back only by enrolling again.
    Revoke {
        #[arg(required = true, value_name = "NAME|ID")]
        agents: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Give an agent another name.
    Rename {
        #[arg(value_name = "NAME|ID")]
        agent: String,
        #[arg(value_name = "NEW NAME")]
        to: String,
    },
    /// Put agents into another group.
    Move {
        #[arg(required = true, value_name = "NAME|ID")]
        agents: Vec<String>,
        /// The group: its name or id.
        #[arg(long, value_name = "GROUP")]
        to: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct Stop {
    #[arg(required = true, value_name = "NAME|ID")]
    pub agents: Vec<String>,
    /// Why: shown with the agent and at its desk.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct Fleet {
    /// In what time all work should be done, for the number of machines wanted: a minute to a day.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = time::seconds_of_a_day)]
    pub within: u32,
}
