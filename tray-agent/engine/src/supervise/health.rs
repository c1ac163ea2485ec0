//! Whether what work needs is still there, looked at now and then: the programs as they were, and room on the disk.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    capabilities::{self, Program},
    platform,
    status::{Fault, Status},
    task::Tools,
};

/// Looks are a few system calls, but each wakes the machine; the programs are read anew only when their files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// What is kept fits a hundred times; below this not even a pause would be.
const LEAST_FREE_BYTES: u64 = 256 << 10;

#[derive(Debug)]
pub struct Health {
    tools: Tools,
    stamps: [Option<Stamp>; 2],
    folder: PathBuf,
}

/// By what a changed file is known.
type Stamp = (u64, Option<SystemTime>);

impl Health {
    /// As of now, with programs that were just found to be whole.
    pub fn of(tools: &Tools, folder: &Path) -> Self {
        let stamps = [&tools.ffmpeg, &tools.ffprobe].map(|path| stamp(path));
        Self { tools: tools.clone(), stamps, folder: folder.to_owned() }
    }

    /// What is wrong now, if anything.
    pub async fn fault(&mut self) -> Option<Fault> {
        let programs = [(Program::Ffmpeg, &self.tools.ffmpeg), (Program::Ffprobe, &self.tools.ffprobe)];
        let now = programs.map(|(_, path)| stamp(path));
        for ((program, _), stamp) in programs.into_iter().zip(now) {
            if stamp.is_none() {
                return Some(program.missing().fault(true));
            }
        }
        if now != self.stamps {
            if let Err(error) = capabilities::verify(&self.tools).await {
                return Some(error.fault(true));
            }
            // Replaced by the same: that need not be read again.
            self.stamps = now;
        }
        full_disk(&self.folder, platform::free_bytes(&self.folder))
    }

    /// Ends when something is wrong. Work that begins is a reason to look at once.
    pub async fn until_broken(&mut self, status: &Status) -> Fault {
        loop {
            let is_idle = status.standing().engine.leases == 0;
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = status.until(|standing| standing.engine.leases > 0), if is_idle => {}
            }
            if let Some(fault) = self.fault().await {
                return fault;
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((about.len(), about.modified().ok()))
}

fn full_disk(folder: &Path, free_bytes: Option<u64>) -> Option<Fault> {
    let is_full = free_bytes.is_some_and(|free| free < LEAST_FREE_BYTES);
    is_full.then(|| Fault {
        code: "disk_full",
        why: format!("the disk is full: nothing can be kept in {}; make room there", folder.display()),
        stops: true,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::sandbox::Sandbox;

    #[tokio::test]
    async fn each_fault_has_its_code() {
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "abc").unwrap();
            std::fs::write(folder.path().join(format!("{name}.sha256")), ABC).unwrap();
            path
        };
        // FIPS 180-4, first example.
        const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let tools = Tools {
            ffmpeg: program("offpeak-ffmpeg"),
            ffprobe: program("offpeak-ffprobe"),
            threads: 1,
            sandbox: Sandbox::open(),
        };
        let mut health = Health::of(&tools, folder.path());
        assert_eq!(health.fault().await, None);
        // The same anew, as by an installer that repairs.
        std::fs::remove_file(&tools.ffprobe).unwrap();
        std::fs::write(&tools.ffprobe, "abc").unwrap();
        assert_eq!(health.fault().await, None);
        std::fs::write(&tools.ffprobe, "another program").unwrap();
        let fault = health.fault().await.unwrap();
        assert_eq!((fault.code, fault.stops), ("ffmpeg_altered", true));
        std::fs::remove_file(&tools.ffmpeg).unwrap();
        assert_eq!(health.fault().await.unwrap().code, "ffmpeg_missing");
        assert_eq!(full_disk(folder.path(), Some(1 << 30)), None);
        assert_eq!(full_disk(folder.path(), None), None);
        assert_eq!(full_disk(folder.path(), Some(4096)).unwrap().code, "disk_full");
        assert!(platform::free_bytes(folder.path()).unwrap() > 0);
    }
}
