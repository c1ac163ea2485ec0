//! Keeps the engine going through everything that a machine goes through: not joined yet, programs missing or altered, a full
//! disk, other caps, another farm, an update.
//!
//! In: settings, [`Demand`]s of the person, the policy. Out: a lease loop that runs whenever it can. What must hold: whatever is
//! wrong is a state with a sentence, and is tried again; leases are handed back before anything changes under them.

mod caps;
mod demands;
mod health;
mod join;

use std::time::Duration;

use offpeak_api::lease::{SandboxReport, SandboxState};
use offpeak_link::{Answer, Farm};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{info, warn};

pub use self::demands::{Demand, Demanded, Demands};
use self::{
    caps::Caps,
    health::{Change, Health},
    join::{JoinFailed, Joined},
};
use crate::{
    capabilities::{self, Builds, NEEDED_ENCODERS},
    client::Client,
    contribution::Tally,
    enrolment::StateFolder,
    http::Http,
    kept,
    lease::{EngineEnd, LeaseLoop, Pace, report_states},
    link::refused,
    platform,
    run::{RunError, tools},
    sandbox::{self, Sandbox},
    settings::Run,
    status::Fault,
    steps::Bundled,
    task::Tools,
    watch::Watch,
};

/// What is broken is looked at again so often: cheap, and nobody waits long after mending it.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);
/// How long an update waits for leases to go back; the rest runs out by itself.
const HAND_BACK_LIMIT: Duration = Duration::from_secs(10);
/// What the office's policy is kept as, so that it holds before the server is reached.
pub(crate) const POLICY: &str = "policy.json";

/// Everything that outlives a lease loop.
#[derive(Debug)]
pub struct Supervisor {
    pub settings: Run,
    pub state: StateFolder,
    pub watch: Watch,
    pub tally: Tally,
    pub farm: watch::Sender<Option<Farm>>,
    pub shutdown: CancellationToken,
}

/// Why a lease loop, or the wait for one, is over.
enum Next {
    /// Everything from the start: something may be other than before.
    Again,
    /// The same, and its person took this machine out: a code that it was set up with is not theirs to be undone by.
    Left,
    End,
}

