//! Files and folders for nobody but the server's own user: the database holds keys, storage holds films. What is there already
//! keeps its mode, for somebody may have set it on purpose; when every user of the machine can read it, the log says so.

use std::{fs, io, path::Path};

/// Makes an empty file if there is none.
#[cfg(unix)]
pub fn make_file(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => tell_if_open(path),
        // Whoever wants to use it learns why it is not there.
        Err(_) => {}
    }
}

/// Makes a folder and those above it, as far as they are missing.
#[cfg(unix)]
pub fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.is_dir() {
        tell_if_open(path);
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(unix)]
fn tell_if_open(path: &Path) {
    if is_open(path) {
        let path = path.display();
        tracing::warn!(%path, "every user of this machine can read this: `chmod o-rwx` keeps them out");
    }
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

/// Windows gives new files the rights of their folder.
#[cfg(not(unix))]
pub fn make_file(_path: &Path) {}

/// Windows gives new folders the rights of the one above.
#[cfg(not(unix))]
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private_and_what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (file, deep) = (folder.path().join("a.db"), folder.path().join("b/c"));
        make_file(&file);
        make_folder(&deep).unwrap();
        assert_eq!((mode(&file), mode(&deep), mode(&folder.path().join("b"))), (0o600, 0o700, 0o700));
        assert!(!is_open(&file) && !is_open(&deep));

        fs::write(&file, "kept").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&deep, fs::Permissions::from_mode(0o755)).unwrap();
        make_file(&file);
        make_folder(&deep).unwrap();
        assert_eq!((mode(&file), mode(&deep), fs::read_to_string(&file).unwrap().as_str()), (0o644, 0o755, "kept"));
        assert!(is_open(&file) && is_open(&deep));
    }
}
