//! `make simulate`: a day of a fleet in virtual time. The simulation is a program of its own, because it needs the server's
//! code and this one has to be built in a minute.

use anyhow::Result;

use crate::{paths, say, shell};

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Simulate {
    /// What the simulation is to do; `--help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

pub fn simulate(wanted: &Simulate) -> Result<()> {
    say::step(format_args!("Building the simulation (it contains the server)"));
    let package = ["--package", "offpeak-simulate"];
    shell::run(shell::cargo().current_dir(paths::root()).args(["build", "--quiet"]).args(package))?;
    shell::run(shell::cargo().current_dir(paths::root()).args(["run", "--quiet"]).args(package).arg("--").args(&wanted.options))
}
