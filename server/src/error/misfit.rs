//! Where in a request's body something does not fit, as a JSON pointer (RFC 6901) in a fragment.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

/// The field that a sentence of the rules names first, in backticks: `video.ladder[].height` is somewhere in `#/video/ladder`.
pub fn pointer_of(detail: &str) -> Option<String> {
    let named = detail.split('`').nth(1)?;
    let field = named.split("[]").next().unwrap_or(named);
    let is_field = !field.is_empty() && field.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b));
    is_field.then(|| format!("#/{}", field.replace('.', "/")))
}

/// Where a body stops being a `T`; nothing when it is no JSON, or is one.
pub fn place_in<T: DeserializeOwned>(body: &[u8]) -> Option<String> {
    let mut document = serde_json::Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(&mut document).err()?;
    let mut place = place(error.path());
    let cause = error.into_inner();
    if cause.is_syntax() || cause.is_eof() {
        return None;
    }
    // Of what is missing or unknown, serde tells the name in its sentence, and the place of what is around it.
    let told = cause.to_string();
    let name = ["missing field `", "unknown field `"].iter().find_map(|begin| told.strip_prefix(begin)?.split('`').next());
    let named = name.map(|name| format!("/{}", escaped(name)));
    if let Some(named) = named.filter(|named| !place.ends_with(named)) {
        place.push_str(&named);
    }
    (!place.is_empty()).then(|| format!("#{place}"))
}

fn place(path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(escaped(key)),
        // Variants are not in the document.
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(part).map(|part| format!("/{part}")).collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "it is only read")]
        rungs: Vec<Rung>,
    }

    #[derive(Debug, Deserialize)]
    struct Rung {
        #[expect(dead_code, reason = "it is only read")]
        height: u32,
    }

    #[test]
    fn sentences_name_their_field_first() {
        for (detail, expected) in [
            ("`priority` is 0 to 9, and 9 is the most urgent.", Some("#/priority")),
            ("This profile cannot work: `video.ladder[].height` is even.", Some("#/video/ladder")),
            ("There is no profile `My Profile`.", None),
            ("Nothing is named.", None),
        ] {
            assert_eq!(pointer_of(detail).as_deref(), expected, "{detail}");
        }
    }

    #[test]
    fn bodies_are_wrong_at_a_place() {
        for (body, expected) in [
            (r#"{"rungs":[{"height":1}]}"#, None),
            (r#"{"rungs":[{"height":1},{"height":"tall"}]}"#, Some("#/rungs/1/height")),
            (r#"{"rungs":[{}]}"#, Some("#/rungs/0/height")),
            (r#"{}"#, Some("#/rungs")),
            (r#"{"rungs":[],"a/b":1}"#, Some("#/a~1b")),
            (r#"{"rungs":"#, None),
        ] {
            assert_eq!(place_in::<Order>(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
