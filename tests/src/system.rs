//! A whole Offpeak: one server on a free port, and as many engines as a test wants. Its folder goes away, unless
//! `OFFPEAK_TEST_KEEP` is set.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use url::Url;

use crate::{
    client::Client,
    display::forget_this_desk,
    process::Process,
    programs::{self, built},
};

/// Migrations and a first look at a new database, on a machine that builds something else at the same time.
const START_LIMIT: Duration = Duration::from_secs(60);
const LOG_LINES_ON_FAILURE: usize = 60;

pub struct System {
    pub client: Client,
    server: Option<Process>,
    engines: Vec<Process>,
    port: u16,
    /// Variables of the server besides the usual ones.
    settings: Vec<(String, String)>,
    folder: TempDir,
}

impl System {
    /// Starts a server and `engines` engines named `engine-1`, `engine-2` …, and waits until the server is ready.
    pub async fn start(engines: usize) -> Self {
        Self::start_with(engines, &[]).await
    }

    /// As [`Self::start`], with these variables for the server.
    pub async fn start_with(engines: usize, settings: &[(&str, &str)]) -> Self {
        Self::start_on(free_port(), engines, settings).await
    }

    /// As [`Self::start_with`], with the server on this port.
    pub async fn start_on(port: u16, engines: usize, settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let folder = tempfile::Builder::new().prefix("offpeak-test-").tempdir().expect("a temporary folder");
        let server = Some(spawn_server("server", folder.path(), port, &settings));
        let address = Url::parse(&format!("http://127.0.0.1:{port}/")).expect("an address");
        let client = Client::new(address, String::new());
        let mut system = Self { client, server, engines: Vec::new(), port, settings, folder };
        system.wait_until_ready().await;
        let token = system.server_says(&["token", "create", "--name", "test", "--kind", "program"]);
        system.client = Client::new(system.client.server().clone(), token);
        for number in 1..=engines {
            system.start_engine(&format!("engine-{number}"));
        }
        system
    }

    /// A folder for the test's own files.
    pub fn scratch(&self) -> PathBuf {
        let scratch = self.folder.path().join("scratch");
        std::fs::create_dir_all(&scratch).expect("a folder can be made");
        scratch
    }

