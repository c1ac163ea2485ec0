//! Agents: how a machine joins, what it says it is doing, and what people make of it.
//!
//! In: enrolment codes, states, proofs, the words of people. Out: who is there, who may lease, what each did hour by hour. What
//! must hold: a person's word is only undone by a person; no time is counted twice.

pub mod held;
pub mod history;
pub mod http;
pub mod me;
pub mod people;
pub mod standing;
pub mod store;
pub mod wire;

use crate::error::ApiError;

/// What people may call an agent or a group.
pub fn check_name(name: &str) -> Result<&str, ApiError> {
    // As long as it was given: the API's description knows nothing of the space around it.
    let is_long = name.chars().count() > 120;
    let name = name.trim();
    if name.is_empty() || is_long || name.chars().any(char::is_control) {
        return Err(ApiError::unfit("bad_name", "`name` has 1 to 120 characters."));
    }
    Ok(name)
}
