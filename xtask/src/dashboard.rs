//! `make bench-dashboard`: how soon the dashboard is there, in Chromium, with a server that has nothing else to do.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{
    paths, say,
    setup::{self, Purpose},
    shell,
    system::{Build, Programs, System},
};

#[derive(Debug, clap::Args)]
pub struct BenchDashboard {
    /// How many visits of each kind
    #[arg(long, env = "TRIES", default_value = "9")]
    tries: u32,
    /// Of a debug build of the server, which is there sooner
    #[arg(long)]
    dev: bool,
}

pub fn bench(wanted: &BenchDashboard) -> Result<()> {
    setup::run(Purpose::Test)?;
    let programs = Programs::build(if wanted.dev { Build::Dev } else { Build::Release })?;
    let folder = paths::scratch().join("bench-dashboard");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let system = System::start(programs, &folder)?;
    let link = system.setup_link().context("the server made no link for its first administrator")?;
    say::step("Opening the dashboard (medians; a visit is the first when nothing is in the browser's cache)");
    let mut node = Command::new("node");
    node.current_dir(paths::root().join("tests/browser")).arg("bench-dashboard.mjs").arg(system.url()).arg(link);
    shell::run(node.arg(wanted.tries.to_string()))
}
