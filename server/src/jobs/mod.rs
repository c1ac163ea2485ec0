//! Jobs: one source through one profile.
//!
//! In: a request to make one, cancel, retry or delete it. Out: rows, and the job as clients see it.

pub mod eta;
pub mod figures;
pub mod http;
pub mod map;
pub mod planned;
pub mod playable;
pub mod progress;
mod states;
pub mod store;
pub mod tasks;

pub use states::JobEvent;

use offpeak_api::job::{CreateJob, JobState, Metadata};

use crate::error::ApiError;

const MOST_METADATA: usize = 32;
const LONGEST_KEY: usize = 64;
const LONGEST_VALUE: usize = 512;

/// Refuses what cannot become a job, whatever the source.
pub fn check_request(request: &CreateJob) -> Result<(), ApiError> {
    if request.priority > 9 {
        return Err(ApiError::unfit("bad_priority", "`priority` is 0 to 9, and 9 is the most urgent."));
    }
    check_metadata(&request.metadata)
}

fn check_metadata(metadata: &Metadata) -> Result<(), ApiError> {
    let fits = metadata.len() <= MOST_METADATA
        && metadata
            .iter()
            // PostgreSQL keeps no NUL in a text.
            .all(|(key, value)| {
                !key.contains('\0')
                    && !value.contains('\0')
                    && (1..=LONGEST_KEY).contains(&key.chars().count())
                    && value.chars().count() <= LONGEST_VALUE
            });
    if fits {
        return Ok(());
    }
    Err(ApiError::unfit(
        "bad_metadata",
        format!("`metadata` has at most {MOST_METADATA} entries of {LONGEST_KEY} and {LONGEST_VALUE} characters."),
    ))
}

/// The states that a comma-separated filter names.
pub fn parse_states(text: Option<&str>) -> Result<Vec<JobState>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
    text.split(',')
        .map(|name| {
            serde_json::from_value(serde_json::Value::String(name.trim().to_owned())).map_err(|_| {
                ApiError::unfit("bad_state", format!("{name:?} is no state of a job."))
                    .hint("States are queued, probing, encoding, finishing, completed, failed and cancelled.")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_a_list() {
        assert_eq!(parse_states(None).ok(), Some(vec![]));
        assert_eq!(parse_states(Some("failed, completed")).ok(), Some(vec![JobState::Failed, JobState::Completed]));
        assert_eq!(parse_states(Some("done")).expect_err("no such state").code, "bad_state");
    }
}
