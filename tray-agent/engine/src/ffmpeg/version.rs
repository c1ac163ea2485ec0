use std::{io::Read, path::Path};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Argv, Ended, Run, capture};
use crate::{
    desk::Desk,
    platform,
    sandbox::{Limits, Sandbox},
    task::{TaskError, Tools},
};

/// A bundled program that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cannot read {program}: {error}")]
    Unreadable { program: String, error: std::io::Error },
    #[error("{program} does not run: {error}")]
    DoesNotRun { program: String, error: TaskError },
    #[error("{program} does not say its version")]
    NoVersion { program: String },
}

/// Version and SHA-256 of an ffmpeg, as `n9.0.2 sha256:…`: agents with the same text make the same init segments.
///
/// # Errors
/// When the program cannot be read or run, or is something else.
pub async fn identify(sandbox: &Sandbox, program: &Path) -> Result<String, BuildError> {
    let path = program.to_owned();
    let hash = platform::unhurried(move || hash_file(&path)).await.and_then(|hash| hash);
    let hash = hash.map_err(|error| BuildError::Unreadable { program: program.display().to_string(), error })?;
    named(sandbox, program, &hash).await
}

/// As [`identify`], of a program whose SHA-256 is known.
pub async fn named(sandbox: &Sandbox, program: &Path, sha256: &str) -> Result<String, BuildError> {
    let name = program.display().to_string();
    let argv = Argv::new().arg("-version");
    let run = Run { sandbox, program, argv, limits: Limits::short(), loopback: None };
    let printed = capture(run, 64 << 10, &Desk::default(), &CancellationToken::new())
        .await
        .map_err(|error| BuildError::DoesNotRun { program: name.clone(), error })?;
    let text = String::from_utf8_lossy(&printed.stdout);
    // "ffmpeg version 7.1 Copyright …"
    let version = text.lines().next().and_then(|line| line.split(' ').nth(2));
    let version = version.ok_or(BuildError::NoVersion { program: name })?;
    Ok(format!("{version} sha256:{sha256}"))
}

pub(super) fn hash_file(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&chunk[..read]),
        }
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The encoders that just made something here: being listed proves little, working does.
pub async fn proven_encoders(tools: &Tools, stop: &CancellationToken) -> Vec<String> {
    const VIDEO: &str = "color=size=128x72:rate=25:duration=0.2";
    const SOUND: &str = "anullsrc=sample_rate=48000,atrim=duration=0.2";
    let mut proven = Vec::new();
    for (encoder, source) in [("libx264", VIDEO), ("aac", SOUND)] {
        let argv = Argv::new().arg("-nostdin").option("-loglevel", "error").option("-f", "lavfi").option("-i", source);
        let codec = if source == VIDEO { "-c:v" } else { "-c:a" };
        let argv = argv.option(codec, encoder).option("-f", "null").arg("-");
        let run = Run { sandbox: &tools.sandbox, program: &tools.ffmpeg, argv, limits: Limits::short(), loopback: None };
        match capture(run, 1 << 10, &Desk::default(), stop).await {
            Ok(run) if run.ended == Ended::Well => proven.push(encoder.to_owned()),
            Ok(run) => tracing::warn!(encoder, ended = %run.ended, log = ?run.log.lines(), "encoder does not work here"),
            Err(error) => tracing::warn!(encoder, %error, "encoder does not work here"),
        }
    }
    proven
}
