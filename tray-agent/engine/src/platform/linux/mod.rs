pub(super) mod autogroup;

use std::io;

use nix::{
    libc,
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::{prctl, signal::Signal},
    unistd::{Pid, getpid, getppid, setpgid, setsid},
};
use tokio::process::Command;

/// `IOPRIO_CLASS_IDLE` in the class bits of `ioprio_set(2)`.
const IOPRIO_IDLE: libc::c_int = 3 << 13;
/// `IOPRIO_WHO_PROCESS` of `ioprio_set(2)`; 0 as its id is the caller.
const IOPRIO_WHO_PROCESS: libc::c_int = 1;

/// Makes the child die with the thread that starts it, keeps it to the engine's cores, and lets it run when nothing else
/// wants to.
#[expect(unsafe_code, reason = "all of this can only be set between fork and exec")]
pub(super) fn prepare(command: &mut Command) {
    let (engine, most_cores) = (getpid(), super::most_cores());
    let is_beside_a_person = super::is_beside_a_person();
    // Asked before the fork: it reads files.
    let sessions_compete = is_beside_a_person && autogroup::sessions_compete();
    let between_fork_and_exec = move || -> io::Result<()> {
        die_with_parent()?;
        // The engine may have died before the line above: then no signal will come.
        if getppid() != engine {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        // A group of its own: a Ctrl-C at the engine's terminal must not reach ffmpeg before the engine has committed. A
        // session is one, too, and counts by itself.
        let itself = Pid::from_raw(0);
        if is_beside_a_person {
            setsid()?;
            let counts_least = autogroup::weigh_least() && sessions_compete;
            // A session that counts least leaves a person 98.5 % and more, however many threads are in it. Then SCHED_IDLE would
            // only do harm: the kernel takes a processor where such programs run for an idle one, and moves what a person waits
            // for there and back.
            if !counts_least {
                wait_for_all_others();
            }
        } else {
            setpgid(itself, itself)?;
        }
        if let Some(most) = most_cores {
            keep_to_last_cores(most)?;
        }
        let_others_first();
        Ok(())
    };
    // SAFETY: the closure makes async-signal-safe system calls only, and allocates nothing unless it is about to fail.
    unsafe { command.pre_exec(between_fork_and_exec) };
}

/// Gives the calling thread, and the program that it becomes, the lowest priority: a percent or two of a busy processor, and the
/// disk when nobody else wants it.
#[expect(unsafe_code, reason = "no wrapper sets the priority of a thread")]
pub(super) fn let_others_first() {
    // SAFETY: plain system calls on the calling thread; lower priority is best effort, so results are ignored.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 19);
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
    }
}

/// Not even that: only what nothing else wants.
#[expect(unsafe_code, reason = "no wrapper sets the scheduler of a thread")]
fn wait_for_all_others() {
    let idle = libc::sched_param { sched_priority: 0 };
    // SAFETY: as above.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const idle) };
}

/// The calling process is killed when the thread that started it ends. A change of who it is takes that back.
pub fn die_with_parent() -> io::Result<()> {
    Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)
}

/// Keeps the calling process to the last `most` of the processors that it may use. Every program of the engine gets the same
/// ones, so that all of them together use no more. Where processors differ, the last ones are those that save power.
fn keep_to_last_cores(most: u32) -> io::Result<()> {
    let itself = Pid::from_raw(0);
    let allowed = sched_getaffinity(itself)?;
    let mut kept = CpuSet::new();
    let last = (0..CpuSet::count()).rev().filter(|cpu| allowed.is_set(*cpu).unwrap_or(false));
    for cpu in last.take(most as usize) {
        kept.set(cpu)?;
    }
    Ok(sched_setaffinity(itself, &kept)?)
}
