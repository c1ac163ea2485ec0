//! Where things are in the checkout and on the machine.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

/// The checkout's top folder.
pub fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(PathBuf::from).unwrap_or(xtask)
}

/// Everything that commands here make and may be deleted at any time: tools, films, the demo's data.
pub fn scratch() -> PathBuf {
    root().join(".offpeak")
}

/// A pinned tool, where `setup` puts it and everything else looks for it.
pub fn tool(name: &str) -> PathBuf {
    scratch().join("bin").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

pub fn ffmpeg() -> PathBuf {
    tool("offpeak-ffmpeg")
}

pub fn ffprobe() -> PathBuf {
    tool("offpeak-ffprobe")
}

/// Downloads shared by all checkouts of this user.
pub fn cache() -> Result<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("OFFPEAK_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("offpeak")))
        .or_else(|| variable("LOCALAPPDATA").map(|folder| folder.join("Offpeak").join("cache")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/offpeak")))
        .context("no folder for downloads is known: set OFFPEAK_CACHE to one")
}
