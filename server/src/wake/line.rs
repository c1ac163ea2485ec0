//! Who waits for work, in lines: one for each set of things that an engine can do, in the order in which they came.
//!
//! News of work hands a baton to the first in each line, so that nobody who cannot do the work swallows the news. Who finds
//! work wakes two more, for there may be more of it; who finds none passes the baton on a few times, for the work may have
//! been refused to it alone. So n tasks wake all the engines they need within log n steps, and ten thousand waiting engines
//! cost one task no more than a handful of looks into the database.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

/// How many in a row may find nothing before the news counts as old. A task is refused to at most two engines, those that
/// failed it; the tick brings the news again if it went to more who could not take it.
const TRIES: u8 = 4;

/// Clones share the lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next_place: u64,
    lines: HashMap<Arc<str>, BTreeMap<u64, oneshot::Sender<Baton>>>,
}

/// News of work, and how many may still look for it in vain.
#[derive(Debug)]
struct Baton {
    tries: u8,
}

/// A place in a line. Dropped with news in its hand, it passes them on.
#[derive(Debug)]
pub struct WorkWaiter {
    lines: Lines,
    can_do: Arc<str>,
    place: u64,
    handed: oneshot::Receiver<Baton>,
    baton: Option<Baton>,
}

impl Lines {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing here can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn join(&self, can_do: &str) -> WorkWaiter {
        let mut state = self.state();
        // One copy of the name for the whole line.
        let can_do = state.lines.get_key_value(can_do).map_or_else(|| can_do.into(), |(name, _)| Arc::clone(name));
        let (place, handed) = state.line_up(&can_do);
        WorkWaiter { lines: self.clone(), can_do, place, handed, baton: None }
    }

    pub(super) fn len(&self) -> usize {
        self.state().lines.values().map(BTreeMap::len).sum()
    }

    /// Tells the first of each line.
    pub(super) fn work(&self) {
        let mut state = self.state();
        let all: Vec<Arc<str>> = state.lines.keys().cloned().collect();
        for can_do in all {
            state.hand(&can_do, Baton { tries: TRIES }, None);
        }
    }
}

impl State {
    fn line_up(&mut self, can_do: &Arc<str>) -> (u64, oneshot::Receiver<Baton>) {
        let (sender, handed) = oneshot::channel();
        let place = self.next_place;
        self.next_place += 1;
        self.lines.entry(Arc::clone(can_do)).or_default().insert(place, sender);
        (place, handed)
    }

    fn leave(&mut self, can_do: &str, place: u64) -> Option<oneshot::Sender<Baton>> {
        let line = self.lines.get_mut(can_do)?;
        let sender = line.remove(&place);
        if line.is_empty() {
            self.lines.remove(can_do);
        }
        sender
    }

    /// Hands the baton to the first in line who takes it, other than the one who had it.
    fn hand(&mut self, can_do: &str, mut baton: Baton, not_to: Option<u64>) {
        while let Some(place) = self.lines.get(can_do).and_then(|line| line.keys().find(|place| Some(**place) != not_to)).copied()
        {
            let Some(sender) = self.leave(can_do, place) else { return };
            match sender.send(baton) {
                Ok(()) => return,
                Err(refused) => baton = refused,
            }
        }
    }
}

impl WorkWaiter {
    /// Returns true when there may be work: look then, and come back here if there was none. False after `at_most`.
    pub async fn wait(&mut self, at_most: Duration) -> bool {
        if let Some(Baton { tries }) = self.baton.take()
            && tries > 1
        {
            self.lines.state().hand(&self.can_do, Baton { tries: tries - 1 }, Some(self.place));
        }
        match tokio::time::timeout(at_most, &mut self.handed).await {
            Ok(Ok(baton)) => {
                // In line again before the look, so that news during it are not missed.
                (self.place, self.handed) = self.lines.state().line_up(&self.can_do);
                self.baton = Some(baton);
                true
            }
            // The other end cannot be gone while this is in line; if it were, looking would be right.
            Ok(Err(_)) => true,
            Err(_) => false,
        }
    }

    /// There was work: let two more look.
    pub fn found(mut self) {
        if self.baton.take().is_some() {
            let mut state = self.lines.state();
            for _ in 0..2 {
                state.hand(&self.can_do, Baton { tries: TRIES }, Some(self.place));
            }
        }
    }
}

impl Drop for WorkWaiter {
    fn drop(&mut self) {
        let mut state = self.lines.state();
        state.leave(&self.can_do, self.place);
        for baton in [self.baton.take(), self.handed.try_recv().ok()].into_iter().flatten() {
            state.hand(&self.can_do, baton, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Woken already, and not only after a while.
    async fn is_woken(waiter: &mut WorkWaiter) -> bool {
        waiter.wait(Duration::ZERO).await
    }

    #[tokio::test]
    async fn the_first_of_each_line_hears_and_passes_on_what_is_not_for_it() {
        let lines = Lines::default();
        let [mut first, mut second, mut third] = ["video", "video", "video"].map(|can_do| lines.join(can_do));
        let mut sound = lines.join("sound");
        lines.work();
        assert!(is_woken(&mut first).await && is_woken(&mut sound).await);
        assert!(!is_woken(&mut second).await);
        // Nothing for the first one: by waiting again it tells so.
        assert!(!is_woken(&mut first).await);
        assert!(is_woken(&mut second).await);
        // The second one is cut off.
        drop(second);
        assert!(is_woken(&mut third).await);
        third.found();
        assert!(is_woken(&mut first).await);
    }

    #[tokio::test]
    async fn news_that_come_before_the_wait_or_during_a_look_are_not_lost() {
        let lines = Lines::default();
        let mut only = lines.join("video");
        lines.work();
        assert!(only.wait(LONG).await);
        lines.work();
        assert!(only.wait(LONG).await);
        // What nobody else can take is not handed back to who found nothing.
        assert!(!is_woken(&mut only).await);
    }

    #[tokio::test]
    async fn places_are_given_up() {
        let lines = Lines::default();
        let waiters: Vec<_> = (0..100).map(|_| lines.join("video")).collect();
        drop(waiters);
        assert!(lines.len() == 0 && lines.state().lines.is_empty());
    }

    /// As many engines wait as a large office has. Each task goes to one, after few looks.
    #[tokio::test]
    async fn ten_thousand_waiters_cost_few_looks() {
        for tasks in [1, 100] {
            let lines = Lines::default();
            let left = Arc::new(AtomicUsize::new(0));
            let looks = Arc::new(AtomicUsize::new(0));
            let mut waiting = tokio::task::JoinSet::new();
            for _ in 0..10_000 {
                let (mut waiter, left, looks) = (lines.join("video"), Arc::clone(&left), Arc::clone(&looks));
                waiting.spawn(async move {
                    while waiter.wait(LONG).await {
                        looks.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                            waiter.found();
                            return;
                        }
                    }
                });
            }
            left.store(tasks, Ordering::SeqCst);
            lines.work();
            for _ in 0..tasks {
                tokio::time::timeout(LONG, waiting.join_next()).await.expect("every task is found");
            }
            let looks = looks.load(Ordering::SeqCst);
            assert!(looks <= 10 * tasks, "{looks} looks for {tasks} tasks");
        }
    }
}
