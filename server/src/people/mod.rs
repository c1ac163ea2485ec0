//! People: who they are, how they come in, how they stay in and go.
//!
//! In: emails, passwords, links. Out: sessions in cookies. What must hold: a password is kept as Argon2id and a session as the
//! hash of its secret; guessing is slowed down on all servers together; there is always somebody who may do everything.

pub mod http;
pub mod links;
pub mod passwords;
pub mod peer;
pub mod sessions;
pub mod store;
pub mod throttle;
mod wire;

use std::time::Duration;

use offpeak_api::plain;

use crate::error::ApiError;

/// Who is away for longer logs in again …
pub const SESSION_IDLE: Duration = Duration::from_secs(24 * 3600);
/// … and so does everybody after two weeks.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(14 * 24 * 3600);
/// Long enough for a link that was sent on a Friday.
pub const INVITATION_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// A link to set up a server, or a new password, is used at once or not at all.
pub const LINK_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// RFC 5321, section 4.5.3.1.3, without the brackets.
const LONGEST_EMAIL: usize = 254;
const SHORTEST_PASSWORD: usize = 10;
/// Bytes. Longer ones only keep the server busy.
const LONGEST_PASSWORD: usize = 1024;

/// An email as it is kept: in lower case. Whether it exists shows when the link that was sent there is opened.
pub fn check_email(text: &str) -> Result<String, ApiError> {
    let email = text.trim().to_lowercase();
    let is_plain = email.len() <= LONGEST_EMAIL && !email.chars().any(|c| plain::is_unseen(c) || c.is_whitespace());
    match email.split_once('@') {
        Some((name, host)) if is_plain && !name.is_empty() && !host.is_empty() && !host.contains('@') => Ok(email),
        Some(_) | None => Err(ApiError::unfit("bad_email", "`email` is an address such as ada@example.com.")),
    }
}

/// Length is what makes a password hard to guess (NIST SP 800-63B, section 5.1.1): no other rules but against the plainest.
pub fn check_password(password: &str, email: &str) -> Result<(), ApiError> {
    let bad = |detail: &str| Err(ApiError::unfit("bad_password", detail).hint("A sentence of a few words is a good one."));
    let letters: std::collections::BTreeSet<char> = password.chars().collect();
    let name = email.split('@').next().unwrap_or_default();
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        return bad("A password has 10 characters or more, and at most 1024 bytes.");
    }
    if letters.len() < 5 {
        return bad("This password is made of fewer than five different characters.");
    }
    if password.to_lowercase() == email || (name.len() >= SHORTEST_PASSWORD && password.to_lowercase() == name) {
        return bad("The email is the first thing that anybody would try.");
    }
    Ok(())
}

pub fn not_found(id: &str) -> ApiError {
    ApiError::not_found("person_not_found", format!("There is no person {id}.")).hint("GET /v1/people lists them.")
}

fn last_admin() -> ApiError {
    ApiError::conflict("last_admin", "Nobody else is an administrator.").hint("Make somebody else one first.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_kept_in_lower_case() {
        assert_eq!(check_email(" Ada@Example.COM ").ok().as_deref(), Some("ada@example.com"));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "a b@c.d",
            "a\n@c.d",
            "a\u{200b}@c.d",
            "\u{202e}a@c.d",
            "a@c\u{200d}.d",
            &format!("{}@x", "a".repeat(260)),
        ] {
            assert_eq!(check_email(bad).expect_err("must be refused").code, "bad_email", "{bad}");
        }
    }

    #[test]
    fn passwords_are_long_and_not_plain() {
        for good in ["a long sentence", "0123456789", "пароль-пароль"] {
            assert_eq!(check_password(good, "ada@example.com"), Ok(()), "{good}");
        }
        for bad in ["short", "aaaaaaaaaaaa", "Ada.Lovelace@example.com", "ada.lovelace", &"x".repeat(1025)] {
            let refused = check_password(bad, "ada.lovelace@example.com").expect_err("must be refused");
            assert_eq!(refused.code, "bad_password", "{bad}");
        }
    }
}
