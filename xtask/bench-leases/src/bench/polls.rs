//! Thousands of engines that wait for work at one server: what they cost, and how soon they hear.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use offpeak_api::{ids::LeaseId, job::Job, lease::Lease, work::Work};
use offpeak_server::auth::random_name;
use tokio::{sync::mpsc, task::JoinSet, time};

use super::{
    agent,
    http::Client,
    place::{Database, Place},
    prototype, report,
};

/// As the product's engines ask.
const WAIT_SECONDS: u32 = 30;
/// Single tasks that are put in, one after the other.
const SINGLES: usize = 20;
/// Longer than any of this should take.
const PATIENCE: Duration = Duration::from_secs(300);
/// Connections being made at once: a listener's queue is short.
const CONNECTING: usize = 64;

/// News from a waiting engine.
struct Found {
    engine: usize,
    lease: LeaseId,
    at: Instant,
}

pub const COLUMNS: [&str; 7] =
    ["database", "waiting", "resident MB", "of that idle", "one task, ms p50 / p99", "all tasks, ms p50 / p99", "the last, ms"];

/// As many open files as the system allows: a waiting engine is a socket in the server, and one here.
pub fn allow_many_sockets() -> Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(most)
}

pub async fn measure(database: Database, wanted: usize, scratch: Option<&std::path::PathBuf>) -> Result<()> {
    let allowed = allow_many_sockets()?;
    // The server needs some for its database and storage.
    let engines = wanted.min(usize::try_from(allowed)?.saturating_sub(200));
    if engines < wanted {
        println!("\nThis system allows {allowed} open files a process: {engines} engines instead of {wanted}.");
    }
    let mut place = Place::start(database, scratch, 4).await?;
    let callers = prototype::enrol(&place.db, engines).await?;
    let mut program = Client::connect(place.server.address, &callers.program).await?;
    let source = prototype::prepare(&mut program).await?;
    let idle = place.server.resident_bytes()?;

    let (tell, mut news) = mpsc::unbounded_channel();
    let last_task = Arc::new(AtomicBool::new(false));
    let mut polls = JoinSet::new();
    for chunk in (0..engines).collect::<Vec<_>>().chunks(CONNECTING) {
        let connecting: Vec<_> =
            chunk.iter().map(|engine| Client::connect(place.server.address, &callers.agents[*engine])).collect();
        for (engine, http) in chunk.iter().zip(futures_util::future::try_join_all(connecting).await?) {
            polls.spawn(wait(*engine, http, tell.clone(), Arc::clone(&last_task)));
        }
    }
    until_waiting(&mut place, engines).await?;
    let resident = place.server.resident_bytes()?;

    let mut singles = Vec::new();
    for _ in 0..SINGLES {
        let began = Instant::now();
        let job = agent::create_job(&mut program, &source).await?;
        let found = next(&mut news).await?;
        singles.push(found.at.saturating_duration_since(began));
        // Cancelled, so that nobody helps with it.
        program.post(&format!("/v1/jobs/{}/cancel", job.id), &()).await?.read::<Job>()?;
        until_waiting(&mut place, engines).await?;
    }

    last_task.store(true, Ordering::SeqCst);
    let (all, last) = everybody(&place.server.address, &mut program, &callers.agents, &source, &mut news).await?;
    report::row(&[
        database.name().to_owned(),
        engines.to_string(),
        format!("{:.0}", resident as f64 / 1e6),
        format!("{:.0}", idle as f64 / 1e6),
        report::quantiles(&singles),
        report::quantiles(&all),
        format!("{:.0}", last.as_secs_f64() * 1e3),
    ]);
    polls.shutdown().await;
    Ok(())
}

/// An engine that asks for work until it got its last task, and tells of every lease.
async fn wait(engine: usize, mut http: Client, tell: mpsc::UnboundedSender<Found>, last_task: Arc<AtomicBool>) -> Result<()> {
    loop {
        let answer = http.post("/v1/leases", &agent::request(random_name(12), WAIT_SECONDS)).await?;
        if answer.status == 204 {
            continue;
        }
        let at = Instant::now();
        let lease: Lease = answer.read()?;
        let is_last = matches!(lease.work, Work::Encode(_)) && last_task.load(Ordering::SeqCst);
        if tell.send(Found { engine, lease: lease.id, at }).is_err() || is_last {
            return Ok(());
        }
    }
}

async fn until_waiting(place: &mut Place, engines: usize) -> Result<()> {
    let began = Instant::now();
    // A few are always between two requests.
    while place.server.waiting()? < engines - engines / 1000 {
        if began.elapsed() > PATIENCE {
            bail!("only {} of {engines} engines wait", place.server.waiting()?);
        }
        time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn next(news: &mut mpsc::UnboundedReceiver<Found>) -> Result<Found> {
    time::timeout(PATIENCE, news.recv()).await.context("a task that nobody took")?.context("no engine is left")
}

/// One film with a span for every engine: how long each waits for its lease from the moment the film is planned, and the last.
async fn everybody(
    server: &SocketAddr,
    program: &mut Client,
    agents: &[String],
    source: &str,
    news: &mut mpsc::UnboundedReceiver<Found>,
) -> Result<(Vec<Duration>, Duration)> {
    agent::create_job(program, source).await?;
    let probe = next(news).await?;
    let mut http = Client::connect(*server, &agents[probe.engine]).await?;
    prototype::complete_probe(&mut http, probe.lease.as_str(), u32::try_from(agents.len())?).await?;
    let planned = Instant::now();
    let mut all = Vec::with_capacity(agents.len());
    while all.len() < agents.len() {
        all.push(next(news).await?.at.saturating_duration_since(planned));
    }
    let last = all.iter().max().copied().unwrap_or_default();
    Ok((all, last))
}
