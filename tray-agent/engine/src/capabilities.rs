//! What this machine can do: the bundled programs found, identified and proven, once at start.

use std::path::{Path, PathBuf};

use offpeak_api::lease::Capabilities;
use tokio_util::sync::CancellationToken;

use crate::{
    ffmpeg::{
        BuildError,
        manifest::{self, Unfit},
        named, proven_encoders,
    },
    platform,
    policy::Fault,
    task::Tools,
};

/// Encoders without which no built-in profile can be made.
pub const NEEDED_ENCODERS: [&str; 2] = ["libx264", "aac"];

/// Why this machine can encode nothing.
#[derive(Debug, thiserror::Error)]
pub enum Incapable {
    #[error("cannot find {name}: run `cargo xtask setup`, or say where it is with --{option} or {variable}")]
    Missing { name: &'static str, option: &'static str, variable: &'static str },
    #[error("{} is not the program that Offpeak brought: {why}; install Offpeak again", path.display())]
    Altered { path: PathBuf, why: Unfit },
    #[error("{0}; is the path right, and the file the bundled program?")]
    Build(#[from] BuildError),
    #[error("no encoder works with {ffmpeg}: a test encode failed with each of {}", NEEDED_ENCODERS.join(", "))]
    NoEncoder { ffmpeg: String },
}

impl Incapable {
    /// As a state: its stable code and the words for it. `stops` when nothing may be held meanwhile.
    pub fn fault(&self, stops: bool) -> Fault {
        let code = match self {
            Self::Missing { .. } => "ffmpeg_missing",
            Self::Altered { .. } => "ffmpeg_altered",
            Self::Build(_) | Self::NoEncoder { .. } => "cannot_encode",
        };
        Fault { code, why: self.to_string(), stops }
    }
}

/// One of the bundled programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Ffmpeg,
    Ffprobe,
}

impl Program {
    /// Its file name: not `ffmpeg`, so that it never stands in for the one a person may have installed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "offpeak-ffmpeg",
            Self::Ffprobe => "offpeak-ffprobe",
        }
    }

    pub fn missing(self) -> Incapable {
        let (option, variable) = match self {
            Self::Ffmpeg => ("ffmpeg", "OFFPEAK_FFMPEG"),
            Self::Ffprobe => ("ffprobe", "OFFPEAK_FFPROBE"),
        };
        Incapable::Missing { name: self.name(), option, variable }
    }

    /// Where it is: as told; else beside the engine, where installers put it; else below the folder that the engine was
    /// started in, where `cargo xtask setup` puts it; else on the PATH.
    pub fn find(self, told: Option<&Path>) -> Result<PathBuf, Incapable> {
        if let Some(told) = told {
            return std::path::absolute(told).ok().filter(|path| path.is_file()).ok_or_else(|| self.missing());
        }
        let file = format!("{}{}", self.name(), std::env::consts::EXE_SUFFIX);
        let beside = std::env::current_exe().ok().and_then(|engine| engine.parent().map(Path::to_owned));
        let set_up = std::env::current_dir().ok().map(|folder| folder.join(".offpeak/bin"));
        let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
        let folders = beside.into_iter().chain(set_up).chain(on_path);
        folders.map(|folder| folder.join(&file)).find(|path| path.is_file()).ok_or_else(|| self.missing())
    }
}

/// Runs both programs and a short test encode with every encoder; takes a second or two.
pub async fn prove(
    tools: &Tools,
    builds: &Builds,
    cores: u32,
    memory_mib: u64,
    stop: &CancellationToken,
) -> Result<Capabilities, Incapable> {
    let ffmpeg = named(&tools.sandbox, &tools.ffmpeg, &builds.ffmpeg).await?;
    named(&tools.sandbox, &tools.ffprobe, &builds.ffprobe).await?;
    let encoders = proven_encoders(tools, stop).await;
    if encoders.is_empty() {
        return Err(Incapable::NoEncoder { ffmpeg: tools.ffmpeg.display().to_string() });
    }
    Ok(Capabilities {
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        ffmpeg,
        encoders,
        cores,
        memory_mib,
        os: std::env::consts::OS.to_owned(),
        sandbox: Some(tools.sandbox.report()),
    })
}

/// SHA-256 of both programs, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builds {
    pub ffmpeg: String,
    pub ffprobe: String,
}

/// Reads both programs, which takes a second or two of a core, and makes sure that they are those that their manifests name.
///
/// # Errors
/// [`Incapable::Altered`] for the first that is not.
pub async fn verify(tools: &Tools) -> Result<Builds, Incapable> {
    let check = async |path: &PathBuf| {
        let program = path.clone();
        let checked = platform::unhurried(move || manifest::check(&program)).await;
        checked
            .unwrap_or_else(|error| Err(Unfit::Unreadable(error)))
            .map_err(|why| Incapable::Altered { path: path.clone(), why })
    };
    Ok(Builds { ffmpeg: check(&tools.ffmpeg).await?, ffprobe: check(&tools.ffprobe).await? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tools;

    #[tokio::test]
    async fn the_bundled_ffmpeg_is_proven() {
        let builds = verify(&tools()).await.expect("the bundled programs are whole");
        let proven = prove(&tools(), &builds, 2, 4096, &CancellationToken::new()).await.expect("the bundled programs work");
        for encoder in NEEDED_ENCODERS {
            assert!(proven.encoders.iter().any(|proven| proven == encoder), "{encoder}");
        }
        let (version, hash) = proven.ffmpeg.split_once(" sha256:").expect("a version and a hash");
        assert!(!version.is_empty());
        assert_eq!((hash, hash.len()), (builds.ffmpeg.as_str(), 64));
    }

    #[tokio::test]
    async fn what_is_no_ffmpeg_proves_nothing() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let wrong = Tools { ffmpeg: file.path().to_owned(), ..tools() };
        let builds = verify(&wrong).await.expect("it has no manifest");
        assert!(matches!(prove(&wrong, &builds, 2, 4096, &CancellationToken::new()).await, Err(Incapable::Build(_))));
        assert!(matches!(Program::Ffmpeg.find(Some(Path::new("/nowhere/ffmpeg"))), Err(Incapable::Missing { .. })));
    }
}
