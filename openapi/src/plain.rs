//! Texts that somebody else wrote, made fit to be shown: a terminal obeys control characters, a log takes a line break for its
//! next entry, and eyes do not see what turns a text round or takes no room.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Joins letters of Indian scripts, and the parts of an emoji.
const ZERO_WIDTH_JOINER: char = '\u{200D}';
/// Keeps letters of Indian and Arabic scripts apart.
const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';

/// The text on one line: line breaks and tabs become spaces, and characters that are not seen are left out.
pub fn one_line(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let shown = chars.iter().enumerate().filter_map(|(at, c)| match *c {
        '\t' | '\n' | '\u{B}' | '\u{C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if is_unseen(c) && !joins(&chars, at) => None,
        c => Some(c),
    });
    shown.collect()
}

/// The same, of no more than `longest` characters.
pub fn short(text: &str, longest: usize) -> String {
    one_line(text).chars().take(longest).collect()
}

/// Each line of the text as [`one_line`] makes it.
pub fn lines(text: &str) -> String {
    text.split('\n').map(one_line).collect::<Vec<_>>().join("\n")
}

/// The first character of a name that nobody sees and that no script needs where it is.
pub fn hidden_in(name: &str) -> Option<char> {
    let chars: Vec<char> = name.chars().collect();
    chars.iter().enumerate().find(|(at, c)| is_unseen(**c) && !joins(&chars, *at)).map(|(_, c)| *c)
}

/// Whether there is anything to see: more than spaces, accents without letters, and letters that are blank.
pub fn is_visible(name: &str) -> bool {
    name.chars().any(|c| {
        let is_blank = matches!(c, '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}');
        let takes_room = !matches!(c.general_category_group(), GeneralCategoryGroup::Mark | GeneralCategoryGroup::Separator);
        takes_room && !is_blank && !is_unseen(c)
    })
}

/// Control and format characters, and separators of lines and paragraphs.
pub fn is_unseen(c: char) -> bool {
    match c.general_category() {
        // Signs around Arabic, Syriac and Kaithi numbers are format characters that are seen.
        GeneralCategory::Format => !matches!(
            c,
            '\u{600}'..='\u{605}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}' | '\u{110BD}' | '\u{110CD}'
        ),
        category => {
            matches!(category, GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator)
        }
    }
}

/// Whether the character at this place is a joiner that changes how its neighbours look. After a mark, which Indian scripts have
/// there, it may even end a word; between Latin letters it does nothing.
fn joins(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|before| chars.get(before)) else { return false };
    let after = chars.get(at + 1);
    let is_symbol = |c: &char| c.general_category_group() == GeneralCategoryGroup::Symbol;
    let is_letter = |c: &char| c.general_category() == GeneralCategory::OtherLetter;
    let follows_mark = before.general_category_group() == GeneralCategoryGroup::Mark;
    match chars.get(at) {
        Some(&ZERO_WIDTH_JOINER) => follows_mark || (is_symbol(before) && after.is_some_and(is_symbol)),
        Some(&ZERO_WIDTH_NON_JOINER) => follows_mark || (is_letter(before) && after.is_some_and(is_letter)),
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_and_orders_nothing() {
        for (text, wanted) in [
            ("Grüße, 世界", "Grüße, 世界"),
            ("a\u{1b}[31mred\u{1b}[0m", "a[31mred[0m"),
            ("title\u{1b}]0;x\u{7}", "title]0;x"),
            ("one\r\ntwo\tthree", "one  two three"),
            ("c1 \u{9b}2J", "c1 2J"),
            ("film\u{202e}4pm.exe", "film4pm.exe"),
            ("a\u{2028}b", "a b"),
            ("\u{0}", ""),
        ] {
            assert_eq!(one_line(text), wanted, "{text:?}");
        }
        assert_eq!(lines("a\u{1b}c\nb\u{7}"), "ac\nb");
    }

    #[test]
    fn what_a_script_needs_stays() {
        // A family, a flag, Persian, Hindi, Malayalam, and a number in Arabic with its sign.
        for name in ["👩\u{200d}👧", "🏳\u{fe0f}\u{200d}🌈", "می\u{200c}روم", "क्\u{200d}ष", "അവന്\u{200d}", "\u{600}١٢"]
        {
            assert_eq!((hidden_in(name), one_line(name).as_str()), (None, name));
        }
    }

    #[test]
    fn what_nobody_sees_is_found() {
        for (name, hidden) in [
            ("desk\u{200b}1", '\u{200b}'),
            ("desk\u{200d}1", '\u{200d}'),
            ("\u{200d}👧", '\u{200d}'),
            ("de\u{ad}sk", '\u{ad}'),
            ("\u{feff}desk", '\u{feff}'),
            ("desk\u{202e}1", '\u{202e}'),
            ("desk\u{2029}1", '\u{2029}'),
            ("desk\n1", '\n'),
        ] {
            assert_eq!(hidden_in(name), Some(hidden), "{name:?}");
        }
        for (name, visible) in
            [("a", true), ("👩", true), ("क", true), ("\u{3164}", false), ("\u{301}", false), ("\u{a0} ", false)]
        {
            assert_eq!(is_visible(name), visible, "{name:?}");
        }
    }
}
