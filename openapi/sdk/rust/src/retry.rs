//! Another try, for what may be repeated.

use std::time::Duration;

use crate::error::Error;

const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// 128 random bits: no two things that are made have the same.
pub fn new_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Doubling pauses with jitter, so that clients cut off together do not come back together.
pub fn pause(failures: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    pause / 2 + pause.mul_f64(f64::from(rand::random::<u16>()) / f64::from(u16::MAX) / 2.0)
}

/// Repeats what failed for a passing reason.
pub async fn patiently<T>(call: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    let mut failures = 0;
    loop {
        match call().await {
            Err(error) if error.is_passing() && failures + 1 < TRIES => {
                tokio::time::sleep(pause(failures)).await;
                failures += 1;
            }
            answer => return answer,
        }
    }
}
