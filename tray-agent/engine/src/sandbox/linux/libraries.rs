//! Which files a program is made of: its loader and the libraries that the loader will find for it.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
};

/// Program headers: the bundled programs have about a dozen.
const MOST_HEADERS: u16 = 64;
/// A path.
const LONGEST_LOADER: u64 = 4096;

/// The files besides `program` itself; none for a static one. Found out once for each program.
pub fn of(program: &Path) -> io::Result<Arc<Vec<PathBuf>>> {
    static KNOWN: OnceLock<Mutex<HashMap<PathBuf, Arc<Vec<PathBuf>>>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    let mut known = known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(files) = known.get(program) {
        return Ok(files.clone());
    }
    let files = Arc::new(match loader(program)? {
        None => Vec::new(),
        Some(loader) => listed(&loader, program)?,
    });
    known.insert(program.to_owned(), files.clone());
    Ok(files)
}

/// What the loader itself says it would load: the program is not run for that.
fn listed(loader: &Path, program: &Path) -> io::Result<Vec<PathBuf>> {
    let output = Command::new(loader).arg("--list").arg(program).env_clear().stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(format!("{} finds no libraries for {}: {said}", loader.display(), program.display())));
    }
    let mut files = vec![loader.to_owned()];
    for line in output.stdout.split(|byte| *byte == b'\n') {
        files.extend(path_in(line).map(|path| PathBuf::from(OsStr::from_bytes(path))));
    }
    Ok(files)
}

/// The path in `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f…)` or `/lib64/ld-linux-x86-64.so.2 (0x…)`.
fn path_in(line: &[u8]) -> Option<&[u8]> {
    let start = line.iter().position(|byte| *byte == b'/')?;
    let end = line.windows(3).rposition(|window| window == b" (0")?;
    line.get(start..end)
}

/// The loader that an ELF file names (`PT_INTERP`).
fn loader(program: &Path) -> io::Result<Option<PathBuf>> {
    const INTERPRETER: u32 = 3;
    let bad = || io::Error::new(io::ErrorKind::InvalidData, format!("{} is no program for this machine", program.display()));
    let mut file = File::open(program)?;
    let mut head = [0; 64];
    file.read_exact(&mut head).map_err(|_| bad())?;
    // ELF, 64 bit, in this machine's byte order: all that Offpeak is built for.
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if head[..6] != [0x7f, b'E', b'L', b'F', 2, order] {
        return Err(bad());
    }
    let (table, size, count) = (word(&head, 32), half(&head, 54), half(&head, 56));
    if size < 56 || count > MOST_HEADERS {
        return Err(bad());
    }
    for n in 0..u64::from(count) {
        let mut header = [0; 56];
        file.seek(SeekFrom::Start(table.saturating_add(n * u64::from(size))))?;
        file.read_exact(&mut header).map_err(|_| bad())?;
        if u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) != INTERPRETER {
            continue;
        }
        let mut path = Vec::new();
        file.seek(SeekFrom::Start(word(&header, 8)))?;
        file.take(word(&header, 32).min(LONGEST_LOADER)).read_to_end(&mut path)?;
        path.truncate(path.iter().position(|byte| *byte == 0).unwrap_or(path.len()));
        return Ok(Some(PathBuf::from(OsStr::from_bytes(&path))));
    }
    Ok(None)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(word)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tools;

    #[test]
    fn a_program_is_itself_and_its_libraries() {
        let files = of(&tools().ffmpeg).expect("ffmpeg is a program");
        assert!(files.iter().any(|file| file.to_string_lossy().contains("libc.so")), "{files:?}");
        assert!(files.iter().all(|file| file.is_file()), "{files:?}");
        // The other bundled program is a static one.
        assert_eq!(*of(&tools().ffprobe).expect("ffprobe is a program"), Vec::<PathBuf>::new());
        assert!(of(Path::new("/etc/passwd")).is_err());
        assert_eq!(path_in(b"\tlinux-vdso.so.1 (0x00007ffc)"), None);
        assert_eq!(path_in(b"\tlibm.so.6 => /lib/libm.so.6 (0x00007ffc)"), Some(&b"/lib/libm.so.6"[..]));
    }
}
