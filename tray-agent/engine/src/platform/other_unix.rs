use std::io;

use nix::libc;
use tokio::process::Command;

use super::undertaker::Undertaker;

/// There is no death signal: what is started is told to somebody who ends it with the engine.
pub(super) static UNDERTAKER: Undertaker = Undertaker::new();

/// The engine's own program, with another order.
pub(super) fn undertaker() -> io::Result<std::process::Command> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.arg("undertaker");
    Ok(command)
}

/// setpriority(2) of macOS.
#[cfg(target_os = "macos")]
const PRIO_DARWIN_PROCESS: libc::c_int = 4;
#[cfg(target_os = "macos")]
const PRIO_DARWIN_BG: libc::c_int = 0x1000;

/// Runs the child when nothing else wants to.
#[expect(unsafe_code, reason = "a child's priority can only be set between fork and exec without a race")]
pub(super) fn prepare(command: &mut Command) {
    // A group of its own: a Ctrl-C at the engine's terminal must not reach ffmpeg before the engine has committed.
    command.process_group(0);
    let between_fork_and_exec = || -> io::Result<()> {
        // SAFETY: one plain system call on the calling process; lower priority is best effort, so its result is ignored.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
        // Background: the efficient cores, throttled disk and network. `PRIO_DARWIN_BG` is the name of it in sys/resource.h.
        #[cfg(target_os = "macos")]
        // SAFETY: as above.
        unsafe {
            libc::setpriority(PRIO_DARWIN_PROCESS, 0, PRIO_DARWIN_BG)
        };
        Ok(())
    };
    // SAFETY: the closure makes one async-signal-safe system call and allocates nothing.
    unsafe { command.pre_exec(between_fork_and_exec) };
}
