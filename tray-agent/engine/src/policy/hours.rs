//! When a schedule will next allow work, and for how long it does.

use chrono::{DateTime, Datelike, Local, TimeDelta, Timelike};
use offpeak_api::policy::Weekday;

use super::{Moment, Rules};

const DAY_MINUTES: u16 = 24 * 60;
const WEEK_MINUTES: u32 = 7 * DAY_MINUTES as u32;

/// The next minute at which work is allowed; `None` when there is none in a week.
pub fn next_allowed(rules: &Rules, now: Moment) -> Option<DateTime<chrono::Utc>> {
    let next = minutes_to(now.day, now.minute, WEEK_MINUTES, |day, minute| rules.is_on_schedule(day, minute));
    next.map(|minutes| now.utc + TimeDelta::minutes(minutes.into()))
}

/// For how many minutes from this one on work is allowed; `None` when it is for a day and longer.
pub fn allowed_minutes(rules: &Rules, day: Weekday, minute: u16) -> Option<u32> {
    if rules.schedules.iter().all(Vec::is_empty) {
        return None;
    }
    minutes_to(day, minute, DAY_MINUTES.into(), |day, minute| !rules.is_on_schedule(day, minute))
}

/// Day and minute by the clock on the wall.
pub fn on_the_wall(wall: DateTime<Local>) -> (Weekday, u16) {
    let day = match wall.weekday() {
        chrono::Weekday::Mon => Weekday::Mon,
        chrono::Weekday::Tue => Weekday::Tue,
        chrono::Weekday::Wed => Weekday::Wed,
        chrono::Weekday::Thu => Weekday::Thu,
        chrono::Weekday::Fri => Weekday::Fri,
        chrono::Weekday::Sat => Weekday::Sat,
        chrono::Weekday::Sun => Weekday::Sun,
    };
    (day, u16::try_from(wall.hour() * 60 + wall.minute()).unwrap_or(0))
}

fn minutes_to(mut day: Weekday, mut minute: u16, most: u32, is_so: impl Fn(Weekday, u16) -> bool) -> Option<u32> {
    for ahead in 0..=most {
        if is_so(day, minute) {
            return Some(ahead);
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
