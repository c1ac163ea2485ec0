//! Boxes of ISO base media (ISO/IEC 14496-12): what init segments and fragments say of themselves.
//!
//! Shared by the engine, which cuts and counts what ffmpeg writes, and the server, which looks whether agents sent what they
//! said. What must hold: whatever the bytes are, nothing here panics, loops, or takes memory by what they claim instead of by
//! how many there are.

pub mod boxes;
mod fragment;
mod init;
mod moof;
mod segment;
mod splitter;

pub use boxes::BadMedia;
pub use fragment::Fragment;
pub use init::{InitHeader, TrackInit, parse_init};
pub use moof::{Defaults, MoofHead, parse_moof};
pub use segment::{Step, Walk};
pub use splitter::{Part, Splitter};
