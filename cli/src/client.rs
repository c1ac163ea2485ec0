//! The client library, with what its errors mean on the command line, and lists that are read to their end.

use offpeak_api::{
    enrolment::Fingerprint,
    fleet::Group,
    page::PageQuery,
    profile::{ProfileEntry, ProfileList},
};
pub use offpeak_client::{Client, Error};

use crate::error::CliError;

const PER_PAGE: Option<u32> = Some(200);

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        match error {
            Error::BadAddress { .. } => Self::Usage(error.to_string()),
            Error::Refused(problem) => Self::Refused(problem),
            Error::Unreachable { server, reason } => Self::Unreachable { server, reason },
            Error::Garbled { address, reason } => Self::Garbled { address, reason },
            Error::File { path, reason } => Self::File { path, reason },
            Error::JobOver(job) => Self::JobOver { id: job.id, state: job.state, error: job.error.map(Box::new) },
        }
    }
}

/// A client of the server at that address, which shows the certificate of that fingerprint, where one is given.
pub fn of_server(url: &str, token: Option<String>, fingerprint: Option<Fingerprint>) -> Result<Client, CliError> {
    Ok(match fingerprint {
        Some(fingerprint) => Client::pinned(url, token, fingerprint)?,
        None => Client::new(url, token)?,
    })
}

/// All groups of the team.
pub async fn groups(client: &Client) -> Result<Vec<Group>, CliError> {
    let (mut groups, mut cursor) = (Vec::new(), None);
    loop {
        let page = client.list_groups(&PageQuery { cursor, limit: PER_PAGE }).await?;
        groups.extend(page.groups);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(groups);
        }
    }
}

/// All profiles that the team can use, as one list.
pub async fn profiles(client: &Client) -> Result<ProfileList, CliError> {
    let (mut profiles, mut cursor): (Vec<ProfileEntry>, _) = (Vec::new(), None);
    loop {
        let page = client.list_profiles(&PageQuery { cursor, limit: PER_PAGE }).await?;
        profiles.extend(page.profiles);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(ProfileList { profiles, next_cursor: None });
        }
    }
}
