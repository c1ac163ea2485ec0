//! From the desk to the engine: looks who is there, has the policy decide, and lets work go on, stand still or go back.
//!
//! In: readings of the machine, the office's policy, the person's wishes. Out: [`Desk`] and [`Status`] as they are to be. What
//! must hold: the first input is acted upon at once, whatever else is being asked meanwhile.

use std::{io, time::Duration};

use chrono::{Local, Utc};
use offpeak_api::lease::ReleaseReason;
use offpeak_link::Why;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    desk::{Allowed, Desk},
    forecast::Forecast,
    policy::{Inputs, Memory, Moment, Rules, look, on_the_wall},
    presence::{Clock, DelayLock, Known, LastInput, News, Power, Readings, SleepNews, Source, Sources, wake_lock::WakeLock},
    settings::Presence,
    status::{Status, Verdict},
    wishes::Wishes,
    words::duration,
};

/// How often the machine is looked at while work is in hand: what is not told at once is known so late.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// And while none is: each look wakes the machine up, and all that it could do is keep work from beginning. When work
/// comes, or may come again, the machine is looked at once more in that moment.
const LOOK_SELDOM: Duration = Duration::from_secs(15);
/// What was read so long ago says nothing of now: whoever looks is held up. Three times the longest pause between looks.
const STALE_AFTER: Duration = Duration::from_secs(45);
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
pub struct Seen(std::sync::Arc<watch::Sender<Option<Look>>>);

/// What one look found, and when it began.
#[derive(Debug, Clone)]
struct Look {
    at: Duration,
    readings: Readings,
}

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
        self.seen.put(self.clock.at(), Readings::default());
        let (reading, awake) = (read(sources, self.clone()), keep_awake(self.status.clone(), self.seen.clone()));
        tokio::join!(self.decide(news, lock), reading, awake);
    }

    /// The machine is the farm's alone. It may go to sleep all the same, and must not while it works.
    pub async fn nobody(self) {
        let ((news_out, news), lock) = (mpsc::unbounded_channel(), DelayLock::default());
        let _told_of_sleep = SleepNews::new(news_out, lock.clone());
        let awake = keep_awake(self.status.clone(), self.seen.clone());
        tokio::join!(self.decide(news, lock), awake);
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
            let (rules, now) = (Rules::of(&policy, &wishes.limits, self.quiet), moment(&self.clock));
            let machine = self.seen.with(now.at, input_at);
            let inputs = Inputs { machine: machine.as_ref(), leaving, rules: &rules, person: &wishes, engine: &engine, now };
            let (verdict, next) = look(&inputs, &memory);
            memory = next;
            let due = due(&verdict, self.seen.stale_in(now.at));
            self.act(verdict, &rules);

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

    fn act(&self, verdict: Verdict, rules: &Rules) {
        // Why, before what follows from it: whoever is told that work stands still is told the reason. Both take microseconds, and
        // come before anything that could take a while: somebody may be waiting for their machine.
        let (allowed, needed) = (verdict.allowed.clone(), verdict.needed);
        self.status.verdict(verdict);
        self.desk.set(allowed);
        if let Some(forecast) = &self.forecast {
            forecast.rules(rules);
            if forecast.note(self.clock.at(), Local::now(), needed) {
                // A busy disk takes seconds.
                let forecast = forecast.clone();
                tokio::task::spawn_blocking(move || forecast.keep());
            }
        }
    }
}

impl Seen {
    fn put(&self, at: Duration, readings: Readings) {
        self.0.send_replace(Some(Look { at, readings }));
    }

    /// The last readings; all of them unknown when they are too old.
    fn readings(&self, now: Duration) -> Option<Readings> {
        let look = self.0.borrow().clone()?;
        let is_stale = now.saturating_sub(look.at) >= STALE_AFTER;
        // The same words however old they are: whoever shows them need not be told again.
        let why = || format!("nothing was read for more than {}", duration(STALE_AFTER));
        Some(if is_stale { Readings::unknown(&why()) } else { look.readings })
    }

    /// Until the last readings are too old; nothing when they are, or where none are made.
    fn stale_in(&self, now: Duration) -> Option<Duration> {
        let at = self.0.borrow().as_ref()?.at;
        Some(STALE_AFTER.saturating_sub(now.saturating_sub(at))).filter(|left| !left.is_zero())
    }

    /// The last readings, and what was told since.
    fn with(&self, now: Duration, input_at: Option<Duration>) -> Option<Readings> {
        let mut readings = self.readings(now)?;
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
        let readings = self.readings(clock.at()).map(|readings| readings.in_words(clock.at())).unwrap_or_default();
        Why { state, reason: finding.reason, rule: finding.rule, readings }
    }
}

