//! The words of the tus protocol (tus.io, version 1.0.0): its headers, read and written.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use offpeak_api::plain;
use sha1::Sha1;
use sha2::{Sha256, digest::DynDigest};

use crate::{clock::Instant, error::ApiError};

pub const VERSION: &str = "1.0.0";
pub const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration";
pub const CHECKSUM_ALGORITHMS: &str = "sha256,sha1";
/// The content type of pieces.
pub const PIECE: &str = "application/offset+octet-stream";
/// The extension `checksum` gives this number to a piece that arrived altered.
const CHECKSUM_MISMATCH: u16 = 460;

/// Longest `Upload-Metadata` that is kept.
const LONGEST_METADATA: usize = 8192;
const LONGEST_FILENAME: usize = 255;

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    value.to_str().map(|text| Some(text.trim())).map_err(|_| bad(format!("{name} is not plain text.")))
}

fn bad(detail: String) -> ApiError {
    ApiError::bad_request("bad_tus_header", detail).hint("See https://tus.io/protocols/resumable-upload for the protocol.")
}

/// A count of bytes; nothing when the header is absent.
pub fn bytes(headers: &HeaderMap, name: &str) -> Result<Option<u64>, ApiError> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // The database counts in 63 bits.
    let count = text.parse::<u64>().ok().filter(|count| digits && i64::try_from(*count).is_ok());
    count.map(Some).ok_or_else(|| bad(format!("{name} is {text:?}, which is no count of bytes.")))
}

/// Refuses clients that speak another version.
pub fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    match text(headers, "tus-resumable")? {
        Some(VERSION) => Ok(()),
        other => {
            let said = other.map_or_else(|| "does not say its version".to_owned(), |version| format!("speaks {version}"));
            let detail = format!("This server speaks tus {VERSION}; the request {said}.");
            Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "wrong_tus_version", detail)
                .hint("Send the header `Tus-Resumable: 1.0.0`."))
        }
    }
}

/// The length of a new upload, or nothing when it is deferred.
pub fn creation_length(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    match (bytes(headers, "upload-length")?, text(headers, "upload-defer-length")?) {
        (Some(length), None) => Ok(Some(length)),
        (None, Some("1")) => Ok(None),
        (None, None) => Err(bad("Upload-Length is missing; send it, or `Upload-Defer-Length: 1`.".to_owned())),
        (None, Some(other)) => Err(bad(format!("Upload-Defer-Length is {other:?}; it can only be 1."))),
        (Some(_), Some(_)) => Err(bad("Upload-Length and Upload-Defer-Length exclude each other.".to_owned())),
    }
}

/// The `Upload-Metadata` header as sent, and the file's name in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    pub raw: Option<String>,
    pub filename: Option<String>,
}

/// Pairs of a key and a value in base 64, separated by commas; the value may be absent.
pub fn metadata(headers: &HeaderMap) -> Result<Metadata, ApiError> {
    let Some(raw) = text(headers, "upload-metadata")?.filter(|raw| !raw.is_empty()) else { return Ok(Metadata::default()) };
    if raw.len() > LONGEST_METADATA {
        return Err(bad(format!("Upload-Metadata is longer than {LONGEST_METADATA} characters.")));
    }
    let mut filename = None;
    for pair in raw.split(',') {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = BASE64_STANDARD
            .decode(value.trim())
            .map_err(|_| bad(format!("The value of {key:?} in Upload-Metadata is not in base 64.")))?;
        // Uppy says `name`, tus-js-client's examples say `filename`.
        if key == "filename" || (key == "name" && filename.is_none()) {
            filename = clean_filename(&String::from_utf8_lossy(&value));
        }
    }
    Ok(Metadata { raw: Some(raw.to_owned()), filename })
}

/// Only the name, without folders and without characters that would upset a terminal or that nobody sees.
pub fn clean_filename(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean = plain::short(name, LONGEST_FILENAME);
    let clean = clean.trim();
    plain::is_visible(clean).then(|| clean.to_owned())
}

/// The hash that a piece must have.
pub struct Checksum {
    /// Takes the piece in.
    pub hash: Box<dyn DynDigest + Send + Sync>,
    pub expected: Vec<u8>,
}