impl Supervisor {
    /// Runs until shutdown. Without a person who could give orders, what only a person can mend is an error.
    pub async fn run(self, mut demanded: Demanded) -> Result<(), RunError> {
        self.watch.status.policy(kept::read(self.state.path(), POLICY));
        let _keeper = AbortOnDropHandle::new(tokio::spawn(keep_policy(self.watch.clone(), self.state.clone())));
        let mut code = self.settings.identity.code().map(str::to_owned);
        let mut revoked = false;
        let mut health = Health::of(self.state.path());
        while !self.shutdown.is_cancelled() {
            let joined = match self.joined(&mut code, revoked).await {
                Ok(Some(joined)) => joined,
                Ok(None) => return Ok(()),
                Err(error) if self.settings.link && error.can_be_mended_here() => {
                    self.farm.send_replace(None);
                    self.watch.status.broken(error.fault());
                    self.watch.status.unjoined(!revoked);
                    self.watch.status.preparing(false);
                    let next = self.obey_next(&mut demanded, None).await;
                    self.watch.status.broken(None);
                    match next {
                        Next::Again => revoked = false,
                        Next::Left => (code, revoked) = (None, false),
                        Next::End => return Ok(()),
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.watch.status.unjoined(false);
            self.watch.status.revoked(false);
            self.farm.send_replace(Some(joined.enrolment.farm()));
            match self.work(&joined, &mut demanded, &mut health).await? {
                Worked::Next(Next::Again) => revoked = false,
                Worked::Next(Next::Left) => (code, revoked) = (None, false),
                Worked::Next(Next::End) => return Ok(()),
                // A farm that removed a desk's machine does not want it back by itself; its person can join again.
                Worked::Revoked if self.settings.link => {
                    self.watch.status.revoked(true);
                    (code, revoked) = (None, true);
                }
                Worked::Revoked if code.is_some() => {
                    warn!("the server does not accept the stored token; enrolling anew with the code at hand");
                    revoked = true;
                }
                Worked::Revoked => {
                    self.watch.status.revoked(true);
                    return Err(RunError::Revoked { server: joined.enrolment.server });
                }
            }
        }
        Ok(())
    }

    /// One lease loop, with programs that were proven just before.
    async fn work(&self, joined: &Joined, demanded: &mut Demanded, health: &mut Health) -> Result<Worked, RunError> {
        let caps = Caps::of(&self.settings, &self.rules());
        // Another cap ends this loop (below), and with it whatever was started under this one.
        platform::keep_to_cores(caps.kept_cores());
        let http = Http::new(joined.pool.clone(), caps.bytes_per_second(&self.settings), self.watch.desk.clone());
        let token = joined.enrolment.token.clone();
        let client = Client::new(http, joined.enrolment.server.clone(), token, self.watch.status.clone());
        // What costs nothing comes first: all of this is looked at every few seconds while something is broken.
        if let Some(fault) = health.disk() {
            self.watch.status.preparing(false);
            return Ok(Worked::Next(self.stay_broken(fault, &client, demanded).await));
        }
        self.watch.status.preparing(true);
        let proven = self.proven(&caps, health).await;
        self.watch.status.preparing(false);
        let Proven { tools, builds, capabilities } = match proven {
            Ok(Some(proven)) => proven,
            Ok(None) => return Ok(Worked::Next(Next::End)),
            Err(fault) => return Ok(Worked::Next(self.stay_broken(fault, &client, demanded).await)),
        };
        self.watch.status.broken(None);
        let stop = self.shutdown.child_token();
        let engine = LeaseLoop {
            client: client.clone(),
            tools: tools.clone(),
            steps: Bundled,
            capabilities,
            leases: caps.shares.leases,
            pace: Pace::default(),
            desk: self.watch.desk.clone(),
            tally: self.tally.clone(),
            forecast: self.watch.forecast.clone(),
            shutdown: stop.clone(),
        };
        info!(server = %joined.enrolment.server, agent.id = %joined.enrolment.agent_id, "asking for work");
        let running = engine.run();
        tokio::pin!(running);
        let disturbed = tokio::select! {
            end = &mut running => return Ok(match end {
                EngineEnd::Shutdown => Worked::Next(Next::End),
                EngineEnd::Revoked => Worked::Revoked,
            }),
            demand = demanded.next() => Disturbed::Demand(demand),
            () = self.other_caps(&caps, &client.http) => Disturbed::Caps,
            change = health.until_changed(&tools, &builds, &self.watch.status) => match change {
                Change::Broken(fault) => Disturbed::Broken(fault),
                Change::Replaced => Disturbed::Programs,
            },
        };
        // An update waits with the loop running: what is held goes back by its own rule.
        if let Disturbed::Demand(demands::Made { demand: Demand::PrepareUpdate, answer }) = disturbed {
            self.watch.status.updating(true);
            let empty = self.watch.status.until(|standing| standing.engine.leases == 0);
            let _ = tokio::time::timeout(HAND_BACK_LIMIT, empty).await;
            answer.give(Answer::Done);
            let next = tokio::select! {
                next = self.obey_next(demanded, Some(&client)) => next,
                // It came to nothing, and somebody said so.
                () = self.watch.status.until(|standing| !standing.engine.updating) => Next::Again,
            };
            stop.cancel();
            running.await;
            return Ok(Worked::Next(next));
        }
        if let Disturbed::Broken(fault) = &disturbed {
            self.watch.status.broken(Some(fault.clone()));
        }
        stop.cancel();
        running.await;
        Ok(Worked::Next(match disturbed {
            Disturbed::Demand(made) => self.obey(made).await,
            Disturbed::Caps => {
                info!("the machine is shared out anew");
                Next::Again
            }
            Disturbed::Programs => {
                info!("ffmpeg was replaced; beginning again with the new one");
                Next::Again
            }
            Disturbed::Broken(fault) => self.stay_broken(fault, &client, demanded).await,
        }))
    }

    fn rules(&self) -> crate::policy::Rules {
        let policy = self.watch.status.standing().policy;
        crate::policy::Rules::of(&policy, &self.watch.wishes.person().limits, self.watch.quiet)
    }

    /// The programs and what they can do; `None` when the engine is to stop.
    async fn proven(&self, caps: &Caps, health: &mut Health) -> Result<Option<Proven>, Fault> {
        let mut tools = tools(&self.settings.programs, caps.shares.threads).map_err(|error| error.fault(true))?;
        // Before anything of it is run.
        let builds = health.whole(&tools).await?;
        if let Some(fault) = health.still_failing(&tools, caps) {
            return Err(fault);
        }
        tools.sandbox = Sandbox::raise(&tools.ffmpeg, caps.shares.memory_mib).await;
        let report = tools.sandbox.report();
        match report.state {
            SandboxState::Full => info!("ffmpeg is walled off"),
            SandboxState::Partial | SandboxState::None => {
                warn!("ffmpeg is not walled off in full: {}; see docs/sandbox.md", sandbox::in_words(&report));
            }
        }
        let proven = tokio::select! {
            proven = capabilities::prove(&tools, &builds, caps.cores, caps.shares.memory_mib, &self.shutdown) => proven,
            () = self.shutdown.cancelled() => return Ok(None),
        };
        let capabilities = match proven {
            Ok(capabilities) => capabilities,
            // A stop in the middle looks like programs that fail.
            Err(_) if self.shutdown.is_cancelled() => return Ok(None),
            Err(error) => {
                let fault = error.fault(true);
                health.failed(&tools, caps, fault.clone());
                return Err(fault);
            }
        };
        health.worked();
        for encoder in NEEDED_ENCODERS.iter().filter(|needed| !capabilities.encoders.iter().any(|proven| proven == *needed)) {
            warn!(encoder, "this encoder does not work here; tasks that need it go to other machines");
        }
        let Caps { cores, memory_mib, shares, .. } = caps;
        info!(cores, memory_mib, leases = shares.leases, threads = shares.threads, ffmpeg = capabilities.ffmpeg, "ready");
        Ok(Some(Proven { tools, builds, capabilities }))
    }

    /// Ends when cores or memory are capped otherwise; a cap on the network is followed at once.
    async fn other_caps(&self, caps: &Caps, http: &Http) {
        let (mut standing, mut person) = (self.watch.status.subscribe(), self.watch.wishes.subscribe());
        loop {
            standing.mark_unchanged();
            person.mark_unchanged();
            let rules = self.rules();
            let now = Caps::of(&self.settings, &rules);
            if now.shares != caps.shares || now.cores != caps.cores {
                return;
            }
            http.cap(now.with(rules.max_bits_per_second).bytes_per_second(&self.settings));
            let policy = standing.borrow().policy.clone();
            tokio::select! {
                _ = standing.wait_for(|standing| standing.policy != policy) => {}
                _ = person.changed() => {}
            }
        }
    }

    /// Says that it is broken, to the server as well, and tries again after a while.
    async fn stay_broken(&self, fault: Fault, client: &Client, demanded: &mut Demanded) -> Next {
        self.watch.status.broken(Some(fault));
        tokio::select! {
            next = self.obey_next(demanded, Some(client)) => next,
            () = tokio::time::sleep(TRY_AGAIN_AFTER) => Next::Again,
        }
    }

    /// Waits for an order and carries it out; meanwhile the server is told how things are.
    async fn obey_next(&self, demanded: &mut Demanded, client: Option<&Client>) -> Next {
        let nothing_known = SandboxReport { state: SandboxState::None, missing: Vec::new(), reason: None };
        let report = async {
            match client {
                Some(client) => report_states(client.clone(), &nothing_known, Pace::default().report_least).await,
                None => std::future::pending().await,
            }
        };
        let made = tokio::select! {
            made = demanded.next() => made,
            () = self.shutdown.cancelled() => return Next::End,
            () = report => return Next::Again,
        };
        self.obey(made).await
    }

    /// Carries an order out while no lease loop runs.
    async fn obey(&self, made: demands::Made) -> Next {
        let demands::Made { demand, answer } = made;
        match demand {
            Demand::Join { link_or_code, server, name } => {
                answer.give(match self.join(&link_or_code, server, name).await {
                    Ok(()) => Answer::Done,
                    Err(error) => refused(error.code(), error.for_the_desk()),
                });
            }
            Demand::Leave => match self.leave() {
                Ok(()) => {
                    answer.give(Answer::Done);
                    return Next::Left;
                }
                Err(error) => answer.give(refused("not_kept", error.for_the_desk())),
            },
            Demand::PrepareUpdate => {
                self.watch.status.updating(true);
                answer.give(Answer::Done);
            }
            Demand::Quit => {
                self.shutdown.cancel();
                answer.give(Answer::Done);
                return Next::End;
            }
        }
        Next::Again
    }
}

enum Worked {
    Next(Next),
    Revoked,
}

enum Disturbed {
    Demand(demands::Made),
    Caps,
    /// Leases name the build that makes their segments: another one needs leases of its own.
    Programs,
    Broken(Fault),
}

/// Programs, and what they were found to be and to do.
struct Proven {
    tools: Tools,
    builds: Builds,
    capabilities: offpeak_api::lease::Capabilities,
}

/// Keeps each policy that comes, for the next start.
async fn keep_policy(watch: Watch, state: StateFolder) {
    let mut standing = watch.status.subscribe();
    loop {
        let policy = standing.borrow_and_update().policy.clone();
        let is_other = |standing: &crate::status::Standing| standing.policy != policy;
        if standing.wait_for(is_other).await.is_err() {
            return;
        }
        let policy = standing.borrow().policy.clone();
        info!("the office's policy has changed");
        if let Err(error) = kept::write(state.path(), POLICY, &policy) {
            tracing::debug!("the policy was not kept: {error}");
        }
    }
}

impl JoinFailed {
    /// Whether the person at the desk can do something about it, by joining.
    fn can_be_mended_here(&self) -> bool {
        match self {
            Self::NotJoined(_) | Self::NoGood(_) => true,
            Self::Failed(_) => false,
        }
    }

    /// What its person has to hear of, where not having joined is not all of it.
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::NoGood(error) => Some(Fault { code: "code_refused", why: error.for_the_desk(), stops: false }),
            Self::NotJoined(_) | Self::Failed(_) => None,
        }
    }
}
