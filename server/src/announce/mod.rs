//! Tells machines on the local network that there is a server, by mDNS (RFC 6762 and 6763), so that whoever installs the tray
//! app need not type an address.
//!
//! In: settings, and the port that was bound. Out: `_offpeak._tcp.local.`, until the server stops. What must hold: a server
//! that other machines cannot reach says nothing, and the announcement is a hint, never a proof: who joins still needs a code,
//! and trusts the certificate or the fingerprint of a link.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{ServiceDaemon, ServiceInfo};

use crate::{config::Config, tls::Tls};

const SERVICE: &str = "_offpeak._tcp.local.";
/// A label of a DNS name has 63 octets (RFC 6763, 4.1.1).
const LONGEST_NAME: usize = 63;

/// What is said about this server.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    /// As people see it in a list: the host's own name.
    name: String,
    /// Of this host under `.local`.
    host: String,
    /// None for all addresses of this host.
    address: Option<IpAddr>,
    port: u16,
    /// Where people are to go, if the settings say where that is.
    url: Option<String>,
    is_encrypted: bool,
}

/// An announcement; dropping it takes it back.
pub struct Announcement {
    daemon: ServiceDaemon,
    name: String,
}

/// Announces a server that listens on `bound`, where that makes sense. A network without multicast is no reason not to serve.
pub fn start(config: &Config, bound: SocketAddr) -> Option<Announcement> {
    let announced = what(config, bound, &host_name())?;
    match announce(&announced) {
        Ok(announcement) => {
            tracing::info!(name = announced.name, "announcing this server on the local network (OFFPEAK_MDNS=0 turns that off)");
            Some(announcement)
        }
        Err(error) => {
            tracing::warn!(%error, "cannot announce this server on the local network; people have to type its address");
            None
        }
    }
}

/// Pure: nothing for a server that only this machine can reach, or whose administrator wants it quiet.
fn what(config: &Config, bound: SocketAddr, host: &str) -> Option<Announced> {
    let ip = bound.ip().to_canonical();
    if !config.announce || ip.is_loopback() {
        return None;
    }
    let label: String = host.split('.').next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let label = if label.is_empty() { "offpeak".to_owned() } else { label };
    // The address that comes of listening everywhere is of no use to others.
    let reaches_others = match config.public_url.host() {
        Some(url::Host::Ipv4(ip)) => !ip.is_unspecified() && !ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => !ip.is_unspecified() && !ip.is_loopback(),
        Some(url::Host::Domain(name)) => name != "localhost",
        None => false,
    };
    Some(Announced {
        name: cut(&label),
        host: format!("{}.local.", cut(&label)),
        address: (!ip.is_unspecified()).then_some(ip),
        port: bound.port(),
        url: reaches_others.then(|| config.public_url.to_string()),
        is_encrypted: config.tls != Tls::Off,
    })
}

fn cut(label: &str) -> String {
    let end = (0..=LONGEST_NAME.min(label.len())).rev().find(|end| label.is_char_boundary(*end));
    label[..end.unwrap_or(0)].to_owned()
}

fn announce(announced: &Announced) -> Result<Announcement, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    let tls = if announced.is_encrypted { "1" } else { "0" };
    let mut says = vec![("v", "1"), ("tls", tls)];
    says.extend(announced.url.as_deref().map(|url| ("url", url)));
    let address = announced.address.map(|ip| ip.to_string()).unwrap_or_default();
    let service = ServiceInfo::new(SERVICE, &announced.name, &announced.host, address, announced.port, &says[..])?;
    let service = if announced.address.is_none() { service.enable_addr_auto() } else { service };
    let name = service.get_fullname().to_owned();
    daemon.register(service)?;
    Ok(Announcement { daemon, name })
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Machines that listen forget it at once; without this, when it has not been said again for a while.
        if let Ok(said) = self.daemon.unregister(&self.name) {
            let _said = said.recv_timeout(std::time::Duration::from_millis(200));
        }
        let _ended = self.daemon.shutdown();
    }
}

fn host_name() -> String {
    let name = if cfg!(windows) {
        std::env::var("COMPUTERNAME").ok()
    } else {
        // The kernel's own, where there is one to read; else what a login shell was told.
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok())
    };
    name.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn said(settings: Settings, bound: &str, host: &str) -> Option<Announced> {
        what(&settings.check().expect("settings that fit"), bound.parse().expect("an address"), host)
    }

    #[test]
    fn only_what_others_can_reach_is_announced() {
        for (bound, expected) in [
            ("127.0.0.1:7070", false),
            ("[::1]:7070", false),
            ("[::ffff:127.0.0.1]:7070", false),
            ("0.0.0.0:7070", true),
            ("192.168.1.5:7070", true),
        ] {
            assert_eq!(said(Settings::default(), bound, "farm").is_some(), expected, "{bound}");
        }
        let quiet = Settings { mdns: Some(false), ..Settings::default() };
        assert_eq!(said(quiet, "0.0.0.0:7070", "farm"), None);
    }

    #[test]
    fn it_says_where_people_go() {
        let public = |url: &str| Settings { public_url: Some(url.to_owned()), ..Settings::default() };
        let announced = said(public("https://farm.example.com"), "0.0.0.0:7070", "box.example.com").expect("an announcement");
        assert_eq!((announced.name.as_str(), announced.host.as_str()), ("box", "box.local."));
        assert_eq!((announced.url.as_deref(), announced.address), (Some("https://farm.example.com/"), None));
        for useless in ["http://0.0.0.0:7070", "http://127.0.0.1:7070", "http://localhost:7070"] {
            assert_eq!(said(public(useless), "0.0.0.0:7070", "box").expect("an announcement").url, None, "{useless}");
        }
        let own = Settings { tls: Some("self".to_owned()), ..Settings::default() };
        let announced = said(own, "10.0.0.5:7070", "").expect("an announcement");
        assert!(announced.is_encrypted && announced.name == "offpeak");
        assert_eq!(announced.address, Some(IpAddr::from([10, 0, 0, 5])));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let name = said(Settings::default(), "0.0.0.0:7070", &"ä".repeat(60)).expect("an announcement").name;
        assert_eq!(name.len(), 62);
    }
}
