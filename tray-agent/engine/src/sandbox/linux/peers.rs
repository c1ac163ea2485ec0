//! Whose connection it is, for where the network is shared: the one whose socket one of our own programs holds.

use std::{collections::BTreeSet, net::SocketAddr, path::Path};

/// Whether the connection from `peer` to `local`, both on this machine, belongs to one of `processes`.
pub(crate) fn is_peer(peer: SocketAddr, local: SocketAddr, processes: &BTreeSet<u32>) -> bool {
    let (SocketAddr::V4(peer), SocketAddr::V4(local)) = (peer, local) else { return false };
    let wanted = (in_hex(*peer.ip(), peer.port()), in_hex(*local.ip(), local.port()));
    let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return false };
    let found = table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let ends = (fields.next()?, fields.next()?);
        (ends == (wanted.0.as_str(), wanted.1.as_str())).then(|| fields.nth(6))?
    });
    // 0 is the inode of a socket that nobody holds any more.
    let Some(inode) = found.filter(|inode| *inode != "0") else { return false };
    let socket = format!("socket:[{inode}]");
    processes.iter().any(|process| holds(*process, &socket))
}

fn holds(process: u32, socket: &str) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    descriptors.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == Path::new(socket)))
}

/// As proc_net_tcp(5) has it: the address in this machine's byte order.
fn in_hex(address: std::net::Ipv4Addr, port: u16) -> String {
    format!("{:08X}:{port:04X}", u32::from_ne_bytes(address.octets()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_belongs_to_who_holds_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (accepted, peer) = listener.accept().expect("a connection");
        let local = accepted.local_addr().expect("an address");
        let of = |processes: &[u32]| is_peer(peer, local, &processes.iter().copied().collect());
        assert!(of(&[std::process::id()]));
        assert!(!of(&[1]) && !of(&[]));
        drop(ours);
    }
}
