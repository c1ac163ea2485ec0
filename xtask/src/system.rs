//! A whole Offpeak on this machine: one server and some engines, for the demo and the bench.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{child::Child, http, http::Api, interrupt, paths, platform, say, shell};

/// The first start migrates a database; a machine under load takes its time.
const READY_WITHIN: Duration = Duration::from_secs(60);
const USUAL_PORT: u16 = 7070;
/// As many tasks at a time as an engine has by itself.
const MOST_LEASES: usize = 4;

/// How programs are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Builds soonest. ffmpeg does the heavy work, and it is the same in both.
    Dev,
    Release,
}

/// The three programs, built.
#[derive(Debug)]
pub struct Programs {
    pub server: PathBuf,
    pub agent: PathBuf,
    pub offpeak: PathBuf,
}

impl Programs {
    pub fn build(build: Build) -> Result<Self> {
        let since = Instant::now();
        let mut cargo = shell::cargo();
        cargo.current_dir(paths::root()).args(["build", "-p", "offpeak-server", "-p", "offpeak-engine", "-p", "offpeak-cli"]);
        match build {
            Build::Dev => say::step("Building (the first time takes some minutes; a debug build, since ffmpeg does the work)"),
            Build::Release => {
                say::step("Building for release (the first time takes many minutes)");
                cargo.arg("--release");
            }
        }
        shell::run(&mut cargo)?;
        say::took(since);
        let folder = profile_folder(build)?;
        let program = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { server: program("offpeak-server"), agent: program("offpeak-agent"), offpeak: program("offpeak") })
    }
}

/// Where cargo puts programs: beside this one, which is always a dev build.
pub fn profile_folder(build: Build) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let debug = own.parent().context("this program is in no folder")?;
    match build {
        Build::Dev => Ok(debug.to_owned()),
        Build::Release => Ok(debug.parent().context("the target folder is missing")?.join("release")),
    }
}

/// A running server and what belongs to it. Dropping it ends everything, engines first.
#[derive(Debug)]
pub struct System {
    pub programs: Programs,
    folder: PathBuf,
    pub address: SocketAddr,
    server: Option<Child>,
    engines: Vec<Child>,
    token: String,
}

impl System {
    /// Starts a server with its data under `folder`, and waits until it is ready.
    pub fn start(programs: Programs, folder: &Path) -> Result<Self> {
        interrupt::listen()?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let address = free_address()?;
        let mut system =
            Self { programs, folder: folder.to_owned(), address, server: None, engines: Vec::new(), token: String::new() };
        system.start_server()?;
        system.token = system.token()?;
        Ok(system)
    }

    pub fn start_server(&mut self) -> Result<()> {
        let mut command = platform::tied_to_us(&self.programs.server);
        command.arg("serve");
        self.set_server_env(&mut command);
        let mut server = Child::start("the server", command, &self.log("server"))?;
        let since = Instant::now();
        while http::status(self.address, "/readyz") != Some(200) {
            server.must_run()?;
            if interrupt::happened() {
                bail!("interrupted");
            }
            if since.elapsed() > READY_WITHIN {
                bail!("the server is not ready after {} s:\n{}", READY_WITHIN.as_secs(), server.tail());
            }
            std::thread::sleep(interrupt::LOOK_EVERY);
        }
        self.server = Some(server);
        Ok(())
    }

    /// Starts one more engine that uses so many cores, whichever: `--cores` would keep all engines here to the same ones.
    pub fn add_engine(&mut self, cores: usize) -> Result<()> {
        let leases = cores.clamp(1, MOST_LEASES);
        let threads = (cores / leases).max(1);
        let name = format!("engine-{}", self.engines.len() + 1);
        let state = self.folder.join(&name);
        fs::create_dir_all(&state)?;
        let mut command = platform::tied_to_us(&self.programs.agent);
        // Several engines on one machine, whose person waits for them.
        command
            .args(["run", "--presence", "none", "--name", &name])
            .args(["--leases", &leases.to_string(), "--threads", &threads.to_string()])
            .arg("--state-dir")
            .arg(&state);
        command.env("OFFPEAK_URL", self.url()).env("OFFPEAK_FFMPEG", paths::ffmpeg()).env("OFFPEAK_FFPROBE", paths::ffprobe());
        // Harmless for an engine that is enrolled already, and it works when the database is another one.
        command.env("OFFPEAK_ENROL_CODE", self.enrol_code()?);
        self.engines.push(Child::start(&name, command, &self.log(&name))?);
        Ok(())
    }

