//! Where to connect from, and addresses with the network interface that link-local ones need: `fe80::1%eth0`, `fe80::1%2` (RFC 4007 §11).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::str::FromStr;

use socket2::SockRef;

use super::family::Family;

/// Where on this machine to connect from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalAddress(Origin);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    /// `zone`: the number of the address's network interface; 0: none was named.
    Address { ip: IpAddr, zone: u32 },
    /// The number of a network interface, whatever its addresses.
    Interface(u32),
}

impl LocalAddress {
    /// The family that can be reached from here; `None`: either may.
    pub(super) const fn family(self) -> Option<Family> {
        match self.0 {
            Origin::Address { ip, .. } => Some(Family::of(ip)),
            Origin::Interface(_) => None,
        }
    }

    /// Makes `socket` one from here that is to reach `peer`. Port 0 is left to the system.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::AddrNotAvailable`] where an interface has no address of the family.
    pub(crate) fn bind(self, socket: &SockRef<'_>, port: u16, peer: &SocketAddr) -> io::Result<()> {
        let index = match self.0 {
            Origin::Address { ip, zone } => {
                return socket.bind(&address(ip, zone, port, peer).into());
            }
            Origin::Interface(index) => index,
        };
        match bind_to_interface(socket, index) {
            Ok(()) if port == 0 => Ok(()),
            Ok(()) => socket.bind(&SocketAddr::new(unspecified(peer), port).into()),
            // Before Linux 5.7 this needs a privilege; an address of the interface is next best.
            Err(_) => socket.bind(&address(address_of(index, peer)?, index, port, peer).into()),
        }
    }

    /// Whether it is an address of another machine.
    pub(crate) fn is_foreign(self) -> bool {
        let Origin::Address { ip, .. } = self.0 else {
            return false;
        };
        let bound = UdpSocket::bind((ip, 0));
        bound.is_err_and(|cause| cause.kind() == io::ErrorKind::AddrNotAvailable)
    }

    /// What it means that a socket cannot be bound to this.
    pub(crate) fn unavailable(self) -> String {
        match self.0 {
            Origin::Address { .. } => format!("{self} is not an address of this machine"),
            Origin::Interface(_) => {
                format!("the network interface {self} has no address of the server's family")
            }
        }
    }
}

/// What a socket is bound to that is to reach `peer`. A link-local address without an interface is on the peer's.
const fn address(ip: IpAddr, zone: u32, port: u16, peer: &SocketAddr) -> SocketAddr {
    match (ip, peer) {
        (IpAddr::V6(ip), SocketAddr::V6(peer)) if zone == 0 && ip.is_unicast_link_local() => {
            SocketAddr::V6(SocketAddrV6::new(ip, port, 0, peer.scope_id()))
        }
        (IpAddr::V6(ip), _) => SocketAddr::V6(SocketAddrV6::new(ip, port, 0, zone)),
        (ip, _) => SocketAddr::new(ip, port),
    }
}

/// All addresses of the family of `peer`.
pub(super) const fn unspecified(peer: &SocketAddr) -> IpAddr {
    match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(target_os = "linux")]
fn bind_to_interface(socket: &SockRef<'_>, index: u32) -> io::Result<()> {
    let name = rustix::net::netdevice::index_to_name(&**socket, index)?;
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_to_interface(_: &SockRef<'_>, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// An address of the interface from which `peer` can be reached.
fn address_of(index: u32, peer: &SocketAddr) -> io::Result<IpAddr> {
    let name = interface_name(index);
    let link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let found = nix::ifaddrs::getifaddrs()?.filter(|it| it.interface_name == name);
    let addresses = found.filter_map(|it| {
        let storage = it.address?;
        let v4 = storage.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
    });
    let mut addresses = addresses
        .filter(|ip| ip.is_ipv4() == peer.is_ipv4() && link_local(*ip) == link_local(peer.ip()));
    addresses
        .next()
        .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// The name of an interface, or its number where it is gone.
fn interface_name(index: u32) -> String {
    let name = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .ok()
        .and_then(|socket| rustix::net::netdevice::index_to_name(&socket, index).ok());
    name.unwrap_or_else(|| index.to_string())
}

impl From<IpAddr> for LocalAddress {
    fn from(ip: IpAddr) -> Self {
        Self(Origin::Address { ip, zone: 0 })
    }
}

impl FromStr for LocalAddress {
    type Err = String;

    /// Reads `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`, `eth0`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(found) = ipv6_with_zone(text) {
            let (ip, zone) = found.map_err(|cause| cause.to_string())?;
            let ip = ip.into();
            return Ok(Self(Origin::Address { ip, zone }));
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        let found = interface(text).map(|index| Self(Origin::Interface(index)));
        found.map_err(|_| {
            format!("{text:?} is neither an IP address nor a network interface of this machine")
        })
    }
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Origin::Interface(index) => f.write_str(&interface_name(index)),
            Origin::Address { ip, zone: 0 } => ip.fmt(f),
            Origin::Address { ip, zone } => write!(f, "{ip}%{zone}"),
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
    interface(zone).map_err(|_| io::Error::other(format!("unknown network interface {zone}")))
}

fn interface(name: &str) -> io::Result<u32> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    Ok(rustix::net::netdevice::name_to_index(&socket, name)?)
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
        let lo: LocalAddress = "lo".parse().unwrap();
        assert_eq!((lo.to_string().as_str(), lo.family()), ("lo", None));
        for text in [
            "fe80::1%no-such",
            "fe80::1%",
            "10.0.0.1%lo",
            "no-such0",
            "1",
            "",
        ] {
            assert!(text.parse::<LocalAddress>().is_err(), "{text}");
        }
        let refused = "no-such0".parse::<LocalAddress>().unwrap_err();
        assert!(
            refused.contains("\"no-such0\" is neither an IP address"),
            "{refused}"
        );
    }

    #[test]
    fn a_link_local_source_is_on_the_interface_of_its_peer() {
        let peer = "[fe80::2%3]:5".parse().unwrap();
        let bound = |text: &str| match text.parse::<LocalAddress>().unwrap().0 {
            Origin::Address { ip, zone } => address(ip, zone, 7, &peer),
            Origin::Interface(index) => panic!("interface {index}"),
        };
        assert_eq!(bound("fe80::1").to_string(), "[fe80::1%3]:7");
        assert_eq!(bound("fe80::1%4").to_string(), "[fe80::1%4]:7");
        assert_eq!(bound("2001:db8::1").to_string(), "[2001:db8::1]:7");
        assert_eq!(bound("10.0.0.1").to_string(), "10.0.0.1:7");
    }

    #[test]
    fn an_interface_is_bound_to_or_lends_its_address() {
        let lo: LocalAddress = "lo".parse().unwrap();
        let peer: SocketAddr = "127.0.0.1:9".parse().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let taken = socket.local_addr().unwrap().port();
        drop(socket);
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
        lo.bind(&SockRef::from(&socket), taken, &peer).unwrap();
        let bound = socket.local_addr().unwrap().as_socket().unwrap();
        assert_eq!(bound.port(), taken);
        assert_eq!(
            address_of(interface("lo").unwrap(), &peer)
                .unwrap()
                .to_string(),
            "127.0.0.1"
        );
    }
}
