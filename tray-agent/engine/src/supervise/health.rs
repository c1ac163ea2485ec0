//! Whether what work needs is still there, looked at now and then: the programs as they were, and room on the disk.
//!
//! What must hold: the programs are read only when their files have changed, as hashing them costs seconds of a core, and an
//! engine that is broken is looked at every few seconds beside a person; a build is never run under the name of another one.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{TRY_AGAIN_AFTER, caps::Caps};
use crate::{
    capabilities::{self, Builds, Incapable, Program},
    ffmpeg::manifest::{self, Unfit},
    platform,
    status::{Fault, Status},
    task::Tools,
};

/// Looks are a few system calls, but each wakes the machine.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// What is kept fits a hundred times; below this not even a pause would be.
const LEAST_FREE_BYTES: u64 = 256 << 10;
/// Programs that are whole and yet encode nothing are tried again ever more seldom, up to this.
const LONGEST_UNTIL_TRIED: Duration = Duration::from_secs(600);

/// What is known of the programs and the disk. Outlives lease loops.
#[derive(Debug)]
pub struct Health {
    folder: PathBuf,
    known: Option<Known>,
    failing: Option<Failing>,
    /// How often the programs were read.
    reads: u32,
}

/// What reading the programs brought, of files that looked so before.
#[derive(Debug)]
struct Known {
    files: Files,
    found: Result<Builds, Fault>,
}

/// Programs that are whole, and could not encode under these caps.
#[derive(Debug)]
struct Failing {
    files: Files,
    caps: Caps,
    fault: Fault,
    wait: Duration,
    again_at: Instant,
}

/// Both programs and their manifests, which an upgrade replaces one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files(Vec<(PathBuf, Option<Stamp>)>);

/// By what a changed file is known, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Number of the file, and the last change of anything about it: on Unix.
    file: (u64, i64, i64),
}

/// Why a lease loop cannot go on as it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    Broken(Fault),
    /// The programs are others by now, and whole.
    Replaced,
}

impl Health {
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), known: None, failing: None, reads: 0 }
    }

    /// The programs as their manifests name them; read anew only when their files have changed.
    pub async fn whole(&mut self, tools: &Tools) -> Result<Builds, Fault> {
        for (program, path) in [(Program::Ffmpeg, &tools.ffmpeg), (Program::Ffprobe, &tools.ffprobe)] {
            if stamp(path).is_none() {
                return Err(program.missing().fault(true));
            }
        }
        // From before they are read: a change in the middle is seen the next time.
        let files = Files::of(tools);
        if let Some(known) = self.known.as_ref().filter(|known| known.files == files) {
            return known.found.clone();
        }
        self.reads += 1;
        tracing::debug!(reads = self.reads, "reading the programs");
        let verified = capabilities::verify(tools).await;
        let is_certain = match &verified {
            Ok(_) | Err(Incapable::Altered { why: Unfit::Other { .. }, .. }) => true,
            Err(
                Incapable::Altered { why: Unfit::Unreadable(_) | Unfit::NoManifest { .. }, .. }
                | Incapable::Missing { .. }
                | Incapable::Build(_)
                | Incapable::NoEncoder { .. },
            ) => false,
        };
        let found = verified.map_err(|error| error.fault(true));
        self.known = is_certain.then(|| Known { files, found: found.clone() });
        found
    }

    /// What kept these programs from encoding when they were last tried, if nothing has changed and it is too early for another
    /// try.
    pub fn still_failing(&self, tools: &Tools, caps: &Caps) -> Option<Fault> {
        let failing = self.failing.as_ref().filter(|failing| failing.is(tools, caps))?;
        (Instant::now() < failing.again_at).then(|| failing.fault.clone())
    }

    /// A try of the encoders failed.
    pub fn failed(&mut self, tools: &Tools, caps: &Caps, fault: Fault) {
        let before = self.failing.as_ref().filter(|failing| failing.is(tools, caps));
        let wait = before.map_or(TRY_AGAIN_AFTER, |failing| (failing.wait * 2).min(LONGEST_UNTIL_TRIED));
        self.failing = Some(Failing { files: Files::of(tools), caps: *caps, fault, wait, again_at: Instant::now() + wait });
    }

    /// A try of the encoders succeeded.
    pub fn worked(&mut self) {
        self.failing = None;
    }

    /// A full disk.
    pub fn disk(&self) -> Option<Fault> {
        full_disk(&self.folder, platform::free_bytes(&self.folder))
    }

    /// What is other than when these builds were found, if anything.
    pub async fn change(&mut self, tools: &Tools, builds: &Builds) -> Option<Change> {
        match self.whole(tools).await {
            Err(fault) => Some(Change::Broken(fault)),
            Ok(now) if now != *builds => Some(Change::Replaced),
            // The same, perhaps put there anew.
            Ok(_) => self.disk().map(Change::Broken),
        }
    }

    /// Ends when something is other. Work that begins (or ends, and makes room for more) is a reason to look at once.
    pub async fn until_changed(&mut self, tools: &Tools, builds: &Builds, status: &Status) -> Change {
        loop {
            let leases = status.standing().engine.leases;
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = status.until(|standing| standing.engine.leases != leases) => {}
            }
            if let Some(change) = self.change(tools, builds).await {
                return change;
            }
        }
    }
}

impl Failing {
    fn is(&self, tools: &Tools, caps: &Caps) -> bool {
        self.caps == *caps && self.files == Files::of(tools)
    }
}

