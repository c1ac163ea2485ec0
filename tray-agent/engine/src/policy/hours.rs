//! When a schedule will next allow work.

use chrono::TimeDelta;
use offpeak_api::policy::Weekday;

use super::{Moment, Rules};

const DAY_MINUTES: u16 = 24 * 60;
const WEEK_MINUTES: u32 = 7 * DAY_MINUTES as u32;

/// The next minute at which work is allowed; `None` when there is none in a week.
pub fn next_allowed(rules: &Rules, now: Moment) -> Option<chrono::DateTime<chrono::Utc>> {
    let (mut day, mut minute) = (now.day, now.minute);
    for ahead in 0..=WEEK_MINUTES {
        if rules.is_on_schedule(day, minute) {
            return Some(now.utc + TimeDelta::minutes(ahead.into()));
        }
        minute += 1;
        if minute == DAY_MINUTES {
            (day, minute) = (after(day), 0);
        }
    }
    None
}

fn after(day: Weekday) -> Weekday {
    match day {
        Weekday::Mon => Weekday::Tue,
        Weekday::Tue => Weekday::Wed,
        Weekday::Wed => Weekday::Thu,
        Weekday::Thu => Weekday::Fri,
        Weekday::Fri => Weekday::Sat,
        Weekday::Sat => Weekday::Sun,
        Weekday::Sun => Weekday::Mon,
    }
}
