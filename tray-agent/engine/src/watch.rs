//! From the desk to the engine: looks who is there, has the policy decide, and lets work go on, stand still or go back.
//!
//! In: readings of the machine, the office's policy, the person's wishes. Out: [`Desk`] and [`Status`] as they are to be. What
//! must hold: the first input is acted upon at once, whatever else is being asked meanwhile.

use std::{io, time::Duration};

use chrono::{Datelike, Local, Timelike, Utc};
use offpeak_api::{agent::AgentState, policy::Weekday};
use offpeak_link::Why;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    desk::{Allowed, Desk},
    forecast::Forecast,
    policy::{Inputs, Memory, Moment, Rules, look},
    presence::{Clock, DelayLock, Known, LastInput, Leaving, News, Power, Readings, Source, Sources, wake_lock::WakeLock},
    settings::Presence,
    status::{Status, Verdict},
    wishes::Wishes,
};

/// How often the machine is looked at while work is in hand: what is not told at once is known so late.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// And while none is: each look wakes the machine up, and all that it could do is keep work from beginning. When work
/// comes, or may come again, the machine is looked at once more in that moment.
const LOOK_SELDOM: Duration = Duration::from_secs(15);
/// Longer than the pauses between looks, which would otherwise start a thread each for what may block.
const IDLE_THREADS_END_AFTER: Duration = Duration::from_secs(60);
/// Schedules change by the minute; nothing else depends on time alone without saying when.
const DECIDE_AT_LEAST_EVERY: Duration = Duration::from_secs(20);
/// logind waits five seconds for us; what is not back by then is found by the server.
const HAND_BACK_LIMIT: Duration = Duration::from_secs(4);

/// What the watch needs.
#[derive(Debug, Clone)]
pub struct Watch {
    pub status: Status,
    pub desk: Desk,
    pub wishes: Wishes,
    pub clock: Clock,
    /// Learns who is there when; nothing is learnt where nobody is looked for.
    pub forecast: Option<Forecast>,
    /// Both waits, in tests.
    pub quiet: Option<Duration>,
    /// The last readings, for whoever asks why.
    pub seen: Seen,
}

/// What was last read; nothing where no desk is watched.
#[derive(Debug, Clone)]
pub struct Seen(std::sync::Arc<watch::Sender<Option<Readings>>>);

impl Default for Seen {
    fn default() -> Self {
        Self(std::sync::Arc::new(watch::Sender::new(None)))
    }
}

impl Watch {
    async fn start(self, presence: Presence) {
        match presence {
            Presence::None => self.nobody().await,
            Presence::Auto => {
                let ((news_out, news), lock) = (mpsc::unbounded_channel(), DelayLock::default());
                let sources = Sources::new(news_out, lock.clone());
                self.desk(sources, news, lock).await;
            }
        }
    }

    /// Watches a desk with these sources for as long as it is polled.
    pub async fn desk<S: Source + Send + 'static>(self, sources: S, news: mpsc::UnboundedReceiver<News>, lock: DelayLock) {
        self.seen.0.send_replace(Some(Readings::default()));
        let (reading, awake) = (read(sources, self.clone()), keep_awake(self.status.clone(), self.seen.clone()));
        tokio::join!(self.decide(news, lock), reading, awake);
    }

    /// The machine is the farm's alone.
    pub async fn nobody(self) {
        let (_news_out, news) = mpsc::unbounded_channel();
        self.decide(news, DelayLock::default()).await;
    }

    async fn decide(self, mut news: mpsc::UnboundedReceiver<News>, lock: DelayLock) {
        let (mut seen, mut standing, mut person) = (self.seen.0.subscribe(), self.status.subscribe(), self.wishes.subscribe());
        let (mut memory, mut input_at, mut leaving) = (Memory::default(), None, None);
        loop {
            seen.borrow_and_update();
            let (engine, policy) = {
                let standing = standing.borrow_and_update();
                (standing.engine.clone(), standing.policy.clone())
            };
            let wishes = person.borrow_and_update().clone();
            let machine = self.seen.with(input_at, leaving);
            let (rules, now) = (Rules::of(&policy, &wishes.limits, self.quiet), moment(&self.clock));
            let inputs = Inputs { machine: machine.as_ref(), rules: &rules, person: &wishes, engine: &engine, now };
            let (verdict, next) = look(&inputs, &memory);
            memory = next;
            let due = due(&verdict);
            self.act(verdict);

            let is_other = |standing: &crate::status::Standing| standing.engine != engine || standing.policy != policy;
            tokio::select! {
                biased;
                Some(told) = news.recv() => match told {
                    News::Input => input_at = Some(self.clock.at()),
                    News::Leaving(now) => {
                        leaving = now;
                        if now.is_some() {
                            tokio::spawn(hand_back(self.status.clone(), lock.clone()));
                        }
                    }
                },
                _ = seen.changed() => {}
                () = until(&mut standing, is_other) => {}
                _ = person.changed() => {}
                () = sleep_until(due) => {}
            }
        }
    }

    fn act(&self, verdict: Verdict) {
        if let Some(forecast) = &self.forecast {
            forecast.note(self.clock.at(), Local::now(), is_needed(&verdict));
        }
        self.desk.set(verdict.allowed.clone());
        self.status.verdict(verdict);
    }
}

