//! `offpeak-agent run`: from settings to a working engine, and from a signal to a quiet end.

use std::num::NonZero;

use offpeak_api::{
    enrolment::{BadLink, EnrolLink, Fingerprint},
    lease::SandboxState,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::{
    backoff::Backoff,
    capabilities::{self, Incapable, NEEDED_ENCODERS, Program},
    client::{Client, NoPool, connection_pool},
    desk::Desk,
    enrolment::{EnrolError, Enrolment, StateFolder, enrol},
    http::Http,
    lease::{EngineEnd, LeaseLoop, Pace},
    platform,
    sandbox::{self, Sandbox},
    settings::{Enrol, Home, Identity, Programs, Run, default_state_dir, host_name, share_out, usable_memory},
    status::Status,
    steps::Bundled,
    task::Tools,
};

/// Why the engine does not run (any more).
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    #[error(transparent)]
    Incapable(#[from] Incapable),
    #[error("no server given: say where it is with --server or OFFPEAK_URL")]
    NoServer,
    #[error("{given} is not a server's address: it begins with http:// or https://")]
    BadServer { given: Url },
    #[error("this system has no folder for the engine's state: give one with --state-dir")]
    NoStateDir,
    #[error(
        "{server} does not accept this engine's token (any more); make a code with `offpeak-server token enrol` and give \
         it with --enrol-code or OFFPEAK_ENROL_CODE"
    )]
    Revoked { server: Url },
    #[error("the enrolment link does not read: {0}")]
    BadLink(#[from] BadLink),
    #[error("cannot set up HTTPS: {0}")]
    Http(#[from] NoPool),
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] std::io::Error),
}

/// Runs until it is told to stop.
pub async fn run(settings: Run) -> Result<(), RunError> {
    let shutdown = CancellationToken::new();
    stop_on_signals(shutdown.clone())?;
    let state = open_state(&settings.identity.home)?;
    let _lock = state.lock()?;
    let Whereto { server, fingerprint, code } = whereto(&settings.identity.home, settings.identity.code(), &state)?;

    let cores = cores(settings.cores);
    let memory_mib = usable_memory(platform::total_bytes(), settings.memory);
    let shares = share_out(cores, memory_mib, settings.leases, settings.threads);
    let mut tools = tools(&settings.programs, shares.threads)?;
    tools.sandbox = Sandbox::raise(&tools.ffmpeg, shares.memory_mib).await;
    let report = tools.sandbox.report();
    match report.state {
        SandboxState::Full => info!("ffmpeg is walled off"),
        SandboxState::Partial | SandboxState::None => {
            warn!("ffmpeg is not walled off in full: {}; see docs/sandbox.md", sandbox::in_words(&report));
        }
    }
    let proven = tokio::select! {
        proven = capabilities::prove(&tools, cores, shares.memory_mib, &shutdown) => proven,
        () = shutdown.cancelled() => return Ok(()),
    };
    let capabilities = match proven {
        Ok(capabilities) => capabilities,
        // A stop in the middle looks like programs that fail.
        Err(_) if shutdown.is_cancelled() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for encoder in NEEDED_ENCODERS.iter().filter(|needed| !capabilities.encoders.iter().any(|proven| proven == *needed)) {
        warn!(encoder, "this encoder does not work here; tasks that need it go to other machines");
    }
    info!(cores, memory_mib, leases = shares.leases, threads = shares.threads, ffmpeg = capabilities.ffmpeg, "ready");

    let pool = connection_pool(&server, fingerprint)?;
    let http = Http::new(pool.clone(), settings.bandwidth.map(|rate| rate.bytes_per_second()));
    let status = Status::default();
    let desk = Desk::default();
    let mut code = code;
    let mut stored = state.enrolment(&server)?;
    loop {
        let enrolment = match stored.take() {
            Some(enrolment) => enrolment,
            None => {
                let Some(code) = code.take() else { return Err(EnrolError::NotEnrolled { server }.into()) };
                match enrol_patiently(&state, &pool, (&server, fingerprint), &code, &name(&settings.identity), &status, &shutdown)
                    .await?
                {
                    Some(enrolment) => enrolment,
                    None => return Ok(()),
                }
            }
        };
        let engine = LeaseLoop {
            client: Client::new(http.clone(), server.clone(), enrolment.token, status.clone()),
            tools: tools.clone(),
            steps: Bundled,
            capabilities: capabilities.clone(),
            leases: shares.leases,
            pace: Pace::default(),
            desk: desk.clone(),
            shutdown: shutdown.clone(),
        };
        info!(%server, agent.id = %enrolment.agent_id, "asking for work");
        match engine.run().await {
            EngineEnd::Shutdown => {
                info!("stopped");
                return Ok(());
            }
            EngineEnd::Revoked if code.is_some() => {
                warn!("the server does not accept the stored token; enrolling anew with the code at hand");
            }
            EngineEnd::Revoked => {
                status.revoked(true);
                return Err(RunError::Revoked { server });
            }
        }
    }
}

/// `offpeak-agent enrol`: uses the code up now, once, and says how it went.
pub async fn enrol_only(settings: Enrol) -> Result<Enrolment, RunError> {
    let Enrol { link, identity } = settings;
    let state = open_state(&identity.home)?;
    let given = link.as_deref().or(identity.code());
    let Whereto { server, fingerprint, code } = whereto(&identity.home, given, &state)?;
    let Some(code) = code else { return Err(EnrolError::NotEnrolled { server }.into()) };
    let pool = connection_pool(&server, fingerprint)?;
    Ok(enrol(&state, &pool, (&server, fingerprint), &code, &name(&identity)).await?)
}

/// Which server, how it is known, and the code to enrol with if there is one.
struct Whereto {
    server: Url,
    fingerprint: Option<Fingerprint>,
    code: Option<String>,
}

/// From what was given: a code, or a link that says all three. What is set by hand comes before what was kept.
fn whereto(home: &Home, given: Option<&str>, state: &StateFolder) -> Result<Whereto, RunError> {
    let link = given.filter(|text| EnrolLink::is_link(text)).map(str::parse::<EnrolLink>).transpose()?;
    let server = match &link {
        Some(link) => link.server.clone(),
        None => server(home, state)?,
    };
    let told = home.fingerprint.or(link.as_ref().and_then(|link| link.fingerprint));
    let kept = || Ok::<_, RunError>(state.enrolment(&server)?.and_then(|enrolment| enrolment.fingerprint));
    let fingerprint = match told {
        Some(told) => Some(told),
        None => kept()?,
    };
    let code = link.map(|link| link.code).or_else(|| given.map(str::to_owned));
    Ok(Whereto { server, fingerprint, code })
}

/// Enrols as soon as the server answers; `None` when the engine is stopped before.
async fn enrol_patiently(
    state: &StateFolder,
    pool: &reqwest::Client,
    server: (&Url, Option<Fingerprint>),
    code: &str,
    name: &str,
    status: &Status,
    shutdown: &CancellationToken,
) -> Result<Option<Enrolment>, EnrolError> {
    let pace = Pace::default();
    let mut backoff = Backoff::new(pace.retry_first, pace.retry_most);
    loop {
        let tried = tokio::select! {
            tried = enrol(state, pool, server, code, name) => tried,
            () = shutdown.cancelled() => return Ok(None),
        };
        match tried {
            Ok(enrolment) => {
                status.reached(true);
                return Ok(Some(enrolment));
            }
            Err(error) if error.is_passing() => {
                status.reached(false);
                tracing::debug!("{error}");
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_wait()) => {}
            () = shutdown.cancelled() => return Ok(None),
        }
    }
}

/// The folder as told, or the platform's.
pub fn open_state(home: &Home) -> Result<StateFolder, RunError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(Into::into);
    let folder = home.state_dir.clone().or_else(|| default_state_dir(std::env::consts::OS, variable));
    Ok(StateFolder::open(folder.ok_or(RunError::NoStateDir)?)?)
}

