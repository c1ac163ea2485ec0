//! How long the machine will probably be left alone, from what was so at this hour of the week before.
//!
//! In: every few seconds, whether somebody needs the machine. Out: one number. What must hold: the history is kept on this
//! machine only; all that leaves it is the number, with a request for work.
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

use crate::kept;

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
pub struct Forecast(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    folder: Option<PathBuf>,
    history: History,
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
        Self(Arc::new(Mutex::new(Inner { folder, history, last: None, kept_at: Duration::ZERO })))
    }

    /// Notes whether somebody needs the machine now. `at` is of a clock that nobody sets.
    pub fn note(&self, at: Duration, wall: DateTime<Local>, needed: bool) {
        let mut inner = self.lock();
        let Inner { history, last, .. } = &mut *inner;
        let before = last.replace(Look { at, needed });
        let Some(before) = before.filter(|before| at.saturating_sub(before.at) <= LONGEST_LOOK) else { return };
        history.fade(wall);
        let hour = &mut history.hours[hour_of_week(wall)];
        if !before.needed {
            hour.idle_seconds += at.saturating_sub(before.at).as_secs_f64();
            hour.ends += f64::from(u8::from(needed));
        }
        if at.saturating_sub(inner.kept_at) >= KEEP_EVERY {
            inner.kept_at = at;
            inner.keep();
        }
    }

    /// How long the machine will probably be left alone from now on, if it is now.
    pub fn expected(&self, wall: DateTime<Local>) -> Duration {
        self.lock().history.expected(wall)
    }

    /// Keeps what was learnt; for the engine's end.
    pub fn keep(&self) {
        self.lock().keep();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inner {
    fn keep(&self) {
        if let Some(folder) = &self.folder
            && let Err(error) = kept::write(folder, FILE, &self.history)
        {
            tracing::debug!("the history of idle hours was not kept: {error}");
        }
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
            forecast.note(at, wall, at_work(wall));
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
            forecast.note(at, wall, false);
            wall += TimeDelta::seconds(60);
            at += Duration::from_secs(60);
        }
        assert!(noon(wall) > 2.0 * before, "{before} {}", noon(wall));
    }

    #[test]
    fn time_in_which_the_engine_did_not_run_is_not_counted() {
        let forecast = Forecast::load(None);
        forecast.note(Duration::ZERO, monday(), false);
        forecast.note(Duration::from_secs(86_400), monday() + TimeDelta::days(1), true);
        assert_eq!(forecast.lock().history.hours, vec![Hour::default(); HOURS]);
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