    /// A code for one machine.
    pub fn enrol_code(&self) -> Result<String> {
        self.admin(&["token", "enrol", "--uses", "1", "--hours", "1"])
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn api(&self) -> Api {
        Api { address: self.address, token: self.token.clone() }
    }

    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// `offpeak …` against this server.
    pub fn offpeak(&self) -> Command {
        let mut command = platform::tied_to_us(&self.programs.offpeak);
        command.env("OFFPEAK_URL", self.url()).env("OFFPEAK_TOKEN", &self.token);
        command.env("OFFPEAK_STATE_DIR", self.folder.join("client"));
        command
    }

    /// An error when the server or an engine has died by itself.
    pub fn must_run(&mut self) -> Result<()> {
        self.server.iter_mut().chain(&mut self.engines).try_for_each(Child::must_run)
    }

    /// Process ids of the server and the engines.
    pub fn process_ids(&self) -> Vec<u32> {
        self.server.iter().chain(&self.engines).map(Child::id).collect()
    }

    /// Ends everything in order: engines give back what they hold while the server is still there to take it.
    pub fn stop(&mut self) {
        self.engines.iter().for_each(Child::terminate);
        for mut engine in self.engines.drain(..) {
            engine.wait();
        }
        if let Some(mut server) = self.server.take() {
            server.terminate();
            server.wait();
        }
    }

    fn set_server_env(&self, command: &mut Command) {
        command.env("OFFPEAK_LISTEN", self.address.to_string()).env("OFFPEAK_PUBLIC_URL", self.url());
        command.env("OFFPEAK_DATABASE_URL", format!("sqlite://{}", self.folder.join("offpeak.db").display()));
        command.env("OFFPEAK_STORAGE", file_url(&self.folder.join("storage")));
        command.env_remove("OFFPEAK_CONFIG");
    }

    /// What an administrative command of the server prints.
    fn admin(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.programs.server);
        command.args(args);
        self.set_server_env(&mut command);
        Ok(shell::output(&mut command)?.trim().to_owned())
    }

    /// Where the first administrator makes their account; nothing when there is one.
    pub fn setup_link(&self) -> Option<String> {
        let said = self.admin(&["people", "setup"]).ok()?;
        said.split_whitespace().find(|word| word.contains("/setup?code=")).map(str::to_owned)
    }

    /// A token for programs: the one of the last run if the database still knows it.
    fn token(&self) -> Result<String> {
        let file = self.folder.join("token");
        let kept = fs::read_to_string(&file).unwrap_or_default().trim().to_owned();
        let api = Api { address: self.address, token: kept.clone() };
        if !kept.is_empty() && api.get("/v1/profiles").is_ok() {
            return Ok(kept);
        }
        let token = self.admin(&["token", "create", "--name", "demo", "--kind", "program"])?;
        platform::write_secret(&file, &token).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(token)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The usual address, or a free one when somebody else has it.
fn free_address() -> Result<SocketAddr> {
    let usual = SocketAddr::from(([127, 0, 0, 1], USUAL_PORT));
    if TcpListener::bind(usual).is_ok() {
        return Ok(usual);
    }
    let other = TcpListener::bind("127.0.0.1:0").context("there is no free port on 127.0.0.1")?.local_addr()?;
    say::detail(format_args!("port {USUAL_PORT} is taken, so the server listens on {} this time", other.port()));
    Ok(other)
}

/// A folder as an address. Letters beyond ASCII and spaces are encoded by whoever parses it; these would change its meaning.
fn file_url(path: &Path) -> String {
    let path = path.display().to_string().replace('%', "%25").replace('#', "%23").replace('?', "%3F");
    if cfg!(windows) { format!("file:///{}", path.replace('\\', "/")) } else { format!("file://{path}") }
}