/// The server as told, or the only one that this machine is enrolled with.
pub fn server(home: &Home, state: &StateFolder) -> Result<Url, RunError> {
    match &home.server {
        Some(given) if matches!(given.scheme(), "http" | "https") && given.has_host() => Ok(given.clone()),
        Some(given) => Err(RunError::BadServer { given: given.clone() }),
        None => match state.enrolments()?.as_slice() {
            [only] => Ok(only.server.clone()),
            [] | [_, _, ..] => Err(RunError::NoServer),
        },
    }
}

/// The programs as told, or found.
pub fn tools(programs: &Programs, threads: u32) -> Result<Tools, Incapable> {
    Ok(Tools {
        ffmpeg: Program::Ffmpeg.find(programs.ffmpeg.as_deref())?,
        ffprobe: Program::Ffprobe.find(programs.ffprobe.as_deref())?,
        threads,
        // Until it is known which walls stand.
        sandbox: Sandbox::open(),
    })
}

/// The machine's cores, or fewer where a cap is given.
pub fn cores(cap: Option<u32>) -> u32 {
    let here = std::thread::available_parallelism().map_or(1, NonZero::get);
    let here = u32::try_from(here).unwrap_or(u32::MAX);
    cap.map_or(here, |cap| cap.min(here))
}

fn name(identity: &Identity) -> String {
    identity.name.clone().unwrap_or_else(host_name)
}

/// The first signal hands leases back and ends the engine within seconds; the second ends it at once.
fn stop_on_signals(shutdown: CancellationToken) -> std::io::Result<()> {
    let mut signals = Signals::listen()?;
    tokio::spawn(async move {
        signals.next().await;
        info!("stopping: leases are handed back; a second signal stops at once");
        shutdown.cancel();
        signals.next().await;
        error!("stopped at once; leases expire by themselves");
        // 128 + SIGINT, as shells have it.
        std::process::exit(130);
    });
    Ok(())
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()?, close: tokio::signal::windows::ctrl_close()? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.close.recv() => {}
        }
    }
}
