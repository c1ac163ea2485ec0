//! Small files in the state folder, replaced whole: a crash leaves the old one.

use std::{io, path::Path};

use serde::{Serialize, de::DeserializeOwned};

use crate::enrolment::replace_private_file;

/// What is kept under this name; the default when there is nothing yet. A damaged file is told, and counts as none.
pub fn read<T: DeserializeOwned + Default>(folder: &Path, name: &str) -> T {
    let file = folder.join(name);
    match std::fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!("{} is damaged and is not used: {error}", file.display());
            T::default()
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
        Err(error) => {
            tracing::warn!("cannot read {}: {error}", file.display());
            T::default()
        }
    }
}

/// Keeps it in place of what was kept before.
///
/// # Errors
/// What the operating system says, a full disk for one.
pub fn write<T: Serialize>(folder: &Path, name: &str, value: &T) -> io::Result<()> {
    replace_private_file(folder, name, &serde_json::to_vec_pretty(value)?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read::<Vec<u32>>(folder.path(), "numbers.json"), Vec::<u32>::new());
        write(folder.path(), "numbers.json", &[1, 2]).unwrap();
        write(folder.path(), "numbers.json", &[3]).unwrap();
        assert_eq!(read::<Vec<u32>>(folder.path(), "numbers.json"), [3]);
        std::fs::write(folder.path().join("numbers.json"), "[3").unwrap();
        assert_eq!(read::<Vec<u32>>(folder.path(), "numbers.json"), Vec::<u32>::new());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
