//! Hashing of passwords: slow on purpose, so only so many at once, and never on a thread that answers requests.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::{auth::random_name, error::ApiError};

/// Each takes a core for some tens of milliseconds, and 19 MiB (Argon2id with the parameters of RFC 9106's successor advice at
/// OWASP: m = 19 MiB, t = 2, p = 1, which are the crate's defaults).
const AT_ONCE: usize = 2;
/// Beyond this, somebody is guessing, and the others had better try again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Clones share the limit.
#[derive(Debug, Clone)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// What is kept of a password.
    pub async fn hash(&self, password: &str) -> Result<String, ApiError> {
        let password = password.to_owned();
        self.run(move || hash(&password)).await?
    }

    /// Whether this is the password. When there is nobody to compare with, it takes as long and says no: how long an answer
    /// takes tells nobody who has an account here.
    pub async fn verify(&self, password: &str, kept: Option<String>) -> Result<bool, ApiError> {
        let password = password.to_owned();
        self.run(move || {
            let Some(kept) = kept else {
                verify(&password, nobodys())?;
                return Ok(false);
            };
            verify(&password, &kept)
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let permit = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.0).acquire_owned()).await.map_err(|_| {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many people are logging in at this moment.")
                .retry_after(LONGEST_WAIT)
        })?;
        let permit = permit.map_err(ApiError::internal)?;
        // The permit goes along: the work is done to its end, even if nobody waits for it any more.
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(ApiError::internal)
    }
}

fn hash(password: &str) -> Result<String, ApiError> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(ApiError::internal)
}

fn verify(password: &str, kept: &str) -> Result<bool, ApiError> {
    let kept = PasswordHash::new(kept).map_err(ApiError::internal)?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}

/// The hash of a password that nobody knows.
fn nobodys() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash(&random_name(32)).unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again() {
        let passwords = Passwords::default();
        let kept = passwords.hash("a long sentence").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, passwords.hash("a long sentence").await.unwrap(), "each has a salt of its own");
        assert!(passwords.verify("a long sentence", Some(kept.clone())).await.unwrap());
        assert!(!passwords.verify("a long sentencE", Some(kept)).await.unwrap());
        assert!(!passwords.verify("a long sentence", None).await.unwrap());
    }
}
