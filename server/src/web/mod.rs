//! The web pages, built from `web-dashboard/` and carried in the binary: the dashboard and the player page of a job;
//! and the page for logging in.
//!
//! Comes in: `/`, the dashboard's addresses, and those under `/watch/` and `/assets/`. Goes out: files of
//! `web-dashboard/dist`. The pages know nothing of the server but its public addresses, so they are the same bytes for
//! everybody and need no state; what people may see, the API decides.

mod access;
mod headers;
mod http;

pub use access::router as access_router;
pub use headers::{AnswerKind, answer_headers};
pub use http::router;

/// The built pages. Debug builds read them from disk, release builds carry them.
#[derive(rust_embed::RustEmbed)]
#[folder = "../web-dashboard/dist"]
struct Dist;