/// Reads, and reads again: often enough to notice the first input where the system does not tell of it.
async fn read<S: Source>(mut sources: S, watch: Watch) {
    let mut standing = watch.status.subscribe();
    loop {
        // Before the look: what changes during it is looked at again.
        let (in_hand, allowed) = (standing.borrow_and_update().engine.leases > 0, watch.desk.allowed());
        let at = watch.clock.at();
        let readings = sources.read(&watch.clock, in_hand).await;
        watch.seen.put(at, readings);
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

/// Holds the machine awake while there is work in hand, on mains only; where nobody looks for mains power, on any.
async fn keep_awake(status: Status, seen: Seen) {
    let is_on_mains = |look: &Option<Look>| look.as_ref().is_none_or(|look| look.readings.power.value == Some(Power::Mains));
    let (mut standing, mut looks, mut lock) = (status.subscribe(), seen.0.subscribe(), WakeLock::default());
    loop {
        let holds = standing.borrow_and_update().engine.leases > 0;
        let on_mains = is_on_mains(&looks.borrow_and_update());
        lock.hold(holds && on_mains).await;
        tokio::select! {
            () = until(&mut standing, |standing| (standing.engine.leases > 0) != holds) => {}
            () = until(&mut looks, |look| is_on_mains(look) != on_mains), if holds => {}
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

/// When the verdict may be another one by itself. `stale_in` is when the readings under it are worth nothing any more.
fn due(verdict: &Verdict, stale_in: Option<Duration>) -> Instant {
    let until = verdict.finding.as_ref().and_then(|finding| finding.until);
    let left = until.and_then(|until| (until - Utc::now()).to_std().ok());
    // A moment later, so that it is over then.
    let waits = left.into_iter().chain(stale_in).map(|left| left + Duration::from_millis(5));
    Instant::now() + waits.fold(DECIDE_AT_LEAST_EVERY, Duration::min)
}

/// Now, by all clocks.
pub fn moment(clock: &Clock) -> Moment {
    let wall = Local::now();
    let (day, minute) = on_the_wall(wall);
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
    let word = LastWord { desk: watch.desk.clone(), status: watch.status.clone(), stopped: CancellationToken::new() };
    on_a_thread(word, watch.start(presence))
}

fn on_a_thread(word: LastWord, watching: impl Future<Output = ()> + Send + 'static) -> io::Result<Watching> {
    let stop = word.stopped.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().thread_keep_alive(IDLE_THREADS_END_AFTER).build()?;
    let watching = move || {
        let word = word;
        runtime.block_on(async {
            tokio::select! {
                () = word.stopped.cancelled() => {}
                () = watching => {}
            }
        });
        // A display that does not answer any more is not waited for.
        runtime.shutdown_background();
    };
    std::thread::Builder::new().name("desk".to_owned()).spawn(watching)?;
    Ok(Watching { _until_dropped: stop.drop_guard() })
}

/// What holds when nobody watches any more, although nobody said that it is over: a crash.
struct LastWord {
    desk: Desk,
    status: Status,
    stopped: CancellationToken,
}

impl Drop for LastWord {
    fn drop(&mut self) {
        if !self.stopped.is_cancelled() {
            self.desk.set(Allowed::Nothing { why: ReleaseReason::Shutdown });
            self.status.unwatched();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use offpeak_api::agent::AgentState;

    use super::*;

    #[test]
    fn what_was_read_long_ago_is_not_known() {
        let (seen, seconds) = (Seen::default(), Duration::from_secs);
        assert!(seen.with(seconds(100), None).is_none() && seen.stale_in(seconds(100)).is_none());
        let input = Known::new(LastInput::At(seconds(10)), "told by a test");
        let power = Known::new(Power::Mains, "told by a test");
        seen.put(seconds(100), Readings { input, power, ..Readings::default() });
        let read = |now| seen.with(seconds(now), Some(seconds(90))).unwrap();
        assert_eq!((read(144).input.value, read(144).power.value), (Some(LastInput::At(seconds(90))), Some(Power::Mains)));
        assert_eq!((read(145).input.value, read(145).power.value), (None, None));
        assert!(read(145).input.how.contains("nothing was read for more than 45 s"), "{}", read(145).input.how);
        assert_eq!((seen.stale_in(seconds(140)), seen.stale_in(seconds(145))), (Some(seconds(5)), None));
        // Longer than the longest pause, or it would be so between two looks.
        assert!(STALE_AFTER > 2 * LOOK_SELDOM);
    }

    fn word() -> LastWord {
        LastWord { desk: Desk::default(), status: Status::default(), stopped: CancellationToken::new() }
    }

    #[tokio::test]
    async fn nothing_runs_when_nobody_watches_any_more() {
        let word = word();
        let (desk, status) = (word.desk.clone(), word.status.clone());
        let _watching = on_a_thread(word, async { panic!("a bug") }).unwrap();
        let unwatched = status.until(|standing| standing.state().0 == AgentState::Broken);
        tokio::time::timeout(Duration::from_secs(60), unwatched).await.unwrap();
        assert_eq!(desk.allowed(), Allowed::Nothing { why: ReleaseReason::Shutdown });
        assert_eq!(status.standing().engine.broken_code(), Some("desk_unwatched"));
    }

    #[tokio::test]
    async fn an_engine_that_ends_says_nothing_of_it() {
        let word = word();
        let (desk, status) = (word.desk.clone(), word.status.clone());
        let (dropped, ended) = tokio::sync::oneshot::channel::<()>();
        let watching = on_a_thread(word, async {
            let _dropped = dropped;
            std::future::pending::<()>().await;
        });
        drop(watching.unwrap());
        assert!(tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap().is_err());
        assert_eq!((desk.allowed(), status.standing().state().0), (Allowed::Work, AgentState::Waiting));
    }

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
