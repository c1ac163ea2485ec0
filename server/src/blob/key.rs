//! Names of stored objects.

use std::{fmt, io, str::FromStr};

use offpeak_api::ids::{JobId, SourceId};

/// S3's limit for keys, and a folder's for one name.
const LONGEST_KEY: usize = 1024;
const LONGEST_PART: usize = 255;

/// The name of an object: parts of `A-Z a-z 0-9 . _ -`, joined by `/`. A part neither begins nor ends with a dot, so that
/// no key leads out of a folder, meets the store's own files (which begin with one), or is renamed by Windows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey(String);

/// A text that cannot name an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a storage key is made of letters, digits, `.`, `_`, `-` and `/`, without empty or dotted parts")]
pub struct BadKey;

impl BlobKey {
    /// Where a source's bytes are, once all have arrived.
    pub fn source(id: &SourceId) -> Self {
        Self(format!("sources/{id}"))
    }

    /// The prefix of all that a job makes, for [`super::BlobStore::delete_prefix`].
    pub fn job_folder(id: &JobId) -> String {
        format!("jobs/{id}/")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prefix of what is kept of a source while it arrives in a bucket, beside its parts.
    pub fn upload_folder(id: &SourceId) -> String {
        format!("uploads/{id}/")
    }

    /// What players take the object for by its name: `…/{rendition}/{index}.m4s` and so on.
    pub fn content_type(&self) -> &'static str {
        content_type(&self.0)
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// What players take a file of this name for.
pub fn content_type(path: &str) -> &'static str {
    let sound = path.rsplit('/').nth(1).is_some_and(|folder| folder.starts_with("aac-"));
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("mpd") => "application/dash+xml",
        // No type is registered for segments of sound; players take them by what the playlist says.
        Some("m4s" | "mp4") if sound => "audio/mp4",
        Some("m4s") => "video/iso.segment",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// A prefix of keys, such as `jobs/job_…/` or `jobs/job_…/abc-`, as its folder and the beginning of names in it.
pub fn check_prefix(prefix: &str) -> io::Result<(BlobKey, &str)> {
    let bad = |_| io::Error::new(io::ErrorKind::InvalidInput, format!("{prefix:?} is no prefix of storage keys"));
    let (folder, start) = prefix.rsplit_once('/').ok_or_else(|| bad(BadKey))?;
    Ok((folder.parse().map_err(bad)?, start))
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= LONGEST_PART
        && !part.starts_with('.')
        && !part.ends_with('.')
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

impl FromStr for BlobKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        if text.len() <= LONGEST_KEY && text.split('/').all(is_part) { Ok(Self(text.to_owned())) } else { Err(BadKey) }
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_inside_the_store() {
        let job = JobId::new();
        for good in [
            "a",
            "sources/src_01J8ZC5V2M0N6QW3T7RX9KPEHD",
            "jobs/j/p-0/h264-1080p/12.m4s",
            &format!("jobs/{job}/multivariant.m3u8"),
        ] {
            assert_eq!(good.parse::<BlobKey>().map(|key| key.to_string()), Ok(good.to_owned()), "{good}");
        }
        let long = "a".repeat(256);
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "..",
            "a/../b",
            "a/..",
            ".",
            "./a",
            ".uploads/x",
            "a/.hidden",
            "a.",
            "con:",
            "a\\b",
            "a b",
            "a\0b",
            "a\nb",
            "ä",
            "a?b",
            "a%2fb",
            "~",
            &long,
        ] {
            assert_eq!(bad.parse::<BlobKey>(), Err(BadKey), "{bad:?}");
        }
    }
}
