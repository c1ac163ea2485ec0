//! Webhooks: a team's own servers are told what happened, after the Standard Webhooks specification.
//!
//! In: what other steps report in the transaction of the change (`outbox.rs`). Out: signed calls, again and again over a day
//! until they are answered (`send.rs`). What must hold: a message is written if and only if its change is committed, with what
//! the API shows of it then; where nobody wants it, one look into an index is all it costs; and in the normal case each is sent
//! once, however many servers there are.

pub mod deliveries;
pub mod http;
pub mod outbox;
pub mod send;
pub mod store;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use offpeak_api::webhook::WebhookEvent;
use sha2::Sha256;

use crate::clock::Instant;

/// More endpoints than this get the same news twice, or are a mistake.
pub const MOST_WEBHOOKS: u64 = 50;
/// How long a message is tried.
pub const TRIED_FOR: Duration = Duration::from_secs(24 * 3600);
/// An endpoint without one success for so long is disabled. Longer than a weekend, and longer than [`TRIED_FOR`]: a message of
/// the last day has still had all its tries.
pub const DISABLED_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);
/// How long deliveries can be looked at.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// As long as what HMAC-SHA256 gives; the specification asks for 24 to 64 bytes.
const SECRET_BYTES: usize = 32;
const SECRET_PREFIX: &str = "whsec_";

/// A new secret: `whsec_` and a random key in base64.
pub fn new_secret() -> String {
    format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(rand::random::<[u8; SECRET_BYTES]>()))
}

/// The header `webhook-signature` for all secrets that are valid, or nothing for a secret that was not made here.
pub fn signatures<'a>(secrets: impl IntoIterator<Item = &'a str>, id: &str, at: Instant, body: &str) -> Option<String> {
    let signed = format!("{id}.{}.{body}", at.ms() / 1000);
    let all = secrets.into_iter().map(|secret| {
        let key = BASE64_STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(signed.as_bytes());
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    });
    all.collect::<Option<Vec<_>>>().map(|all| all.join(" "))
}

/// Whether a webhook with this list of events (all, when empty) wants to hear of one.
pub fn wants(events: &str, event: WebhookEvent) -> bool {
    events.is_empty() || events.split(' ').any(|name| name == event.as_str())
}

const FIRST_DELAY: Duration = Duration::from_secs(5);
/// A receiver that was away for the night should not wait for the afternoon.
const LONGEST_DELAY: Duration = Duration::from_secs(6 * 3600);

/// When to try again after so many tries, or never: 5 s, then four times as long each time up to 6 h, a fifth more or less by
/// `dice` (0 to 1) so that not all that failed together comes back together. The receiver may ask for longer; the last try is at
/// the very end.
pub fn next_try(tries: u32, now: Instant, give_up: Instant, asked: Option<Duration>, dice: f64) -> Option<Instant> {
    if now >= give_up {
        return None;
    }
    let delay = FIRST_DELAY.saturating_mul(4_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_DELAY);
    let delay = delay.mul_f64(0.8 + 0.4 * dice.clamp(0.0, 1.0));
    Some((now + delay.max(asked.unwrap_or_default().min(LONGEST_DELAY))).min(give_up))
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 2xx.
    Taken,
    /// 410: the receiver says that it wants nothing any more.
    Gone,
    /// Anything else. Redirects are not followed: what is signed for one receiver is not for another.
    Refused,
}

impl Ending {
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Taken,
            410 => Self::Gone,
            _ => Self::Refused,
        }
    }
}

/// Why an endpoint is disabled after a try, if it is.
pub fn disabled_because(ending: Ending, failing_since: Option<Instant>, now: Instant) -> Option<String> {
    match ending {
        Ending::Taken => None,
        Ending::Gone => Some("It answered 410 Gone, which means that it wants no more messages.".to_owned()),
        Ending::Refused => failing_since.filter(|since| now.since(*since) >= DISABLED_AFTER).map(|since| {
            let days = DISABLED_AFTER.as_secs() / 86_400;
            format!("Nothing has got through since {}, for more than {days} days.", since.to_utc().format("%Y-%m-%d %H:%M UTC"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_specification_shows() {
        // The example of the specification's own reference libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = r#"{"test": 2432232314}"#;
        let signed = signatures([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", Instant(1_614_265_330_000), body);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        let both = signatures([secret, &new_secret()], "msg_x", Instant(0), body).expect("both are secrets");
        assert_eq!(both.split(' ').count(), 2);
        assert_eq!(signatures(["nonsense"], "msg_x", Instant(0), body), None);
        assert_ne!(new_secret(), new_secret());
    }

    #[test]
    fn tries_go_on_for_a_day_and_end() {
        for dice in [0.0, 0.5, 1.0] {
            let (start, mut now, mut tries) = (Instant(0), Instant(0), 1);
            let give_up = start + TRIED_FOR;
            let mut times = vec![0];
            while let Some(next) = next_try(tries, now, give_up, None, dice) {
                assert!(next > now);
                (now, tries) = (next, tries + 1);
                times.push(now.ms() / 1000);
            }
            assert_eq!(now, give_up, "the last one is at the end");
            assert!((10..=13).contains(&times.len()), "{times:?}");
            assert!((4..=6).contains(&times[1]), "{times:?}");
        }
        let hour = Duration::from_secs(3600);
        let end = Instant(0) + TRIED_FOR;
        assert_eq!(next_try(1, Instant(0), end, Some(hour), 0.5), Some(Instant(0) + hour), "as the receiver asks");
        assert_eq!(next_try(1, Instant(0), end, Some(hour * 1000), 0.5), Some(Instant(0) + LONGEST_DELAY), "within reason");
        assert_eq!(next_try(1, Instant(0), Instant(0), None, 0.5), None, "a test is tried once");
        assert_eq!(next_try(u32::MAX, Instant(0), end, None, 1.0), Some(Instant(0) + LONGEST_DELAY.mul_f64(1.2)));
    }

    #[test]
    fn who_is_disabled_and_why() {
        let now = Instant(0) + DISABLED_AFTER;
        for (ending, since, disabled) in [
            (Ending::Taken, Some(Instant(0)), false),
            (Ending::Gone, None, true),
            (Ending::Refused, None, false),
            (Ending::Refused, Some(Instant(1)), false),
            (Ending::Refused, Some(Instant(0)), true),
        ] {
            assert_eq!(disabled_because(ending, since, now).is_some(), disabled, "{ending:?} {since:?}");
        }
        for (status, ending) in [(200, Ending::Taken), (204, Ending::Taken), (301, Ending::Refused), (410, Ending::Gone)] {
            assert_eq!(Ending::of_status(status), ending);
        }
    }

    #[test]
    fn events_are_wanted_by_name() {
        assert!(wants("", WebhookEvent::JobFailed));
        assert!(wants("job.completed job.failed", WebhookEvent::JobFailed));
        assert!(!wants("job.completed", WebhookEvent::JobFailed));
    }
}
