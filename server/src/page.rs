//! Pages of lists: one limit, one kind of cursor, the same refusals everywhere.

use std::str::FromStr;

use axum::extract::{Query, rejection::QueryRejection};
use offpeak_api::page::PageQuery;

use crate::error::ApiError;

const DEFAULT: u32 = 50;
const LARGEST: u32 = 200;
/// A name of 120 characters, and what stands before it.
const LONGEST_CURSOR: usize = 200;

/// A list's query. One that does not read, or has a field that the list does not know, is told so: a misspelt filter would
/// otherwise quietly find everything.
pub fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|rejection| ApiError::unfit("bad_filter", rejection.body_text()))
}

/// How many entries a page has.
pub fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    let limit = asked.unwrap_or(DEFAULT);
    if (1..=LARGEST).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::unfit("bad_limit", format!("`limit` is 1 to {LARGEST}.")))
}

fn bad_cursor() -> ApiError {
    ApiError::unfit("bad_cursor", "`cursor` is the `next_cursor` of an earlier answer.")
}

/// Refuses a cursor that is not an id of the list's entries.
pub fn check_cursor<Id: FromStr>(cursor: Option<&str>) -> Result<(), ApiError> {
    match cursor {
        Some(cursor) if cursor.parse::<Id>().is_err() => Err(bad_cursor()),
        Some(_) | None => Ok(()),
    }
}

/// A page of a short list that is at hand whole, sorted by `key`, and the cursor of the next: the key of a page's last entry.
/// Pages go on behind it, whether that entry is still there or not.
pub fn cut<T>(mut entries: Vec<T>, key: impl Fn(&T) -> String, asked: &PageQuery) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = limit(asked.limit)? as usize;
    entries.sort_by_cached_key(&key);
    if let Some(cursor) = &asked.cursor {
        if cursor.chars().count() > LONGEST_CURSOR {
            return Err(bad_cursor());
        }
        entries.retain(|entry| key(entry) > *cursor);
    }
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(key);
    Ok((entries, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cursor: Option<&str>, limit: u32) -> Result<(Vec<char>, Option<String>), &'static str> {
        let asked = PageQuery { cursor: cursor.map(str::to_owned), limit: Some(limit) };
        cut("edabc".chars().collect(), ToString::to_string, &asked).map_err(|refusal| refusal.code)
    }

    #[test]
    fn pages_follow_one_another_without_holes() {
        assert_eq!(page(None, 2), Ok((vec!['a', 'b'], Some("b".into()))));
        assert_eq!(page(Some("b"), 2), Ok((vec!['c', 'd'], Some("d".into()))));
        assert_eq!(page(Some("d"), 2), Ok((vec!['e'], None)));
        assert_eq!(page(None, 5), Ok((vec!['a', 'b', 'c', 'd', 'e'], None)));
        assert_eq!(page(Some("bb"), 2), Ok((vec!['c', 'd'], Some("d".into()))));
        assert_eq!(page(Some("x"), 2), Ok((vec![], None)));
        assert_eq!(page(None, 0), Err("bad_limit"));
        assert_eq!(page(None, 201), Err("bad_limit"));
    }
}
