//! What can go wrong, and what answers that are no success mean.

use std::path::PathBuf;

use offpeak_api::{job::Job, problem::Problem};
use reqwest::{Response, StatusCode};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the server address `{address}` is wrong: {reason}")]
    BadAddress { address: String, reason: String },
    /// The server answered, and refused.
    #[error("{} ({})", .0.detail, .0.code)]
    Refused(Box<Problem>),
    #[error("cannot reach the server at {server}: {reason}")]
    Unreachable { server: String, reason: String },
    /// The answer was not what the API promises: another program on that port, or another version.
    #[error("the answer of {address} makes no sense: {reason}")]
    Garbled { address: String, reason: String },
    #[error("{path}: {reason}", path = .path.display())]
    File { path: PathBuf, reason: String },
    /// The job failed or was cancelled; its `error` says why.
    #[error("{} is {}", .0.id, .0.state.as_str())]
    JobOver(Box<Job>),
}

impl Error {
    /// True when the same request can succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(problem) => {
                problem.status >= 500
                    || matches!(problem.status, 408 | 423 | 429)
                    || problem.code == "idempotency_key_in_progress"
            }
            Self::BadAddress { .. } | Self::Garbled { .. } | Self::File { .. } | Self::JobOver(_) => false,
        }
    }
}

/// The innermost reason: "Connection refused" helps more than "error sending request".
pub fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let words = cause.to_string();
    // How rustls introduces what a verifier of ours says.
    let words = words.strip_prefix("unexpected error: ").unwrap_or(&words);
    if error.is_timeout() { format!("no answer in time ({words})") } else { words.to_owned() }
}

/// Turns an answer that is not a success into an error, whoever made it.
pub async fn refusal(response: Response) -> Error {
    let status = response.status();
    let address = response.url().to_string();
    let body = response.bytes().await.unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Error::Refused(Box::new(problem)),
        Err(_) => Error::Refused(Box::new(foreign_problem(status, &address, &body))),
    }
}

/// A refusal by something that does not speak RFC 9457, such as a proxy in between.
fn foreign_problem(status: StatusCode, address: &str, body: &[u8]) -> Problem {
    let title = status.canonical_reason().unwrap_or("Refused").to_owned();
    let body = String::from_utf8_lossy(body);
    let first_line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let excerpt: String = first_line.chars().take(200).collect();
    let detail = match (excerpt.is_empty(), excerpt.starts_with('<')) {
        (false, false) => format!("{address} answered {}: {excerpt}", status.as_u16()),
        _ => format!("{address} answered {} {title}", status.as_u16()),
    };
    Problem {
        kind: "about:blank".to_owned(),
        title,
        status: status.as_u16(),
        code: format!("http_{}", status.as_u16()),
        detail,
        hint: None,
        errors: Vec::new(),
        request_id: None,
    }
}
