//! The server under test, in a process of its own, so that its memory and its processor time are its own too.
//!
//! The bench runs itself again as `serve` or `noop`. The child tells its address on its first line, answers questions about
//! itself line by line, and ends with its standard input.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use axum::{Router, routing::post};
use bytes::Bytes;
use offpeak_server::{app::App, clock::Clock, config::Settings, router, serving, tick, tls::Listening};
use tokio::net::TcpListener;

/// A running child.
pub struct Child {
    pub address: SocketAddr,
    process: Process,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Child {
    /// The product's server, with its log in `folder` as a supervisor would keep it.
    pub fn server(database: &str, folder: &Path) -> Result<Self> {
        let storage = format!("file://{}", folder.join("storage").display());
        Self::start(&["serve", database, &storage], &folder.join("server.log"))
    }

    /// An empty endpoint.
    pub fn noop(folder: &Path) -> Result<Self> {
        Self::start(&["noop"], &folder.join("noop.log"))
    }

    fn start(arguments: &[&str], log: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut process = command.spawn().context("cannot start a child")?;
        let questions = process.stdin.take().context("no standard input")?;
        let mut answers = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let Ok(address) = line.trim().parse() else {
            bail!("the child did not start:\n{}", fs::read_to_string(log)?);
        };
        Ok(Self { address, process, questions, answers })
    }

    /// Requests that wait for work in the server.
    pub fn waiting(&mut self) -> Result<usize> {
        writeln!(self.questions, "waiting")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }

    /// Resident memory, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
    }

    /// Processor time so far, of user and kernel.
    pub fn cpu(&self) -> Result<Duration> {
        cpu_of(self.process.id())
    }
}

/// Fields 14 and 15 of `stat`, in ticks of 10 ms; the name before them may hold anything, but ends with the last `)`.
pub fn cpu_of(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("a strange /proc/…/stat")?;
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

impl Drop for Child {
    fn drop(&mut self) {
        // Nothing is kept of what it did.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `serve` is: the product's router, storage, clock and ticks.
pub async fn serve(database: String, storage: String) -> Result<()> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let settings =
        Settings { database_url: Some(database), storage: Some(storage), inspect_percent: Some(0), ..Settings::default() };
    let app = App::start(settings.check()?, Clock::system()).await?;
    let ticking = app.clone();
    tokio::spawn(async move {
        loop {
            if let Err(error) = tick::tick(&ticking).await {
                tracing::warn!(%error, "a tick failed");
            }
            tokio::time::sleep(ticking.config.lease.tick_every()).await;
        }
    });
    let asked = app.clone();
    listen(router::router(app), move || asked.wake.waiting_for_work()).await
}

pub async fn noop() -> Result<()> {
    let router = Router::new().route("/noop", post(|_: Bytes| async {}));
    listen(router, || 0).await
}

async fn listen(router: Router, waiting: impl Fn() -> usize + Send + 'static) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            println!("{}", waiting());
        }
        std::process::exit(0);
    });
    // As the product does, so that the empty endpoint is one over the same HTTP.
    serving::serve(Listening::new(listener, None)?, router, std::future::pending(), Duration::ZERO).await;
    Ok(())
}
