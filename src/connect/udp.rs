//! Datagrams: name lookup and a socket. UDP has no handshake, so that it works shows only later.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Instant;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::error::{Error, Kind, Result, plain};

use super::dial::lookup_words;
use super::failure::cannot_connect;
use super::happy;
use super::phases::Phase;
use super::target::Target;
use super::zone::unspecified;

/// What the kernel may keep for us in each direction, in bytes: many large datagrams.
const KERNEL_BUFFER: usize = 1024 * 1024;

/// The addresses of `target`, best first; at least one.
///
/// # Errors
/// [`Kind::Unreachable`] for an unknown name, [`Kind::TimedOut`] when the lookup takes longer than the target's
/// `connect_timeout`.
pub(crate) async fn addresses(target: &Target) -> Result<Vec<SocketAddr>> {
    let began = Instant::now();
    let limit = target.connect_timeout;
    let looked_up = timeout(
        limit,
        happy::addresses(&target.host, target.port, target.only_family()),
    )
    .await;
    let found = looked_up.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let mut found = found.map_err(|cause| match cause.kind() {
        io::ErrorKind::TimedOut => Error::new(
            Kind::TimedOut,
            format!("cannot resolve {:?}: timed out", target.host),
        ),
        _ => cannot_connect(target, lookup_words(&target.host, &cause)),
    })?;
    target.took(Phase::Resolve, began);
    if found.is_empty() {
        return Err(cannot_connect(target, "no address to send to"));
    }
    if target.bind_port != 0 {
        // A socket for the next one would need the port while that of the first still has it.
        found.truncate(1);
    }
    Ok(found)
}

/// A socket that talks to `address` only: others are not heard, and an ICMP refusal is an error.
///
/// # Errors
/// [`Kind::Unreachable`]: no route, or a source address or port that we cannot have.
pub(crate) async fn connected(target: &Target, address: SocketAddr) -> Result<UdpSocket> {
    let cannot = |cause: io::Error| cannot_connect(target, plain(&cause));
    let socket = open_for(target, &address).map_err(cannot)?;
    socket.connect(address).await.map_err(cannot)?;
    Ok(socket)
}

/// What it means that sending to `target` or hearing from it failed.
pub(crate) fn unreachable(target: &Target, cause: &io::Error) -> Error {
    cannot_connect(
        target,
        match cause.kind() {
            io::ErrorKind::ConnectionRefused => "port unreachable (ICMP)".into(),
            _ => plain(cause),
        },
    )
}

/// A socket that can hear anyone, for groups of the family of `address`.
///
/// # Errors
/// [`Kind::Unreachable`]: a source address or port that we cannot have.
pub(crate) fn unconnected(target: &Target, address: SocketAddr) -> Result<UdpSocket> {
    open_for(target, &address).map_err(|cause| cannot_connect(target, plain(&cause)))
}

/// A socket that listens on `address`; port 0 takes a free one.
///
/// # Errors
/// [`Kind::Local`]: `cannot listen on 127.0.0.1:5683: address already in use`.
pub(crate) fn listening(address: SocketAddr) -> Result<UdpSocket> {
    listen(address, false)
}

/// The same for a server that is a member of groups: their sockets have the same port, which a socket for all addresses
/// must then share with them.
///
/// # Errors
/// As [`listening`].
pub(crate) fn listening_with_groups(address: SocketAddr) -> Result<UdpSocket> {
    listen(address, address.ip().is_unspecified())
}

fn listen(address: SocketAddr, shared: bool) -> Result<UdpSocket> {
    let opened = open_with(address, |socket| {
        only_ours(socket, &address);
        socket.set_reuse_address(shared)
    });
    opened.map_err(|cause| Error::local(format!("cannot listen on {address}"), &cause))
}

/// Linux hands what is sent to a group to every socket without an address of its own, if only somebody on this machine is
/// a member; to such a datagram it would be answered as if it had been sent to us alone.
#[cfg(target_os = "linux")]
fn only_ours(socket: &Socket, address: &SocketAddr) {
    // Systems too old for the second one have no IPv6 groups by mistake either.
    let _ = socket.set_multicast_all_v4(false);
    if address.is_ipv6() {
        let _ = socket.set_multicast_all_v6(false);
    }
}

