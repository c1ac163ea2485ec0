//! Ctrl-C, SIGTERM and SIGHUP, as a question that waiting loops ask.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static LISTENING: OnceLock<()> = OnceLock::new();

/// How often waiting loops look: a person does not notice, and it costs nothing.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// From now on an interrupt only sets a flag, so that children can be ended in order.
pub fn listen() -> Result<()> {
    if LISTENING.set(()).is_ok() {
        ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst)).context("cannot listen for Ctrl-C")?;
    }
    Ok(())
}

pub fn happened() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
