//! Becoming, being and ceasing to be part of a farm.

use offpeak_api::enrolment::{BadLink, EnrolLink, Fingerprint};
use tokio::time::sleep;
use url::Url;

use super::Supervisor;
use crate::{
    backoff::Backoff,
    client::{NoPool, connection_pool},
    enrolment::{EnrolError, Enrolment, enrol},
    lease::Pace,
    run::{RunError, Whereto, name, whereto},
};

/// A farm that this machine is in, and the way there.
pub struct Joined {
    pub enrolment: Enrolment,
    pub pool: reqwest::Client,
}

/// Why it is in none.
pub enum JoinFailed {
    /// Nobody has joined it yet, or its token is good for nothing.
    NotJoined(RunError),
    /// What the machine was set up with does not let it join; with another code it can.
    NoGood(RunError),
    Failed(RunError),
}

impl From<JoinFailed> for RunError {
    fn from(failed: JoinFailed) -> Self {
        match failed {
            JoinFailed::NotJoined(error) | JoinFailed::NoGood(error) | JoinFailed::Failed(error) => error,
        }
    }
}

/// Why an order to join was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotJoined {
    #[error("The link does not read: {0}.")]
    BadLink(#[from] BadLink),
    #[error("A code alone does not say where the server is: give its address as well, or a whole link.")]
    NoServer,
    #[error("{0} is not a server's address: it begins with http:// or https://.")]
    BadServer(Url),
    #[error("Cannot set up the connection: {0}.")]
    Pool(#[from] NoPool),
    #[error("{0}")]
    Enrol(#[from] EnrolError),
}

impl NotJoined {
    /// For the person who asked for it.
    pub fn for_the_desk(&self) -> String {
        match self {
            Self::Enrol(error) => error.for_the_desk(),
            Self::BadLink(_) | Self::NoServer | Self::BadServer(_) | Self::Pool(_) => self.to_string(),
        }
    }

    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadLink(_) => "bad_link",
            Self::NoServer => "no_server",
            Self::BadServer(_) => "bad_server",
            Self::Pool(_) => "no_connection",
            Self::Enrol(EnrolError::CodeRefused { .. }) => "code_refused",
            Self::Enrol(EnrolError::NoAnswer { .. }) => "no_answer",
            Self::Enrol(EnrolError::Folder { .. } | EnrolError::Damaged { .. } | EnrolError::InUse { .. }) => "not_kept",
            Self::Enrol(EnrolError::NotEnrolled { .. }) => "not_enrolled",
        }
    }
}

impl Supervisor {
    /// As it was kept; else enrolled with the code at hand, which is used up. `None` when the engine is to stop.
    pub(super) async fn joined(&self, code: &mut Option<String>, revoked: bool) -> Result<Option<Joined>, JoinFailed> {
        let home = &self.settings.identity.home;
        if self.settings.link
            && !revoked
            && let Some(enrolment) = self.state.enrolments().map_err(|error| JoinFailed::Failed(error.into()))?.pop()
        {
            // Whatever address this machine was set up with: its person joined this farm.
            let pool = connection_pool(&enrolment.server, home.fingerprint.or(enrolment.fingerprint));
            return Ok(Some(Joined { enrolment, pool: pool.map_err(|error| JoinFailed::Failed(error.into()))? }));
        }
        let not_joined = |error: RunError| match error {
            RunError::NoServer => JoinFailed::NotJoined(error),
            RunError::Enrol(EnrolError::NotEnrolled { .. }) => JoinFailed::NotJoined(error),
            RunError::BadLink(_) => JoinFailed::NoGood(error),
            error => JoinFailed::Failed(error),
        };
        let Whereto { server, fingerprint, code: given } = whereto(home, code.as_deref(), &self.state).map_err(not_joined)?;
        let pool = connection_pool(&server, fingerprint).map_err(|error| JoinFailed::Failed(error.into()))?;
        let kept = self.state.enrolment(&server).map_err(|error| JoinFailed::Failed(error.into()))?;
        if let Some(enrolment) = kept.filter(|_| !revoked) {
            return Ok(Some(Joined { enrolment, pool }));
        }
        let Some(given) = given else {
            return Err(JoinFailed::NotJoined(EnrolError::NotEnrolled { server }.into()));
        };
        *code = None;
        let enrolled = self.enrol_patiently(&pool, (&server, fingerprint), &given).await;
        let enrolled = enrolled.map_err(|error| match error {
            EnrolError::CodeRefused { .. } => JoinFailed::NoGood(error.into()),
            error => JoinFailed::Failed(error.into()),
        })?;
        Ok(enrolled.map(|enrolment| Joined { enrolment, pool }))
    }

    /// Enrols as soon as the server answers; `None` when the engine is stopped before.
    async fn enrol_patiently(
        &self,
        pool: &reqwest::Client,
        server: (&Url, Option<Fingerprint>),
        code: &str,
    ) -> Result<Option<Enrolment>, EnrolError> {
        let (pace, status) = (Pace::default(), &self.watch.status);
        let (mut backoff, name) = (Backoff::new(pace.retry_first, pace.retry_most), name(&self.settings.identity));
        loop {
            let tried = tokio::select! {
                tried = enrol(&self.state, pool, server, code, &name) => tried,
                () = self.shutdown.cancelled() => return Ok(None),
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
                () = sleep(backoff.next_wait()) => {}
                () = self.shutdown.cancelled() => return Ok(None),
            }
        }
    }

    /// Enrols once, as a person asked for it. This machine is in one farm at a time: others are forgotten.
    pub(super) async fn join(&self, given: &str, server: Option<Url>, name: Option<String>) -> Result<(), NotJoined> {
        let given = given.trim();
        let link = EnrolLink::is_link(given).then(|| given.parse::<EnrolLink>()).transpose()?;
        let (server, fingerprint, code) = match link {
            Some(link) => (link.server, link.fingerprint, link.code),
            None => (server.ok_or(NotJoined::NoServer)?, None, given.to_owned()),
        };
        if !matches!(server.scheme(), "http" | "https") || !server.has_host() {
            return Err(NotJoined::BadServer(server));
        }
        let pool = connection_pool(&server, fingerprint)?;
        let name = name.unwrap_or_else(|| crate::run::name(&self.settings.identity));
        enrol(&self.state, &pool, (&server, fingerprint), &code, &name).await?;
        for other in self.state.enrolments()?.into_iter().filter(|other| other.server != server) {
            self.state.forget(&other.server)?;
        }
        self.watch.status.revoked(false);
        Ok(())
    }

    /// Forgets the farm; whatever was held has gone back.
    pub(super) fn leave(&self) -> Result<(), EnrolError> {
        for enrolment in self.state.enrolments()? {
            self.state.forget(&enrolment.server)?;
        }
        self.watch.status.reached(true);
        Ok(())
    }
}
