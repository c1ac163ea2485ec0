//! Which walls stand: each is tried with a real program, and those that seem to stand are leant against.

use std::{io, net::TcpListener, path::Path, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Limits, Sandbox, Walls, system};
use crate::{
    desk::Desk,
    ffmpeg::{Argv, Captured, Ended, Run, capture},
    task::TaskError,
};

/// Programs begin within milliseconds, on a busy machine within seconds.
const TRIAL_LIMIT: Duration = Duration::from_secs(30);

/// Adds a wall to those that stand.
type Keep = fn(&mut Walls);

/// The walls that hold, and why others do not.
pub async fn find_walls(program: &Path) -> (Walls, Option<String>) {
    let mut reasons = Vec::new();
    let mut walls = Walls::default();
    let full = system::most_walls();
    match try_walls(program, full).await {
        Ok(()) => walls = full,
        Err(_) => {
            // Each by itself: one that cannot be had must not take the others with it.
            let none = Walls::default();
            let each: [(&str, bool, Walls, Keep); 5] = [
                ("network", full.network, Walls { network: true, ..none }, |walls| walls.network = true),
                ("files", full.files, Walls { files: true, ..none }, |walls| walls.files = true),
                ("system calls", full.calls, Walls { calls: true, ..none }, |walls| walls.calls = true),
                ("resources", full.resources, Walls { resources: true, ..none }, |walls| walls.resources = true),
                ("ports", system::knows_ports(), Walls { port: true, ..none }, |walls| walls.port = !walls.network),
            ];
            for (name, known, alone, keep) in each {
                match if known { try_walls(program, alone).await } else { continue } {
                    Ok(()) => keep(&mut walls),
                    Err(error) => reasons.push(format!("{name}: {error}{}", hint(name))),
                }
            }
            if let Err(error) = try_walls(program, walls).await {
                reasons.push(format!("together: {error}"));
                walls = Walls::default();
            }
        }
    }
    if let Some(why) = system::never_walls() {
        reasons.push(why.to_owned());
    }
    let (walls, holes) = lean_against(program, walls).await;
    reasons.extend(holes);
    (walls, (!reasons.is_empty()).then(|| reasons.join("; ")))
}

/// What a person can do about it.
fn hint(wall: &str) -> &'static str {
    match wall {
        "network" => "; this system lets no ordinary program make a network of its own (user namespaces)",
        _ => "",
    }
}

/// Begins the program behind these walls.
async fn try_walls(program: &Path, walls: Walls) -> io::Result<()> {
    let run = run(program, walls, Argv::new().arg("-version")).await?;
    match run.ended {
        Ended::Well => Ok(()),
        Ended::Badly { .. } | Ended::Killed | Ended::OverTime => {
            let said = run.log.lines().pop().unwrap_or_default();
            Err(io::Error::other(format!("the program {} {said}", run.ended)))
        }
    }
}

/// Tries to get through walls that should stand: to a file that this engine can read, and to a port of this machine.
async fn lean_against(program: &Path, mut walls: Walls) -> (Walls, Vec<String>) {
    let mut holes = Vec::new();
    if walls.files {
        let argv = Argv::new().option("-v", "error").option("-protocol_whitelist", "file").option("-f", "data");
        let argv =
            argv.arg("-i").arg(program_file(program)).option("-map", 0).option("-frames:d", 1).option("-f", "null").arg("-");
        match run(program, walls, argv).await {
            Ok(run) if run.ended != Ended::Well && run.log.mentions(&["permission denied", "operation not permitted"]) => {}
            Ok(run) => holes.push(format!("files: a file outside could be opened ({:?})", run.log.lines())),
            Err(error) => holes.push(format!("files: {error}")),
        }
        walls.files = holes.is_empty();
    }
    if walls.network {
        match reaches_outside(program, walls).await {
            Ok(false) => {}
            Ok(true) => holes.push("network: a port outside could be reached".to_owned()),
            Err(error) => holes.push(format!("network: {error}")),
        }
        walls.network = !holes.iter().any(|hole| hole.starts_with("network"));
    }
    (walls, holes)
}

/// The engine itself: readable, and nothing that ffmpeg is made of.
fn program_file(program: &Path) -> std::ffi::OsString {
    std::env::current_exe().unwrap_or_else(|_| program.to_owned()).into_os_string()
}

async fn reaches_outside(program: &Path, walls: Walls) -> io::Result<bool> {
    let outside = TcpListener::bind("127.0.0.1:0")?;
    outside.set_nonblocking(true)?;
    let address = format!("tcp://{}?timeout=2000000", outside.local_addr()?);
    let argv = Argv::new().option("-v", "error").option("-protocol_whitelist", "tcp").option("-f", "data").option("-i", address);
    let run = run(program, walls, argv.option("-f", "null").arg("-")).await?;
    Ok(outside.accept().is_ok() || run.ended == Ended::Well)
}

async fn run(program: &Path, walls: Walls, argv: Argv) -> io::Result<Captured> {
    let sandbox = Sandbox::of(walls, 0, None);
    let run = Run { sandbox: &sandbox, program, argv, limits: Limits::short(), loopback: None };
    let stop = CancellationToken::new();
    let desk = Desk::default();
    let captured = tokio::time::timeout(TRIAL_LIMIT, capture(run, 64 << 10, &desk, &stop)).await;
    captured.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?.map_err(|error| match error {
        TaskError::Failed(failure) => io::Error::other(failure.message),
        TaskError::Stopped | TaskError::Disturbed(_) => io::ErrorKind::Interrupted.into(),
    })
}
