//! Servers on the local network, by mDNS, while somebody looks at the page for joining; never otherwise.

use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};
use serde::Serialize;

/// What servers announce (`server/src/announce`).
const SERVICE: &str = "_offpeak._tcp.local.";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Names the announcement, so that it can be taken back.
    pub id: String,
    pub name: String,
    /// Null when a server is not there any more.
    pub address: Option<String>,
}

/// A search; it ends when this is dropped.
pub struct Search {
    daemon: ServiceDaemon,
}

impl Search {
    /// `tell` is called for each server that appears or goes, on a thread of its own.
    ///
    /// # Errors
    /// When the network does not allow multicast.
    pub fn start(tell: impl Fn(Found) + Send + 'static) -> Result<Self, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        let events = daemon.browse(SERVICE)?;
        let listen = move || {
            while let Ok(event) = events.recv() {
                match event {
                    ServiceEvent::ServiceResolved(service) => drop(found(&service).map(&tell)),
                    ServiceEvent::ServiceRemoved(_, id) => tell(Found { name: short_name(&id), id, address: None }),
                    _ => {}
                }
            }
        };
        // Without the thread nothing is found, as on a network without servers.
        let _started = std::thread::Builder::new().name("mdns".to_owned()).spawn(listen);
        Ok(Self { daemon })
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        // It has ended by itself, or ends now.
        let _ended = self.daemon.shutdown();
    }
}

fn found(service: &ResolvedService) -> Option<Found> {
    let says = |name: &str| service.get_property_val_str(name).map(str::to_owned).filter(|value| !value.is_empty());
    // The address that people use, if the server says which; it is what its certificate is for.
    let address = says("url").or_else(|| {
        let host = service.get_addresses_v4().into_iter().min()?;
        let scheme = if says("tls").as_deref() == Some("1") { "https" } else { "http" };
        Some(format!("{scheme}://{host}:{}/", service.get_port()))
    });
    let id = service.get_fullname().to_owned();
    Some(Found { name: short_name(&id), id, address: Some(address?) })
}

/// `Farm._offpeak._tcp.local.` is called Farm.
fn short_name(id: &str) -> String {
    id.strip_suffix(SERVICE).map_or(id, |name| name.trim_end_matches('.')).replace("\\.", ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_people() {
        for (id, name) in [("Video farm._offpeak._tcp.local.", "Video farm"), ("a\\.b._offpeak._tcp.local.", "a.b"), ("x", "x")] {
            assert_eq!(short_name(id), name);
        }
    }
}
