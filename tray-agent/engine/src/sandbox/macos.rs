//! The box on macOS: a profile of the system's own sandbox, and resource limits.
//!
//! Written after Apple's own profiles in `/System/Library/Sandbox/Profiles`; it has not been run on a Mac by its author. The
//! trial at the engine's start leans against it, so that a wall which does not hold is reported as missing.

use std::{collections::BTreeSet, io, net::SocketAddr, process::Stdio, time::Duration};

use nix::sys::resource::{Resource, setrlimit};
use tokio::process::Command;

use super::{Limits, Order, Started, Walls};
use crate::platform;

/// The loopback is shared: there are no networks of one's own.
pub const OWN_NETWORK: bool = false;

const SANDBOX_EXEC: &str = "/usr/bin/sandbox-exec";
/// The engine's clock does not see other processes' time here: the kernel ends them.
const MOST_DESCRIPTORS: u64 = 256;

/// What one program may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub limits: Limits,
    pub memory_bytes: u64,
    /// The loopback's port.
    pub port: Option<u16>,
}

/// All that can be had on this system: one profile is three walls, but each can be asked for by itself.
pub fn most_walls() -> Walls {
    Walls { network: true, port: false, files: true, calls: true, resources: true }
}

pub fn never_walls() -> Option<&'static str> {
    None
}

pub fn knows_ports() -> bool {
    false
}

/// Starts a program behind `walls`.
pub fn start(order: Order, walls: Walls, bounds: Bounds) -> io::Result<Started> {
    let mut command = if walls.network || walls.files || walls.calls {
        let mut command = Command::new(SANDBOX_EXEC);
        command.arg("-p").arg(profile(&order, walls, bounds.port)).arg(&order.program);
        command
    } else {
        Command::new(&order.program)
    };
    command.args(&order.arguments).env_clear().envs(order.environment);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let resources = walls.resources.then_some(bounds);
    let child = platform::start_with(command, |command| limit(command, resources))?;
    Ok(Started { child, listener: None })
}

/// A profile in the language of sandbox(7): nothing but what is said here.
fn profile(order: &Order, walls: Walls, port: Option<u16>) -> String {
    let mut rules = vec!["(version 1)".to_owned()];
    if !walls.files && !walls.calls {
        rules.push("(allow default)".to_owned());
        rules.push("(deny network*)".to_owned());
    } else {
        rules.push("(deny default)".to_owned());
        let program = quoted(&order.program.to_string_lossy());
        rules.push(format!("(allow process-exec (literal {program}))"));
        rules.push("(allow sysctl-read)".to_owned());
        rules.push("(allow file-read-metadata)".to_owned());
        let system = "(subpath \"/usr/lib\") (subpath \"/System/Library\") (subpath \"/Library/Apple\") (literal \"/dev/null\") \
                      (literal \"/dev/urandom\") (literal \"/\")";
        rules.push(format!("(allow file-read* file-map-executable (literal {program}) {system})"));
        if !walls.network {
            rules.push("(allow network-outbound)".to_owned());
        }
    }
    if let (true, Some(port)) = (walls.network, port) {
        rules.push(format!("(allow network-outbound (remote tcp \"localhost:{port}\"))"));
    }
    rules.join("\n")
}

/// A string of the profile's language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[expect(unsafe_code, reason = "limits can only be set for a child between fork and exec")]
fn limit(command: &mut Command, bounds: Option<Bounds>) {
    let Some(bounds) = bounds else { return };
    let cpu = bounds.limits.cpu.as_secs().max(1);
    let set = move || -> io::Result<()> {
        let limits = [
            (Resource::RLIMIT_DATA, bounds.memory_bytes),
            (Resource::RLIMIT_CPU, cpu),
            (Resource::RLIMIT_FSIZE, 0),
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_NOFILE, MOST_DESCRIPTORS),
        ];
        for (resource, limit) in limits {
            setrlimit(resource, limit, limit)?;
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only, and allocates nothing.
    unsafe { command.pre_exec(set) };
}

pub(crate) fn cpu_time(process: u32) -> Option<Duration> {
    i32::try_from(process).ok().and_then(platform::cpu_seconds).map(Duration::from_secs_f64)
}

/// Whose connection it is cannot be told without libproc; addresses of the loopback cannot be guessed.
pub(crate) fn is_peer(peer: SocketAddr, _local: SocketAddr, _processes: &BTreeSet<u32>) -> bool {
    peer.ip().is_loopback()
}
