//! Why an address was not called.

use std::net::IpAddr;

use crate::address::Place;

/// Trying again does not help: the address itself is at fault, or the office's list of exceptions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("addresses that begin with {0}: are not called; give one that begins with https: or http:")]
    Scheme(String),
    #[error("the address names no host")]
    NoHost,
    #[error("{host} is not called: it leads to {ip}, which is {}; an administrator can allow it with OFFPEAK_OUTBOUND_ALLOW", place.describe())]
    Place { host: String, ip: IpAddr, place: Place },
    #[error("{host} redirects more than {most} times; give the final address")]
    TooManyRedirects { host: String, most: usize },
    #[error("{host} redirects to something that is no address")]
    BadRedirect { host: String },
}

impl Refused {
    /// Stable name for clients.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scheme(_) | Self::NoHost => "bad_url",
            Self::Place { .. } => "address_not_allowed",
            Self::TooManyRedirects { .. } | Self::BadRedirect { .. } => "bad_redirect",
        }
    }
}
