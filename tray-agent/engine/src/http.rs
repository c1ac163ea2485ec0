//! One HTTP client for everything the engine sends and reads, with an optional cap on media bytes a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::{sync::Mutex, time::Instant};

/// A connection pool, and the bucket that media bytes are drawn from. Clones share both.
#[derive(Debug, Clone)]
pub struct Http {
    pub client: reqwest::Client,
    bucket: Option<Arc<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    bytes_per_second: f64,
    /// When the bytes that were let through so far will have been paid for.
    paid_until: Mutex<Instant>,
}

impl Http {
    /// `bytes_per_second`: cap over all media in both directions, none when absent.
    pub fn new(client: reqwest::Client, bytes_per_second: Option<u64>) -> Self {
        let bucket = bytes_per_second
            .map(|rate| Arc::new(Bucket { bytes_per_second: rate as f64, paid_until: Mutex::new(Instant::now()) }));
        Self { client, bucket }
    }

    /// Waits until `bytes` of media may pass. Call it for every chunk that is read or sent.
    pub async fn pay(&self, bytes: usize) {
        let Some(bucket) = &self.bucket else { return };
        let until = {
            let mut paid_until = bucket.paid_until.lock().await;
            let start = (*paid_until).max(Instant::now());
            *paid_until = start + Duration::from_secs_f64(bytes as f64 / bucket.bytes_per_second);
            *paid_until
        };
        tokio::time::sleep_until(until).await;
    }
}
