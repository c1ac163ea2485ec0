//! How long the machine will probably be left alone, from what was so at this hour of the week before.
//!
//! In: every few seconds, whether somebody needs the machine, and the hours in which work is allowed. Out: one number. What must
//! hold: the history is kept on this machine only; all that leaves it is the number, with a request for work.
//!
//! For each hour of the week two sums are kept: how long the machine lay idle in it, and how often that ended. Their quotient
//! is the rate at which people come back in that hour; the answer is the time after which, by the rates of the coming hours,
//! it is as likely as not that somebody has come (the median of the remaining time of a process with piecewise constant
//! hazard). Old weeks fade, so that it follows when habits change.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use chrono::{DateTime, Datelike, Local, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

use crate::{
    kept,
    policy::{Rules, allowed_minutes, on_the_wall},
};

const FILE: &str = "idle-hours.json";
const HOURS: usize = 7 * 24;
/// What each hour is taken to have seen before anything was: somebody comes once in two hours, told by ten minutes of it. One
/// quiet night counts for more.
const PRIOR_SECONDS: f64 = 600.0;
const PRIOR_ENDS: f64 = PRIOR_SECONDS / 7200.0;
/// A week counts so much of what the next one does.
const FADING: f64 = 0.8;
/// Nobody plans further.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A gap between two looks: the engine was off, or the machine asleep.
const LONGEST_LOOK: Duration = Duration::from_secs(120);
/// The file is small, but disks that sleep should.
const KEEP_EVERY: Duration = Duration::from_secs(900);

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Hour {
    idle_seconds: f64,
    ends: f64,
}

/// What is kept: 168 hours from Monday's first on, and the week of the last look.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct History {
    hours: Vec<Hour>,
    week: i64,
}

/// Clones share it.
#[derive(Debug, Clone)]
pub struct Forecast(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: Option<PathBuf>,
    inner: Mutex<Inner>,
    /// One writes at a time, and keeps nobody from noting meanwhile.
    writing: Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    history: History,
    /// What holds at this desk, as last told.
    rules: Option<Rules>,
    last: Option<Look>,
    kept_at: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Duration,
    needed: bool,
}

impl Forecast {
    /// Goes on from what is kept in the folder; nothing is kept without one.
    pub fn load(folder: Option<PathBuf>) -> Self {
        let mut history: History = folder.as_deref().map(|folder| kept::read(folder, FILE)).unwrap_or_default();
        if history.hours.len() != HOURS {
            history.hours = vec![Hour::default(); HOURS];
        }
        let inner = Inner { history, rules: None, last: None, kept_at: Duration::ZERO };
        Self(Arc::new(Shared { folder, inner: Mutex::new(inner), writing: Mutex::new(()) }))
    }

    /// Work is not allowed for longer than these rules say.
    pub fn rules(&self, rules: &Rules) {
        let mut inner = self.lock();
        if inner.rules.as_ref() != Some(rules) {
            inner.rules = Some(rules.clone());
        }
    }

    /// Notes whether somebody needs the machine now. `at` is of a clock that nobody sets. Whether it is time to [`Self::keep`]
    /// what was learnt: that takes as long as the disk does.
    #[must_use]
    pub fn note(&self, at: Duration, wall: DateTime<Local>, needed: bool) -> bool {
        let mut inner = self.lock();
        let Inner { history, last, .. } = &mut *inner;
        let before = last.replace(Look { at, needed });
        let Some(before) = before.filter(|before| at.saturating_sub(before.at) <= LONGEST_LOOK) else { return false };
        history.fade(wall);
        let hour = &mut history.hours[hour_of_week(wall)];
        if !before.needed {
            hour.idle_seconds += at.saturating_sub(before.at).as_secs_f64();
            hour.ends += f64::from(u8::from(needed));
        }
        let is_due = at.saturating_sub(inner.kept_at) >= KEEP_EVERY;
        if is_due {
            inner.kept_at = at;
        }
        is_due
    }

    /// How long the machine will probably be left to the farm from now on, if it is now.
    pub fn expected(&self, wall: DateTime<Local>) -> Duration {
        let inner = self.lock();
        let alone = inner.history.expected(wall);
        let (day, minute) = on_the_wall(wall);
        let allowed = inner.rules.as_ref().and_then(|rules| allowed_minutes(rules, day, minute)).map(|minutes| {
            let begun = Duration::from_secs(wall.second().into());
            Duration::from_secs(60 * u64::from(minutes)).saturating_sub(begun)
        });
        allowed.map_or(alone, |allowed| alone.min(allowed))
    }

