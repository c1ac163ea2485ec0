//! Follows a job to its end. Events only wake us; what is shown is what `GET /v1/jobs/{id}` says.

use std::time::{Duration, Instant};

use offpeak_api::{ids::JobId, job::Job};

use offpeak_client::{Client, Events};

use crate::{error::CliError, view::JobView};

/// Where events do not get through (a proxy that buffers), progress still moves.
const READ_AT_LEAST_EVERY: Duration = Duration::from_secs(2);
/// Events come in bursts: one reading tells of them all.
const READ_AT_MOST_EVERY: Duration = Duration::from_millis(250);
/// A server that is restarted or moved comes back within this time; the job goes on meanwhile.
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);

/// Shows the job until it is over, through outages of the server.
pub async fn watch(client: &Client, id: &JobId, view: &mut JobView) -> Result<Job, CliError> {
    let events = Events::of(client, id);
    let mut out_of_reach: Option<Instant> = None;
    loop {
        match client.get_job(id).await.map_err(CliError::from) {
            Ok(job) => {
                if out_of_reach.take().is_some() {
                    view.note("the server is back");
                }
                view.show(&job);
                if job.state.is_over() {
                    view.end();
                    return Ok(job);
                }
            }
            Err(error) if is_passing(&error) && out_of_reach.is_none_or(|since| since.elapsed() < GIVE_UP_AFTER) => {
                if out_of_reach.is_none() {
                    out_of_reach = Some(Instant::now());
                    view.note(&format!("{error}; trying again"));
                }
            }
            Err(error) => {
                view.end();
                return Err(error);
            }
        }
        tokio::time::sleep(READ_AT_MOST_EVERY).await;
        // Either is a reason to read again.
        let _woken_or_not = tokio::time::timeout(READ_AT_LEAST_EVERY - READ_AT_MOST_EVERY, events.changed()).await;
    }
}

fn is_passing(error: &CliError) -> bool {
    match error {
        CliError::Unreachable { .. } => true,
        CliError::Refused(problem) => problem.status >= 500 || problem.status == 429,
        CliError::Usage(_)
        | CliError::Garbled { .. }
        | CliError::NotFound { .. }
        | CliError::Ambiguous { .. }
        | CliError::File { .. }
        | CliError::UploadStuck { .. }
        | CliError::UploadDiffers { .. }
        | CliError::DownloadDiffers { .. }
        | CliError::NotTaken { .. }
        | CliError::JobOver { .. }
        | CliError::Interrupted(_) => false,
    }
}
