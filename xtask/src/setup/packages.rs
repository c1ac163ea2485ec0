//! System packages: installed with apt where there is apt, named where there is not.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::Purpose;
use crate::{platform, say, shell};

/// Something that a package brings.
struct Need {
    present: fn() -> bool,
    /// Debian's packages.
    packages: &'static [&'static str],
    /// For people without apt.
    called: &'static str,
    /// The least of what it is needed for.
    purpose: Purpose,
}

const NEEDS: [Need; 8] = [
    Need { present: has_c_compiler, packages: &["build-essential"], called: "a C compiler", purpose: Purpose::Run },
    Need { present: has_pip, packages: &["python3", "python3-pip"], called: "Python 3 with pip", purpose: Purpose::Run },
    Need { present: has_venv, packages: &["python3-venv"], called: "Python's virtual environments", purpose: Purpose::Run },
    Need { present: has_chromium, packages: &["chromium"], called: "Chromium", purpose: Purpose::Test },
    Need { present: has_postgres, packages: &["postgresql"], called: "PostgreSQL's server", purpose: Purpose::Test },
    Need {
        present: has_web_view,
        packages: &["libwebkit2gtk-4.1-dev", "libayatana-appindicator3-dev", "pkg-config"],
        called: "the system's web view and tray icons",
        purpose: Purpose::Tray,
    },
    Need {
        present: has_desktop,
        packages: &["xvfb", "openbox", "trayer", "dbus", "xdotool", "imagemagick"],
        called: "a desktop without a screen",
        purpose: Purpose::Test,
    },
    Need { present: has_settable_clock, packages: &["faketime"], called: "a clock that tests can set", purpose: Purpose::Test },
];

fn has_c_compiler() -> bool {
    cfg!(windows) || ["cc", "gcc", "clang"].iter().any(|name| shell::find(name).is_some())
}

/// Debian has Python without pip.
fn has_pip() -> bool {
    let Some(python) = shell::python() else { return false };
    let status = Command::new(python).args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Debian has Python without this too.
fn has_venv() -> bool {
    let Some(python) = shell::python() else { return false };
    let status = Command::new(python).args(["-c", "import venv, ensurepip"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn has_chromium() -> bool {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    env::var_os("OFFPEAK_CHROMIUM").is_some() || names.iter().any(|name| shell::find(name).is_some())
}

/// Debian keeps the server's programs out of the PATH. Tests that want them are not built on Windows.
fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    cfg!(windows)
        || shell::find("postgres").is_some()
        || versions.into_iter().any(|version| version.path().join("bin/postgres").is_file())
}

/// Elsewhere they are part of the system.
fn has_web_view() -> bool {
    let asked = || Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1", "ayatana-appindicator3-0.1"]).status();
    !cfg!(target_os = "linux") || asked().is_ok_and(|status| status.success())
}

/// What the tests of the tray app click on; elsewhere they are not built.
fn has_desktop() -> bool {
    const PROGRAMS: [&str; 6] = ["Xvfb", "openbox", "trayer", "dbus-daemon", "xdotool", "import"];
    !cfg!(target_os = "linux") || PROGRAMS.iter().all(|name| shell::find(name).is_some())
}

/// Likewise.
fn has_settable_clock() -> bool {
    !cfg!(target_os = "linux") || shell::find("faketime").is_some()
}

pub fn install(purpose: Purpose) -> Result<()> {
    let wanted = NEEDS.iter().filter(|need| need.purpose <= purpose);
    let missing: Vec<&Need> = wanted.filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let called = missing.iter().map(|need| need.called).collect::<Vec<_>>().join(", ");
    if !Path::new("/etc/debian_version").exists() || shell::find("apt-get").is_none() {
        bail!("missing: {called}. Install it with your system's package manager, then run this again");
    }
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    say::step(format_args!("Installing {called} with apt: {}", packages.join(" ")));
    let by_hand = || format!("install them by hand with `apt-get install {}`, then run this again", packages.join(" "));
    if packages.contains(&"postgresql") {
        shell::run(as_root()?.args(["sh", "-c", NO_CLUSTER])).with_context(by_hand)?;
    }
    shell::run(apt()?.args(["update", "-q"])).with_context(by_hand)?;
    shell::run(apt()?.args(["install", "-q", "-y", "--no-install-recommends"]).args(&packages)).with_context(by_hand)?;
    match missing.iter().find(|need| !(need.present)()) {
        Some(need) => bail!("{} is still missing although apt installed {}", need.called, need.packages.join(" ")),
        None => Ok(()),
    }
}

/// Debian's package starts a database server at once. Tests start their own; this machine gets none that nobody asked for.
const NO_CLUSTER: &str = "folder=/etc/postgresql-common/createcluster.d && mkdir -p $folder && \
    echo 'create_main_cluster = false' > $folder/offpeak.conf";

/// apt-get, never waiting for an answer.
fn apt() -> Result<Command> {
    let mut command = as_root()?;
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Ok(command)
}

/// `env` with the right to install.
fn as_root() -> Result<Command> {
    if platform::is_root() {
        return Ok(Command::new("env"));
    }
    let sudo = shell::find("sudo").context("not root, and there is no sudo to install packages with")?;
    let mut command = Command::new(sudo);
    command.arg("env");
    Ok(command)
}
