//! The groups of all CoAP nodes (RFC 7252 §12.8), of which a server can be a member.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::{fs, iter};

use tokio::net::UdpSocket;

use crate::connect::udp;
use crate::error::Result;

/// All CoAP nodes, IPv4.
const NODES: Ipv4Addr = Ipv4Addr::new(224, 0, 1, 187);

/// All CoAP nodes, IPv6: of the link, and of the site.
const NODES_6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfd),
    Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0xfd),
];

/// A socket for each group that goes with the address of a listener: on the network interface that has this address,
/// on any or all of them when it is none in particular. A host may lack one family of addresses, and an interface groups:
/// those that can be joined suffice.
///
/// # Errors
/// [`crate::error::Kind::Local`]: no group can be joined.
pub(super) fn join(listener: SocketAddr) -> Result<Vec<UdpSocket>> {
    let port = listener.port();
    let on = match listener.ip() {
        IpAddr::V4(address) => Some(address),
        // A socket of both families.
        IpAddr::V6(address) if address.is_unspecified() => Some(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => None,
    };
    let mut joined = Vec::new();
    if let Some(address) = on {
        joined.push(udp::member_v4(NODES, port, address));
    }
    if let SocketAddr::V6(listener) = listener {
        let interfaces = interfaces(listener);
        for (group, interface) in NODES_6
            .iter()
            .flat_map(|group| interfaces.iter().map(move |it| (*group, *it)))
        {
            joined.push(udp::member_v6(group, port, interface));
        }
    }
    let (sockets, failures): (Vec<_>, Vec<_>) = joined.into_iter().partition(Result::is_ok);
    match failures.into_iter().next() {
        Some(Err(error)) if sockets.is_empty() => Err(error),
        _ => sockets.into_iter().collect(),
    }
}

/// The numbers of the network interfaces with this address, of all that have an address where it is none in
/// particular.
fn interfaces(listener: SocketAddrV6) -> Vec<u32> {
    // Systems other than Linux have no such list; there the address must come with its zone.
    let list = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let mut found: Vec<u32> = match listener.scope_id() {
        0 => listed(&list, *listener.ip()).collect(),
        zone => iter::once(zone).collect(),
    };
    found.sort_unstable();
    found.dedup();
    if found.is_empty() { vec![0] } else { found }
}

/// Reads lines such as `fe8000000000000000fc00fffe000001 04 40 20 80 eth0`: the address, and its interface.
fn listed(list: &str, address: Ipv6Addr) -> impl Iterator<Item = u32> {
    list.lines().filter_map(move |line| {
        let mut words = line.split_whitespace();
        let has = u128::from_str_radix(words.next()?, 16).ok()?;
        let interface = u32::from_str_radix(words.next()?, 16).ok()?;
        let wanted = if address.is_unspecified() {
            // What is sent on the loopback interface comes to nobody else.
            has != Ipv6Addr::LOCALHOST.to_bits()
        } else {
            has == address.to_bits()
        };
        wanted.then_some(interface)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_found_by_their_addresses() {
        let list = "00000000000000000000000000000001 01 80 10 80       lo\n\
                    fd000000000000000000000000000002 04 40 00 82     eth0\n\
                    fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
                    broken\n";
        let found = |address: &str| -> Vec<u32> {
            listed(list, address.parse().expect("an address")).collect()
        };
        assert_eq!(found("fd00::2"), [4]);
        assert_eq!(found("::1"), [1]);
        assert_eq!(found("::"), [4, 4]);
        assert!(found("fd00::3").is_empty());
    }
}
