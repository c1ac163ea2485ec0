//! Agents: how a machine joins, what it says it is doing, and what people make of it.
//!
//! In: enrolment codes, states, proofs, the words of people. Out: who is there, who may lease, what each did hour by hour. What
//! must hold: a person's word is only undone by a person; no time is counted twice.

pub mod held;
pub mod history;
pub mod http;
pub mod me;
pub mod people;
pub mod standing;
pub mod store;
pub mod wire;

use offpeak_api::plain;

use crate::error::ApiError;

/// What people may call an agent or a group: what looks like another's name, or like none, would be taken for it.
pub fn check_name(name: &str) -> Result<&str, ApiError> {
    // As long as it was given: the API's description knows nothing of the space around it.
    let is_long = name.chars().count() > 120;
    let name = name.trim();
    if let Some(hidden) = plain::hidden_in(name) {
        let detail = format!("`name` holds a character that nobody sees: U+{:04X}.", u32::from(hidden));
        return Err(ApiError::unfit("bad_name", detail).hint("Type the name anew, on one line."));
    }
    if is_long || !plain::is_visible(name) {
        return Err(ApiError::unfit("bad_name", "`name` has 1 to 120 characters, and something to see among them."));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_look_like() {
        for name in ["desk-1", "Büro 3 (links)", "डेस्क", "می\u{200c}روم", "👩\u{200d}💻", " padded "] {
            assert_eq!(check_name(name), Ok(name.trim()));
        }
        let long = "x".repeat(121);
        let bad =
            ["", "  ", "a\nb", "desk\u{200b}-1", "desk\u{202e}-1", "a\u{2028}b", "\u{feff}desk", "\u{3164}", "\u{301}", &long];
        for name in bad {
            assert_eq!(check_name(name).expect_err("nobody can tell it from another").code, "bad_name", "{name:?}");
        }
        assert!(check_name("desk\u{200b}1").expect_err("it looks like desk1").detail.contains("U+200B"));
    }
}
