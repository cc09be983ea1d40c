//! Addresses with the network interface that link-local ones need: `fe80::1%eth0`, `fe80::1%2` (RFC 4007 §11).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::str::FromStr;

/// An address of this machine to connect from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalAddress {
    ip: IpAddr,
    /// The number of the network interface; 0: none was named.
    zone: u32,
}

impl LocalAddress {
    /// The address without its interface.
    pub const fn ip(self) -> IpAddr {
        self.ip
    }

    /// Whether it is of the family IPv4.
    pub const fn is_ipv4(self) -> bool {
        self.ip.is_ipv4()
    }

    /// What a socket is bound to that is to reach `peer`. A link-local address without an interface is on the peer's.
    pub const fn socket(self, port: u16, peer: &SocketAddr) -> SocketAddr {
        match (self.ip, peer) {
            (IpAddr::V6(ip), SocketAddr::V6(peer))
                if self.zone == 0 && ip.is_unicast_link_local() =>
            {
                SocketAddr::V6(SocketAddrV6::new(ip, port, 0, peer.scope_id()))
            }
            (IpAddr::V6(ip), _) => SocketAddr::V6(SocketAddrV6::new(ip, port, 0, self.zone)),
            (ip, _) => SocketAddr::new(ip, port),
        }
    }
}

impl From<IpAddr> for LocalAddress {
    fn from(ip: IpAddr) -> Self {
        Self { ip, zone: 0 }
    }
}

impl FromStr for LocalAddress {
    type Err = String;

    /// Reads `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match ipv6_with_zone(text) {
            Some(found) => {
                let (ip, zone) = found.map_err(|cause| cause.to_string())?;
                let ip = ip.into();
                Ok(Self { ip, zone })
            }
            None => text
                .parse::<IpAddr>()
                .map(Self::from)
                .map_err(|_| format!("{text:?} is not an IP address")),
        }
    }
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)?;
        match self.zone {
            0 => Ok(()),
            zone => write!(f, "%{zone}"),
        }
    }
}

/// An IPv6 address and the number of the interface after its `%`; `None`: it is no such address.
pub(super) fn ipv6_with_zone(text: &str) -> Option<io::Result<(Ipv6Addr, u32)>> {
    let (address, zone) = text.split_once('%')?;
    let address = address.parse().ok()?;
    Some(zone_of(zone).map(|zone| (address, zone)))
}

/// The number of an interface by its name, or the number itself.
fn zone_of(zone: &str) -> io::Result<u32> {
    if let Ok(number) = zone.parse() {
        return Ok(number);
    }
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    rustix::net::netdevice::name_to_index(&socket, zone)
        .map_err(|_| io::Error::other(format!("unknown network interface {zone}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_a_name_or_a_number() {
        for text in ["fe80::1%lo", "fe80::1%1"] {
            let address: LocalAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), "fe80::1%1");
        }
        for text in ["fe80::1%no-such", "fe80::1%", "10.0.0.1%lo", "x", ""] {
            assert!(text.parse::<LocalAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_local_source_is_on_the_interface_of_its_peer() {
        let peer = "[fe80::2%3]:5".parse().unwrap();
        let bound = |text: &str| text.parse::<LocalAddress>().unwrap().socket(7, &peer);
        assert_eq!(bound("fe80::1").to_string(), "[fe80::1%3]:7");
        assert_eq!(bound("fe80::1%4").to_string(), "[fe80::1%4]:7");
        assert_eq!(bound("2001:db8::1").to_string(), "[2001:db8::1]:7");
        assert_eq!(bound("10.0.0.1").to_string(), "10.0.0.1:7");
    }
}
