//! Reads what a source is: streams, times, keyframes; refuses what cannot be encoded.

#[cfg(test)]
pub(crate) mod clips;
