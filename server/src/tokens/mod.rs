//! Tokens of programs, and the codes with which machines enrol.
//!
//! In: who may make them, what for, for how long. Out: a secret, told once; afterwards only what it is good for. What must hold:
//! nobody gives away more than they have, and what is revoked is good for nothing from the next request on.

pub mod codes;
pub mod http;
pub mod link;
pub mod store;

use offpeak_api::access::Scope;

use crate::{
    auth::{TeamAuth, scopes::Scopes},
    error::ApiError,
};

/// More are a program that makes them in a loop.
pub const MOST_TOKENS: u64 = 200;
pub const MOST_CODES: u64 = 200;

const DAY_SECONDS: u64 = 24 * 3600;

/// The scopes of a new token: some, and none that its maker lacks.
pub fn grantable(auth: &TeamAuth, asked: &[Scope]) -> Result<Scopes, ApiError> {
    if asked.is_empty() {
        return Err(ApiError::unfit("bad_scopes", "`scopes` names at least one."));
    }
    for scope in asked {
        auth.scopes.need(std::slice::from_ref(scope))?;
    }
    Ok(asked.iter().copied().collect())
}

/// A number in its range, or what it is when absent.
fn within(name: &str, given: Option<u32>, usual: u32, most: u32) -> Result<u32, ApiError> {
    let value = given.unwrap_or(usual);
    if (1..=most).contains(&value) { Ok(value) } else { Err(ApiError::unfit("bad_request", format!("`{name}` is 1 to {most}."))) }
}