impl Seen {
    pub fn readings(&self) -> Option<Readings> {
        self.0.borrow().clone()
    }

    /// The last readings, and what was told since.
    fn with(&self, input_at: Option<Duration>, leaving: Option<Leaving>) -> Option<Readings> {
        let mut readings = self.readings()?;
        readings.leaving = leaving;
        if let Some(told) = input_at {
            let is_newer = match readings.input.value {
                Some(LastInput::At(read)) => told > read,
                Some(LastInput::Nobody) | None => true,
            };
            // What is unknown stays so: a told input says nothing of other places.
            if is_newer && readings.input.value.is_some() {
                readings.input = Known::new(LastInput::At(told), readings.input.how);
            }
        }
        Some(readings)
    }

    /// All that is known, and what follows.
    pub fn why(&self, status: &Status, clock: &Clock) -> Why {
        let (state, finding) = status.standing().state();
        let readings = self.readings().map(|readings| readings.in_words(clock.at())).unwrap_or_default();
        Why { state, reason: finding.reason, rule: finding.rule, readings }
    }
}

/// Reads, and reads again: often enough to notice the first input where the system does not tell of it.
async fn read<S: Source>(mut sources: S, watch: Watch) {
    let mut standing = watch.status.subscribe();
    loop {
        // Before the look: what changes during it is looked at again.
        let (in_hand, allowed) = (standing.borrow_and_update().engine.leases > 0, watch.desk.allowed());
        let readings = sources.read(&watch.clock, in_hand).await;
        watch.seen.0.send_replace(Some(readings));
        let every = look_every(in_hand, &allowed, sources.look_every_working(), watch.quiet);
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = until(&mut standing, |standing| (standing.engine.leases > 0) != in_hand) => {}
            _ = watch.desk.changed(&allowed) => {}
        }
    }
}

/// Until the next look, where nothing happens before. Tests with little quiet look more often, so that it is not over before
/// anybody has looked.
fn look_every(in_hand: bool, allowed: &Allowed, working: Duration, quiet: Option<Duration>) -> Duration {
    let every = match (in_hand, allowed) {
        (true, Allowed::Work) => working.min(LOOK_EVERY),
        (true, Allowed::Suspended { .. } | Allowed::Nothing { .. }) => LOOK_EVERY,
        (false, Allowed::Work | Allowed::Suspended { .. } | Allowed::Nothing { .. }) => LOOK_SELDOM,
    };
    quiet.map_or(every, |quiet| every.min(quiet / 4))
}

/// Holds the machine awake while there is work in hand, on mains only.
async fn keep_awake(status: Status, seen: Seen) {
    let (mut standing, mut readings, mut lock) = (status.subscribe(), seen.0.subscribe(), WakeLock::default());
    loop {
        let holds = standing.borrow_and_update().engine.leases > 0;
        let on_mains = readings.borrow_and_update().as_ref().is_some_and(|readings| readings.power.value == Some(Power::Mains));
        lock.hold(holds && on_mains).await;
        let on_mains_now =
            |readings: &Option<Readings>| readings.as_ref().is_some_and(|readings| readings.power.value == Some(Power::Mains));
        tokio::select! {
            () = until(&mut standing, |standing| (standing.engine.leases > 0) != holds) => {}
            () = until(&mut readings, |readings| on_mains_now(readings) != on_mains), if holds => {}
        }
    }
}

