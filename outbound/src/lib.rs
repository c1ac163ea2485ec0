//! Calls to addresses that strangers name: sources by URL, which engines fetch, and webhooks, which the server sends.
//!
//! Both stand inside an office's network, where a stranger's address must not lead. In: an address, and the office's own list
//! of exceptions. Out: an answer from a public address, or the reason why there is none. What must hold: a connection is made
//! to the very address that was checked, at every redirect anew.

mod address;
mod allow;
mod client;
mod refused;
#[cfg(test)]
mod tests;

pub use address::{Place, place_of};
pub use allow::{AllowList, BadEntry};
pub use client::{Client, Failed, Limits, Lookup, SystemLookup, check_url};
pub use refused::Refused;
