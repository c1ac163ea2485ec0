use std::io;

use nix::{
    libc,
    sys::{prctl, signal::Signal},
    unistd::{getpid, getppid},
};
use tokio::process::Command;

/// `IOPRIO_CLASS_IDLE` in the class bits of `ioprio_set(2)`.
const IOPRIO_IDLE: libc::c_int = 3 << 13;
/// `IOPRIO_WHO_PROCESS` of `ioprio_set(2)`; 0 as its id is the caller.
const IOPRIO_WHO_PROCESS: libc::c_int = 1;

/// Makes the child die with the thread that starts it, and run when nothing else wants to.
#[expect(unsafe_code, reason = "death signal and priorities can only be set between fork and exec")]
pub(super) fn prepare(command: &mut Command) {
    let (engine, is_beside_a_person) = (getpid(), super::is_beside_a_person());
    let between_fork_and_exec = move || -> io::Result<()> {
        die_with_parent()?;
        // The engine may have died before the line above: then no signal will come.
        if getppid() != engine {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        // SAFETY: plain system calls on the calling process; lower priority is best effort, so results are ignored.
        unsafe {
            libc::setpriority(libc::PRIO_PROCESS, 0, 19);
            if is_beside_a_person {
                let idle = libc::sched_param { sched_priority: 0 };
                libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const idle);
            }
            libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
        }
        Ok(())
    };
    // SAFETY: the closure makes async-signal-safe system calls only, and allocates nothing unless it is about to fail.
    unsafe { command.pre_exec(between_fork_and_exec) };
}

/// The calling process is killed when the thread that started it ends. A change of who it is takes that back.
pub fn die_with_parent() -> io::Result<()> {
    Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)
}