#[cfg(not(target_os = "linux"))]
const fn only_ours(_: &Socket, _: &SocketAddr) {}

/// A socket for what is sent to a group and this port; other members on this machine hear it too. `interface` is an
/// address of the network interface, unspecified for the system's choice.
///
/// # Errors
/// [`Kind::Local`]: `cannot join the group 224.0.1.187: no such device`.
pub(crate) fn member_v4(group: Ipv4Addr, port: u16, interface: Ipv4Addr) -> Result<UdpSocket> {
    let address = (group, port).into();
    let joined = member(address, |socket| {
        socket.join_multicast_v4(&group, &interface)
    });
    joined.map_err(|cause| cannot_join(group.into(), &cause))
}

/// The same for a group of IPv6; `interface` is the number of the network interface, 0 for the system's choice.
///
/// # Errors
/// As [`member_v4`].
pub(crate) fn member_v6(group: Ipv6Addr, port: u16, interface: u32) -> Result<UdpSocket> {
    let address = SocketAddrV6::new(group, port, 0, interface).into();
    let joined = member(address, |socket| {
        socket.set_only_v6(true)?;
        socket.join_multicast_v6(&group, interface)
    });
    joined.map_err(|cause| cannot_join(group.into(), &cause))
}

fn member(group: SocketAddr, join: impl Fn(&Socket) -> io::Result<()>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(group), Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    join(&socket)?;
    socket.bind(&group.into())?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

fn cannot_join(group: IpAddr, cause: &io::Error) -> Error {
    Error::local(format!("cannot join the multicast group {group}"), cause)
}

/// The address from which the operating system would send to `peer`. Nothing is sent.
pub(crate) fn source_towards(peer: SocketAddr) -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind((unspecified(&peer), 0)).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|it| it.ip())
}

/// A socket of ours for `target` that is to reach `peer`.
fn open_for(target: &Target, peer: &SocketAddr) -> io::Result<UdpSocket> {
    let any = SocketAddr::new(unspecified(peer), target.bind_port);
    match target.bind {
        None => open_with(any, |_| Ok(())),
        Some(source) => open_bound(any, |socket| {
            source.bind(&SockRef::from(socket), target.bind_port, peer)
        }),
    }
}

fn open_with(
    address: SocketAddr,
    prepare: impl FnOnce(&Socket) -> io::Result<()>,
) -> io::Result<UdpSocket> {
    open_bound(address, |socket| {
        if address.is_ipv6() && address.ip().is_unspecified() {
            // All interfaces means both families.
            socket.set_only_v6(false)?;
        }
        prepare(socket)?;
        socket.bind(&address.into())
    })
}

/// A socket of the family of `address`, bound by `bind`.
fn open_bound(
    address: SocketAddr,
    bind: impl FnOnce(&Socket) -> io::Result<()>,
) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    // The kernel gives less where it must; that costs only speed.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    bind(&socket)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// A socket like `socket` for another address, which may be of another family.
///
/// # Errors
/// The operating system has no socket for us.
pub(crate) fn again(socket: &UdpSocket, address: SocketAddr) -> io::Result<UdpSocket> {
    let mut bound = socket.local_addr()?;
    bound.set_port(0);
    let same = bound.is_ipv4() == address.is_ipv4() && !bound.ip().is_unspecified();
    let from = match same {
        true => bound,
        false => SocketAddr::new(unspecified(&address), 0),
    };
    open_with(from, |new| on_interface_of(new, socket))
}

/// Keeps a socket to the network interface of another one.
#[cfg(target_os = "linux")]
fn on_interface_of(new: &Socket, socket: &UdpSocket) -> io::Result<()> {
    match SockRef::from(socket).device()? {
        Some(name) => new.bind_device(Some(&name)),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
const fn on_interface_of(_: &Socket, _: &UdpSocket) -> io::Result<()> {
    Ok(())
}
