//! What npm installs: the web pages' packages and the build that the server embeds, and the players of the browser test.
//! Each only when its inputs changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{paths, say, shell};

/// What Vite and its plugins ask for.
const OLDEST_NODE: (u32, u32) = (20, 19);

pub fn folder() -> PathBuf {
    paths::root().join("web-dashboard")
}

pub fn build() -> Result<()> {
    let folder = folder();
    check_node()?;
    install_packages(&folder, "npm-ci", "the web pages' packages")?;
    install_sdk_packages()?;
    let inputs = [inputs(&folder)?, inputs(&sdk())?].concat();
    let pages = Stamp::new("npm-build", inputs.iter().map(PathBuf::as_path))?;
    if !pages.is_fresh() || !folder.join("dist/index.html").is_file() {
        say::step("Building the web pages (npm run build)");
        shell::run(shell::npm(&folder).args(["run", "--silent", "build"]))?;
        pages.set()?;
    }
    Ok(())
}

/// The tray app's window, which it carries.
pub fn window_folder() -> PathBuf {
    paths::root().join("tray-agent/ui")
}

/// Its packages, among them what makes installers of the whole, and the built page.
pub fn build_window() -> Result<()> {
    let folder = window_folder();
    check_node()?;
    install_packages(&folder, "npm-ci-window", "the tray app's window's packages")?;
    // It shows the tray's pictures and shares colours with the web pages.
    let others = ["tray-agent/shell/icons/tray", "web-dashboard/src/styles"].map(|shared| paths::root().join(shared));
    let mut inputs = inputs(&folder)?;
    for other in others {
        inputs.extend(self::inputs(&other)?);
    }
    let page = Stamp::new("npm-build-window", inputs.iter().map(PathBuf::as_path))?;
    if !page.is_fresh() || !folder.join("dist/index.html").is_file() {
        say::step("Building the tray app's window (npm run build)");
        shell::run(shell::npm(&folder).args(["run", "--silent", "build"]))?;
        page.set()?;
    }
    Ok(())
}

/// The players that the browser test drives.
pub fn install_players() -> Result<()> {
    check_node()?;
    install_packages(&paths::root().join("tests/browser"), "npm-ci-players", "the browser test's players")
}

/// What looks at the API's description and makes the TypeScript client, and what that needs.
pub fn install_client_tools() -> Result<()> {
    check_node()?;
    install_packages(&paths::root().join("openapi/tools"), "npm-ci-openapi", "the tools for the API's description")?;
    install_sdk_packages()
}

/// The TypeScript client, which the pages use.
fn sdk() -> PathBuf {
    paths::root().join("openapi/sdk/typescript")
}

fn install_sdk_packages() -> Result<()> {
    install_packages(&sdk(), "npm-ci-sdk", "the TypeScript client's packages")
}

fn install_packages(folder: &Path, stamp: &str, what: &str) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let packages = Stamp::new(stamp, [lock.as_path()])?;
    if !packages.is_fresh() || !folder.join("node_modules").is_dir() {
        let since = Instant::now();
        say::step(format_args!("Installing {what} (npm ci)"));
        shell::run(shell::npm(folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]))
            .context("npm could not install the packages. Is this machine online, and may it reach the npm registry?")?;
        packages.set()?;
        say::took(since);
    }
    Ok(())
}

fn check_node() -> Result<()> {
    let advice = format!(
        "Node.js {}.{} or newer is needed to build the web pages; get it from https://nodejs.org (Debian 12's own is older)",
        OLDEST_NODE.0, OLDEST_NODE.1
    );
    let said = shell::output(Command::new("node").arg("--version")).with_context(|| advice.clone())?;
    let version = node_version(&said).with_context(|| format!("cannot make sense of node's version `{}`", said.trim()))?;
    if version < OLDEST_NODE {
        bail!("this is Node.js {}. {advice}", said.trim());
    }
    if shell::find(if cfg!(windows) { "npm.cmd" } else { "npm" }).is_none() && cfg!(unix) {
        bail!("npm is missing; it comes with Node.js (Debian has it in the package npm)");
    }
    Ok(())
}

fn node_version(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.trim().trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Every file that the build reads: all of the folder but what npm and the build themselves put there.
fn inputs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            match entry.file_type()?.is_dir() {
                true if name != "node_modules" && name != "dist" => folders.push(entry.path()),
                true => {}
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Remembers for which inputs something was made.
#[derive(Debug)]
pub struct Stamp {
    file: PathBuf,
    inputs: String,
}

impl Stamp {
    pub fn new<'a>(name: &str, files: impl IntoIterator<Item = &'a Path>) -> Result<Self> {
        let mut hasher = Sha256::new();
        for file in files {
            hasher.update(file.as_os_str().as_encoded_bytes());
            hasher.update([0]);
            hasher.update(fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
        }
        let inputs = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file: paths::scratch().join("stamps").join(name), inputs })
    }

    pub fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|stamped| stamped == self.inputs)
    }

    pub fn set(&self) -> Result<()> {
        let folder = self.file.parent().context("no folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&self.file, &self.inputs).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node() {
        for (said, wanted) in [("v20.19.5\n", Some((20, 19))), ("v18.20.4", Some((18, 20))), ("", None), ("v20", None)] {
            assert_eq!(node_version(said), wanted, "{said}");
        }
    }
}