    /// Keeps what was learnt.
    pub fn keep(&self) {
        let Some(folder) = &self.0.folder else { return };
        let _writing = self.0.writing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let history = self.lock().history.clone();
        if let Err(error) = kept::write(folder, FILE, &history) {
            tracing::debug!("the history of idle hours was not kept: {error}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl History {
    /// Weeks that have gone by count less. A clock that was set back fades nothing.
    fn fade(&mut self, wall: DateTime<Local>) {
        let week = wall.timestamp().div_euclid(7 * 86_400);
        let gone = if self.week == 0 { 0 } else { (week - self.week).clamp(0, 52) };
        if week != self.week {
            self.week = week;
        }
        if gone > 0 {
            let left = FADING.powi(i32::try_from(gone).unwrap_or(52));
            for hour in &mut self.hours {
                hour.idle_seconds *= left;
                hour.ends *= left;
            }
        }
    }

    fn expected(&self, wall: DateTime<Local>) -> Duration {
        // As likely as not is a cumulated hazard of ln 2.
        let mut left = std::f64::consts::LN_2;
        let mut sum = 0.0;
        let mut in_hour = 3600.0 - f64::from(wall.minute() * 60 + wall.second());
        let mut at = wall;
        while sum < LONGEST.as_secs_f64() {
            let rate = self.rate(hour_of_week(at));
            if rate * in_hour >= left {
                return Duration::from_secs_f64(sum + left / rate).min(LONGEST);
            }
            left -= rate * in_hour;
            sum += in_hour;
            in_hour = 3600.0;
            at += TimeDelta::hours(1);
        }
        LONGEST
    }

    /// Ends a second of idleness. How little is known of an hour is the more of the usual.
    fn rate(&self, hour: usize) -> f64 {
        let Hour { idle_seconds, ends } = self.hours[hour];
        (ends + PRIOR_ENDS) / (idle_seconds + PRIOR_SECONDS)
    }
}

fn hour_of_week(wall: DateTime<Local>) -> usize {
    (wall.weekday().num_days_from_monday() * 24 + wall.hour()) as usize
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use chrono::TimeZone;

    use super::*;

    /// A Monday's midnight.
    fn monday() -> DateTime<Local> {
        Local.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()
    }

    /// Someone who works from nine to five on weekdays, with a pause of 20 min in each hour.
    fn at_work(wall: DateTime<Local>) -> bool {
        wall.weekday().num_days_from_monday() < 5 && (9..17).contains(&wall.hour()) && wall.minute() >= 20
    }

    fn live(forecast: &Forecast, weeks: i64) -> DateTime<Local> {
        let mut wall = monday();
        let mut at = Duration::ZERO;
        while wall < monday() + TimeDelta::weeks(weeks) {
            let _due = forecast.note(at, wall, at_work(wall));
            wall += TimeDelta::seconds(60);
            at += Duration::from_secs(60);
        }
        wall
    }

    #[test]
    fn nights_are_long_and_working_hours_are_not() {
        let forecast = Forecast::load(None);
        let hours = |wall| forecast.expected(wall).as_secs_f64() / 3600.0;
        let unknown = hours(monday());
        assert!((1.0..2.0).contains(&unknown), "{unknown}");
        let next = live(&forecast, 6);
        let (night, noon, morning) = (hours(next), hours(next + TimeDelta::hours(12)), hours(next + TimeDelta::hours(8)));
        let saturday = hours(next + TimeDelta::days(5));
        assert!(night > 6.0, "{night}");
        assert!(noon < 0.7, "{noon}");
        assert!((0.9..2.5).contains(&morning), "{morning}");
        assert!(saturday > 20.0, "{saturday}");
    }

    #[test]
    fn habits_change() {
        let forecast = Forecast::load(None);
        let mut wall = live(&forecast, 6);
        let mut at = Duration::from_secs(6 * 7 * 86_400);
        let noon = |wall: DateTime<Local>| forecast.expected(wall + TimeDelta::hours(12)).as_secs_f64() / 3600.0;
        let before = noon(wall);
        // A long holiday.
        for _ in 0..6 * 7 * 24 * 60 {
            let _due = forecast.note(at, wall, false);
            wall += TimeDelta::seconds(60);
            at += Duration::from_secs(60);
        }
        assert!(noon(wall) > 2.0 * before, "{before} {}", noon(wall));
    }

    #[test]
    fn time_in_which_the_engine_did_not_run_is_not_counted() {
        let forecast = Forecast::load(None);
        let _due = forecast.note(Duration::ZERO, monday(), false);
        let _due = forecast.note(Duration::from_secs(86_400), monday() + TimeDelta::days(1), true);
        assert_eq!(forecast.lock().history.hours, vec![Hour::default(); HOURS]);
    }

    #[test]
    fn the_end_of_the_allowed_hours_is_the_end() {
        use offpeak_api::policy::Policy;
        let forecast = Forecast::load(None);
        let next = live(&forecast, 6);
        let nights =
            serde_json::json!([{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "18:00", "to": "08:00" }]);
        let policy = Policy { schedule: serde_json::from_value(nights).unwrap(), ..Policy::default() };
        // Work began in the night, and nobody comes before nine.
        let seven_fifty = next + TimeDelta::minutes(470) + TimeDelta::seconds(20);
        assert!(forecast.expected(seven_fifty) > Duration::from_secs(3600));
        forecast.rules(&Rules::of(&policy, &offpeak_link::Limits::default(), None));
        assert_eq!(forecast.expected(seven_fifty), Duration::from_secs(580));
        forecast.rules(&Rules::of(&Policy::default(), &offpeak_link::Limits::default(), None));
        assert!(forecast.expected(seven_fifty) > Duration::from_secs(3600));
    }

    #[test]
    fn noting_writes_nothing_and_says_when_it_is_time_to() {
        let folder = tempfile::tempdir().unwrap();
        let forecast = Forecast::load(Some(folder.path().to_owned()));
        let mut due = Vec::new();
        for minute in 0..40_u32 {
            let (at, wall) = (Duration::from_secs(60) * minute, monday() + TimeDelta::minutes(minute.into()));
            due.extend(forecast.note(at, wall, false).then_some(minute));
        }
        assert_eq!(due, [15, 30]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        forecast.keep();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let forecast = Forecast::load(Some(folder.path().to_owned()));
        live(&forecast, 1);
        forecast.keep();
        let again = Forecast::load(Some(folder.path().to_owned()));
        assert_eq!(again.lock().history, forecast.lock().history);
        std::fs::write(folder.path().join(FILE), "{\"hours\": [], \"week\": 1}").unwrap();
        assert!(Forecast::load(Some(folder.path().to_owned())).expected(monday()) > Duration::ZERO);
    }
}
