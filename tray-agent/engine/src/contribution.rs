//! What this machine has done for its farm, today and in all; kept in the state folder, told to the person alone.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use chrono::{Local, NaiveDate};
use offpeak_link::{Contribution, Share};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{kept, platform};

const FILE: &str = "contribution.json";

/// What a desktop processor's core draws more when it works than when it idles: 65 W for six cores, less what they take anyway.
/// Machines differ by a factor of two either way; it is an estimate, and called one.
const CORE_WATTS: f64 = 8.0;

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// Of `today`, by the clock on the wall.
    day: Option<NaiveDate>,
    contribution: Contribution,
}

/// Clones share it.
#[derive(Debug, Clone)]
pub struct Tally(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Which day it is, by the clock on the wall.
    today: fn() -> NaiveDate,
    folder: Option<PathBuf>,
    now: watch::Sender<Kept>,
    /// Processor time of all programs that have ended, when it was last looked at.
    counted: Mutex<f64>,
}

impl Tally {
    /// Goes on from what is kept in the folder; nothing is kept without one.
    pub fn load(folder: Option<PathBuf>) -> Self {
        Self::by_the_clock(folder, today)
    }

    pub(crate) fn by_the_clock(folder: Option<PathBuf>, today: fn() -> NaiveDate) -> Self {
        let kept = folder.as_deref().map(|folder| kept::read(folder, FILE)).unwrap_or_default();
        let counted = Mutex::new(platform::children_cpu_seconds());
        Self(Arc::new(Shared { today, folder, now: watch::Sender::new(kept), counted }))
    }

    /// As of now: what was done yesterday is not today's.
    pub fn get(&self) -> Contribution {
        on(*self.0.now.borrow(), (self.0.today)()).contribution
    }

    /// Ends with each lease.
    pub async fn next_lease(&self) {
        let mut now = self.0.now.subscribe();
        let leases = now.borrow_and_update().contribution.total.leases;
        let _ = now.wait_for(|kept| kept.contribution.total.leases != leases).await;
    }

    /// Finished video, each rendition counted.
    pub fn video(&self, seconds: f64) {
        self.add(Share { video_seconds: seconds, ..Share::default() });
    }

    /// A lease has ended: what its programs used is counted by now.
    pub fn lease_ended(&self) {
        let used = platform::children_cpu_seconds();
        let before = std::mem::replace(&mut *self.0.counted.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), used);
        let cpu_seconds = (used - before).max(0.0);
        self.add(Share { cpu_seconds, energy_wh: cpu_seconds * CORE_WATTS / 3600.0, leases: 1, ..Share::default() });
        if let Some(folder) = &self.0.folder
            && let Err(error) = kept::write(folder, FILE, &*self.0.now.borrow())
        {
            tracing::debug!("the contribution was not kept: {error}");
        }
    }

    fn add(&self, more: Share) {
        self.0.now.send_modify(|kept| {
            *kept = on(*kept, (self.0.today)());
            for share in [&mut kept.contribution.today, &mut kept.contribution.total] {
                share.video_seconds += more.video_seconds;
                share.cpu_seconds += more.cpu_seconds;
                share.energy_wh += more.energy_wh;
                share.leases += more.leases;
            }
        });
    }
}

fn today() -> NaiveDate {
    Local::now().date_naive()
}

fn on(kept: Kept, day: NaiveDate) -> Kept {
    if kept.day == Some(day) {
        return kept;
    }
    Kept { day: Some(day), contribution: Contribution { today: Share::default(), ..kept.contribution } }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn it_is_kept_and_yesterday_is_not_today() {
        let folder = tempfile::tempdir().unwrap();
        let tally = Tally::load(Some(folder.path().to_owned()));
        tally.video(12.0);
        tally.lease_ended();
        let again = Tally::load(Some(folder.path().to_owned())).get();
        assert_eq!((again.today.leases, again.total.video_seconds), (1, 12.0));
        let old = Kept { day: NaiveDate::from_ymd_opt(2020, 1, 1), contribution: again };
        kept::write(folder.path(), FILE, &old).unwrap();
        let later = Tally::load(Some(folder.path().to_owned())).get();
        assert_eq!((later.today, later.total.leases), (Share::default(), 1));
    }
}
