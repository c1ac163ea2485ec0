//! Creation that can be repeated: a request with an `Idempotency-Key` is carried out once, and a repeat gets its answer.
//!
//! The key belongs to the team, to callers that may do the same, and to the route. Its row is taken before the handler runs and says whether the handler committed
//! anything, in the same transaction (`db::along`): so after a server died half-way, a repeat is either carried out or told
//! that it was, and never makes a second job. Only answers of success are kept, for a day: a refusal made nothing, and its
//! repeat is looked at anew.

mod http;
mod store;

use std::time::Duration;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

pub use http::{IDEMPOTENCY_KEY, key_of, once};

use crate::{app::App, clock::Instant, entity::idempotency, error::ApiError};
use store::Attempt;

/// How long a repeat gets the first answer.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// A server that answers a request renews its hold three times in that; past it, it died.
const HELD_FOR: Duration = Duration::from_secs(60);
const LONGEST_KEY: usize = 255;
/// A made job is a few hundred bytes; what is larger than this was not made by a creating request.
const LARGEST_KEPT: usize = 1 << 20;

/// What a request finds under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is to be carried out.
    First,
    /// Another request.
    Reused,
    InProgress,
    Answered(Kept),
    /// It was carried out, and its answer is not known: the server died, or the answer held a secret.
    Unanswered,
    /// A server took it, died and committed nothing.
    Abandoned,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    fn of(row: &idempotency::Model, attempt: &Attempt, now: Instant) -> Result<Self, ApiError> {
        if row.fingerprint != attempt.fingerprint {
            return Ok(Self::Reused);
        }
        if let (Some(status), Some(headers), Some(body)) = (row.status, &row.headers, &row.body) {
            let status = u16::try_from(status).map_err(ApiError::internal)?;
            return Ok(Self::Answered(Kept { status, headers: serde_json::from_str(headers)?, body: body.clone() }));
        }
        Ok(match (row.locked_until_ms > now.ms(), row.made) {
            (true, _) => Self::InProgress,
            (false, true) => Self::Unanswered,
            (false, false) => Self::Abandoned,
        })
    }
}

/// Secrets are shown once and kept nowhere. They are known by their beginnings, wherever they stand: some are part of a link.
fn holds_secret(body: &str) -> bool {
    ["ofp_", "ofa_", "ofe_", "ofs_", "ofl_", "whsec_"].iter().any(|prefix| body.contains(prefix))
}

/// What a header's value may be: a few plain characters, in quotes (as the IETF's draft has it) or not.
fn parse_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    Err(ApiError::bad_request("bad_idempotency_key", format!("`Idempotency-Key` has 1 to {LONGEST_KEY} visible characters."))
        .hint("Make a random UUID for each thing that is to be made, and send it again with each repeat."))
}

/// Removes keys whose day is over.
pub async fn expire(app: &App, now: Instant) -> Result<(), ApiError> {
    if store::anything_old(&app.db.reader, now).await? {
        let tx = app.db.write().await?;
        store::forget_old(&tx.tx, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> idempotency::Model {
        idempotency::Model {
            id: "id".into(),
            fingerprint: "this".into(),
            attempt: "other".into(),
            made: false,
            locked_until_ms: 1000,
            expires_at_ms: 90_000,
            status: None,
            headers: None,
            body: None,
        }
    }

    #[test]
    fn what_a_repeat_finds() {
        let attempt = Attempt { id: "id".into(), fingerprint: "this".into(), name: "mine".into() };
        let seen = |row: &idempotency::Model, now| Seen::of(row, &attempt, Instant(now)).expect("a row that reads");
        let answered = |row| idempotency::Model { status: Some(201), headers: Some("[]".into()), body: Some("{}".into()), ..row };
        let kept = Kept { status: 201, headers: vec![], body: "{}".into() };
        for (row, now, expected) in [
            (row(), 999, Seen::InProgress),
            (row(), 1000, Seen::Abandoned),
            (idempotency::Model { made: true, ..row() }, 999, Seen::InProgress),
            (idempotency::Model { made: true, ..row() }, 1000, Seen::Unanswered),
            (idempotency::Model { fingerprint: "that".into(), ..answered(row()) }, 1000, Seen::Reused),
            (answered(row()), 999, Seen::Answered(kept.clone())),
            (answered(row()), 80_000, Seen::Answered(kept)),
        ] {
            assert_eq!(seen(&row, now), expected, "{row:?} at {now}");
        }
    }

    #[test]
    fn keys() {
        let key = |value: &str| {
            let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, value.parse().expect("a header"))]);
            parse_key(&headers).map_err(|refusal| refusal.code)
        };
        assert_eq!(parse_key(&HeaderMap::new()), Ok(None));
        assert_eq!(key("8e03978e-40d5-43e8-bc93-6894a57f9324"), Ok(Some("8e03978e-40d5-43e8-bc93-6894a57f9324".into())));
        assert_eq!(key("\"quoted\""), Ok(Some("quoted".into())));
        for bad in ["", "\"\"", "two words", &"x".repeat(256)] {
            assert_eq!(key(bad), Err("bad_idempotency_key"), "{bad}");
        }
    }

    #[test]
    fn secrets_are_recognised() {
        assert!(holds_secret(r#"{"token":"ofp_abc"}"#));
        assert!(holds_secret(r#"{"link":"https://video.example.com/invitation?code=ofl_abc"}"#));
        assert!(!holds_secret(r#"{"id":"job_01J8ZC5V2M0N6QW3T7RX9KPEHD"}"#));
    }
}
