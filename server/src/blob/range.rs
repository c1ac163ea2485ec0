//! Which bytes of an object a request wants (RFC 9110, sections 13 and 14): conditions and ranges.

use axum::http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE},
};

/// The answer that the request's headers call for. Ranges are half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    Part {
        first: u64,
        end: u64,
    },
    /// 416: no byte of the range exists.
    OutOfRange,
    /// 304: the client has it.
    NotModified,
    /// 412: `If-Match` names another version.
    Changed,
}

/// What to answer for an object of this length and entity tag.
///
/// Several ranges at once, and ranges that do not parse, get the whole object, as RFC 9110 §14.2 allows.
pub fn wanted(headers: &HeaderMap, etag: &str, bytes: u64) -> Wanted {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(IF_MATCH).is_some_and(|tags| !names(tags, etag, false)) {
        return Wanted::Changed;
    }
    if text(IF_NONE_MATCH).is_some_and(|tags| names(tags, etag, true)) {
        return Wanted::NotModified;
    }
    // A date in If-Range never matches: objects have no Last-Modified.
    if text(IF_RANGE).is_some_and(|tag| tag.trim() != etag) {
        return Wanted::Whole;
    }
    text(RANGE).and_then(|range| part(range, bytes)).unwrap_or(Wanted::Whole)
}

/// True when a list of entity tags names this one. A weak tag counts only where a weak comparison will do.
fn names(tags: &str, etag: &str, weak: bool) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag || (weak && tag.strip_prefix("W/") == Some(etag)))
}

fn part(range: &str, bytes: u64) -> Option<Wanted> {
    let (unit, spec) = range.split_once('=')?;
    let (first, last) = spec.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return None;
    }
    let (first, end) = match (digits(first), digits(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(bytes)),
        (Some(first), None) if last.trim().is_empty() => (first, bytes),
        (None, Some(count)) if first.trim().is_empty() => (if count == 0 { bytes } else { bytes.saturating_sub(count) }, bytes),
        _ => return None,
    };
    Some(if first < end { Wanted::Part { first, end } } else { Wanted::OutOfRange })
}

/// Digits only: `+5` is no length.
fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_conditions() {
        let part = |first, end| Wanted::Part { first, end };
        let cases: &[(&[(&str, &str)], Wanted)] = &[
            (&[], Wanted::Whole),
            (&[("range", "bytes=0-0")], part(0, 1)),
            (&[("range", "bytes=2-4")], part(2, 5)),
            (&[("range", "bytes=2-")], part(2, 10)),
            (&[("range", "bytes=2-999")], part(2, 10)),
            (&[("range", "bytes=2-99999999999999999999999")], part(2, 10)),
            (&[("range", "bytes=-3")], part(7, 10)),
            (&[("range", "bytes=-30")], part(0, 10)),
            (&[("range", "bytes=-0")], Wanted::OutOfRange),
            (&[("range", "bytes=10-")], Wanted::OutOfRange),
            (&[("range", "bytes=10-11")], Wanted::OutOfRange),
            (&[("range", "Bytes = 1-2")], part(1, 3)),
            (&[("range", "bytes=4-2")], Wanted::Whole),
            (&[("range", "bytes=0-1,3-4")], Wanted::Whole),
            (&[("range", "bytes=-")], Wanted::Whole),
            (&[("range", "bytes=a-b")], Wanted::Whole),
            (&[("range", "bytes=+1-2")], Wanted::Whole),
            (&[("range", "frames=1-2")], Wanted::Whole),
            (&[("range", "bytes")], Wanted::Whole),
            (&[("range", "bytes=1-2"), ("if-range", "\"tag\"")], part(1, 3)),
            (&[("range", "bytes=1-2"), ("if-range", "\"old\"")], Wanted::Whole),
            (&[("range", "bytes=1-2"), ("if-range", "W/\"tag\"")], Wanted::Whole),
            (&[("range", "bytes=1-2"), ("if-match", "\"tag\"")], part(1, 3)),
            (&[("range", "bytes=1-2"), ("if-match", "\"old\"")], Wanted::Changed),
            (&[("if-match", "W/\"tag\"")], Wanted::Changed),
            (&[("if-match", "*")], Wanted::Whole),
            (&[("if-none-match", "\"old\", W/\"tag\"")], Wanted::NotModified),
            (&[("if-none-match", "\"old\"")], Wanted::Whole),
            (&[("if-none-match", "\"tag\""), ("range", "bytes=1-2")], Wanted::NotModified),
        ];
        for (headers, expected) in cases {
            let map: HeaderMap =
                headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();
            assert_eq!(wanted(&map, "\"tag\"", 10), *expected, "{headers:?}");
        }
        let map = HeaderMap::from_iter([(RANGE, "bytes=0-".parse().unwrap())]);
        assert_eq!(wanted(&map, "\"tag\"", 0), Wanted::OutOfRange);
    }
}
