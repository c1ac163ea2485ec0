//! What comes from others, looked over: what npm would install is known to the last byte, comes from the registry and may be
//! passed on; and, where the network allows, what is known against any of it (`make audit`).

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{paths, say, shell};

/// Every folder with packages of npm.
const FOLDERS: [&str; 5] = ["web-dashboard", "tray-agent/ui", "openapi/sdk/typescript", "openapi/tools", "tests/browser"];

/// The same as in deny.toml, and their like among npm's: what ships is passed on under Offpeak's licence.
const LICENCES: [&str; 10] =
    ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "Unlicense"];

/// Their package.json names no licence, their text does.
const STATED_ELSEWHERE: [(&str, &str); 1] = [("node_modules/combine-errors", "3.0.3")];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: u32,
    packages: BTreeMap<String, Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    license: Option<String>,
    /// Only used to build or test.
    #[serde(default)]
    dev: bool,
    /// One of the folders above, seen from another.
    #[serde(default)]
    link: bool,
}

/// Checks every lockfile, without a network.
pub fn check_locks() -> Result<()> {
    let mut wrong = Vec::new();
    for folder in FOLDERS {
        let path = paths::root().join(folder).join("package-lock.json");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // The packages of a folder that only tests are not passed on, whatever they are called there.
        let ships = !matches!(folder, "openapi/tools" | "tests/browser");
        let faults = faults(&text, ships).with_context(|| format!("{} does not read", path.display()))?;
        wrong.extend(faults.into_iter().map(|fault| format!("{folder}: {fault}")));
    }
    if !wrong.is_empty() {
        bail!("npm's lockfiles:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

fn faults(text: &str, ships: bool) -> Result<Vec<String>> {
    let lock: Lock = serde_json::from_str(text)?;
    let mut wrong = Vec::new();
    if lock.lockfile_version != 3 {
        wrong.push(format!("lockfile version {} instead of 3", lock.lockfile_version));
    }
    for (path, package) in &lock.packages {
        // The folder itself, and links, are ours.
        if !path.contains("node_modules/") || package.link {
            continue;
        }
        if !package.integrity.as_deref().is_some_and(|hash| hash.starts_with("sha512-")) {
            wrong.push(format!("{path} has no SHA-512, so nobody knows what would be installed"));
        }
        // `omit-lockfile-registry-resolved` leaves the address out; git repositories and loose archives always have one.
        if let Some(address) = package.resolved.as_deref().filter(|address| !address.starts_with("https://registry.")) {
            wrong.push(format!("{path} comes from {address} and not from the registry"));
        }
        if ships && !package.dev && !may_ship(path, package) {
            let licence = package.license.as_deref().unwrap_or("no licence");
            wrong.push(format!("{path} is under {licence}; what ships must be under one of {}", LICENCES.join(", ")));
        }
    }
    Ok(wrong)
}

fn may_ship(path: &str, package: &Package) -> bool {
    let stated = || STATED_ELSEWHERE.iter().any(|(name, version)| path == *name && package.version.as_deref() == Some(version));
    // One of several is enough.
    let allowed = |licence: &str| licence.trim_matches(['(', ')']).split(" OR ").any(|one| LICENCES.contains(&one));
    package.license.as_deref().map_or_else(stated, allowed)
}

/// Asks the databases of known vulnerabilities; both are on the network.
pub fn audit() -> Result<()> {
    let mut failed = Vec::new();
    let mut ask = |name: &str, command: &mut std::process::Command| {
        say::step(name);
        if let Err(error) = shell::run(command) {
            failed.push(format!("{name}: {error:#}"));
        }
    };
    if shell::find("cargo-deny").is_none() {
        bail!("cargo-deny is missing: `cargo install cargo-deny --locked` installs it");
    }
    ask("crates (RustSec)", shell::cargo().current_dir(paths::root()).args(["deny", "check", "advisories"]));
    for folder in FOLDERS {
        ask(folder, shell::npm(&paths::root().join(folder)).args(["audit", "--audit-level=moderate"]));
    }
    if !failed.is_empty() {
        bail!("something is known, or could not be asked:\n  {}", failed.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(package: &str) -> String {
        format!(r#"{{"lockfileVersion":3,"packages":{{"":{{"name":"ours"}},"node_modules/a":{package}}}}}"#)
    }

    #[test]
    fn what_is_as_it_should_be_passes() {
        let good = r#"{"version":"1.0.0","integrity":"sha512-xyz","license":"(MIT OR GPL-3.0)"}"#;
        assert_eq!(faults(&lock(good), true).expect("a lockfile"), Vec::<String>::new());
        let tool = r#"{"version":"1.0.0","integrity":"sha512-xyz","license":"MPL-2.0","dev":true}"#;
        assert_eq!(faults(&lock(tool), true).expect("a lockfile"), Vec::<String>::new());
    }

    #[test]
    fn everything_else_is_told() {
        let told = |package: &str, part: &str| {
            let faults = faults(&lock(package), true).expect("a lockfile");
            assert!(faults.len() == 1 && faults[0].contains(part), "{faults:?}");
        };
        told(r#"{"version":"1.0.0","license":"MIT"}"#, "no SHA-512");
        told(r#"{"version":"1.0.0","integrity":"sha1-xyz","license":"MIT"}"#, "no SHA-512");
        told(r#"{"integrity":"sha512-x","license":"MIT","resolved":"git+ssh://git@example.com/a.git"}"#, "not from the registry");
        told(r#"{"integrity":"sha512-x","license":"GPL-3.0"}"#, "GPL-3.0");
        told(r#"{"integrity":"sha512-x"}"#, "no licence");
        assert!(faults("{}", true).is_err());
    }
}
