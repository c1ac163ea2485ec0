//! What a package brings and what its scripts do, as far as that can be tried without installing one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use offpeak_desktop::{is_alive, wait_for};
use serde_json::Value;

fn shell_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn settings(name: &str) -> Value {
    serde_json::from_slice(&fs::read(shell_folder().join(name)).unwrap()).unwrap()
}

/// A machine's folder of programs, and a systemd that only notes what it is told.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::create_dir(machine.bin()).unwrap();
        let tools = machine.0.path().join("tools");
        fs::create_dir(&tools).unwrap();
        for name in ["systemctl", "update-desktop-database"] {
            let tool = tools.join(name);
            fs::write(&tool, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        }
        machine
    }

    fn bin(&self) -> std::path::PathBuf {
        // As the kernel names it.
        fs::canonicalize(self.0.path()).unwrap().join("bin")
    }

    fn runs(&self, program: &str) -> Running {
        let copy = self.bin().join(program);
        fs::copy("/bin/sleep", &copy).unwrap();
        let child = Command::new(&copy).arg("600").stdin(Stdio::null()).spawn().unwrap();
        // A child that has not become its program yet is still the test.
        wait_for("the program", || fs::read_link(format!("/proc/{}/exe", child.id())).ok().filter(|exe| *exe == copy));
        Running(child)
    }

    /// The script, for this machine's programs instead of the system's.
    fn script(&self, name: &str, argument: &str) {
        let text = fs::read_to_string(shell_folder().join("package").join(name)).unwrap();
        assert!(!name.starts_with("before") || text.contains("/usr/bin/"), "there is something to replace");
        let text = text.replace("/usr/bin/offpeak", &format!("{}/offpeak", self.bin().display()));
        let path = format!("{}:{}", self.0.path().join("tools").display(), std::env::var("PATH").unwrap());
        let done = Command::new("sh").args(["-eu", "-c", &text, name, argument]).env("PATH", path).status().unwrap();
        assert!(done.success(), "{name} {argument}: {done}");
    }
}

struct Running(Child);

impl Running {
    fn is_alive(&mut self) -> bool {
        let _reaped = self.0.try_wait();
        is_alive(self.0.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn a_removal_ends_what_runs_and_an_upgrade_does_not() {
    let machine = Machine::new();
    let (mut app, mut engine, mut other) =
        (machine.runs("offpeak-tray"), machine.runs("offpeak-agent"), machine.runs("offpeak-tray-of-somebody"));
    for argument in ["upgrade", "1"] {
        machine.script("before-removal.sh", argument);
        assert!(app.is_alive() && engine.is_alive());
    }
    // An upgrade has replaced the file of one that goes on running.
    fs::remove_file(machine.bin().join("offpeak-tray")).unwrap();
    machine.script("before-removal.sh", "remove");
    assert!(!app.is_alive() && !engine.is_alive());
    assert!(other.is_alive());
}

#[test]
fn the_other_scripts_do_no_harm() {
    let machine = Machine::new();
    machine.script("after-install.sh", "configure");
    machine.script("after-removal.sh", "remove");
}

#[test]
fn linux_packages_bring_everything() {
    let linux = settings("tauri.package.json")["bundle"]["linux"].clone();
    for kind in ["deb", "rpm"] {
        let files = linux[kind]["files"].as_object().unwrap();
        for needed in [
            "/usr/bin/offpeak-ffmpeg.sha256",
            "/usr/bin/offpeak-ffprobe.sha256",
            "/etc/xdg/autostart/offpeak-tray.desktop",
            "/usr/lib/systemd/system/offpeak-agent.service",
        ] {
            assert!(files.contains_key(needed), "{kind} has no {needed}");
        }
        let scripts = ["desktopTemplate", "postInstallScript", "preRemoveScript", "postRemoveScript"];
        let named = scripts.iter().map(|name| linux[kind][name].as_str().unwrap_or_else(|| panic!("{kind} has no {name}")));
        let brought = files.values().map(|from| from.as_str().unwrap());
        // Those of package/bin are put there when a package is made.
        for from in named.chain(brought).filter(|from| !from.starts_with("package/bin/")) {
            assert!(shell_folder().join(from).exists(), "{kind} names {from}");
        }
    }
}

/// On Windows and macOS they are signed after their SHA-256 could be taken: with the file beside them they would not be run.
#[test]
fn what_is_signed_later_has_no_file_that_says_otherwise() {
    let bundle = settings("tauri.package.json")["bundle"].clone();
    for part in ["windows", "macOS", "resources"] {
        assert!(!bundle[part].to_string().contains(".sha256"), "{part}");
    }
    assert_eq!(bundle["externalBin"].as_array().map(Vec::len), Some(3));
}
