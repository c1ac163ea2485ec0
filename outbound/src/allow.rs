//! The office's list of what may be called although it is not public.

use std::{fmt, net::IpAddr, str::FromStr};

/// Hosts and networks; empty unless an administrator says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// A name, wherever it leads.
    Host(String),
    /// All names that end with this, which begins with a dot.
    Below(String),
    /// Addresses that share so many first bits with this one.
    Network(IpAddr, u8),
}

/// An entry that is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a host, such as media.office.lan or *.office.lan, nor a network, such as 10.1.0.0/16")]
pub struct BadEntry(pub String);

impl AllowList {
    /// Entries separated by commas; none is fine.
    pub fn parse(text: &str) -> Result<Self, BadEntry> {
        Self::from_entries(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()))
    }

    pub fn from_entries(entries: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, BadEntry> {
        entries.into_iter().map(|entry| entry.as_ref().parse()).collect::<Result<_, _>>().map(Self)
    }

    /// As [`AllowList::from_entries`] takes them.
    pub fn entries(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether a host of this name may be called wherever its name leads.
    pub fn has_host(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().any(|entry| match entry {
            Entry::Host(host) => *host == name,
            Entry::Below(domain) => name.ends_with(domain.as_str()),
            Entry::Network(..) => false,
        })
    }

    /// Whether this very address may be called. IPv6 addresses with an IPv4 one inside are not looked into.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|entry| match entry {
            Entry::Host(_) | Entry::Below(_) => false,
            Entry::Network(network, bits) => match (network, ip) {
                (IpAddr::V4(a), IpAddr::V4(b)) => share(u32::from(*a).into(), u32::from(b).into(), 32 - bits),
                (IpAddr::V6(a), IpAddr::V6(b)) => share((*a).into(), b.into(), 128 - bits),
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
            },
        })
    }
}

/// Equal but for the last `free` bits.
fn share(a: u128, b: u128, free: u8) -> bool {
    (a ^ b).checked_shr(free.into()).unwrap_or(0) == 0
}

impl FromStr for Entry {
    type Err = BadEntry;

    fn from_str(text: &str) -> Result<Self, BadEntry> {
        let bad = || BadEntry(text.to_owned());
        if let Some((address, bits)) = text.split_once('/') {
            let ip: IpAddr = address.parse().map_err(|_| bad())?;
            let bits: u8 = bits.parse().map_err(|_| bad())?;
            return if bits <= if ip.is_ipv4() { 32 } else { 128 } { Ok(Self::Network(ip, bits)) } else { Err(bad()) };
        }
        if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(Self::Network(ip, if ip.is_ipv4() { 32 } else { 128 }));
        }
        let (name, below) = text.strip_prefix("*.").map_or((text, false), |domain| (domain, true));
        match url::Host::parse(name) {
            // What is spelt like a number is none of a host's: `10.1` would be taken for 10.0.0.1.
            Ok(url::Host::Domain(name)) if !name.contains(['*', ' ']) => Ok(match below {
                true => Self::Below(format!(".{name}")),
                false => Self::Host(name.trim_end_matches('.').to_owned()),
            }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Below(domain) => write!(f, "*{domain}"),
            Self::Network(ip, bits) => write!(f, "{ip}/{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_hosts_and_networks() {
        let list = AllowList::parse("media.office.lan, *.Studio.lan,10.1.0.0/16,fd12::/16, 192.168.7.9").expect("entries");
        assert_eq!(list.entries(), ["media.office.lan", "*.studio.lan", "10.1.0.0/16", "fd12::/16", "192.168.7.9/32"]);
        assert_eq!(AllowList::from_entries(list.entries()), Ok(list.clone()), "as it is written it is read");
        for (name, allowed) in [
            ("media.office.lan", true),
            ("MEDIA.office.lan.", true),
            ("x.media.office.lan", false),
            ("a.studio.lan", true),
            ("a.b.studio.lan", true),
            ("studio.lan", false),
            ("evilstudio.lan", false),
            ("10.1.2.3", false),
        ] {
            assert_eq!(list.has_host(name), allowed, "{name}");
        }
        for (ip, allowed) in [
            ("10.1.2.3", true),
            ("10.2.0.0", false),
            ("192.168.7.9", true),
            ("192.168.7.8", false),
            ("fd12:1::1", true),
            ("fd13::1", false),
            ("::ffff:10.1.2.3", false),
        ] {
            assert_eq!(list.has_address(ip.parse().expect(ip)), allowed, "{ip}");
        }
        assert!(AllowList::parse("0.0.0.0/0").expect("everything").has_address("10.0.0.1".parse().expect("an address")));
        assert_eq!(AllowList::parse("").expect("nothing"), AllowList::default());
    }

    #[test]
    fn what_is_neither_is_refused() {
        for bad in ["10.0.0.0/33", "10.0.0/8", "fd00::/129", "*", "a b", "http://x", "10.1", "*.*", "/8", "x/8"] {
            assert_eq!(AllowList::parse(bad), Err(BadEntry(bad.to_owned())), "{bad}");
        }
    }
}
