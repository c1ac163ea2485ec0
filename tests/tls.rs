//! A server that ends TLS with a certificate of its own: a machine joins with one link and works, a film is submitted and
//! encoded, and whoever shows another certificate is refused. Without TLS a server keeps to its own machine.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use offpeak_tests::{
    process::Process,
    programs::{self, built},
    sources,
    system::free_port,
};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(240);

struct Farm {
    folder: TempDir,
    port: u16,
}

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn run(mut command: Command) -> Said {
    command.stdin(Stdio::null());
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(LIMIT, output).await.expect("it ends").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Farm {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("offpeak-tls-").tempdir().expect("a temporary folder");
        Self { folder, port: free_port() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    fn server(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(&built().server);
        command
            .current_dir(self.path())
            .env("OFFPEAK_LISTEN", format!("0.0.0.0:{}", self.port))
            .env("OFFPEAK_DATABASE_URL", format!("sqlite://{}", self.path().join("offpeak.db").display()))
            .env("OFFPEAK_STORAGE", format!("file://{}", self.path().join("storage").display()))
            .env_remove("OFFPEAK_CONFIG")
            .env_remove("OFFPEAK_PUBLIC_URL")
            .envs(settings.iter().copied());
        command
    }

    /// A server that shows a certificate of its own.
    fn secure(&self) -> Command {
        self.server(&[("OFFPEAK_TLS", "self"), ("OFFPEAK_PUBLIC_URL", &self.url())])
    }

    fn serve(&self, mut command: Command) -> Process {
        command.arg("serve");
        Process::spawn("server", command, self.path())
    }

    async fn says(&self, arguments: &[&str]) -> String {
        let mut command = self.secure();
        command.args(arguments);
        let said = run(command).await;
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        said.stdout.trim().to_owned()
    }

    async fn offpeak(&self, token: &str, fingerprint: Option<&str>, arguments: &[&str]) -> Said {
        let mut command = Command::new(&built().cli);
        command
            .args(arguments)
            .current_dir(self.path())
            .env("OFFPEAK_URL", self.url())
            .env("OFFPEAK_TOKEN", token)
            .env("OFFPEAK_STATE_DIR", self.path().join("cli"))
            .env_remove("OFFPEAK_FINGERPRINT");
        if let Some(fingerprint) = fingerprint {
            command.env("OFFPEAK_FINGERPRINT", fingerprint);
        }
        run(command).await
    }

    /// Waits until the server answers.
    async fn until_ready(&self, server: &mut Process, token: &str, fingerprint: &str) {
        let deadline = tokio::time::Instant::now() + LIMIT;
        while self.offpeak(token, Some(fingerprint), &["profiles"]).await.code != Some(0) {
            assert!(server.is_running() && tokio::time::Instant::now() < deadline, "{}", server.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn desk(&self) -> PathBuf {
        self.path().join("desk")
    }

    fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&built().agent);
        command.args(arguments).arg("--state-dir").arg(self.desk());
        for name in ["OFFPEAK_URL", "OFFPEAK_ENROL_CODE", "OFFPEAK_FINGERPRINT"] {
            command.env_remove(name);
        }
        command.env("OFFPEAK_FFMPEG", programs::ffmpeg()).env("OFFPEAK_FFPROBE", programs::ffprobe());
        command
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_goes_through_a_server_that_is_known_by_its_fingerprint() {
    let farm = Farm::new();
    let token = farm.says(&["token", "create", "--name", "test"]).await;
    let link = farm.says(&["token", "enrol", "--link"]).await;
    let (address, fingerprint) = link.split_once("?fp=").unwrap_or_else(|| panic!("{link} has no fingerprint"));
    assert!(address.starts_with(&format!("offpeak://127.0.0.1:{}/ofe_", farm.port)), "{link}");
    let mut server = farm.serve(farm.secure());
    farm.until_ready(&mut server, &token, fingerprint).await;

    // Another certificate than the known one, and one that nobody vouches for. The code is not used up by either.
    let wrong = "ab".repeat(32);
    let said = run(farm.agent(&["enrol", &format!("{address}?fp={wrong}")])).await;
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("shows another certificate") && said.stderr.contains(fingerprint), "{}", said.stderr);
    let said = run(farm.agent(&["enrol", address])).await;
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.to_lowercase().contains("certificate"), "{}", said.stderr);
    let said = farm.offpeak(&token, Some(&wrong), &["profiles"]).await;
    assert!(said.code == Some(1) && said.stderr.contains("shows another certificate"), "{}", said.stderr);
    let said = farm.offpeak(&token, None, &["profiles"]).await;
    assert!(said.code == Some(1) && said.stderr.contains("certificate"), "{}", said.stderr);

    // With the link alone a machine enrols, and from then on nothing needs to be said at all.
    let said = run(farm.agent(&["enrol", &link])).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let mut command = farm.agent(&["run", "--cores", "1", "--presence", "none"]);
    command.env("RUST_LOG", "info");
    let engine = Process::spawn("engine", command, farm.path());

    // The certificate is the same after a restart.
    server.kill();
    drop(server);
    let mut server = farm.serve(farm.secure());
    farm.until_ready(&mut server, &token, fingerprint).await;

    sources::recipe("late-sound.mkv").make(farm.path()).await;
    let said = farm.offpeak(&token, Some(fingerprint), &["submit", "late-sound.mkv", "--watch"]).await;
    assert_eq!(said.code, Some(0), "{}\n{}\n{}", said.stdout, said.stderr, engine.log_tail(40));
    let log = server.log();
    assert!(log.contains(fingerprint) && !log.contains("ofe_"), "the log tells the fingerprint and no secret");
}

/// Programs that use the other clients are told whom to believe by the server's certificate itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_clients_believe_the_certificate_that_the_server_prints() {
    const LISTS: [(&str, &str); 2] = [
        (
            "node",
            "import { Offpeak } from './src/index.js';
             const [url, token] = process.argv.slice(1);
             const source = await new Offpeak({ url, token }).upload(new Blob(['film']), { filename: 'a.mp4' });
             console.log(source);",
        ),
        (
            "python",
            "import sys, pathlib, offpeak
film = pathlib.Path(sys.argv[3]); film.write_bytes(b'film')
with offpeak.Offpeak(sys.argv[1], sys.argv[2]) as server: print(server.upload(str(film)))",
        ),
    ];
    let farm = Farm::new();
    let token = farm.says(&["token", "create", "--name", "test"]).await;
    let link = farm.says(&["token", "enrol", "--link"]).await;
    let (_, fingerprint) = link.split_once("?fp=").expect("a fingerprint");
    let pem = farm.path().join("farm.pem");
    std::fs::write(&pem, farm.says(&["certificate"]).await).expect("it is written");
    let mut server = farm.serve(farm.secure());
    farm.until_ready(&mut server, &token, fingerprint).await;

    let sdk = programs::workspace().join("openapi/sdk");
    crate::clients_work::build_typescript();
    for (language, script) in LISTS {
        let command = |believed: bool| {
            let mut command = match language {
                "node" => {
                    let mut command = Command::new("node");
                    let dist = format!("{}/typescript/dist", sdk.display());
                    command.args(["--input-type=module", "--eval", &script.replace("./src", &dist)]);
                    command
                }
                _ => {
                    let mut command = Command::new(programs::workspace().join(".offpeak/python/bin/python"));
                    command.env("PYTHONPATH", sdk.join("python")).env("PYTHONDONTWRITEBYTECODE", "1").args(["-c", script]);
                    command
                }
            };
            command.args([&farm.url(), &token]).arg(farm.path().join("film")).env("NO_PROXY", "127.0.0.1");
            if believed {
                command.env("NODE_EXTRA_CA_CERTS", &pem).env("SSL_CERT_FILE", &pem);
            }
            command
        };
        let said = run(command(true)).await;
        assert!(said.code == Some(0) && said.stdout.starts_with("src_"), "{language}: {}{}", said.stdout, said.stderr);
        // Nobody vouches for it: that is told at once, and not tried again.
        let since = std::time::Instant::now();
        let said = run(command(false)).await;
        assert!(said.code != Some(0) && said.stderr.contains("self"), "{language}: {}{}", said.stdout, said.stderr);
        println!("{language} refuses after {:.1} s", since.elapsed().as_secs_f64());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_stays_on_this_machine_unless_somebody_says_otherwise() {
    let farm = Farm::new();
    let mut refused = farm.server(&[]);
    refused.arg("serve");
    let said = run(refused).await;
    assert_ne!(said.code, Some(0));
    for option in ["OFFPEAK_TLS=self", "OFFPEAK_TLS_CERT", "OFFPEAK_INSECURE_HTTP=1", "127.0.0.1"] {
        assert!(said.stderr.contains(option), "{}", said.stderr);
    }
    let mut server = farm.serve(farm.server(&[("OFFPEAK_INSECURE_HTTP", "1")]));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let address = format!("http://127.0.0.1:{}/healthz", farm.port);
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !client.get(&address).send().await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(server.is_running() && tokio::time::Instant::now() < deadline, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
