//! Every request has an id: the caller's own `X-Request-Id`, or one that is made here. The answer carries it, the log shows it
//! with every line that belongs to the request, and problems name it, so that one can be found by the other.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Enough for every format in use, and nothing that would flood a log.
const LONGEST: usize = 128;

tokio::task_local! {
    pub(super) static CURRENT: HeaderValue;
}

/// The id of the request that this task answers.
pub fn current() -> Option<String> {
    CURRENT.try_with(|id| id.to_str().map(str::to_owned).ok()).ok().flatten()
}

/// The caller's id when it is one word of plain characters, so that it cannot pretend to be something else in a log.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    let value = headers.get(X_REQUEST_ID)?;
    ((1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(plain)).then(|| value.clone())
}

fn new() -> HeaderValue {
    // Of its length from the start: the value takes the text's memory over as it is.
    let mut text = String::with_capacity("req_".len() + ulid::ULID_LEN);
    text.push_str("req_");
    text.push_str(ulid::Ulid::new().array_to_str(&mut [0; ulid::ULID_LEN]));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("req_unknown"))
}

/// The id of a request, which its headers carry from here on.
pub fn name(headers: &mut HeaderMap) -> HeaderValue {
    let id = given(headers).unwrap_or_else(new);
    headers.insert(X_REQUEST_ID, id.clone());
    id
}

/// Carries the id over to another task.
pub async fn carry<T>(id: Option<HeaderValue>, work: impl Future<Output = T>) -> T {
    match id {
        Some(id) => CURRENT.scope(id, work).await,
        None => work.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_are_taken_over() {
        let take = |value: &[u8]| {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_bytes(value).expect("a header"))]);
            given(&headers).is_some()
        };
        for good in ["a", "0af7651916cd43dd8448eb211c80319c", "web:42/7", &"x".repeat(128)] {
            assert!(take(good.as_bytes()), "{good}");
        }
        for bad in ["", "two words", "a\tb", "\"quoted\"", "ä", &"x".repeat(129)] {
            assert!(!take(bad.as_bytes()), "{bad}");
        }
        assert!(new().to_str().expect("text").starts_with("req_"));
    }
}