    /// Where the server keeps blobs.
    pub fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// The server's database, an SQLite file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("offpeak.db")
    }

    /// Enrols and starts one more engine with one core.
    pub fn start_engine(&mut self, name: &str) {
        self.start_engine_with_cores(name, 1);
    }

    /// Enrols and starts one more engine that may use so many cores.
    pub fn start_engine_with_cores(&mut self, name: &str, cores: u32) {
        self.start_engine_as(name, cores, programs::ffmpeg());
    }

    /// Enrols and starts one more engine with one core that reaches the server at this address and logs as `RUST_LOG` says, one
    /// JSON object a line.
    pub fn start_engine_at(&mut self, name: &str, server: &Url, filter: &str) {
        let code = self.server_says(&["token", "enrol", "--uses", "1"]);
        let mut command = self.engine_command(name, 1, programs::ffmpeg());
        command.env("OFFPEAK_URL", server.as_str()).env("OFFPEAK_ENROL_CODE", code);
        command.env("RUST_LOG", filter).env("OFFPEAK_LOG", "json");
        self.engines.push(Process::spawn(name, command, self.folder.path()));
    }

    /// Enrols and starts one more engine, with one core, that watches the desk of this display, and begins and goes on after so
    /// long without input.
    pub fn start_engine_at_desk(&mut self, name: &str, display: &str, quiet: Option<Duration>) {
        self.start_engine_with_cores_at_desk(name, 1, display, quiet);
    }

    /// As [`Self::start_engine_at_desk`], with so many cores.
    pub fn start_engine_with_cores_at_desk(&mut self, name: &str, cores: u32, display: &str, quiet: Option<Duration>) {
        let server = self.client.server().clone();
        let command = self.engine_command(name, cores, programs::ffmpeg());
        self.start_at_desk(name, command, display, quiet, &server);
    }

    /// As [`Self::start_engine_at_desk`], with the server at this address, and with the command as `change` leaves it.
    pub fn start_engine_at_desk_through(
        &mut self,
        name: &str,
        display: &str,
        quiet: Option<Duration>,
        server: &Url,
        change: impl FnOnce(&mut Command),
    ) {
        let mut command = self.engine_command(name, 1, programs::ffmpeg());
        change(&mut command);
        self.start_at_desk(name, command, display, quiet, server);
    }

    fn start_at_desk(&mut self, name: &str, mut command: Command, display: &str, quiet: Option<Duration>, server: &Url) {
        let code = self.server_says(&["token", "enrol", "--uses", "1"]);
        command.env("OFFPEAK_URL", server.as_str()).env("OFFPEAK_ENROL_CODE", code);
        forget_this_desk(&mut command);
        command.args(["--presence", "auto"]).env("DISPLAY", display);
        command.args(quiet.map(|quiet| format!("--quiet-milliseconds={}", quiet.as_millis())));
        self.engines.push(Process::spawn(name, command, self.folder.path()));
    }

    /// Where an engine keeps its state.
    pub fn state_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts an engine again that was started by [`Self::start_engine_at`] and was killed: on its folder, without a code.
    pub fn restart_engine_at(&mut self, name: &str, server: &Url, filter: &str) {
        let mut command = self.engine_command(name, 1, programs::ffmpeg());
        command.env("OFFPEAK_URL", server.as_str()).env("RUST_LOG", filter).env("OFFPEAK_LOG", "json");
        let process = Process::spawn(name, command, self.folder.path());
        *self.engine(name) = process;
    }

    /// Starts one more engine with one core that is told nothing but an enrolment link.
    pub fn start_engine_by(&mut self, name: &str, link: &str) {
        let mut command = self.engine_command(name, 1, programs::ffmpeg());
        command.env_remove("OFFPEAK_URL").env("OFFPEAK_ENROL_CODE", link);
        self.engines.push(Process::spawn(name, command, self.folder.path()));
    }

    /// Enrols and starts one more engine that takes this program for ffmpeg.
    pub fn start_engine_as(&mut self, name: &str, cores: u32, ffmpeg: PathBuf) {
        let code = self.server_says(&["token", "enrol", "--uses", "1"]);
        let mut command = self.engine_command(name, cores, ffmpeg);
        command.env("OFFPEAK_URL", self.client.server().as_str()).env("OFFPEAK_ENROL_CODE", code);
        self.engines.push(Process::spawn(name, command, self.folder.path()));
    }

    /// An engine that this test talks to as its shell; not joined to anything.
    pub fn linked_engine(&self, name: &str, change: impl FnOnce(&mut Command)) -> crate::linked::Linked {
        let mut command = self.engine_command(name, 1, programs::ffmpeg());
        command.arg("--link").env_remove("OFFPEAK_URL").env_remove("OFFPEAK_ENROL_CODE");
        change(&mut command);
        crate::linked::Linked::start(command, &self.folder.path().join(format!("{name}.log")))
    }

    /// As many tasks at a time, of a thread each, as this many cores would get. `--cores` itself would keep the engines of a test
    /// to the same last cores of this machine.
    fn engine_command(&self, name: &str, cores: u32, ffmpeg: PathBuf) -> Command {
        let mut command = Command::new(&built().agent);
        command
            .args(["run", "--name", name, "--leases", &cores.to_string(), "--threads", "1", "--state-dir"])
            .arg(self.folder.path().join(name))
            // Several engines on one machine that builds and tests; those at a desk are told otherwise.
            .env("OFFPEAK_PRESENCE", "none")
            .env("OFFPEAK_FFMPEG", ffmpeg)
            .env("OFFPEAK_FFPROBE", programs::ffprobe());
        command
    }

    pub fn engine(&mut self, name: &str) -> &mut Process {
        self.engines.iter_mut().find(|engine| engine.name() == name).unwrap_or_else(|| panic!("there is no engine {name}"))
    }

    /// All that an engine has printed, in all its lives.
    pub fn log_of(&self, name: &str) -> String {
        let engine = self.engines.iter().find(|engine| engine.name() == name);
        engine.unwrap_or_else(|| panic!("there is no engine {name}")).log()
    }

    pub fn server(&mut self) -> &mut Process {
        self.server.as_mut().expect("the server was started")
    }

    /// SIGKILL to the server, without warning.
    pub fn kill_server(&mut self) {
        self.server().kill();
    }

    /// Starts the server again on the same folder and port, and waits until it is ready.
    pub async fn restart_server(&mut self) {
        self.server().kill();
        self.respawn_server();
        self.wait_until_ready().await;
    }

    /// Starts the server again on the same folder and port, and does not wait.
    pub fn respawn_server(&mut self) {
        self.server = Some(spawn_server("server", self.folder.path(), self.port, &self.settings));
    }

    /// Starts another server with the same settings on this port, and does not wait. It keeps its output in `name`.log.
    pub fn spawn_replica(&self, name: &str, port: u16) -> Process {
        spawn_server(name, self.folder.path(), port, &self.settings)
    }

    /// Runs a command of the server's program on this system's database; what it printed, trimmed.
    pub fn server_says(&self, arguments: &[&str]) -> String {
        let output = server_command(self.folder.path(), self.port, &self.settings)
            .args(arguments)
            .output()
            .expect("offpeak-server starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "offpeak-server {}: {stderr}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// A command of the `offpeak` program, pointed at this system.
    pub fn cli(&self) -> Command {
        let mut command = Command::new(&built().cli);
        command
            .current_dir(self.scratch())
            .env("OFFPEAK_URL", self.client.server().as_str())
            .env("OFFPEAK_TOKEN", self.client.token())
            .env("OFFPEAK_STATE_DIR", self.folder.path().join("cli-state"));
        command
    }

    async fn wait_until_ready(&mut self) {
        let deadline = tokio::time::Instant::now() + START_LIMIT;
        loop {
            let request = self.client.anonymous(reqwest::Method::GET, "/readyz");
            if request.send().await.is_ok_and(|response| response.status().is_success()) {
                return;
            }
            assert!(self.server().is_running(), "the server ended:\n{}", self.server().log_tail(LOG_LINES_ON_FAILURE));
            assert!(tokio::time::Instant::now() < deadline, "the server is not ready within {START_LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if std::env::var_os("OFFPEAK_TEST_KEEP").is_some_and(|value| !value.is_empty()) {
            eprintln!("the test's folder is kept: {}", self.folder.path().display());
            self.folder.disable_cleanup(true);
        }
        if std::thread::panicking() {
            for process in self.server.iter().chain(&self.engines) {
                eprintln!("---- the last lines of {}", process.name());
                eprintln!("{}", process.log_tail(LOG_LINES_ON_FAILURE));
            }
        }
    }
}

fn spawn_server(name: &str, folder: &Path, port: u16, settings: &[(String, String)]) -> Process {
    let mut command = server_command(folder, port, settings);
    command.arg("serve");
    Process::spawn(name, command, folder)
}

fn server_command(folder: &Path, port: u16, settings: &[(String, String)]) -> Command {
    let storage = Url::from_directory_path(folder.join("storage")).expect("a temporary folder is absolute");
    let mut command = Command::new(&built().server);
    command
        .current_dir(folder)
        .env("OFFPEAK_LISTEN", format!("127.0.0.1:{port}"))
        .env("OFFPEAK_DATABASE_URL", format!("sqlite://{}", folder.join("offpeak.db").display()))
        .env("OFFPEAK_STORAGE", storage.as_str())
        .env_remove("OFFPEAK_CONFIG")
        .env_remove("OFFPEAK_PUBLIC_URL")
        .envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

/// A port that nobody listened on a moment ago. A server that is started again must find its old one, so 0 will not do.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
