//! How many requests one token may make to this server, told in `RateLimit` headers.
//!
//! A protection against programs that run wild, kept in the process: with two servers behind a balancer a token may make twice
//! as many. The method is GCRA (ITU-T I.371, annex A): one moment a token says all, the one at which its bucket is full again.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::AUTHORIZATION};
use sha2::{Digest, Sha256};

use crate::{clock::Instant, error::ApiError};

/// draft-ietf-httpapi-ratelimit-headers-10
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

const WINDOW_MICROS: i64 = 60_000_000;
/// Tokens that are remembered before those with a full bucket are forgotten.
const MOST: usize = 10_000;

/// Who calls: a hash of what they prove it with. Those who prove nothing share a bucket with all from their address, so that a
/// flood from one keeps nobody else from logging in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Who([u8; 16]);

/// Whoever proves nothing, or with something that is not known.
pub fn stranger(address: Option<IpAddr>) -> Who {
    who(&HeaderMap::new(), None, address)
}

/// `session` is what came in the session's cookie: other cookies would make a new caller of each request.
pub fn who(headers: &HeaderMap, session: Option<&str>, address: Option<IpAddr>) -> Who {
    let mut hash = Sha256::new();
    match (headers.get(AUTHORIZATION), session) {
        // However the word before it is written, and whatever space is about it.
        (Some(token), _) => hash.update(token.as_bytes().trim_ascii().rsplit(u8::is_ascii_whitespace).next().unwrap_or_default()),
        (None, Some(session)) => hash.update(session.as_bytes()),
        (None, None) => hash.update(address.map_or_else(String::new, |address| address.to_string())),
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    Who(short)
}

/// The buckets of all tokens.
#[derive(Debug)]
pub struct Rates {
    limit: Option<NonZeroU32>,
    /// When each is full again, in microseconds since 1970.
    full_at: Mutex<HashMap<Who, i64>>,
}

/// What is left to a token after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    limit: u32,
    /// None when this request was one too many.
    remaining: Option<u32>,
    /// Until the bucket is full again; of a request that was refused, until the next one is not.
    wait: Duration,
}

impl Rates {
    pub fn new(limit: Option<NonZeroU32>) -> Self {
        Self { limit, full_at: Mutex::default() }
    }

    /// Takes one request from the token's bucket. Nothing when there is no limit.
    pub fn take(&self, who: &Who, now: Instant) -> Option<Quota> {
        let limit = self.limit?.get();
        let each = (WINDOW_MICROS / i64::from(limit)).max(1);
        let now = now.ms().saturating_mul(1000);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, full_at| *full_at > now);
            // That many tokens at once: whoever makes them up shall not fill the memory, nor have others' quotas forgotten. The
            // buckets that are nearly full again go, half of all.
            if buckets.len() >= MOST {
                let mut full_at: Vec<i64> = buckets.values().copied().collect();
                let (_, middle, _) = full_at.select_nth_unstable(MOST / 2);
                let middle = *middle;
                let mut most = MOST / 2;
                buckets.retain(|_, full_at| {
                    let stays = *full_at > middle && most > 0;
                    most -= usize::from(stays);
                    stays
                });
            }
        }
        let full_at = buckets.get(who).copied().unwrap_or(now).max(now) + each;
        let micros = |micros: i64| Duration::from_micros(micros.max(0).unsigned_abs());
        if full_at - now > WINDOW_MICROS {
            return Some(Quota { limit, remaining: None, wait: micros(full_at - now - WINDOW_MICROS) });
        }
        buckets.insert(who.clone(), full_at);
        let remaining = u32::try_from((now + WINDOW_MICROS - full_at) / each).unwrap_or(limit);
        Some(Quota { limit, remaining: Some(remaining), wait: micros(full_at - now) })
    }
}

impl Quota {
    pub fn is_used_up(&self) -> bool {
        self.remaining.is_none()
    }