/// Waits until what is watched is so; for ever, when it can change no more.
async fn until<T>(watched: &mut watch::Receiver<T>, is_so: impl FnMut(&T) -> bool) {
    if watched.wait_for(is_so).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Lets the machine go when nothing is held any more.
async fn hand_back(status: Status, lock: DelayLock) {
    let empty = status.until(|standing| standing.engine.leases == 0);
    if tokio::time::timeout(HAND_BACK_LIMIT, empty).await.is_err() {
        tracing::warn!("not everything could be handed back before the machine stops; the rest runs out by itself");
    }
    lock.release();
}

/// Whether somebody, or somebody's program, has the machine now.
fn is_needed(verdict: &Verdict) -> bool {
    verdict.finding.as_ref().is_some_and(|finding| match finding.state {
        AgentState::Presenting
        | AgentState::UserActive
        | AgentState::OnBattery
        | AgentState::Metered
        | AgentState::BusyCpu
        | AgentState::BusyMemory
        | AgentState::Suspended => true,
        // Those say nothing of who is there.
        AgentState::Broken
        | AgentState::Revoked
        | AgentState::SetAside
        | AgentState::Updating
        | AgentState::Paused
        | AgentState::Snoozed
        | AgentState::Draining
        | AgentState::OffSchedule
        | AgentState::NoServer
        | AgentState::Encoding
        | AgentState::Leasing
        | AgentState::Waiting
        | AgentState::Offline => false,
    })
}

/// When the verdict may be another one by itself.
fn due(verdict: &Verdict) -> Instant {
    let until = verdict.finding.as_ref().and_then(|finding| finding.until);
    let left = until.and_then(|until| (until - Utc::now()).to_std().ok());
    // A moment later, so that it is over then.
    let wait = left.map_or(DECIDE_AT_LEAST_EVERY, |left| (left + Duration::from_millis(5)).min(DECIDE_AT_LEAST_EVERY));
    Instant::now() + wait
}

/// Now, by all clocks.
pub fn moment(clock: &Clock) -> Moment {
    let wall = Local::now();
    let day = match wall.weekday() {
        chrono::Weekday::Mon => Weekday::Mon,
        chrono::Weekday::Tue => Weekday::Tue,
        chrono::Weekday::Wed => Weekday::Wed,
        chrono::Weekday::Thu => Weekday::Thu,
        chrono::Weekday::Fri => Weekday::Fri,
        chrono::Weekday::Sat => Weekday::Sat,
        chrono::Weekday::Sun => Weekday::Sun,
    };
    let minute = u16::try_from(wall.hour() * 60 + wall.minute()).unwrap_or(0);
    Moment { at: clock.at(), utc: wall.to_utc(), day, minute }
}

/// Somebody watches until this is dropped.
#[derive(Debug)]
pub struct Watching {
    _until_dropped: DropGuard,
}

/// Starts watching as the settings have it, on a thread of its own: nothing that work does keeps the desk waiting, and while
/// there is no work a look wakes no other thread.
///
/// # Errors
/// When the system gives no thread.
pub fn start(watch: Watch, presence: Presence) -> io::Result<Watching> {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().thread_keep_alive(IDLE_THREADS_END_AFTER).build()?;
    let watching = move || {
        runtime.block_on(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = watch.start(presence) => {}
            }
        });
        // A display that does not answer any more is not waited for.
        runtime.shutdown_background();
    };
    std::thread::Builder::new().name("desk".to_owned()).spawn(watching)?;
    Ok(Watching { _until_dropped: stop.drop_guard() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_rare_while_nothing_is_in_hand() {
        let (work, still) = (Allowed::Work, Allowed::Suspended { reason: "the mouse moved".to_owned() });
        let (told, asked) = (Duration::from_secs(1), Duration::from_millis(200));
        let second = Some(Duration::from_secs(1));
        for (in_hand, allowed, working, quiet, millis) in [
            (false, &work, told, None, 15_000),
            (false, &still, asked, None, 15_000),
            (true, &work, told, None, 1000),
            (true, &work, asked, None, 200),
            (true, &still, asked, None, 2000),
            (false, &still, told, second, 250),
            (true, &work, asked, second, 200),
        ] {
            let every = look_every(in_hand, allowed, working, quiet);
            assert_eq!(every, Duration::from_millis(millis), "{in_hand} {allowed:?} {working:?} {quiet:?}");
        }
    }
}
