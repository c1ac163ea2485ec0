//! Asking for work: one long poll at a time for the whole engine, and as many leases held as it may run.

use std::sync::{Arc, Mutex, MutexGuard};

use offpeak_api::lease::{Capabilities, Lease, LeaseRequest, PROTOCOL};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Instrument, error, info_span, warn};

use super::{
    Pace,
    bench::Bench,
    hold::{Held, Holder},
    report::{farewell, report_states},
    steps::Steps,
};
use crate::{
    backoff::Backoff,
    client::{CallError, Client},
    contribution::Tally,
    desk::{Allowed, Desk},
    forecast::Forecast,
    status::Status,
    task::Tools,
};

/// A server that says "nothing to do" at once, although it was asked to wait, is asked no faster than this.
const LEAST_BETWEEN_ASKS: std::time::Duration = std::time::Duration::from_millis(500);

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineEnd {
    Shutdown,
    /// The server does not accept the token: enrol again.
    Revoked,
}

/// The engine's work: lease, hold, and again.
#[derive(Debug)]
pub struct LeaseLoop<S> {
    pub client: Client,
    pub tools: Tools,
    pub steps: S,
    pub capabilities: Capabilities,
    /// Steps that run at a time.
    pub leases: u32,
    pub pace: Pace,
    pub desk: Desk,
    pub tally: Tally,
    /// Of a machine whose person may come back; absent where nobody sits.
    pub forecast: Option<Forecast>,
    pub shutdown: CancellationToken,
}

impl<S: Steps> LeaseLoop<S> {
    /// Runs until shutdown or revocation; every lease has ended when it returns.
    ///
    /// A lease whose step is done gives its place free before its last rows are committed, so that the machine does not
    /// idle meanwhile; but at most as many again may be in that state, which bounds memory on a slow network.
    pub async fn run(self) -> EngineEnd {
        let places = Arc::new(Semaphore::new(self.leases as usize));
        // Revocation stops all leases as a shutdown does, without being one.
        let stop = self.shutdown.child_token();
        let steps = Arc::new(self.steps);
        let holder = Arc::new(Holder {
            client: self.client.clone(),
            tools: self.tools.clone(),
            steps: steps.clone(),
            pace: self.pace,
            desk: self.desk.clone(),
            tally: self.tally,
            shutdown: stop.clone(),
        });
        let (client, sandbox, pace) = (self.client.clone(), self.tools.sandbox.report(), self.pace);
        let reporter = async move { report_states(client, &sandbox, pace.report_least).await };
        let _reporter = AbortOnDropHandle::new(tokio::spawn(reporter));
        let bench = Bench { client: self.client.clone(), tools: self.tools, steps, pace: self.pace, stop: stop.clone() };
        let ask = Ask {
            client: self.client,
            instance: random_word(),
            capabilities: Mutex::new(self.capabilities),
            pace: self.pace,
            desk: self.desk.clone(),
            forecast: self.forecast,
            bench,
        };
        let _teller = AbortOnDropHandle::new(tokio::spawn(tell(self.desk, holder.client.status().clone())));
        let mut held = JoinSet::new();
        let mut end = EngineEnd::Shutdown;

        while !stop.is_cancelled() {
            let room = held.len() < 2 * self.leases as usize;
            let next = async {
                match places.clone().acquire_owned().await {
                    Ok(place) => ask.for_lease().await.map(|lease| (lease, place)),
                    Err(_closed) => std::future::pending().await,
                }
            };
            // One future is asked on while leases end, so that an ending lease does not cut a long poll short.
            tokio::pin!(next);
            let leased = loop {
                tokio::select! {
                    () = stop.cancelled() => break None,
                    Some(ended) = held.join_next() => {
                        match ended {
                            Ok(Held::Revoked) => break Some(Err(Revoked)),
                            Ok(Held::Completed | Held::Failed | Held::Released | Held::Lost) => {}
                            Err(crash) => error!("a lease ended with a crash of the engine: {crash}"),
                        }
                        if !room {
                            break None;
                        }
                    }
                    leased = &mut next, if room => break Some(leased),
                }
            };
            match leased {
                Some(Ok((lease, place))) => {
                    let span = info_span!("lease", id = %lease.id, job = %lease.job);
                    let holder = holder.clone();
                    held.spawn(async move { holder.hold(lease, place).await }.instrument(span));
                }
                Some(Err(Revoked)) => {
                    end = EngineEnd::Revoked;
                    stop.cancel();
                }
                None => {}
            }
        }
        while held.join_next().await.is_some() {}
        if end == EngineEnd::Shutdown {
            farewell(&ask.client).await;
        }
        end
    }
}

