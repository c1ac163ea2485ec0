//! The address that a request comes from, as far as it can be known.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::app::App;

/// Who opened the connection that a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalledFrom(pub SocketAddr);

/// Nothing where the server is not told who connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

impl FromRequestParts<App> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<CalledFrom>>().map(|ConnectInfo(from)| from.0.ip());
        Ok(Self(behind_proxies(connected, &parts.headers, app.config.trusted_proxies)))
    }
}

/// Each proxy adds the address that it was called from to the end of `X-Forwarded-For`. What stands before those of our own
/// proxies anybody may have written.
fn behind_proxies(connected: Option<IpAddr>, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let Some(back) = proxies.checked_sub(1) else { return connected };
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    hops.iter().rev().nth(back).and_then(|hop| hop.parse().ok()).or(connected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_own_proxies_say_is_believed() {
        let address = |text: &str| text.parse::<IpAddr>().ok();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.9".parse().expect("a header"));
        headers.append("x-forwarded-for", "10.0.0.2".parse().expect("a header"));
        let connected = address("10.0.0.1");
        for (proxies, expected) in [(0, "10.0.0.1"), (1, "10.0.0.2"), (2, "203.0.113.9"), (9, "10.0.0.1")] {
            assert_eq!(behind_proxies(connected, &headers, proxies), address(expected), "{proxies}");
        }
        assert_eq!(behind_proxies(None, &HeaderMap::new(), 0), None);
    }
}
