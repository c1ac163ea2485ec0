//! The shell: a tray icon, a small window, and the engine as a child.
//!
//! In: what the engine says (`offpeak-link`) and what its person clicks. Out: picture, words, and orders to the engine. The
//! shell decides nothing about work; it shows, and it asks. It waits for events only, so that an idle machine stays idle.
//!
//! Everything but `app`, `joining`, `tray`, `window`, `commands` and `update` is plain values and functions and runs without a display.

pub mod app;
pub mod commands;
pub mod desk;
pub mod discover;
pub mod engine;
pub mod face;
pub mod group;
pub mod joining;
pub mod limits;
pub mod login;
pub mod notes;
pub mod preset;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod tray;
pub mod update;
pub mod window;
pub mod words;
