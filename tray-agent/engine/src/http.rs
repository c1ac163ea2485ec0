//! One HTTP client for everything the engine sends and reads, with an optional cap on media bytes a second.
//!
//! What must hold: while work stands still, no media is moved. Whoever moves it pays for every chunk, and is let go on only
//! when the person at the desk is away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use crate::desk::Desk;

/// A connection pool, and the bucket that media bytes are drawn from. Clones share both.
#[derive(Debug, Clone)]
pub struct Http {
    pub client: reqwest::Client,
    pub desk: Desk,
    bucket: Arc<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// No cap when 0. It may change at any time.
    bytes_per_second: AtomicU64,
    /// When the bytes that were let through so far will have been paid for.
    paid_until: Mutex<Instant>,
}

impl Http {
    /// `bytes_per_second`: cap over all media in both directions, none when absent.
    pub fn new(client: reqwest::Client, bytes_per_second: Option<u64>, desk: Desk) -> Self {
        let bytes_per_second = AtomicU64::new(bytes_per_second.unwrap_or(0));
        Self { client, desk, bucket: Arc::new(Bucket { bytes_per_second, paid_until: Mutex::new(Instant::now()) }) }
    }

    /// Another cap from now on, for all clones.
    pub fn cap(&self, bytes_per_second: Option<u64>) {
        self.bucket.bytes_per_second.store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// Waits until `bytes` of media may pass, and while work stands still. Call it for every chunk that is read or sent.
    pub async fn pay(&self, bytes: usize) {
        self.desk.until_work().await;
        self.pay_for_begun(bytes).await;
        // Somebody may have come meanwhile.
        self.desk.until_work().await;
    }

    /// As [`Self::pay`], of a request that has begun and is short: it is let end, whoever has come.
    pub async fn pay_for_begun(&self, bytes: usize) {
        let rate = self.bucket.bytes_per_second.load(Ordering::Relaxed);
        if rate == 0 {
            return;
        }
        let until = {
            let mut paid_until = self.bucket.paid_until.lock().await;
            let start = (*paid_until).max(Instant::now());
            *paid_until = start + Duration::from_secs_f64(bytes as f64 / rate as f64);
            *paid_until
        };
        tokio::time::sleep_until(until).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Allowed;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_moved_while_work_stands_still() {
        let desk = Desk::default();
        let http = Http::new(reqwest::Client::new(), Some(1000), desk.clone());
        let hour = Duration::from_secs(3600);
        let begun = Instant::now();
        http.pay(1000).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(1), "the rate holds");
        let stands_still = Allowed::Suspended { reason: "somebody types".to_owned() };
        desk.set(stands_still.clone());
        assert!(tokio::time::timeout(hour, http.pay(1)).await.is_err());
        http.pay_for_begun(1).await;
        desk.set(Allowed::Work);
        // Whoever comes while a share of the bandwidth is waited for is not overlooked.
        let paid = tokio::time::timeout(hour, http.pay(10_000));
        let comes = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            desk.set(stands_still);
        };
        assert!(tokio::join!(paid, comes).0.is_err());
        desk.set(Allowed::Work);
        http.pay(1).await;
    }
}
