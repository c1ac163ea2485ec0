//! Signed playback: jobs whose profile says so play only from addresses that this server signed, until those expire.
//!
//! One signature is for all of a job: playlists hand the one that they were asked with on to what they name, so whoever has an
//! address can watch the film, and nobody can watch it longer than the address says.

use std::time::Duration;

use axum::http::StatusCode;
use offpeak_api::{ids::JobId, profile::Access};
use quick_cache::sync::Cache;
use sea_orm::ConnectionTrait;

use super::store;
use crate::{app::App, blob::Refusal, clock::Instant, error::ApiError, package::Presentation};

/// Addresses that are given within this time are the same, so that those who ask for a job again and again can compare.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// What a signed address of media carries in its query.
#[derive(Debug, Clone, Default)]
pub struct Signed {
    /// Milliseconds since 1970.
    pub expires: Option<i64>,
    pub signature: Option<String>,
}

/// How a job may be watched by whoever is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    Public,
    /// With this at the end of every address.
    Signed(String),
}

impl Way {
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Public => false,
            Self::Signed(_) => true,
        }
    }

    /// `Cache-Control` of an answer: what was signed for one is kept for no other.
    pub fn caching(&self, public: &'static str) -> String {
        match self {
            Self::Public => public.to_owned(),
            Self::Signed(_) => public.replacen("public", "private", 1),
        }
    }

    /// Puts the signature into everything that a presentation names.
    pub fn sign(&self, presentation: &mut Presentation) {
        let Self::Signed(query) = self else { return };
        presentation.query.clone_from(query);
        for rendition in &mut presentation.renditions {
            rendition.init_uri.push_str(query);
            for segment in &mut rendition.segments {
                segment.uri.push_str(query);
            }
        }
        for file in &mut presentation.notes.files {
            file.push_str(query);
        }
    }
}

/// What each job's profile says, as far as it was asked: a profile in a job never changes, and every segment asks.
#[derive(Debug)]
pub struct Accesses(Cache<JobId, Access>);

/// More films than are watched at once.
const KEPT_JOBS: usize = 20_000;

impl Default for Accesses {
    fn default() -> Self {
        Self(Cache::new(KEPT_JOBS))
    }
}

impl Accesses {
    pub async fn of(&self, db: &impl ConnectionTrait, job: &JobId) -> Result<Access, ApiError> {
        if let Some(known) = self.0.get(job) {
            return Ok(known);
        }
        // Of a job that is not there nothing is remembered.
        let access = store::access_of(db, job).await?;
        self.0.insert(job.clone(), access);
        Ok(access)
    }
}

/// What whoever asks with this may do.
pub async fn way(app: &App, job: &JobId, asked: &Signed) -> Result<Way, ApiError> {
    match app.accesses.of(&app.db.reader, job).await? {
        Access::Public => Ok(Way::Public),
        Access::Signed => {
            let refuse = |code, detail: &str| {
                ApiError::new(StatusCode::FORBIDDEN, code, detail).hint("GET /v1/jobs/{id} gives addresses that play.")
            };
            let (Some(expires), Some(signature)) = (asked.expires, asked.signature.as_deref()) else {
                return Err(refuse("signature_needed", "This film plays only from a signed address."));
            };
            match app.blobs.signer().check_playback(job, expires, signature, app.clock.now()) {
                Ok(()) => Ok(Way::Signed(query(expires, signature))),
                Err(Refusal::BadSignature) => Err(refuse("bad_signature", "This address was not signed by this server.")),
                Err(Refusal::Expired) => Err(refuse("expired_address", "This address has expired.")),
            }
        }
    }
}

/// What goes to the end of a job's addresses when they are given out.
pub fn query_for(app: &App, job: &JobId, access: Access, now: Instant) -> String {
    match access {
        Access::Public => String::new(),
        Access::Signed => {
            let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
            let end = (now + app.config.playback_lifetime).ms();
            let expires = end.saturating_add(window - 1) / window * window;
            query(expires, &app.blobs.signer().playback(job, expires))
        }
    }
}

fn query(expires: i64, signature: &str) -> String {
    format!("?expires={expires}&signature={signature}")
}
