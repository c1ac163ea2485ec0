//! The requests of an upload, sorted by what to do when one fails.

use std::{ops::Range, path::Path};

use offpeak_api::ids::SourceId;
use offpeak_client::{Client, Error};

use crate::{error::CliError, view::UploadView};

/// Why a request did not do what it should.
#[derive(Debug)]
pub enum Failure {
    /// Worth another try: the network, or a server that is busy or restarting.
    Passing(String),
    /// The server does not know this upload any more.
    Gone,
    Refused(CliError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(problem) => match problem.status {
                404 | 410 => Self::Gone,
                // Another request of ours is still being written, or our idea of the offset is behind.
                409 | 423 => Self::Passing(problem.detail),
                408 | 429 => Self::Passing(problem.detail),
                // Another try would not make room.
                501 | 507 => Self::Refused(CliError::Refused(problem)),
                500.. => Self::Passing(problem.detail),
                _ => Self::Refused(CliError::Refused(problem)),
            },
            Error::Unreachable { reason, .. } => Self::Passing(reason),
            other => Self::Refused(other.into()),
        }
    }
}

#[derive(Debug)]
pub struct Tus {
    client: Client,
}

impl Tus {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Creates an empty upload of a known length.
    pub async fn create(&self, bytes: u64, filename: &str) -> Result<SourceId, CliError> {
        Ok(self.client.begin_upload(bytes, filename).await?)
    }

    /// How many bytes the server has.
    pub async fn offset(&self, id: &SourceId, bytes: u64) -> Result<u64, Failure> {
        // Not what we began: better another upload than a mixture.
        self.client.upload_offset(id, bytes).await?.ok_or(Failure::Gone)
    }

    /// Sends `range` of the file; the answer is how many bytes the server has now.
    pub async fn append(&self, id: &SourceId, path: &Path, range: Range<u64>, view: &UploadView) -> Result<u64, Failure> {
        let bar = view.clone();
        Ok(self.client.append_upload(id, path, range, move |sent| bar.sent(sent)).await?)
    }
}
