//! Moments and durations as people type them.

use chrono::{DateTime, TimeDelta, Utc};

/// `90s`, `10m`, `2h`, `1d12h`: whole numbers, each with its unit.
pub fn duration(text: &str) -> Result<TimeDelta, String> {
    let wrong = || "expected a duration such as 90s, 10m, 2h or 1d12h".to_owned();
    let mut seconds: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: i64 = rest[..unit_at].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes()[unit_at] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            _ => return Err(wrong()),
        };
        seconds = count.checked_mul(unit).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
        rest = &rest[unit_at + 1..];
    }
    if seconds == 0 { Err(wrong()) } else { TimeDelta::try_seconds(seconds).ok_or_else(wrong) }
}

/// A moment of RFC 3339, or a duration from now.
pub fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    moment_from(Utc::now(), text)
}

fn moment_from(now: DateTime<Utc>, text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let wrong = || "expected a moment such as 2026-11-30T18:00:00Z, or a duration from now such as 2h".to_owned();
    let from_now = duration(text).map_err(|_| wrong())?;
    now.checked_add_signed(from_now).ok_or_else(wrong)
}

/// Seconds, of a duration between these limits of the API.
pub fn seconds_of_a_day(text: &str) -> Result<u32, String> {
    let seconds = duration(text)?.num_seconds();
    match u32::try_from(seconds) {
        Ok(seconds @ 60..=86_400) => Ok(seconds),
        _ => Err("expected a minute to a day, such as 10m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("2h", 7200), ("1d12h", 129_600), ("1h30m5s", 5405)] {
            assert_eq!(duration(text), Ok(TimeDelta::seconds(seconds)), "{text}");
        }
        for bad in ["", "2", "h", "2 h", "-2h", "2w", "0h", "2h3", "1.5h", "2µ", "99999999999999999d", "999999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments() {
        let now: DateTime<Utc> = "2026-11-21T11:00:00Z".parse().expect("a moment");
        for (text, wanted) in [
            ("2h", "2026-11-21T13:00:00Z"),
            ("2026-11-30T18:00:00Z", "2026-11-30T18:00:00Z"),
            ("2026-11-30T18:00:00+01:00", "2026-11-30T17:00:00Z"),
        ] {
            assert_eq!(moment_from(now, text), Ok(wanted.parse().expect("a moment")), "{text}");
        }
        for bad in ["tomorrow", "2026-11-30", "2026-11-30T18:00:00", "99999999999d"] {
            assert!(moment_from(now, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_minute_to_a_day() {
        for (text, wanted) in [("59s", None), ("1m", Some(60)), ("24h", Some(86_400)), ("25h", None), ("200000d", None)] {
            assert_eq!(seconds_of_a_day(text).ok(), wanted, "{text}");
        }
    }
}
