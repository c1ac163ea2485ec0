//! `make agent-package`: an installer of the tray app. In it: the shell, the engine, and the pinned ffmpeg and ffprobe, each
//! with a file that says its SHA-256, so that the engine notices when one was changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    paths, say,
    setup::{self, Purpose, sha256},
    shell,
    system::{Build, profile_folder},
};

#[derive(Debug, clap::Args)]
pub struct AgentPackage {
    /// Kinds of installers, by commas: deb, rpm, appimage; msi, nsis; app, dmg [default: deb, nsis or dmg, by system]
    #[arg(long, env = "BUNDLES", value_delimiter = ',')]
    bundles: Vec<String>,
    /// Debug builds: made in minutes, for trying the installer itself
    #[arg(long)]
    debug: bool,
    /// One more file with settings of Tauri, such as tray-agent/shell/tauri.release.json with the key and the place of your updates
    #[arg(long, env = "OFFPEAK_TAURI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What the installer carries beside the shell.
const BUNDLED: [&str; 2] = ["offpeak-ffmpeg", "offpeak-ffprobe"];

pub fn agent(wanted: &AgentPackage) -> Result<()> {
    setup::run(Purpose::Tray)?;
    let folder = paths::root().join("tray-agent/shell");
    let build = if wanted.debug { Build::Dev } else { Build::Release };
    say::step("Building the engine");
    let mut cargo = shell::cargo();
    cargo.current_dir(paths::root()).args(["build", "-p", "offpeak-engine"]);
    shell::run(if wanted.debug { &mut cargo } else { cargo.arg("--release") })?;
    stage(&folder.join("package/bin"), build)?;

    let bundles = if wanted.bundles.is_empty() { vec![usual_bundle().to_owned()] } else { wanted.bundles.clone() };
    say::step(format_args!("Building the tray app and the installer ({})", bundles.join(", ")));
    let mut tauri = tauri();
    tauri.current_dir(&folder).args(["build", "--ci", "--bundles", &bundles.join(","), "--config", "tauri.package.json"]);
    if wanted.debug {
        tauri.arg("--debug");
    }
    if let Some(config) = &wanted.config {
        tauri.arg("--config").arg(fs::canonicalize(config).with_context(|| format!("cannot read {}", config.display()))?);
    }
    shell::run(&mut tauri)?;

    let made = profile_folder(build)?.join("bundle");
    for kind in &bundles {
        say::detail(format_args!("{}", made.join(kind).display()));
    }
    Ok(())
}

/// Tauri's bundler looks for programs whose names end in the target they are made for.
fn stage(folder: &Path, build: Build) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let target = target()?;
    let exe = std::env::consts::EXE_SUFFIX;
    let agent = profile_folder(build)?.join(format!("offpeak-agent{exe}"));
    let bundled = BUNDLED.map(|name| (name, paths::tool(name)));
    for (name, program) in [("offpeak-agent", agent)].into_iter().chain(bundled) {
        let staged = folder.join(format!("{name}-{target}{exe}"));
        fs::copy(&program, &staged).with_context(|| format!("cannot copy {} to {}", program.display(), staged.display()))?;
    }
    for name in BUNDLED {
        let hash = sha256(&paths::tool(name)).with_context(|| format!("cannot read {name}"))?;
        fs::write(folder.join(format!("{name}.sha256")), format!("{hash}  {name}{exe}\n"))?;
    }
    Ok(())
}

/// Tauri's command comes with the window's packages; what starts it differs.
fn tauri() -> Command {
    let script = setup::window_folder().join("node_modules/@tauri-apps/cli/tauri.js");
    let mut command = Command::new("node");
    command.arg(script);
    command
}

fn usual_bundle() -> &'static str {
    match std::env::consts::OS {
        "windows" => "nsis",
        "macos" => "dmg",
        _ => "deb",
    }
}

fn target() -> Result<String> {
    let said = shell::output(Command::new("rustc").arg("-vV"))?;
    match said.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(target) => Ok(target.trim().to_owned()),
        None => bail!("`rustc -vV` does not say for which target it is"),
    }
}
