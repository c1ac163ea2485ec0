//! What the player page wants to know beyond what players need: lines for the end of a multivariant playlist.

use std::fmt::Write;

/// `EXT-X-SESSION-DATA` lines (RFC 8216 §4.3.4.4), which players pass over, to go after the text of
/// [`multivariant`](super::multivariant). The other end is `web-dashboard/src/features/watch/api/playlist.ts`.
///
/// - `planned_seconds`: how long the presentation will be, until the job is completed; then nothing.
/// - `files`: addresses of the files that can be downloaded, relative to the folder of the playlists.
pub fn page_notes(planned_seconds: Option<f64>, files: &[String]) -> String {
    let mut text = String::new();
    if let Some(seconds) = planned_seconds {
        write_note(&mut text, "offpeak.planned-seconds", &format!("{seconds:.3}"));
    }
    for (number, file) in files.iter().enumerate() {
        write_note(&mut text, &format!("offpeak.file.{number}"), &quotable(file));
    }
    text
}

fn write_note(text: &mut String, id: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "#EXT-X-SESSION-DATA:DATA-ID=\"{id}\",VALUE=\"{value}\"");
}

/// A quoted string (RFC 8216 §4.2) holds neither quotes nor line ends; in an address they can be written otherwise.
fn quotable(address: &str) -> String {
    address.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_one_a_line() {
        let file = |name: &str| format!("9f3c-0/{name}");
        for (planned, files, expected) in [
            (None, vec![], ""),
            (Some(60.06), vec![], "#EXT-X-SESSION-DATA:DATA-ID=\"offpeak.planned-seconds\",VALUE=\"60.060\"\n"),
            (
                None,
                vec![file("film.mp4"), file("a \"b\"\n.mp4")],
                "#EXT-X-SESSION-DATA:DATA-ID=\"offpeak.file.0\",VALUE=\"9f3c-0/film.mp4\"\n\
                 #EXT-X-SESSION-DATA:DATA-ID=\"offpeak.file.1\",VALUE=\"9f3c-0/a %22b%22%0A.mp4\"\n",
            ),
        ] {
            assert_eq!(page_notes(planned, &files), expected);
        }
    }
}
