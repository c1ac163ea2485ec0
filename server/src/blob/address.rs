//! Signed addresses: whoever has one may put or get one object until it expires, and nothing else.

use std::{fmt, sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use offpeak_api::ids::JobId;
use serde::Deserialize;
use sha2::Sha256;
use url::form_urlencoded::byte_serialize;

use super::BlobKey;
use crate::{auth::hex, clock::Instant};

/// Signs and checks addresses with the key that all servers of one database share.
#[derive(Clone)]
pub struct Signer {
    key: Arc<[u8]>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer { .. }")
    }
}

/// What an address allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allows<'a> {
    /// Read the object (GET and HEAD).
    Get,
    /// Write the object, with exactly this length and SHA-256 (lower-case hex).
    Put { bytes: u64, sha256: &'a str },
}

/// The query of a signed address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SignedQuery {
    /// Milliseconds since 1970.
    pub expires: i64,
    /// Of a PUT: the object's length.
    pub bytes: Option<u64>,
    /// Of a PUT: the object's hash.
    pub sha256: Option<String>,
    pub signature: String,
}

/// Why an address is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("This address was not signed by this server, or not for this request.")]
    BadSignature,
    #[error("This address has expired.")]
    Expired,
}

impl Signer {
    pub fn new(key: Vec<u8>) -> Self {
        Self { key: key.into() }
    }

    /// A signed address, relative to the server's own.
    pub fn address(&self, key: &BlobKey, allows: Allows<'_>, now: Instant, lifetime: Duration) -> String {
        let expires = (now + lifetime).ms();
        let signature = hex(&self.mac(key, allows, expires).finalize().into_bytes());
        let limits = match allows {
            Allows::Get => String::new(),
            Allows::Put { bytes, sha256 } => {
                format!("&bytes={bytes}&sha256={}", byte_serialize(sha256.as_bytes()).collect::<String>())
            }
        };
        format!("/blob/{key}?expires={expires}{limits}&signature={signature}")
    }

    /// True words of an address are those that the signature covers.
    pub fn check(&self, key: &BlobKey, allows: Allows<'_>, query: &SignedQuery, now: Instant) -> Result<(), Refusal> {
        let signature = unhex(&query.signature).ok_or(Refusal::BadSignature)?;
        // `verify_slice` takes the same time wherever the difference is.
        self.mac(key, allows, query.expires).verify_slice(&signature).map_err(|_| Refusal::BadSignature)?;
        if query.expires <= now.ms() { Err(Refusal::Expired) } else { Ok(()) }
    }

    /// The signature of an address that plays this job until then.
    pub fn playback(&self, job: &JobId, expires: i64) -> String {
        hex(&self.mac_of(&format!("PLAY\n{job}\n{expires}")).finalize().into_bytes())
    }

    pub fn check_playback(&self, job: &JobId, expires: i64, signature: &str, now: Instant) -> Result<(), Refusal> {
        let signature = unhex(signature).ok_or(Refusal::BadSignature)?;
        let mac = self.mac_of(&format!("PLAY\n{job}\n{expires}"));
        mac.verify_slice(&signature).map_err(|_| Refusal::BadSignature)?;
        if expires <= now.ms() { Err(Refusal::Expired) } else { Ok(()) }
    }

    fn mac(&self, key: &BlobKey, allows: Allows<'_>, expires: i64) -> Hmac<Sha256> {
        self.mac_of(&match allows {
            Allows::Get => format!("GET\n{key}\n{expires}"),
            Allows::Put { bytes, sha256 } => format!("PUT\n{key}\n{expires}\n{bytes}\n{sha256}"),
        })
    }

    fn mac_of(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    }
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn query(address: &str) -> SignedQuery {
        let url = url::Url::parse("http://x").unwrap().join(address).unwrap();
        let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        SignedQuery {
            expires: get("expires").unwrap().parse().unwrap(),
            bytes: get("bytes").map(|bytes| bytes.parse().unwrap()),
            sha256: get("sha256"),
            signature: get("signature").unwrap(),
        }
    }

    #[test]
    fn an_address_is_good_for_one_request_until_it_expires() {
        let signer = Signer::new(b"secret".to_vec());
        let (key, other): (BlobKey, BlobKey) = ("a/b".parse().unwrap(), "a/c".parse().unwrap());
        let now = Instant(1_000_000);
        let put = Allows::Put { bytes: 5, sha256: "ab" };
        let good = query(&signer.address(&key, put, now, Duration::from_secs(60)));
        let just_before = now + Duration::from_millis(59_999);
        assert_eq!((good.bytes, good.sha256.as_deref(), good.expires), (Some(5), Some("ab"), 1_060_000));

        type Case<'a> = (&'a str, &'a BlobKey, Allows<'a>, SignedQuery, Instant, Result<(), Refusal>);
        let cases: &[Case<'_>] = &[
            ("as signed", &key, put, good.clone(), just_before, Ok(())),
            ("too late", &key, put, good.clone(), now + Duration::from_secs(60), Err(Refusal::Expired)),
            ("other key", &other, put, good.clone(), now, Err(Refusal::BadSignature)),
            ("other method", &key, Allows::Get, good.clone(), now, Err(Refusal::BadSignature)),
            ("other length", &key, Allows::Put { bytes: 6, sha256: "ab" }, good.clone(), now, Err(Refusal::BadSignature)),
            ("other hash", &key, Allows::Put { bytes: 5, sha256: "ac" }, good.clone(), now, Err(Refusal::BadSignature)),
            ("longer life", &key, put, SignedQuery { expires: 2_000_000, ..good.clone() }, now, Err(Refusal::BadSignature)),
            (
                "cut",
                &key,
                put,
                SignedQuery { signature: good.signature[..62].into(), ..good.clone() },
                now,
                Err(Refusal::BadSignature),
            ),
            ("empty", &key, put, SignedQuery { signature: String::new(), ..good.clone() }, now, Err(Refusal::BadSignature)),
            ("not hex", &key, put, SignedQuery { signature: "é".repeat(32), ..good.clone() }, now, Err(Refusal::BadSignature)),
        ];
        for (name, key, allows, query, at, expected) in cases {
            assert_eq!(signer.check(key, *allows, query, *at), *expected, "{name}");
        }
        assert_eq!(Signer::new(b"another".to_vec()).check(&key, put, &good, now), Err(Refusal::BadSignature));
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", Signer::new(b"secret".to_vec())), "Signer { .. }");
    }
}
