//! The box that ffmpeg and ffprobe run in: whatever a hostile file makes of them, they reach nothing but the loopback.
//!
//! In: a program, its arguments, limits. Out: a running child, and the socket that it talks to the engine through. What must
//! hold: every program that reads media is started here; a wall that does not stand on this machine is known and told
//! ([`Sandbox::report`]), never silently left out; a box that cannot be put up makes the start fail.
//!
//! Four walls, each of which can be missing by itself: the network, files, system calls, resources. What they are made of
//! differs between systems (docs/sandbox.md); which of them stand is found out once, by trying ([`Sandbox::raise`]).

mod limits;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod other;
mod trial;
#[cfg(windows)]
mod windows;

use std::{ffi::OsString, io, net::TcpListener, path::PathBuf, sync::Arc};

pub use limits::{Limits, longest_frames, longest_output, longest_sound};
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
use offpeak_api::lease::{SandboxReport, SandboxState, Wall};
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
use other as system;
pub(crate) use system::{cpu_time, is_peer};
#[cfg(windows)]
use windows as system;

use crate::platform;

/// Where ffmpeg finds its loopback inside a network of its own. Nobody else is there, so any port will do.
pub const INNER_PORT: u16 = 7072;

/// Memory of a program where nobody knows how much the machine can spare.
const USUAL_MEMORY_BYTES: u64 = 4 << 30;
/// A wall is no budget: what a lease is meant to need, times this, stops a program that would take the machine down and none
/// that does its work.
const MEMORY_SLACK: u64 = 2;
/// Any task at all may have this much.
const LEAST_MEMORY_BYTES: u64 = 2 << 30;

/// As the server takes it.
const LONGEST_REASON: usize = 500;

/// A program and all that it is told.
#[derive(Debug)]
pub struct Order {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
}

/// A program that was started in the box.
#[derive(Debug)]
pub struct Started {
    pub child: platform::Child,
    /// Bound on [`INNER_PORT`] in the program's own network, where it has one.
    pub listener: Option<TcpListener>,
}

/// Which walls stand here. Clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<Standing>);

#[derive(Debug)]
struct Standing {
    walls: Walls,
    memory_bytes: u64,
    /// Why a wall is missing, in words.
    reason: Option<String>,
}

/// What a program is walled off from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walls {
    /// A network with nothing in it but the loopback.
    pub network: bool,
    /// Where there is none: connections to the loopback's port only (Landlock, from ABI 4 on).
    pub port: bool,
    pub files: bool,
    pub calls: bool,
    pub resources: bool,
}

impl Walls {
    pub const ALL: Self = Self { network: true, port: false, files: true, calls: true, resources: true };

    fn missing(self) -> Vec<Wall> {
        let stand = [
            (self.network, Wall::Network),
            (self.files, Wall::Files),
            (self.calls, Wall::SystemCalls),
            (self.resources, Wall::Resources),
        ];
        stand.into_iter().filter(|(stands, _)| !stands).map(|(_, wall)| wall).collect()
    }
}

impl Sandbox {
    /// No walls at all: for looking at a program that is trusted, and for tests.
    pub fn open() -> Self {
        Self::of(Walls::default(), 0, Some("it was not put up".to_owned()))
    }

    /// Walls that are known to stand.
    pub fn of(walls: Walls, memory_mib: u64, reason: Option<String>) -> Self {
        let memory_bytes = match memory_mib {
            0 => USUAL_MEMORY_BYTES,
            known => (known << 20).saturating_mul(MEMORY_SLACK).max(LEAST_MEMORY_BYTES),
        };
        Self(Arc::new(Standing { walls, memory_bytes, reason }))
    }

    #[cfg(test)]
    pub fn of_bytes(walls: Walls, memory_bytes: u64) -> Self {
        Self(Arc::new(Standing { walls, memory_bytes, reason: None }))
    }

    /// Finds out, by trying with `program`, an ffmpeg, which walls stand on this machine. `memory_mib` is what one task may
    /// use; 0 when nobody knows.
    pub async fn raise(program: &std::path::Path, memory_mib: u64) -> Self {
        let (walls, reason) = trial::find_walls(program).await;
        Self::of(walls, memory_mib, reason)
    }

    pub fn walls(&self) -> Walls {
        self.0.walls
    }

    /// Whether programs get a network of their own, and so a listener inside.
    pub fn has_own_network(&self) -> bool {
        self.0.walls.network && system::OWN_NETWORK
    }

    /// Bytes of memory that one program may have.
    pub fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes
    }

    /// What the server and people are told.
    pub fn report(&self) -> SandboxReport {
        let missing = self.0.walls.missing();
        let state = match missing.len() {
            0 => SandboxState::Full,
            4 => SandboxState::None,
            _ => SandboxState::Partial,
        };
        let reason = self.0.reason.as_ref().filter(|_| !missing.is_empty());
        let reason = reason.map(|reason| reason.chars().take(LONGEST_REASON).collect());
        SandboxReport { state, missing, reason }
    }

    /// Starts a program inside. `port` is that of the loopback, for where the network is shared.
    ///
    /// # Errors
    /// When a wall that should stand could not be put up, or the program cannot be started.
    pub async fn start(&self, order: Order, limits: Limits, port: Option<u16>) -> io::Result<Started> {
        let (walls, memory_bytes) = (self.0.walls, self.0.memory_bytes);
        platform::on_spawner(move || system::start(order, walls, system::Bounds { limits, memory_bytes, port })).await?
    }
}

/// One line for people: `full`, or what is missing and why.
pub fn in_words(report: &SandboxReport) -> String {
    let missing: Vec<&str> = report.missing.iter().map(|wall| wall.as_str()).collect();
    let why = report.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    match report.state {
        SandboxState::Full => "full: no network but the loopback, no files, few system calls, limits on resources".to_owned(),
        SandboxState::Partial => format!("partial: no wall for {}{why}", missing.join(", ")),
        SandboxState::None => format!("none{why}"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
