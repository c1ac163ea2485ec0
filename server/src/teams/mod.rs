//! Teams: who owns sources and jobs, and among whom the farm is shared by weight.
//!
//! What must hold: a team is deleted only when nothing is its own any more, and the one that the farm is filed under never.

pub mod http;
pub mod store;

use crate::error::ApiError;

pub const USUAL_WEIGHT: f64 = 1.0;

pub fn not_found(id: &str) -> ApiError {
    ApiError::not_found("team_not_found", format!("There is no team {id}.")).hint("GET /v1/teams lists them.")
}

/// A share that means something beside the others': neither nothing nor everything.
pub fn check_weight(weight: f64) -> Result<f64, ApiError> {
    if (0.01..=100.0).contains(&weight) { Ok(weight) } else { Err(ApiError::unfit("bad_weight", "`weight` is 0.01 to 100.")) }
}
