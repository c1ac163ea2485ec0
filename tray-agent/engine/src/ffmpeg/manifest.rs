//! The SHA-256 of a bundled program, in a file beside it: what was changed since it was installed is not run.
//!
//! It guards against a damaged disk and an update that went half through; whoever may replace the program may replace the file
//! as well, and has no need to. Programs without such a file, of one's own choice, are run as they are.

use std::{io, path::Path};

use super::version::hash_file;

/// `offpeak-ffmpeg.sha256` beside `offpeak-ffmpeg`, in the form of `sha256sum`.
///
/// # Errors
/// What is wrong, in words.
pub fn check(program: &Path) -> Result<(), String> {
    let mut manifest = program.with_extension("").into_os_string();
    manifest.push(".sha256");
    let text = match std::fs::read_to_string(&manifest) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{} cannot be read: {error}", Path::new(&manifest).display())),
    };
    let wanted = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let found = hash_file(program).map_err(|error| format!("it cannot be read: {error}"))?;
    if found == wanted { Ok(()) } else { Err(format!("its SHA-256 is {found}, and {wanted} is expected")) }
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
        check(&program).unwrap();
        // FIPS 180-4, first example.
        let sum = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD  offpeak-ffmpeg\n";
        std::fs::write(folder.path().join("offpeak-ffmpeg.sha256"), sum).unwrap();
        check(&program).unwrap();
        std::fs::write(&program, "abd").unwrap();
        assert!(check(&program).unwrap_err().contains("SHA-256"));
        std::fs::remove_file(&program).unwrap();
        assert!(check(&program).unwrap_err().contains("cannot be read"));
    }
}
