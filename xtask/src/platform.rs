//! The few things that differ between operating systems.

use std::process::{Child, Command};

#[cfg(unix)]
mod sys {
    use std::{
        fs::OpenOptions,
        io::{self, Write},
        os::unix::{fs::OpenOptionsExt, process::CommandExt},
        path::Path,
        process::Command,
    };

    use nix::{
        sys::{
            resource::{UsageWho, getrusage},
            signal::{Signal, kill, killpg},
        },
        unistd::{Pid, geteuid},
    };

    pub fn is_root() -> bool {
        geteuid().is_root()
    }

    /// A process group of its own: Ctrl-C in the terminal then reaches only us, and we end the rest in order.
    pub fn detach_from_terminal(command: &mut Command) {
        command.process_group(0);
    }

    pub fn terminate(pid: u32) {
        // A process that is gone already needs no signal.
        let _gone = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGTERM);
    }

    pub fn kill_group(pid: u32) {
        let _gone = killpg(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }

    /// A file that only its owner can read.
    pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())
    }

    /// CPU seconds of all children that have ended and of theirs, user and system together.
    pub fn children_cpu_seconds() -> Option<f64> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
        let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        Some(seconds(usage.user_time()) + seconds(usage.system_time()))
    }
}

#[cfg(not(unix))]
mod sys {
    use std::{io, path::Path, process::Command};

    pub fn is_root() -> bool {
        false
    }

    pub fn detach_from_terminal(_command: &mut Command) {}

    pub fn terminate(pid: u32) {
        kill_group(pid);
    }

    pub fn kill_group(pid: u32) {
        let _gone = Command::new("taskkill").args(["/F", "/T", "/PID", &pid.to_string()]).output();
    }

    pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
        std::fs::write(path, text)
    }

    pub fn children_cpu_seconds() -> Option<f64> {
        None
    }
}

pub use sys::{children_cpu_seconds, is_root, write_secret};

/// A command for a long-lived child that ends when we end, however we end.
///
/// On Linux the kernel sends it SIGTERM when our main thread is gone; elsewhere an orderly end is all there is.
pub fn tied_to_us(program: &std::path::Path) -> Command {
    let mut command = match crate::shell::find("setpriv") {
        Some(setpriv) if cfg!(target_os = "linux") => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        }
        _ => Command::new(program),
    };
    sys::detach_from_terminal(&mut command);
    command
}

/// Asks a child to end in its own way.
pub fn terminate(child: &Child) {
    sys::terminate(child.id());
}

/// Ends a child and all of its children at once.
pub fn kill(child: &Child) {
    sys::kill_group(child.id());
}
