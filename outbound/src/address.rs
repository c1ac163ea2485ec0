//! What kind of place an IP address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads. Only what is public may be called unless the office allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Public,
    /// This machine itself, or no machine at all.
    ThisMachine,
    /// A network of one's own: RFC 1918, RFC 4193, or behind a carrier's NAT (RFC 6598).
    Private,
    /// The cable it is plugged into; clouds answer there with a machine's secrets.
    LinkLocal,
    /// Where clouds tell a machine about itself, outside the link-local range.
    Metadata,
    Multicast,
    /// An IPv4 address within an IPv6 one: mapped, translated or tunnelled. Whoever writes one has something to hide, since
    /// the plain address would do.
    Embedded,
    /// For documents, tests and things to come.
    Reserved,
}

impl Place {
    /// In words, after "which is".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::ThisMachine => "the machine itself",
            Self::Private => "an address of a private network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "an address at which clouds keep secrets of their machines",
            Self::Multicast => "a multicast address",
            Self::Embedded => "an IPv4 address in the disguise of an IPv6 one",
            Self::Reserved => "a reserved address",
        }
    }
}

/// From the IANA registries of special-purpose addresses (RFC 6890 and its successors).
pub fn place_of(ip: IpAddr) -> Place {
    match ip {
        IpAddr::V4(ip) => place_of_v4(ip),
        IpAddr::V6(ip) => place_of_v6(ip),
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> (u32, u8) {
    (u32::from_be_bytes([a, b, c, d]), bits)
}

/// The first that fits counts.
const V4: [((u32, u8), Place); 18] = [
    (v4(0, 0, 0, 0, 8), Place::ThisMachine),
    (v4(127, 0, 0, 0, 8), Place::ThisMachine),
    (v4(10, 0, 0, 0, 8), Place::Private),
    // Alibaba Cloud's metadata lies within the carriers' range.
    (v4(100, 100, 100, 200, 32), Place::Metadata),
    (v4(100, 64, 0, 0, 10), Place::Private),
    (v4(172, 16, 0, 0, 12), Place::Private),
    (v4(192, 168, 0, 0, 16), Place::Private),
    (v4(169, 254, 169, 254, 32), Place::Metadata),
    (v4(169, 254, 0, 0, 16), Place::LinkLocal),
    // Azure's, in the middle of public addresses, and Oracle's.
    (v4(168, 63, 129, 16, 32), Place::Metadata),
    (v4(192, 0, 0, 192, 32), Place::Metadata),
    (v4(192, 0, 0, 0, 24), Place::Reserved),
    (v4(192, 0, 2, 0, 24), Place::Reserved),
    // Relays of 6to4, which are no more.
    (v4(192, 88, 99, 0, 24), Place::Reserved),
    (v4(198, 18, 0, 0, 15), Place::Reserved),
    (v4(198, 51, 100, 0, 24), Place::Reserved),
    (v4(203, 0, 113, 0, 24), Place::Reserved),
    (v4(224, 0, 0, 0, 4), Place::Multicast),
];

fn place_of_v4(ip: Ipv4Addr) -> Place {
    let number = u32::from(ip);
    let within = |&&((start, bits), _): &&((u32, u8), Place)| number >> (32 - bits) == start >> (32 - bits);
    match V4.iter().find(within) {
        Some((_, place)) => *place,
        None if ip.octets()[0] >= 240 => Place::Reserved,
        None => Place::Public,
    }
}

/// Global unicast is `2000::/3` without some islands; everything else is special in one way or another.
fn place_of_v6(ip: Ipv6Addr) -> Place {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Place::ThisMachine,
        // Mapped, the deprecated compatible form, and the translations of RFC 2765, RFC 6052 and RFC 8215.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, ..] => {
            Place::Embedded
        }
        // Teredo and 6to4 carry an IPv4 address too.
        [0x2001, 0, ..] | [0x2002, ..] => Place::Embedded,
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Place::Metadata,
        [first, ..] if first & 0xfe00 == 0xfc00 => Place::Private,
        // Site-local ones were given up, and some networks still have them.
        [first, ..] if first & 0xffc0 == 0xfec0 => Place::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => Place::LinkLocal,
        [first, ..] if first & 0xff00 == 0xff00 => Place::Multicast,
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => Place::Reserved,
        [0x3fff, second, ..] if second < 0x1000 => Place::Reserved,
        // ISATAP hides an IPv4 address in the lower half.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => Place::Embedded,
        [first, ..] if first & 0xe000 == 0x2000 => Place::Public,
        _ => Place::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_address_is_known() {
        use Place::{Embedded, LinkLocal, Metadata, Multicast, Private, Public, Reserved, ThisMachine};
        for (address, expected) in [
            ("1.1.1.1", Public),
            ("93.184.216.34", Public),
            ("0.0.0.0", ThisMachine),
            ("0.1.2.3", ThisMachine),
            ("127.0.0.1", ThisMachine),
            ("127.255.255.254", ThisMachine),
            ("126.255.255.255", Public),
            ("128.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.1", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.1", Private),
            ("100.127.255.255", Private),
            ("100.128.0.0", Public),
            ("100.100.100.200", Metadata),
            ("172.15.255.255", Public),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.168.1.1", Private),
            ("169.254.0.1", LinkLocal),
            ("169.254.169.254", Metadata),
            ("168.63.129.16", Metadata),
            ("168.63.129.17", Public),
            ("192.0.0.192", Metadata),
            ("192.0.0.8", Reserved),
            ("192.0.2.1", Reserved),
            ("198.18.0.1", Reserved),
            ("198.19.255.255", Reserved),
            ("198.20.0.0", Public),
            ("203.0.113.9", Reserved),
            ("224.0.0.1", Multicast),
            ("239.255.255.255", Multicast),
            ("240.0.0.1", Reserved),
            ("255.255.255.255", Reserved),
            ("2606:4700:4700::1111", Public),
            ("2a00:1450:4001:81b::200e", Public),
            ("::", ThisMachine),
            ("::1", ThisMachine),
            ("::ffff:127.0.0.1", Embedded),
            ("::ffff:1.1.1.1", Embedded),
            ("::127.0.0.1", Embedded),
            ("::ffff:0:127.0.0.1", Embedded),
            ("64:ff9b::127.0.0.1", Embedded),
            ("64:ff9b:1::a00:1", Embedded),
            ("2001:0:1::", Embedded),
            ("2002:7f00:1::", Embedded),
            ("2a00::5efe:7f00:1", Embedded),
            ("fd00:ec2::254", Metadata),
            ("fd00::1", Private),
            ("fc00::1", Private),
            ("fec0::1", Private),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("ff02::1", Multicast),
            ("2001:db8::1", Reserved),
            ("2001:20::1", Reserved),
            ("3fff::1", Reserved),
            ("100::1", Reserved),
            ("4000::1", Reserved),
            ("5f00::1", Reserved),
        ] {
            assert_eq!(place_of(address.parse().expect(address)), expected, "{address}");
        }
    }
}
