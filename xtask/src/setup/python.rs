//! A virtual environment with what checks the running server and makes the Python client: pinned, and away from the system's.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result};

use super::web::Stamp;
use crate::{paths, say, shell};

/// The environment's folder of programs.
pub fn programs() -> PathBuf {
    paths::scratch().join("python").join(if cfg!(windows) { "Scripts" } else { "bin" })
}

pub fn install() -> Result<()> {
    let folder = paths::scratch().join("python");
    let pinned = paths::root().join("openapi/tools/requirements.txt");
    let stamp = Stamp::new("python", [pinned.as_path()])?;
    if stamp.is_fresh() && programs().is_dir() {
        return Ok(());
    }
    let since = Instant::now();
    say::step("Installing Python tools for the API (pip, into .offpeak/python)");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let python = shell::python().context("there is no python3")?;
    shell::output(Command::new(python).args(["-m", "venv"]).arg(&folder))
        .context("cannot make a virtual environment; Debian has what it takes in the package python3-venv")?;
    pip(&pinned)?;
    stamp.set()?;
    say::took(since);
    Ok(())
}

fn pip(pinned: &Path) -> Result<()> {
    let mut pip = Command::new(programs().join(format!("python{}", std::env::consts::EXE_SUFFIX)));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "-r"]);
    shell::output(pip.arg(pinned))
        .context("pip could not install the tools. Is this machine online, and may it reach the Python package index?")
        .map(|_| ())
}
