//! The installed programs, the user that runs them, and the empty cluster that new servers are copied from.

use std::{
    env,
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};

/// The database user of every server here. It may do everything and needs no password.
pub const SUPERUSER: &str = "offpeak";

/// Where Debian puts them: a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder of PostgreSQL's server programs.
pub struct Programs(PathBuf);

impl Programs {
    /// The newest that is installed.
    pub fn find() -> Result<Self> {
        let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
        let mut folders: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter_map(|path| Some((version(&path)?, path.join("bin"))))
            .collect();
        folders.sort();
        let debian = folders.into_iter().rev().map(|(_, folder)| folder);
        let path = env::var_os("PATH").unwrap_or_default();
        let found = debian.chain(env::split_paths(&path)).find(|folder| folder.join("postgres").is_file());
        found.map(Self).context(
            "PostgreSQL's server is not installed, and these tests run on it. Install it (Debian: `apt-get install postgresql`; \
             `make test` does that by itself). It need not run: tests start their own",
        )
    }

    pub fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    fn version(&self) -> Result<String> {
        let output = Command::new(self.postgres()).arg("--version").output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Who runs the server: it refuses to run as root, so root lends it another user, by user and group id.
pub struct Owner(Option<(u32, u32)>);

impl Owner {
    pub fn choose() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let found = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = found.context("we are root, and there is no user postgres or nobody to run PostgreSQL as")?;
        Ok(Self(Some((user.uid.as_raw(), user.gid.as_raw()))))
    }

    /// A command that runs as this user; on Linux it ends when the thread that started it does.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = if cfg!(target_os = "linux") {
            let mut setpriv = Command::new("setpriv");
            setpriv.args(["--pdeathsig", "QUIT", "--"]).arg(program);
            setpriv
        } else {
            Command::new(program)
        };
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        // The same sorting and messages everywhere, and a folder that every user may be in.
        command.env("LC_ALL", "C").current_dir("/");
        command
    }

    /// Hands over a folder with all that is in it.
    pub fn take(&self, folder: &Path) -> Result<()> {
        match self.0 {
            Some((user, group)) => run(Command::new("chown").arg("-R").arg(format!("{user}:{group}")).arg(folder)),
            None => Ok(()),
        }
    }
}

/// The empty cluster to copy, made when it is missing: beside the running program, which is where cargo builds.
pub fn template(programs: &Programs, owner: &Owner) -> Result<PathBuf> {
    let program = env::current_exe()?;
    let beside = program.parent().context("this program is in no folder")?;
    let version: String = programs.version()?.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let [template, lock, partial] = ["data", "lock", "partial"].map(|part| beside.join(format!("empty-{version}.{part}")));
    // One process makes it while the others wait.
    let lock = File::create(lock)?;
    lock.lock()?;
    if !template.exists() {
        // In a folder that its user can reach, which the one beside the program may not be.
        let scratch = tempfile::tempdir()?;
        owner.take(scratch.path())?;
        let made = scratch.path().join("data");
        run(owner
            .command(&programs.0.join("initdb"))
            .args(["-A", "trust", "-U", SUPERUSER, "-E", "UTF8", "--no-locale", "-N", "-D"])
            .arg(&made))?;
        // Half a copy must not be taken for a whole one.
        let _none_left_over = fs::remove_dir_all(&partial);
        copy(&made, &partial)?;
        fs::rename(&partial, &template)?;
    }
    Ok(template)
}

pub fn copy(from: &Path, to: &Path) -> Result<()> {
    run(Command::new("cp").args(["-R", "-p"]).arg(from).arg(to))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
