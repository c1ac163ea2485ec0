//! What the player page wants to know beyond what players need: lines at the end of the multivariant playlist.

use std::fmt;

/// Written as `EXT-X-SESSION-DATA` lines (RFC 8216 §4.3.4.4), which players pass over. The other end is
/// `web-dashboard/src/features/watch/api/playlist.ts`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageNotes {
    /// How long the presentation will be, until the job is completed.
    pub planned_seconds: Option<f64>,
    /// Files that can be downloaded, relative to the folder of the playlists.
    pub files: Vec<String>,
}

impl fmt::Display for PageNotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seconds) = self.planned_seconds {
            write_note(f, "offpeak.planned-seconds", &format!("{seconds:.3}"))?;
        }
        self.files.iter().enumerate().try_for_each(|(n, file)| write_note(f, &format!("offpeak.file.{n}"), &quotable(file)))
    }
}

fn write_note(f: &mut fmt::Formatter<'_>, id: &str, value: &str) -> fmt::Result {
    writeln!(f, "#EXT-X-SESSION-DATA:DATA-ID=\"{id}\",VALUE=\"{value}\"")
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
        for (planned_seconds, files, expected) in [
            (None, vec![], ""),
            (Some(60.06), vec![], "#EXT-X-SESSION-DATA:DATA-ID=\"offpeak.planned-seconds\",VALUE=\"60.060\"\n"),
            (
                None,
                vec![file("film.mp4"), file("a \"b\"\n.mp4")],
                "#EXT-X-SESSION-DATA:DATA-ID=\"offpeak.file.0\",VALUE=\"9f3c-0/film.mp4\"\n\
                 #EXT-X-SESSION-DATA:DATA-ID=\"offpeak.file.1\",VALUE=\"9f3c-0/a %22b%22%0A.mp4\"\n",
            ),
        ] {
            assert_eq!(PageNotes { planned_seconds, files }.to_string(), expected);
        }
    }
}
