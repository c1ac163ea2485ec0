//! `cargo xtask setup`: brings a fresh machine to where everything builds and runs. Quick when there is nothing to do.

mod packages;
pub mod python;
mod tools;
mod web;

use std::time::Instant;

use anyhow::Result;

use crate::say;

pub use self::{tools::hash as sha256, web::window_folder};

/// What the machine is set up for; each has what those before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Building and running.
    Run,
    /// The tray app, too: the system's web view, and the window that it shows.
    Tray,
    /// A browser with players that play what came out, and a desktop to click on.
    Test,
}

pub fn run(purpose: Purpose) -> Result<()> {
    say::step("Looking for what is missing");
    let since = Instant::now();
    packages::install(purpose)?;
    tools::install()?;
    if purpose == Purpose::Test {
        web::install_players()?;
        clients()?;
    }
    web::build()?;
    if purpose >= Purpose::Tray {
        web::build_window()?;
    }
    say::detail(format_args!("all is there ({})", say::seconds(since.elapsed())));
    Ok(())
}

/// What checks the API's description and makes clients from it, and what the clients themselves need.
pub fn clients() -> Result<()> {
    packages::install(Purpose::Run)?;
    web::install_client_tools()?;
    python::install()
}