    pub fn refusal(&self) -> ApiError {
        let detail = format!("This token has made more than {} requests in a minute.", self.limit);
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            .hint("Wait as long as `Retry-After` says; to follow a job, watch its events instead of asking again and again.")
            .retry_after(self.wait.max(Duration::from_secs(1)))
    }

    /// Says it in headers.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Self { limit, remaining, wait } = self;
        let left = format!("\"minute\";r={};t={}", remaining.unwrap_or(0), wait.as_secs_f64().ceil());
        for (name, text) in [(RATE_LIMIT, left), (RATE_LIMIT_POLICY, format!("\"minute\";q={limit};w=60"))] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(token: &str) -> Who {
        who(&HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(token).expect("a header"))]), None, None)
    }

    #[test]
    fn who_proves_nothing_is_known_by_the_address() {
        let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        let of = |session, from| who(&HeaderMap::new(), session, address(from));
        assert_eq!(of(Some("ofs_x"), "10.0.0.1"), of(Some("ofs_x"), "10.0.0.2"));
        assert_ne!(of(Some("ofs_x"), "10.0.0.1"), of(Some("ofs_y"), "10.0.0.1"));
        assert_eq!(of(None, "10.0.0.1"), of(None, "10.0.0.1"));
        assert_ne!(of(None, "10.0.0.1"), of(None, "10.0.0.2"));
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rates = Rates::new(NonZeroU32::new(60));
        let (one, two, now) = (caller("Bearer one"), caller("Bearer two"), Instant(1_700_000_000_000));
        let left: Vec<_> = (0..61).map(|_| rates.take(&one, now).expect("a limit").remaining).collect();
        assert_eq!((left[0], left[59], left[60]), (Some(59), Some(0), None));
        assert_eq!(rates.take(&two, now).expect("a limit").remaining, Some(59), "each has its own");
        let refused = rates.take(&one, now).expect("a limit");
        assert_eq!(refused.refusal().retry_after, Some(Duration::from_secs(1)));
        let later = now + Duration::from_secs(2);
        assert_eq!(rates.take(&one, later).expect("a limit").remaining, Some(1), "refusals cost nothing");
        assert_eq!(rates.take(&one, now + Duration::from_secs(120)).expect("a limit").remaining, Some(59));
    }

    #[test]
    fn headers_follow_the_draft() {
        let rates = Rates::new(NonZeroU32::new(6000));
        let mut headers = HeaderMap::new();
        rates.take(&caller("Bearer one"), Instant(0)).expect("a limit").tell(&mut headers);
        assert_eq!(headers["ratelimit"], "\"minute\";r=5999;t=1");
        assert_eq!(headers["ratelimit-policy"], "\"minute\";q=6000;w=60");
        assert_eq!(Rates::new(None).take(&caller("x"), Instant(0)), None);
    }

    #[test]
    fn made_up_tokens_do_not_fill_the_memory() {
        let rates = Rates::new(NonZeroU32::new(60));
        for number in 0..3 * MOST {
            rates.take(&caller(&number.to_string()), Instant(0));
        }
        assert!(rates.full_at.lock().expect("no panic").len() <= MOST);
    }

    #[test]
    fn made_up_tokens_do_not_bring_back_a_quota() {
        let (rates, one) = (Rates::new(NonZeroU32::new(60)), caller("Bearer one"));
        for _ in 0..60 {
            rates.take(&one, Instant(0));
        }
        for number in 0..3 * MOST {
            rates.take(&caller(&number.to_string()), Instant(0));
        }
        assert_eq!(rates.take(&one, Instant(0)).expect("a limit").remaining, None);
    }

    #[test]
    fn a_token_is_the_same_however_it_is_sent() {
        for other in ["bearer one", "Bearer   one", "BEARER one "] {
            assert_eq!(caller(other), caller("Bearer one"), "{other:?}");
        }
        assert_ne!(caller("Bearer two"), caller("Bearer one"));
    }
}
