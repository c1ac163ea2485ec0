//! `make bench-tray`: what an idle machine pays for the tray app and its engine, on a desktop without a screen, with a server
//! that has no work.

use anyhow::{Context, Result};

use crate::{
    paths, say,
    setup::{self, Purpose},
    shell,
    system::{Build, Programs, System},
};

#[derive(Debug, clap::Args)]
pub struct BenchTray {
    /// How long to look
    #[arg(long, default_value = "60")]
    seconds: u64,
}

pub fn bench(wanted: &BenchTray) -> Result<()> {
    setup::run(Purpose::Test)?;
    let programs = Programs::build(Build::Release)?;
    let agent = programs.agent.clone();
    let folder = paths::scratch().join("bench-tray");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let system = System::start(programs, &folder)?;
    say::step("Building the tray app for release");
    let mut cargo = shell::cargo();
    cargo.current_dir(paths::root()).args(["bench", "--quiet", "-p", "offpeak-shell", "--bench", "idle"]);
    cargo.env("OFFPEAK_ENGINE", agent).env("OFFPEAK_URL", system.url()).env("OFFPEAK_ENROL_CODE", system.enrol_code()?);
    cargo.env("OFFPEAK_FFMPEG", paths::ffmpeg()).env("OFFPEAK_FFPROBE", paths::ffprobe());
    shell::run(cargo.env("OFFPEAK_BENCH_SECONDS", wanted.seconds.to_string()))
}
