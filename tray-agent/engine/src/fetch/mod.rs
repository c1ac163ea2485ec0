//! Streams an address into storage.

#[cfg(test)]
pub(crate) mod origin;
