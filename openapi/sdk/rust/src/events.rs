//! A job's server-sent events, used as a hint that something changed, and following a job by it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use offpeak_api::{
    ids::JobId,
    job::{Job, JobState},
};
use reqwest::{Method, Response, header};
use tokio::{sync::Notify, task::JoinHandle};

use crate::{calls::Client, error::Error, retry};

/// Reading the job carries on meanwhile, so there is no hurry.
const RECONNECT_AFTER: Duration = Duration::from_secs(3);
/// Where events do not get through, such as behind a proxy that buffers, progress still moves.
const READ_AT_LEAST_EVERY: Duration = Duration::from_secs(5);
/// Events come in bursts: one reading tells of them all.
const READ_AT_MOST_EVERY: Duration = Duration::from_millis(250);
/// A server that is restarted or moved comes back within this time; the job goes on meanwhile.
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);

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

impl Client {
    /// Opens the job's stream of events; it stays open for as long as the job runs.
    pub async fn events(&self, id: &JobId) -> Result<Response, Error> {
        let url = self.resolve(&format!("/v1/jobs/{id}/events"))?;
        self.send(self.request(Method::GET, url).header(header::ACCEPT, "text/event-stream")).await
    }

    /// Follows a job until it is completed, through outages of the server. Events only wake; what counts is what reading the
    /// job says.
    pub async fn wait(&self, id: &JobId, mut progress: impl FnMut(&Job)) -> Result<Job, Error> {
        let events = Events::of(self, id);
        let (mut out_of_reach, mut failures): (Option<Instant>, u32) = (None, 0);
        loop {
            match self.get_job(id).await {
                Ok(job) => {
                    (out_of_reach, failures) = (None, 0);
                    progress(&job);
                    match job.state {
                        JobState::Completed => return Ok(job),
                        JobState::Failed | JobState::Cancelled => return Err(Error::JobOver(Box::new(job))),
                        JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing => {}
                    }
                    tokio::time::sleep(READ_AT_MOST_EVERY).await;
                    // Either is a reason to read again.
                    let _woken_or_not = tokio::time::timeout(READ_AT_LEAST_EVERY, events.changed()).await;
                }
                Err(error) => {
                    let since = *out_of_reach.get_or_insert_with(Instant::now);
                    if !error.is_passing() || since.elapsed() > GIVE_UP_AFTER {
                        return Err(error);
                    }
                    tokio::time::sleep(retry::pause(failures)).await;
                    failures += 1;
                }
            }
        }
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