/// Keeps the status up to date on what the desk allows.
async fn tell(desk: Desk, status: Status) {
    let mut allowed = desk.allowed();
    loop {
        status.suspended(match &allowed {
            Allowed::Work => None,
            Allowed::Suspended { reason } => Some(reason.clone()),
            Allowed::Nothing { why: _ } => Some("nothing may run on this computer now".to_owned()),
        });
        allowed = desk.changed(&allowed).await;
    }
}

/// The token is not accepted.
#[derive(Debug)]
pub(super) struct Revoked;

struct Ask<S> {
    client: Client,
    /// Tells this process from the one before, whose leases the server need not wait for.
    instance: String,
    /// As last proven.
    capabilities: Mutex<Capabilities>,
    pace: Pace,
    desk: Desk,
    forecast: Option<Forecast>,
    bench: Bench<S>,
}

impl<S: Steps> Ask<S> {
    /// Asks until there is work. Each ask has an id of its own; a repeat of an ask whose answer got lost has the same, and so
    /// gets the lease that the lost answer granted.
    async fn for_lease(&self) -> Result<Lease, Revoked> {
        let fresh_backoff = || Backoff::new(self.pace.retry_first, self.pace.retry_most);
        let (mut request, mut backoff, mut refusal_logged) = (self.request(), fresh_backoff(), false);
        loop {
            self.desk.until_work().await;
            // What the policy forbids is not asked for; the server would refuse it as well.
            self.client.status().until_boxed().await;
            // Hours may have gone by since this ask was made, or was last sent.
            request.expected_idle_seconds = self.expected_idle_seconds();
            let asked_at = Instant::now();
            let answer = tokio::select! {
                answer = self.client.ask(&request) => answer,
                // The poll is dropped. Should it have been answered, the same request gets that lease when work goes on.
                _ = self.desk.changed(&Allowed::Work) => continue,
            };
            let error = match answer {
                Ok(Some(lease)) => {
                    self.bench.leave();
                    return Ok(lease);
                }
                Ok(None) => {
                    self.bench.leave();
                    (request, backoff, refusal_logged) = (self.request(), fresh_backoff(), false);
                    tokio::time::sleep_until(asked_at + LEAST_BETWEEN_ASKS.min(self.pace.ask_wait)).await;
                    continue;
                }
                Err(CallError::Unauthorized(_)) => return Err(Revoked),
                Err(CallError::NotNow { problem, retry_after_seconds }) => {
                    let before = self.capabilities().clone();
                    if let Some(proven) = self.bench.sit(&problem, retry_after_seconds, &before).await? {
                        *self.capabilities() = proven;
                    }
                    request = self.request();
                    continue;
                }
                Err(error) => error,
            };
            if !error.is_passing() {
                // That ask was answered, if only with a refusal (such as that its lease has ended meanwhile).
                request = self.request();
            }
            // That a server does not answer is a state, which was logged when it began.
            if !matches!(error, CallError::Unreachable(_)) && !std::mem::replace(&mut refusal_logged, true) {
                warn!("no work: {error}; asking again");
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    fn capabilities(&self) -> MutexGuard<'_, Capabilities> {
        self.capabilities.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn request(&self) -> LeaseRequest {
        LeaseRequest {
            request_id: random_word(),
            instance: Some(self.instance.clone()),
            protocol: PROTOCOL,
            wait_seconds: u32::try_from(self.pace.ask_wait.as_secs()).unwrap_or(u32::MAX),
            capabilities: self.capabilities().clone(),
            // What people's programs do is nobody else's business (PRIVACY.md).
            load: None,
            expected_idle_seconds: self.expected_idle_seconds(),
        }
    }

    fn expected_idle_seconds(&self) -> Option<u64> {
        self.forecast.as_ref().map(|forecast| forecast.expected(chrono::Local::now()).as_secs())
    }
}

/// 128 random bits: no other ask, and no other process, has the same.
fn random_word() -> String {
    format!("{:032x}", rand::random::<u128>())
}