impl Files {
    fn of(tools: &Tools) -> Self {
        let programs = [&tools.ffmpeg, &tools.ffprobe].map(Clone::clone);
        let manifests = [&tools.ffmpeg, &tools.ffprobe].map(|program| manifest::file_of(program));
        Self(programs.into_iter().chain(manifests).map(|path| (path.clone(), stamp(&path))).collect())
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(Stamp { bytes: about.len(), modified: about.modified().ok(), file: file(&about) })
}

#[cfg(unix)]
fn file(about: &std::fs::Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (about.ino(), about.ctime(), about.ctime_nsec())
}

#[cfg(not(unix))]
fn file(_about: &std::fs::Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
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

    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::{
        policy::Rules,
        sandbox::Sandbox,
        settings::{Cli, Command},
    };

    /// FIPS 180-4, first example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    /// SHA-256 of nothing.
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// As installers do: another file in its place.
    fn replace(path: &Path, content: &str) {
        let new = path.with_extension("new");
        fs::write(&new, content).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn tools(folder: &Path) -> Tools {
        let program = |name: &str| {
            let path = folder.join(name);
            fs::write(&path, "abc").unwrap();
            fs::write(folder.join(format!("{name}.sha256")), ABC).unwrap();
            path
        };
        let (ffmpeg, ffprobe) = (program("offpeak-ffmpeg"), program("offpeak-ffprobe"));
        Tools { ffmpeg, ffprobe, threads: 1, sandbox: Sandbox::open() }
    }

    fn caps(words: &str) -> Caps {
        let words = format!("offpeak-agent run {words}");
        match Cli::try_parse_from(words.split_whitespace()).unwrap().command {
            Command::Run(run) => Caps::of(&run, &Rules::of(&Default::default(), &Default::default(), None)),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn each_fault_has_its_code_and_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path());
        let mut health = Health::of(folder.path());
        let builds = health.whole(&tools).await.unwrap();
        assert_eq!(builds, Builds { ffmpeg: ABC.to_owned(), ffprobe: ABC.to_owned() });
        assert_eq!(health.change(&tools, &builds).await, None);
        assert_eq!(health.reads, 1, "what has not changed is not read again");
        // The same anew, as by an installer that repairs.
        replace(&tools.ffprobe, "abc");
        assert_eq!(health.change(&tools, &builds).await, None);
        replace(&tools.ffprobe, "another program");
        for _ in 0..3 {
            let fault = health.whole(&tools).await.unwrap_err();
            assert_eq!((fault.code, fault.stops), ("ffmpeg_altered", true));
        }
        assert_eq!(health.reads, 3, "one that was altered is not read again either");
        replace(&tools.ffprobe, "abc");
        assert_eq!(health.change(&tools, &builds).await, None, "it was mended");
        fs::remove_file(&tools.ffmpeg).unwrap();
        assert_eq!(health.whole(&tools).await.unwrap_err().code, "ffmpeg_missing");
        assert_eq!(health.reads, 4);
        assert_eq!(full_disk(folder.path(), Some(1 << 30)), None);
        assert_eq!(full_disk(folder.path(), None), None);
        assert_eq!(full_disk(folder.path(), Some(4096)).unwrap().code, "disk_full");
        assert_eq!(health.disk(), None);
        assert!(platform::free_bytes(folder.path()).unwrap() > 0);
    }

    #[tokio::test]
    async fn an_upgrade_is_another_build() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path());
        let mut health = Health::of(folder.path());
        let builds = health.whole(&tools).await.unwrap();
        // Half through, it fits no manifest.
        replace(&tools.ffmpeg, "");
        assert!(matches!(health.change(&tools, &builds).await, Some(Change::Broken(fault)) if fault.code == "ffmpeg_altered"));
        // Only the manifest changes now, and with it what the program is.
        replace(&manifest::file_of(&tools.ffmpeg), NOTHING);
        assert_eq!(health.change(&tools, &builds).await, Some(Change::Replaced));
        let now = health.whole(&tools).await.unwrap();
        assert_eq!((now.ffmpeg.as_str(), now.ffprobe.as_str()), (NOTHING, ABC));
        assert_eq!(health.change(&tools, &now).await, None);
        // Programs of one's own choice have no manifest, and are other ones all the same.
        fs::remove_file(manifest::file_of(&tools.ffmpeg)).unwrap();
        replace(&tools.ffmpeg, "abc");
        assert_eq!(health.change(&tools, &now).await, Some(Change::Replaced));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_encode_is_tried_ever_more_seldom() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path());
        let (usual, small) = (caps("--memory 2048"), caps("--memory 1024"));
        let mut health = Health::of(folder.path());
        let fault = Fault { code: "cannot_encode", why: "no encoder works".to_owned(), stops: true };
        for seconds in [15, 30, 60, 120, 240, 480, 600, 600] {
            assert_eq!(health.still_failing(&tools, &usual), None);
            health.failed(&tools, &usual, fault.clone());
            tokio::time::advance(Duration::from_secs(seconds - 1)).await;
            assert_eq!(health.still_failing(&tools, &usual), Some(fault.clone()), "{seconds}");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        health.failed(&tools, &usual, fault);
        assert_eq!(health.still_failing(&tools, &small), None, "other caps are a reason to try at once");
        replace(&tools.ffmpeg, "another one");
        assert_eq!(health.still_failing(&tools, &usual), None, "and so are other programs");
    }
}
