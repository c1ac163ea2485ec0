//! Secrets that must be in no log: every program under test is read for them when it ends, whatever the test was about.

/// How tokens, sessions, codes, links and webhook secrets begin.
const PREFIXES: [&str; 6] = ["ofp_", "ofa_", "ofe_", "ofs_", "ofl_", "whsec_"];
/// The parameter of addresses that let their holder read or write. (Codes in addresses begin as tokens do.)
const PARAMETERS: [&str; 1] = ["signature="];
/// Random parts of secrets are longer; names in sentences and settings are not.
const SHORTEST: usize = 24;
/// The one secret that is printed on purpose, on the line after this one: whoever starts a new server has to get in.
const SET_UP: &str = "The first administrator opens, within a day:";

/// What looks like a secret, with its line.
pub fn in_log(log: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut is_meant = false;
    for line in log.lines() {
        if !is_meant {
            let small = line.to_ascii_lowercase();
            let marks = PREFIXES.iter().chain(&PARAMETERS);
            found.extend(marks.filter_map(|mark| first_after(&small, mark)).map(|secret| (secret, line)));
        }
        is_meant = line.contains(SET_UP);
    }
    found
}

fn first_after(line: &str, mark: &str) -> Option<String> {
    line.match_indices(mark).find_map(|(at, _)| {
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || "-_+/%=".contains(c);
        let rest = &line[at + mark.len()..];
        let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
        let begins_a_word = !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        (begins_a_word && end >= SHORTEST).then(|| format!("{mark}{}", &rest[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_other_words_are_not() {
        let secret = "abcdefghijklmnopqrstuvwxyz234567";
        for bad in [
            format!("INFO token=ofp_{secret} made"),
            format!("GET /media/x?expires=1&X-Amz-Signature={secret}"),
            format!("{{\"cookie\":\"__Host-offpeak_session=ofs_{secret}\"}}"),
            format!("open http://h/login?code=ofl_{secret}"),
        ] {
            assert!(!in_log(&bad).is_empty(), "{bad}");
        }
        for good in [
            "INFO token.id=tok_01J9ZB3V6S2M8YQH7B1T4C5D6E made".to_owned(),
            "ERROR code=not_playable_yet".to_owned(),
            "a lease of agent agt_01J9ZB3V6S2M8YQH7B1T4C5D6E".to_owned(),
            format!("Nobody has an account here yet. {SET_UP}\nhttp://h/set-up?code=ofl_{secret}\nserving"),
        ] {
            assert_eq!(in_log(&good), [], "{good}");
        }
    }
}
