//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable `code`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused. `code` is stable and meant for programs; `detail` and `hint` are for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type", default = "about_blank")]
    #[schema(example = "about:blank")]
    pub kind: String,
    /// The HTTP status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    #[schema(example = 404)]
    pub status: u16,
    /// Stable name of the problem.
    #[schema(example = "job_not_found")]
    pub code: String,
    /// What happened, in one sentence.
    #[schema(example = "There is no job job_01J8ZC5V2M0N6QW3T7RX9KPEHD.")]
    pub detail: String,
    /// What to do next, if there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Which parts of the request's body do not fit, when it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Misfit>,
    /// The `X-Request-Id` of the answer: the server's log has it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "req_01J8ZC5V2M0N6QW3T7RX9KPEHD")]
    pub request_id: Option<String>,
}

/// A part of a request's body that does not fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Misfit {
    /// Where it is: a JSON pointer (RFC 6901) in a fragment, as in RFC 9457. It may name a field that is missing, and a list as a
    /// whole for one of its entries.
    #[schema(example = "#/video/ladder")]
    pub pointer: String,
    /// What is wrong there, in one sentence.
    pub detail: String,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

/// The content type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";
