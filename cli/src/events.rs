//! The job's server-sent events, used only as a hint that something changed.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use offpeak_api::ids::JobId;
use tokio::{sync::Notify, task::JoinHandle};

use crate::client::Client;

/// Reading the job every two seconds carries on meanwhile, so there is no hurry.
const RECONNECT_AFTER: Duration = Duration::from_secs(3);

/// Listens until dropped.
#[derive(Debug)]
pub struct Events {
    changed: Arc<Notify>,
    listener: JoinHandle<()>,
}

impl Events {
    pub fn of(client: &Client, id: &JobId) -> Self {
        let changed = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(client.clone(), id.clone(), changed.clone()));
        Self { changed, listener }
    }

    /// Returns when something has happened since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(client: Client, id: JobId, changed: Arc<Notify>) {
    loop {
        if let Ok(response) = client.events(&id).await {
            let mut chunks = response.bytes_stream();
            let mut at_line_start = true;
            while let Some(Ok(chunk)) = chunks.next().await {
                if has_event(&chunk, &mut at_line_start) {
                    changed.notify_one();
                }
            }
        }
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}

/// Whether a line begins in here that is not a comment (`:`, sent to keep connections open) and not empty.
fn has_event(chunk: &[u8], at_line_start: &mut bool) -> bool {
    let mut found = false;
    for byte in chunk {
        found |= *at_line_start && !matches!(byte, b':' | b'\n' | b'\r');
        *at_line_start = matches!(byte, b'\n' | b'\r');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_events() {
        for (chunks, wanted) in [
            (vec![&b"event: x\ndata: {}\n\n"[..]], vec![true]),
            (vec![b": keep-alive\n\n"], vec![false]),
            (vec![b": keep", b"-alive\n", b"\n"], vec![false, false, false]),
            (vec![b"\n", b"id: 4\n"], vec![false, true]),
        ] {
            let mut at_line_start = true;
            let got: Vec<bool> = chunks.iter().map(|chunk| has_event(chunk, &mut at_line_start)).collect();
            assert_eq!(got, wanted, "{chunks:?}");
        }
    }
}
