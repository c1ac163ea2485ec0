//! What a run tells the person in front of it, on standard error.

use std::{
    fmt::Display,
    io::IsTerminal,
    time::{Duration, Instant},
};

/// A step begins.
pub fn step(text: impl Display) {
    if std::io::stderr().is_terminal() { eprintln!("\x1b[1;36m▸\x1b[0m {text}") } else { eprintln!("▸ {text}") }
}

/// Something about the step under way.
pub fn detail(text: impl Display) {
    eprintln!("  {text}");
}

/// Says how long a step took when that was long enough to wonder.
pub fn took(since: Instant) {
    let elapsed = since.elapsed();
    if elapsed >= Duration::from_secs(2) {
        detail(format_args!("took {}", seconds(elapsed)));
    }
}

/// `4 s`, `2 min 5 s`.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}
