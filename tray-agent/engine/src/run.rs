//! `offpeak-agent run`: from settings to a working engine, and from a signal to a quiet end.

use std::{num::NonZero, time::Duration};

use offpeak_api::enrolment::{BadLink, EnrolLink, Fingerprint};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use url::Url;

use crate::{
    capabilities::{Incapable, Program},
    client::{NoPool, connection_pool},
    contribution::Tally,
    desk::Desk,
    enrolment::{self, EnrolError, Enrolment, StateFolder, enrol},
    forecast::Forecast,
    link::{self, Link, LogLines},
    platform,
    presence::Clock,
    sandbox::Sandbox,
    settings::{Enrol, Home, Identity, Presence, Programs, Run, default_state_dir, host_name},
    status::Status,
    supervise::{Demands, Supervisor},
    task::Tools,
    watch::{self, Seen, Watch},
    why,
    wishes::Wishes,
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
    #[error("the system gives no thread to watch the desk with: {0}")]
    NoThread(std::io::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] std::io::Error),
}

impl RunError {
    /// For somebody who sits in front of the tray app: they have no command line, and no server.
    pub fn for_the_desk(&self) -> String {
        match self {
            Self::Enrol(error) => error.for_the_desk(),
            Self::BadLink(error) => {
                format!(
                    "the enrolment link that this computer was set up with does not read ({error}). {}",
                    enrolment::ASK_FOR_A_CODE
                )
            }
            Self::Incapable(_)
            | Self::NoServer
            | Self::BadServer { .. }
            | Self::NoStateDir
            | Self::Revoked { .. }
            | Self::Http(_)
            | Self::NoThread(_)
            | Self::Signals(_) => self.to_string(),
        }
    }
}

/// How long a shell that is gone, and so cannot be asked, is waited for: long enough to hand leases back on a good network.
const SHELL_GONE_LIMIT: Duration = Duration::from_secs(2);
/// The last lines to a shell.
const LAST_LINES_LIMIT: Duration = Duration::from_secs(3);

/// Runs until it is told to stop. `log` is what goes to the shell besides, with `--link`.
pub async fn run(settings: Run, log: Option<LogLines>) -> Result<(), RunError> {
    let shutdown = CancellationToken::new();
    stop_on_signals(shutdown.clone())?;
    let state = open_state(&settings.identity.home)?;
    let _lock = state.lock()?;
    let folder = state.path().to_owned();
    let is_watched = settings.desk.presence == Presence::Auto;
    if is_watched {
        platform::beside_a_person();
    }
    let watch = Watch {
        status: Status::default(),
        desk: Desk::default(),
        wishes: Wishes::load(folder.clone()),
        clock: Clock::start(),
        forecast: is_watched.then(|| Forecast::load(Some(folder.clone()))),
        quiet: settings.desk.quiet_milliseconds.map(Duration::from_millis),
        seen: Seen::default(),
    };
    // Whoever asks before the supervisor has looked hears that, and not that there is nothing to do.
    watch.status.preparing(true);
    let tally = Tally::load(Some(folder.clone()));
    let _watching = watch::start(watch.clone(), settings.desk.presence).map_err(RunError::NoThread)?;
    let _answering = why::answer(&folder, watch.status.clone(), watch.seen.clone(), watch.clock);
    // Before a word is said: a shell that heard of no farm would say so, and perhaps join once more.
    let kept = if settings.link { state.enrolments()?.pop() } else { None };
    let (farm, joined) = tokio::sync::watch::channel(kept.as_ref().map(Enrolment::farm));
    let (demands, demanded) = Demands::channel();
    let (gone, done) = (CancellationToken::new(), CancellationToken::new());
    let speaking = settings.link.then(|| {
        let link = Link {
            watch: watch.clone(),
            tally: tally.clone(),
            demands: demands.clone(),
            farm: joined,
            machine_cores: cores(None),
            machine_memory_mib: platform::total_bytes().unwrap_or(0) >> 20,
        };
        let (gone, done) = (gone.clone().drop_guard(), done.clone());
        tokio::spawn(async move {
            let _gone = gone;
            link::speak(link, tokio::io::stdin(), tokio::io::stdout(), log, done).await;
        })
    });
    let forecast = watch.forecast.clone();
    let supervisor = Supervisor { settings, state, watch, tally, farm, shutdown: shutdown.clone() };
    let supervised = supervisor.run(demanded);
    tokio::pin!(supervised);
    let ended = tokio::select! {
        ended = &mut supervised => ended,
        () = gone.cancelled() => {
            info!("the tray app is gone; ending");
            shutdown.cancel();
            tokio::time::timeout(SHELL_GONE_LIMIT, supervised).await.unwrap_or(Ok(()))
        }
    };
    if let Some(forecast) = forecast {
        forecast.keep();
    }
    done.cancel();
    if let Some(speaking) = speaking {
        let _ = tokio::time::timeout(LAST_LINES_LIMIT, speaking).await;
    }
    if ended.is_ok() {
        info!("stopped");
    }
    ended
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
pub(crate) struct Whereto {
    pub server: Url,
    pub fingerprint: Option<Fingerprint>,
    pub code: Option<String>,
}

/// From what was given: a code, or a link that says all three. What is set by hand comes before what was kept.
pub(crate) fn whereto(home: &Home, given: Option<&str>, state: &StateFolder) -> Result<Whereto, RunError> {
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

pub(crate) fn name(identity: &Identity) -> String {
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
