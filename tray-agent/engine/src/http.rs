//! One HTTP client for everything the engine sends and reads, with an optional cap on media bytes a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

/// A connection pool, and the bucket that media bytes are drawn from. Clones share both.
#[derive(Debug, Clone)]
pub struct Http {
    pub client: reqwest::Client,
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
    pub fn new(client: reqwest::Client, bytes_per_second: Option<u64>) -> Self {
        let bytes_per_second = AtomicU64::new(bytes_per_second.unwrap_or(0));
        Self { client, bucket: Arc::new(Bucket { bytes_per_second, paid_until: Mutex::new(Instant::now()) }) }
    }

    /// Another cap from now on, for all clones.
    pub fn cap(&self, bytes_per_second: Option<u64>) {
        self.bucket.bytes_per_second.store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// Waits until `bytes` of media may pass. Call it for every chunk that is read or sent.
    pub async fn pay(&self, bytes: usize) {
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
