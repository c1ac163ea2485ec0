//! Everything that can end a command early, in words for the person who typed it.

use std::path::PathBuf;

use offpeak_api::{
    ids::{JobId, SourceId},
    job::{JobError, JobState},
    plain::{self, one_line},
    problem::Problem,
};

use crate::text;

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{0}")]
    Usage(String),
    /// The server answered, and refused.
    #[error("{} ({})", .0.detail, .0.code)]
    Refused(Box<Problem>),
    #[error("cannot reach the server at {server}: {reason}")]
    Unreachable { server: String, reason: String },
    /// The answer was not what the API promises: another program on that port, or another version.
    #[error("the answer of {address} makes no sense: {reason}")]
    Garbled { address: String, reason: String },
    #[error("there is no {what} {called:?}")]
    NotFound { what: &'static str, called: String, similar: Vec<String> },
    #[error("{called:?} is the name of {} agents; say which by its id", .fitting.len())]
    Ambiguous { called: String, fitting: Vec<String> },
    #[error("{path}: {reason}", path = .path.display())]
    File { path: PathBuf, reason: String },
    #[error("the upload of {path} got stuck: {reason}", path = .path.display())]
    UploadStuck { path: PathBuf, reason: String },
    #[error("the server's copy of {path} ({source_id}) is not what is on disk now", path = .path.display())]
    UploadDiffers { path: PathBuf, source_id: SourceId },
    #[error("{file} came broken: its SHA-256 is {got}, the server says {wanted}")]
    DownloadDiffers { file: String, got: String, wanted: String },
    #[error("{id} {}", over_as(*.state))]
    JobOver { id: JobId, state: JobState, error: Option<Box<JobError>> },
    /// A test message, by the receiver of a webhook.
    #[error("the message was not taken: {reason}")]
    NotTaken { reason: String },
    /// Ctrl-C. What goes on without us, and how to look at it again.
    #[error("{0}")]
    Interrupted(String),
}

fn over_as(state: JobState) -> &'static str {
    match state {
        JobState::Failed => "failed",
        JobState::Cancelled => "was cancelled",
        JobState::Queued | JobState::Probing | JobState::Encoding | JobState::Finishing | JobState::Completed => "is not over",
    }
}

impl CliError {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            // What a shell makes of a program ended by Ctrl-C.
            Self::Interrupted(_) => 130,
            Self::Refused(_)
            | Self::Unreachable { .. }
            | Self::Garbled { .. }
            | Self::NotFound { .. }
            | Self::Ambiguous { .. }
            | Self::File { .. }
            | Self::UploadStuck { .. }
            | Self::UploadDiffers { .. }
            | Self::DownloadDiffers { .. }
            | Self::NotTaken { .. }
            | Self::JobOver { .. } => 1,
        }
    }

    /// What to do about it, where there is something to do.
    fn hint(&self) -> Option<String> {
        match self {
            // The server's own hint is for programs.
            Self::Refused(problem) if problem.code == "unknown_profile" => Some("`offpeak profiles` lists them".to_owned()),
            Self::Refused(problem) if problem.hint.is_some() => problem.hint.clone(),
            Self::Refused(problem) if problem.status == 401 => {
                Some("set OFFPEAK_TOKEN to a token made by `offpeak-server token create --name NAME`".to_owned())
            }
            Self::Unreachable { .. } => Some("is it running, and is OFFPEAK_URL right? `make demo` starts one here".to_owned()),
            Self::Garbled { .. } => Some("check that OFFPEAK_URL names an Offpeak server of the same version".to_owned()),
            Self::UploadStuck { .. } => Some("the same command goes on where it stopped".to_owned()),
            Self::UploadDiffers { .. } => {
                Some("the file was probably written to during the upload; when it is finished, submit it again".to_owned())
            }
            Self::DownloadDiffers { .. } => Some("the broken part was deleted; download it again".to_owned()),
            Self::JobOver { id, state: JobState::Failed, .. } => {
                Some(format!("when the cause is gone, `offpeak retry {id}` goes on with what was done already"))
            }
            Self::NotTaken { .. } => Some("the receiver must answer 2xx within 15 s; docs/webhooks.md shows how".to_owned()),
            Self::NotFound { what: "agent", similar, .. } if similar.is_empty() => Some("`offpeak agents` lists them".to_owned()),
            Self::NotFound { .. } => Some("these exist; give the whole name or the id".to_owned()),
            Self::Ambiguous { .. }
            | Self::Usage(_)
            | Self::Refused(_)
            | Self::File { .. }
            | Self::JobOver { .. }
            | Self::Interrupted(_) => None,
        }
    }

    /// Writes the error to standard error. Much of it is what others said, and a terminal only shows it.
    pub fn report(&self) {
        if let Self::Interrupted(message) = self {
            eprintln!("{message}");
            return;
        }
        eprintln!("error: {}", plain::lines(&self.to_string()));
        if let Self::JobOver { error: Some(error), .. } = self {
            eprintln!("  {}", one_line(&format!("{} ({})", error.message, error.code)));
            text::error_details(error).iter().for_each(|line| eprintln!("    {}", one_line(line)));
        }
        if let Self::Ambiguous { fitting: lines, .. } | Self::NotFound { similar: lines, .. } = self {
            lines.iter().for_each(|line| eprintln!("  {}", one_line(line)));
        }
        if let Some(hint) = self.hint() {
            eprintln!("hint: {}", one_line(&hint));
        }
    }
}
