//! What other programs tell. They are asked beside the looks, so that one of them that takes its time holds up no look.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

/// Asking other programs wakes them up; what they tell changes rarely.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// While nothing is in hand that their answers could stop.
const ASK_SELDOM: Duration = Duration::from_secs(30);
/// A look at a machine with nothing in hand waits so long for answers, which come within milliseconds as a rule: the next
/// look is far away. Where work is in hand nothing is waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// Answers are as good as none when they are older: longer than they ever get where the next one comes.
const TOLD_FOR: Duration = Duration::from_secs(75);

/// The last answers. Their default is what holds while there are none, which has to be unknown.
#[derive(Debug)]
pub struct Asked<T> {
    told: T,
    told_at: Option<Instant>,
    asked_at: Option<Instant>,
    asking: Option<AbortOnDropHandle<T>>,
}

impl<T: Default> Default for Asked<T> {
    fn default() -> Self {
        Self { told: T::default(), told_at: None, asked_at: None, asking: None }
    }
}

impl<T: Default + Send + 'static> Asked<T> {
    /// What is known by now; asks anew when that is due.
    pub async fn look<F>(&mut self, in_hand: bool, ask: impl FnOnce() -> F) -> &T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let every = if in_hand { ASK_EVERY } else { ASK_SELDOM };
        let is_due = self.asked_at.is_none_or(|at| at.elapsed() >= every);
        if self.asking.is_none() && is_due {
            self.asked_at = Some(Instant::now());
            self.asking = Some(AbortOnDropHandle::new(tokio::spawn(ask())));
        }
        if let Some(asking) = &mut self.asking {
            let wait = if in_hand { Duration::ZERO } else { ANSWERS_WITHIN };
            if let Ok(told) = timeout(wait, asking).await {
                self.asking = None;
                self.told = told.unwrap_or_default();
                self.told_at = Some(Instant::now());
            }
        }
        if self.told_at.is_some_and(|at| at.elapsed() > TOLD_FOR) {
            self.told = T::default();
        }
        &self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after<T>(wait: Duration, told: T) -> T {
        tokio::time::sleep(wait).await;
        told
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_holds_up_no_look_while_work_is_in_hand() {
        let mut asked = Asked::default();
        let begun = Instant::now();
        let slow = || after(Duration::from_secs(20), Some("told"));
        for look in 0..100 {
            assert_eq!(*asked.look(true, slow).await, None, "look {look}");
            assert_eq!(begun.elapsed(), Duration::from_millis(200) * look);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(*asked.look(true, slow).await, Some("told"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_with_nothing_in_hand_waits_a_moment() {
        let mut asked = Asked::default();
        assert_eq!(*asked.look(false, || after(Duration::from_millis(300), Some(1))).await, Some(1));
        // Not again so soon.
        assert_eq!(*asked.look(false, || after(Duration::ZERO, Some(2))).await, Some(1));
        tokio::time::sleep(ASK_SELDOM).await;
        let begun = Instant::now();
        assert_eq!(*asked.look(false, || after(Duration::from_secs(60), Some(2))).await, Some(1));
        assert_eq!(begun.elapsed(), ANSWERS_WITHIN);
    }

    #[tokio::test(start_paused = true)]
    async fn old_answers_are_none() {
        let mut asked = Asked::default();
        assert_eq!(*asked.look(false, || async { Some(1) }).await, Some(1));
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(14)).await;
            assert_eq!(*asked.look(true, std::future::pending).await, Some(1));
        }
        tokio::time::sleep(Duration::from_secs(14)).await;
        assert_eq!(*asked.look(true, std::future::pending).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crash_is_no_answer() {
        let mut asked = Asked::default();
        assert_eq!(*asked.look(false, || async { Some(1) }).await, Some(1));
        tokio::time::sleep(ASK_SELDOM).await;
        let crash = || async { panic!("a bug") };
        assert_eq!(*asked.look(false, crash).await, None);
    }
}
