//! No box on other systems: the engine says so, and a policy that requires one keeps it from work.

use std::{collections::BTreeSet, io, net::SocketAddr, process::Stdio, time::Duration};

use tokio::process::Command;

use super::{Limits, Order, Started, Walls};
use crate::platform;

pub const OWN_NETWORK: bool = false;

/// What one program may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub limits: Limits,
    pub memory_bytes: u64,
    pub port: Option<u16>,
}

pub fn most_walls() -> Walls {
    Walls::default()
}

pub fn never_walls() -> Option<&'static str> {
    Some("nobody has written a box for this system yet")
}

pub fn knows_ports() -> bool {
    false
}

pub fn start(order: Order, _walls: Walls, _bounds: Bounds) -> io::Result<Started> {
    let mut command = Command::new(&order.program);
    command.args(&order.arguments).env_clear().envs(order.environment);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = platform::start_with(command, |_| ())?;
    Ok(Started { child, listener: None })
}

pub(crate) fn cpu_time(_process: u32) -> Option<Duration> {
    None
}

pub(crate) fn is_peer(peer: SocketAddr, _local: SocketAddr, _processes: &BTreeSet<u32>) -> bool {
    peer.ip().is_loopback()
}
