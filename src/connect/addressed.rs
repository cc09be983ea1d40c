//! A server's UDP socket. One that listens on all addresses would answer from whichever the system chooses: a client
//! that asked another drops the answer. Here each datagram comes with the address it was sent to (IP_PKTINFO,
//! IPV6_RECVPKTINFO), and an answer leaves from there.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage,
    recvmsg, sendmsg, setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A socket that listens.
#[derive(Debug)]
pub struct Addressed {
    socket: UdpSocket,
    /// It has all addresses of this machine.
    is_wildcard: bool,
}

impl Addressed {
    /// Takes over a socket that is bound.
    pub fn new(socket: UdpSocket) -> Self {
        let local = socket.local_addr();
        // Where the system cannot tell, it chooses as it always did.
        let is_wildcard = local.is_ok_and(|local| {
            local.ip().is_unspecified()
                && match local {
                    SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true),
                    // For IPv4 too, whose addresses come mapped.
                    SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true),
                }
                .is_ok()
        });
        Self {
            socket,
            is_wildcard,
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As [`UdpSocket::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next datagram: its length, who sent it, and to which address of ours where there are several.
    ///
    /// # Errors
    /// As [`UdpSocket::recv_from`].
    pub async fn receive(
        &self,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Option<IpAddr>)> {
        if !self.is_wildcard {
            let (length, from) = self.socket.recv_from(buffer).await?;
            return Ok((length, from, None));
        }
        let receive = || receive(&self.socket, buffer);
        self.socket.async_io(Interest::READABLE, receive).await
    }

    /// Sends a datagram now or never: a full buffer loses it, as a network would. It leaves from the address `from`
    /// where that is one of ours.
    pub fn send(&self, bytes: &[u8], to: SocketAddr, from: Option<IpAddr>) {
        if let Some(from) = from.filter(|_| self.is_wildcard) {
            let send = || send(&self.socket, bytes, to, from);
            match self.socket.try_io(Interest::WRITABLE, send) {
                // It may be no address of ours any more, or never have been one: a broadcast.
                Err(cause) if cause.kind() != io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
        let _ = self.socket.try_send_to(bytes, to);
    }
}

fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, Option<IpAddr>)> {
    let mut space = nix::cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo);
    let mut slices = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::empty();
    let came =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags)?;
    let asked = came.cmsgs()?.find_map(|said| match said {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            let asked = Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes());
            Some(IpAddr::V4(asked))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)))
        }
        _ => None,
    });
    let from = came.address.as_ref().and_then(address);
    let from = from.ok_or_else(|| io::Error::other("a datagram without a source address"))?;
    let asked = asked.filter(|it| !it.to_canonical().is_multicast());
    Ok((came.bytes, from, asked))
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|it| SocketAddr::from(*it));
    v4.or_else(|| storage.as_sockaddr_in6().map(|it| SocketAddr::from(*it)))
}

fn send(socket: &UdpSocket, bytes: &[u8], to: SocketAddr, from: IpAddr) -> io::Result<usize> {
    let (socket, slices) = (socket.as_raw_fd(), [IoSlice::new(bytes)]);
    let flags = MsgFlags::empty();
    let sent = match (from, to) {
        (IpAddr::V4(from), SocketAddr::V4(to)) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from_ne_bytes(from.octets()),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            let said = [ControlMessage::Ipv4PacketInfo(&info)];
            sendmsg(socket, &slices, &said, flags, Some(&SockaddrIn::from(to)))
        }
        (IpAddr::V6(from), SocketAddr::V6(to)) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: from.octets(),
                },
                // Which interface a link-local address is on, the peer's says already.
                ipi6_ifindex: 0,
            };
            let said = [ControlMessage::Ipv6PacketInfo(&info)];
            sendmsg(socket, &slices, &said, flags, Some(&SockaddrIn6::from(to)))
        }
        _ => return Err(io::ErrorKind::InvalidInput.into()),
    };
    Ok(sent?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::udp;

    /// Asks `asked` by a socket that hears nobody else, of a server on `listening`.
    async fn is_answered(listening: &str, asked: &str) {
        let address: SocketAddr = listening.parse().unwrap();
        let server = Addressed::new(udp::listening(address).unwrap());
        let port = server.local_addr().unwrap().port();
        let asked: IpAddr = asked.parse().unwrap();
        let any = SocketAddr::new(asked, 0);
        let client = UdpSocket::bind(any).await.unwrap();
        client.connect((asked, port)).await.unwrap();
        client.send(b"?").await.unwrap();
        let mut buffer = [0; 8];
        let (length, from, to) = server.receive(&mut buffer).await.unwrap();
        assert_eq!(length, 1);
        assert_eq!(to.map(|it| it.to_canonical()), Some(asked));
        server.send(b"!", from, to);
        assert_eq!(client.recv(&mut buffer).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn an_answer_leaves_from_the_address_that_was_asked() {
        is_answered("0.0.0.0:0", "127.0.0.2").await;
        is_answered("[::]:0", "127.0.0.2").await;
        is_answered("[::]:0", "::1").await;
    }

    #[tokio::test]
    async fn a_socket_of_one_address_needs_not_be_told() {
        let address = "127.0.0.1:0".parse().unwrap();
        let server = Addressed::new(udp::listening(address).unwrap());
        let client = UdpSocket::bind("127.0.0.2:0").await.unwrap();
        let to = server.local_addr().unwrap();
        client.send_to(b"?", to).await.unwrap();
        let mut buffer = [0; 8];
        let (_, from, asked) = server.receive(&mut buffer).await.unwrap();
        assert_eq!(asked, None);
        server.send(b"!", from, Some([127, 0, 0, 3].into()));
        assert_eq!(client.recv_from(&mut buffer).await.unwrap(), (1, to));
    }
}
