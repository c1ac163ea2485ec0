//! For tests: tiny sources, made by the real ffmpeg.

use std::{path::Path, process::Command};

use crate::fetch::origin::program;

/// Runs ffmpeg with these words (split at blanks) in `folder`.
pub fn ffmpeg(folder: &Path, words: &str) {
    let output = Command::new(program("ffmpeg"))
        .current_dir(folder)
        .args(["-nostdin", "-hide_banner", "-v", "error", "-y"])
        .args(words.split_whitespace())
        .output()
        .expect("the bundled ffmpeg is there: `cargo xtask setup` installs it");
    assert!(output.status.success(), "ffmpeg {words}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// What a program says on its two outputs, for these words in `folder`.
pub fn says(name: &str, folder: &Path, words: &str) -> (String, String) {
    let output = Command::new(program(name))
        .current_dir(folder)
        .args(words.split_whitespace())
        .output()
        .expect("the bundled programs are there: `cargo xtask setup` installs them");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
