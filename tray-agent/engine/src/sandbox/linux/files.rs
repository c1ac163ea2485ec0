//! Landlock: the program may read and run itself and its libraries, and open nothing else.

use std::{io, os::fd::OwnedFd, path::Path};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use super::{super::INNER_PORT, libraries};
use crate::sandbox::Walls;

/// The newest rules that are known here; an older kernel takes those that it knows.
const NEWEST: ABI = ABI::V6;
/// Where the loader finds libraries outside the usual folders.
const LOADER_CACHE: &str = "/etc/ld.so.cache";

/// The rules for `program`; `None` where the kernel has no Landlock.
pub fn rules(program: &Path, walls: Walls, port: Option<u16>) -> io::Result<Option<OwnedFd>> {
    let mut rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
    if walls.files {
        rules = rules.handle_access(AccessFs::from_all(NEWEST)).map_err(io::Error::other)?;
        rules = rules.scope(Scope::from_all(NEWEST)).map_err(io::Error::other)?;
    }
    let port = if walls.network { Some(INNER_PORT) } else { port };
    if walls.port || walls.network {
        rules = rules.handle_access(AccessNet::from_all(NEWEST)).map_err(io::Error::other)?;
    }
    let mut rules = rules.create().map_err(io::Error::other)?;
    if walls.files {
        let run = AccessFs::Execute | AccessFs::ReadFile;
        for file in [program].into_iter().chain(libraries::of(program)?.iter().map(AsRef::as_ref)) {
            let file = PathFd::new(file).map_err(io::Error::other)?;
            rules = rules.add_rule(PathBeneath::new(file, run)).map_err(io::Error::other)?;
        }
        if let Ok(cache) = PathFd::new(LOADER_CACHE) {
            rules = rules.add_rule(PathBeneath::new(cache, AccessFs::ReadFile)).map_err(io::Error::other)?;
        }
    }
    if let (true, Some(port)) = (walls.port || walls.network, port) {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp)).map_err(io::Error::other)?;
    }
    let rules: Option<OwnedFd> = rules.into();
    match rules {
        None if walls.files || walls.port => Err(io::Error::new(io::ErrorKind::Unsupported, "the kernel has no Landlock")),
        rules => Ok(rules),
    }
}

/// Whether this kernel's Landlock knows rules for ports.
pub fn knows_ports() -> bool {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    rules.handle_access(AccessNet::ConnectTcp).and_then(Ruleset::create).is_ok()
}
