//! `make bench-leases`: how fast tasks go through leases. The bench is a crate of its own, for it is no light one.

use anyhow::Result;

use crate::{paths, shell};

#[derive(Debug, clap::Args)]
pub struct BenchLeases {
    /// Options of the bench (`--help` lists them)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
    /// The same in one text, as `make` gives them
    #[arg(long, env = "OPTIONS", default_value = "", hide = true)]
    text: String,
}

pub fn bench(wanted: &BenchLeases) -> Result<()> {
    let mut cargo = shell::cargo();
    cargo.current_dir(paths::root()).args(["run", "--release", "--quiet", "-p", "offpeak-bench-leases", "--"]);
    shell::run(cargo.args(wanted.text.split_whitespace()).args(&wanted.options))
}
