//! How a machine learns where its server is: a code alone, or a link with the address and the fingerprint of its certificate.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// The SHA-256 of a certificate. Whoever knows it needs no authority to trust the server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(pub [u8; 32]);

/// What is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 64 hexadecimal digits, with or without colons")]
pub struct BadFingerprint;

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    /// Also as other programs print it: capitals, and colons between bytes.
    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let digits: Option<Vec<u8>> = text
            .trim()
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let bytes: Vec<u8> = digits
            .filter(|digits| digits.len() == 64)
            .ok_or(BadFingerprint)?
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect();
        bytes.try_into().map(Self).map_err(|_| BadFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, BadFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// All that enrolling needs, in one line: `offpeak://host:port/CODE?fp=FINGERPRINT`; `offpeak+http:` for a server without TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolLink {
    /// Ends with `/`.
    pub server: Url,
    pub code: String,
    /// Absent when the server's certificate is one that machines trust anyway.
    pub fingerprint: Option<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("an enrolment link begins with offpeak:// and names a host and a code")]
    NoLink,
    #[error(transparent)]
    Fingerprint(#[from] BadFingerprint),
}

const SECURE: &str = "offpeak://";
const PLAIN: &str = "offpeak+http://";

impl EnrolLink {
    /// Whether a text is meant to be one: codes alone look otherwise.
    pub fn is_link(text: &str) -> bool {
        text.trim().starts_with("offpeak:") || text.trim().starts_with("offpeak+")
    }
}

impl FromStr for EnrolLink {
    type Err = BadLink;

    fn from_str(text: &str) -> Result<Self, BadLink> {
        let text = text.trim();
        let (scheme, rest) = match (text.strip_prefix(SECURE), text.strip_prefix(PLAIN)) {
            (Some(rest), _) => ("https", rest),
            (None, Some(rest)) => ("http", rest),
            (None, None) => return Err(BadLink::NoLink),
        };
        let mut server = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| BadLink::NoLink)?;
        let fingerprint = server.query_pairs().find(|(name, _)| name == "fp").map(|(_, value)| value.parse()).transpose()?;
        server.set_query(None);
        server.set_fragment(None);
        let path = server.path().to_owned();
        let (folder, code) = path.rsplit_once('/').ok_or(BadLink::NoLink)?;
        if !code.starts_with("ofe_") || !server.username().is_empty() {
            return Err(BadLink::NoLink);
        }
        server.set_path(&format!("{folder}/"));
        Ok(Self { server, code: code.to_owned(), fingerprint })
    }
}

impl fmt::Display for EnrolLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.server.as_str();
        let (scheme, rest) = match address.strip_prefix("https://") {
            Some(rest) => (SECURE, rest),
            None => (PLAIN, address.strip_prefix("http://").unwrap_or(address)),
        };
        write!(f, "{scheme}{}/{}", rest.trim_end_matches('/'), self.code)?;
        match self.fingerprint {
            Some(fingerprint) => write!(f, "?fp={fingerprint}"),
            None => Ok(()),
        }
    }
}

/// The code is a secret.
impl fmt::Debug for EnrolLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolLink({}, …)", self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_they_are_written() {
        let fingerprint = Fingerprint([0xab; 32]);
        for (server, pinned, text) in [
            ("https://farm.lan:7070/", true, format!("offpeak://farm.lan:7070/ofe_x?fp={}", "ab".repeat(32))),
            ("https://farm.lan/", false, "offpeak://farm.lan/ofe_x".to_owned()),
            ("https://farm.lan/offpeak/", false, "offpeak://farm.lan/offpeak/ofe_x".to_owned()),
            ("http://127.0.0.1:7070/", false, "offpeak+http://127.0.0.1:7070/ofe_x".to_owned()),
            ("https://[fd00::1]:7070/", false, "offpeak://[fd00::1]:7070/ofe_x".to_owned()),
        ] {
            let server = server.parse().expect("an address");
            let link = EnrolLink { server, code: "ofe_x".to_owned(), fingerprint: pinned.then_some(fingerprint) };
            assert_eq!(link.to_string(), text);
            assert_eq!(format!(" {text}\n").parse(), Ok(link));
            assert!(EnrolLink::is_link(&text));
        }
        for bad in ["ofe_x", "https://farm.lan/ofe_x", "offpeak://farm.lan/", "offpeak:///ofe_x", "offpeak://farm.lan/xyz"] {
            assert_eq!(bad.parse::<EnrolLink>(), Err(BadLink::NoLink), "{bad}");
        }
        assert_eq!("offpeak://a/ofe_x?fp=12".parse::<EnrolLink>(), Err(BadLink::Fingerprint(BadFingerprint)));
    }

    #[test]
    fn fingerprints_are_read_in_all_common_spellings() {
        let fingerprint = Fingerprint(std::array::from_fn(|n| n as u8 * 7));
        let hex = fingerprint.to_string();
        let pairs: Vec<String> = hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        for text in [hex.clone(), hex.to_uppercase(), pairs.join(":"), format!(" {hex} ")] {
            assert_eq!(text.parse(), Ok(fingerprint), "{text}");
        }
        for bad in ["", &hex[1..], &format!("{hex}0"), &hex.replace('0', "g")] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(BadFingerprint), "{bad}");
        }
    }
}
