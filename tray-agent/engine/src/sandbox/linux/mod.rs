//! The box on Linux: a user and network namespace, Landlock, a filter of system calls, resource limits.
//!
//! All of it is put up between fork and exec, where only plain system calls may be made: whatever needs memory (rules, the
//! filter, arguments) is made before. The program is started by descriptor, so that the filter can let exactly that call
//! through and refuse every other `execve`.

mod calls;
mod child;
mod files;
mod libraries;
mod namespace;
mod peers;

use std::{
    ffi::CString,
    fs::File,
    io,
    net::TcpListener,
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, net::UnixDatagram},
    },
    time::Duration,
};

pub use files::knows_ports;
use nix::unistd::{SysconfVar, sysconf};
pub(crate) use peers::is_peer;
use tokio::process::Command;

use super::{Limits, Order, Started, Walls};
use crate::platform;

/// A program can have a network of its own.
pub const OWN_NETWORK: bool = true;

/// All that can be had on this system.
pub fn most_walls() -> Walls {
    Walls::ALL
}

/// Why some walls can never stand on this system.
pub fn never_walls() -> Option<&'static str> {
    None
}

/// What one program may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub limits: Limits,
    pub memory_bytes: u64,
    /// The loopback's port, where the network is shared.
    pub port: Option<u16>,
}

/// Starts a program behind `walls`. To be called on the thread that starts programs.
pub fn start(order: Order, walls: Walls, bounds: Bounds) -> io::Result<Started> {
    let program = File::open(&order.program)?;
    let path = CString::new(order.program.as_os_str().as_bytes())?;
    let mut arguments = vec![path];
    for argument in &order.arguments {
        arguments.push(CString::new(argument.as_bytes())?);
    }
    let mut environment = Vec::new();
    for (name, value) in &order.environment {
        environment.push(CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())?);
    }
    let (ours, theirs) = if walls.network { UnixDatagram::pair().map(|(a, b)| (Some(a), Some(b)))? } else { (None, None) };
    let filter = if walls.calls { Some(calls::filter(program.as_raw_fd())?) } else { None };
    let rules = if walls.files || walls.port { files::rules(&order.program, walls, bounds.port)? } else { None };

    let mut command = Command::new(&order.program);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    // Lent to the child, whose copies close when the program begins.
    let lent = theirs.as_ref().map(AsRawFd::as_raw_fd);
    let plan = child::Plan {
        program: program.as_raw_fd(),
        arguments: child::Pointers::to(arguments),
        environment: child::Pointers::to(environment),
        namespace: lent.map(namespace::Plan::new),
        rules,
        filter,
        resources: walls.resources.then(|| child::Resources {
            memory_bytes: bounds.memory_bytes,
            cpu_seconds: bounds.limits.cpu.as_secs().max(1),
            threads: (walls.network && namespace::counts_its_own_threads()).then_some(MOST_THREADS),
        }),
    };
    let child = platform::start_with(command, |command| child::prepare(command, plan))?;
    drop((program, theirs));
    let listener = match ours {
        Some(ours) => Some(namespace::receive(&ours)?),
        None => None,
    };
    Ok(Started { child, listener: listener.map(TcpListener::from) })
}

/// Four renditions on a machine with 128 cores take fewer than this.
const MOST_THREADS: u64 = 2048;

/// Processor time that a program has used, over all of its threads; `None` when it is gone.
pub(crate) fn cpu_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // proc_pid_stat(5): fields 14 and 15, counted from after the name in parentheses, which may hold anything.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    let per_second = sysconf(SysconfVar::CLK_TCK).ok()??;
    Some(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}
