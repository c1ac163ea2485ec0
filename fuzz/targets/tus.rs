//! Headers of uploads: lines of `name: value`.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use offpeak_server::upload::tus;

const NAMES: [&str; 6] =
    ["upload-length", "upload-defer-length", "upload-metadata", "upload-offset", "upload-checksum", "tus-resumable"];

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for (line, name) in data.split(|byte| *byte == b'\n').zip(NAMES) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let _ = (tus::check_version(&headers), tus::creation_length(&headers), tus::bytes(&headers, "upload-offset"));
    if let Ok(found) = tus::metadata(&headers) {
        assert!(found.filename.is_none_or(|name| !name.contains(['/', '\\'])));
    }
});
