//! The SHA-256 of a bundled program, in a file beside it: what was changed since it was installed is not run.
//!
//! It guards against a damaged disk and an update that went half through; whoever may replace the program may replace the file
//! as well, and has no need to. Programs without such a file, of one's own choice, are run as they are.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::version::hash_file;

/// Why a program is not run.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("{} cannot be read: {error}", file.display())]
    NoManifest { file: PathBuf, error: io::Error },
    #[error("its SHA-256 is {found}, and {wanted} is expected")]
    Other { found: String, wanted: String },
}

/// `offpeak-ffmpeg.sha256` beside `offpeak-ffmpeg`, in the form of `sha256sum`.
pub fn file_of(program: &Path) -> PathBuf {
    let mut file = program.with_extension("").into_os_string();
    file.push(".sha256");
    file.into()
}

/// Reads a program, and returns its SHA-256 when it is the one that its manifest names, or has none.
pub fn check(program: &Path) -> Result<String, Unfit> {
    let file = file_of(program);
    let wanted = match std::fs::read_to_string(&file) {
        Ok(text) => Some(text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Unfit::NoManifest { file, error }),
    };
    let found = hash_file(program).map_err(Unfit::Unreadable)?;
    match wanted {
        Some(wanted) if wanted != found => Err(Unfit::Other { found, wanted }),
        Some(_) | None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn what_was_changed_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("offpeak-ffmpeg");
        std::fs::write(&program, "abc").unwrap();
        assert_eq!(check(&program).unwrap().len(), 64, "without a manifest it is run as it is");
        // FIPS 180-4, first example.
        let sum = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD  offpeak-ffmpeg\n";
        std::fs::write(folder.path().join("offpeak-ffmpeg.sha256"), sum).unwrap();
        check(&program).unwrap();
        std::fs::write(&program, "abd").unwrap();
        assert!(check(&program).unwrap_err().to_string().contains("SHA-256"));
        std::fs::remove_file(&program).unwrap();
        assert!(check(&program).unwrap_err().to_string().contains("cannot be read"));
    }
}
