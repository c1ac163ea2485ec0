//! What the tray app promises, on a real display (Xvfb) with a real panel (trayer) and real clicks (xdotool); the engine is a
//! stand-in that speaks as the real one does. With the real one: `tests/tray.rs` of the whole.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod dies_with_its_shell;
mod engine_is_looked_after;
mod one_shell_only;
mod package;
mod person_snoozes;
mod preset_joins;
mod stand_in;
mod window_opens;
