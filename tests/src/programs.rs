//! Where the programs under test are: ours are built first, ffmpeg and ffprobe are the bundled ones.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Our own programs, freshly built.
#[derive(Debug, Clone)]
pub struct Built {
    pub server: PathBuf,
    pub agent: PathBuf,
    pub cli: PathBuf,
}

/// Builds the programs once per test process, unless `OFFPEAK_PROGRAMS` names a folder that has them. Cargo tells paths only
/// of a package's own programs, so it is asked here.
pub fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| std::env::var_os("OFFPEAK_PROGRAMS").map_or_else(build, |folder| in_folder(Path::new(&folder))))
}

/// Programs that somebody else built, such as those of a package.
fn in_folder(folder: &Path) -> Built {
    let program = |name: &str| {
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        assert!(path.exists(), "OFFPEAK_PROGRAMS names a folder without {name}");
        path
    };
    Built { server: program("offpeak-server"), agent: program("offpeak-agent"), cli: program("offpeak") }
}

/// The tray app, built when a test wants it: it needs the system's web view, which the other tests can do without.
pub fn tray() -> &'static Path {
    static TRAY: OnceLock<PathBuf> = OnceLock::new();
    TRAY.get_or_init(|| executable(&build_packages(&["offpeak-shell"]), "offpeak-tray"))
}

fn build() -> Built {
    let executables = build_packages(&["offpeak-server", "offpeak-engine", "offpeak-cli"]);
    let program = |name: &str| executable(&executables, name);
    Built { server: program("offpeak-server"), agent: program("offpeak-agent"), cli: program("offpeak") }
}

fn executable(built: &BTreeMap<String, PathBuf>, name: &str) -> PathBuf {
    built.get(name).unwrap_or_else(|| panic!("cargo built no {name}: {built:?}")).clone()
}

fn build_packages(packages: &[&str]) -> BTreeMap<String, PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace())
        .args(["build", "--quiet", "--message-format=json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["-p", package]))
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // What cargo tells this test about itself would look like a changed environment to build scripts, and rebuild them.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"].iter().any(|p| name.starts_with(p)) {
            command.env_remove(name.as_ref());
        }
    }
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "cargo build of the programs under test failed");
    let mut executables = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            executables.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    executables
}

/// The folder of the root manifest.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

pub fn ffmpeg() -> PathBuf {
    bundled("OFFPEAK_FFMPEG", "offpeak-ffmpeg")
}

pub fn ffprobe() -> PathBuf {
    bundled("OFFPEAK_FFPROBE", "offpeak-ffprobe")
}

fn bundled(variable: &str, name: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| workspace().join(".offpeak/bin").join(name), PathBuf::from);
    assert!(path.exists(), "{} is missing: run `cargo xtask setup`, or set {variable}", path.display());
    path
}

/// What a run of a program left.
#[derive(Debug)]
pub struct Ran {
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("the program prints text")
    }
}

/// Runs ffmpeg with these words (separated by blanks) in `folder`, at `-v warning`.
pub async fn run_ffmpeg(folder: &Path, words: &str) -> Ran {
    let words: Vec<&str> = words.split_whitespace().collect();
    run(ffmpeg(), folder, &[["-nostdin", "-hide_banner", "-v", "warning", "-y"].as_slice(), &words].concat()).await
}

/// Runs ffprobe with these words (separated by blanks) in `folder`.
pub async fn run_ffprobe(folder: &Path, words: &str) -> Ran {
    let words: Vec<&str> = words.split_whitespace().collect();
    run(ffprobe(), folder, &[["-hide_banner", "-v", "error"].as_slice(), &words].concat()).await
}

/// Runs a program to its end, which has to be a good one.
async fn run(program: PathBuf, folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = tokio::process::Command::new(&program);
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap_or_else(|e| panic!("{} does not start: {e}", program.display()));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{} {} failed:\n{stderr}", program.display(), arguments.join(" "));
    Ran { stdout: output.stdout, stderr }
}