pub fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, ApiError> {
    let Some(value) = text(headers, "upload-checksum")? else { return Ok(None) };
    let (algorithm, expected) = value.split_once(' ').ok_or_else(|| bad("Upload-Checksum names no hash.".to_owned()))?;
    let hash: Box<dyn DynDigest + Send + Sync> = match algorithm {
        "sha256" => Box::new(Sha256::default()),
        "sha1" => Box::new(Sha1::default()),
        other => return Err(bad(format!("The checksum {other:?} is not known here; known are {CHECKSUM_ALGORITHMS}."))),
    };
    let expected = BASE64_STANDARD.decode(expected.trim()).ok().filter(|bytes| bytes.len() == hash.output_size());
    let expected = expected.ok_or_else(|| bad(format!("Upload-Checksum holds no {algorithm} in base 64.")))?;
    Ok(Some(Checksum { hash, expected }))
}

pub fn checksum_mismatch() -> ApiError {
    let status = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
    ApiError::new(status, "checksum_mismatch", "The piece does not have the hash that Upload-Checksum says; none of it was kept.")
        .hint("Send the piece again.")
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
pub fn http_date(at: Instant) -> String {
    at.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Sets a header to a value that is made of plain characters.
pub fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn lengths() {
        type Case<'a> = (&'a [(&'a str, &'a str)], Result<Option<u64>, ()>);
        let cases: &[Case<'_>] = &[
            (&[("upload-length", "0")], Ok(Some(0))),
            (&[("upload-length", "10737418240")], Ok(Some(10_737_418_240))),
            (&[("upload-defer-length", "1")], Ok(None)),
            (&[], Err(())),
            (&[("upload-defer-length", "2")], Err(())),
            (&[("upload-length", "5"), ("upload-defer-length", "1")], Err(())),
            (&[("upload-length", "-5")], Err(())),
            (&[("upload-length", "+5")], Err(())),
            (&[("upload-length", "")], Err(())),
            (&[("upload-length", "99999999999999999999")], Err(())),
            (&[("upload-length", "9223372036854775808")], Err(())),
        ];
        for (pairs, expected) in cases {
            assert_eq!(creation_length(&headers(pairs)).map_err(|_| ()), *expected, "{pairs:?}");
        }
    }

    #[test]
    fn file_names_lose_their_folders_and_control_characters() {
        let name = |value: &str| metadata(&headers(&[("upload-metadata", value)])).map(|found| found.filename).map_err(|_| ());
        let encode = |text: &str| format!("filename {}", BASE64_STANDARD.encode(text));
        assert_eq!(name(&encode("Grüße.mp4")), Ok(Some("Grüße.mp4".into())));
        assert_eq!(name(&encode("../../etc/passwd")), Ok(Some("passwd".into())));
        assert_eq!(name(&encode("C:\\films\\a.mov")), Ok(Some("a.mov".into())));
        assert_eq!(name(&encode("a\u{1b}[31m.mp4")), Ok(Some("a[31m.mp4".into())));
        assert_eq!(name(&encode("film\u{202e}4pm.exe")), Ok(Some("film4pm.exe".into())));
        assert_eq!(name(&encode("\u{feff}a\u{200b}b.mp4")), Ok(Some("ab.mp4".into())));
        assert_eq!(name(&encode("👩\u{200d}👧.mp4")), Ok(Some("👩\u{200d}👧.mp4".into())));
        assert_eq!(name(&encode("\u{200b}\u{3164}")), Ok(None));
        assert_eq!(name(&encode("/")), Ok(None));
        assert_eq!(name(&format!("is_private,name {}", BASE64_STANDARD.encode("x"))), Ok(Some("x".into())));
        assert_eq!(name("filename ~~"), Err(()));
    }

    #[test]
    fn checksums() {
        let known = |value: &str| checksum(&headers(&[("upload-checksum", value)])).is_ok();
        assert!(known(&format!("sha1 {}", BASE64_STANDARD.encode([0; 20]))));
        assert!(known(&format!("sha256 {}", BASE64_STANDARD.encode([0; 32]))));
        for wrong in ["sha1", "sha1 ", "sha256 AAAA", "md5 AAAA", "sha1 ???"] {
            assert!(!known(wrong), "{wrong}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(http_date(Instant(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
