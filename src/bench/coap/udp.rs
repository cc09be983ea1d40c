//! A connected UDP socket as a link: each datagram behind its length in two bytes.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UdpSocket;

use super::bundle::Bundle;
use crate::coap::wire::PREFIX;

/// The largest datagram, in bytes.
pub(super) const LARGEST: usize = 65_535;

/// Datagrams to and from one peer. One poll moves as many as there are.
#[derive(Debug)]
pub(super) struct UdpLink {
    socket: UdpSocket,
    /// What went wrong after others had been moved; said at the next poll.
    failed: Option<io::Error>,
    bundle: Bundle,
}

impl UdpLink {
    pub(super) fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            failed: None,
            bundle: Bundle::default(),
        }
    }
}

impl AsyncRead for UdpLink {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        let mut taken = 0;
        if let Some(failed) = link.failed.take() {
            return Poll::Ready(Err(failed));
        }
        while let Some(space) = place(buffer.initialize_unfilled(), taken) {
            match poll_datagram(&link.socket, cx, space) {
                Poll::Ready(Ok(length)) => taken += length,
                Poll::Ready(Err(cause)) if taken == 0 => return Poll::Ready(Err(cause)),
                Poll::Ready(Err(cause)) => {
                    link.failed = Some(cause);
                    break;
                }
                Poll::Pending if taken == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        buffer.advance(taken);
        Poll::Ready(Ok(()))
    }
}

/// Where the next datagram goes, behind `taken` bytes; `None` when the largest would not fit.
pub(super) fn place(space: &mut [u8], taken: usize) -> Option<&mut [u8]> {
    let fits = taken == 0 || space.len() - taken >= PREFIX + LARGEST;
    fits.then(|| &mut space[taken..])
}

/// Receives one datagram with its length in front; the bytes of both.
fn poll_datagram(
    socket: &UdpSocket,
    cx: &mut Context<'_>,
    space: &mut [u8],
) -> Poll<io::Result<usize>> {
    let Some((prefix, rest)) = space.split_first_chunk_mut::<PREFIX>() else {
        return Poll::Ready(Err(ErrorKind::InvalidInput.into()));
    };
    loop {
        // Not by the C library: its calls can be cancelled, which costs as much as the rest of them.
        let received = socket.try_io(Interest::READABLE, || {
            Ok(rustix::net::recv(socket, &mut *rest, RecvFlags::DONTWAIT)?)
        });
        match received {
            Ok((length, _)) => {
                // No datagram is longer than two bytes can say.
                *prefix = (length as u16).to_be_bytes();
                return Poll::Ready(Ok(PREFIX + length));
            }
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                ready!(socket.poll_recv_ready(cx))?;
            }
            Err(cause) => return Poll::Ready(Err(cause)),
        }
    }
}

/// Sends one datagram, or as many as the socket makes of it. What the kernel has no room for is lost, as the network
/// may lose it.
pub(super) fn poll_send(
    socket: &UdpSocket,
    cx: &mut Context<'_>,
    datagram: &[u8],
) -> Poll<io::Result<()>> {
    loop {
        let sent = socket.try_io(Interest::WRITABLE, || {
            Ok(rustix::net::send(socket, datagram, SendFlags::DONTWAIT)?)
        });
        match sent {
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                ready!(socket.poll_send_ready(cx))?;
            }
            Err(cause) if !is_full(&cause) => return Poll::Ready(Err(cause)),
            _ => return Poll::Ready(Ok(())),
        }
    }
}

fn is_full(cause: &io::Error) -> bool {
    cause.raw_os_error() == Some(Errno::NOBUFS.raw_os_error())
}

/// What a kernel says that cannot cut this bundle: too large for the interface, or no checksums by it.
fn is_uncut(cause: &io::Error) -> bool {
    let known = [Errno::INVAL, Errno::IO, Errno::MSGSIZE, Errno::OPNOTSUPP];
    known
        .iter()
        .any(|one| cause.raw_os_error() == Some(one.raw_os_error()))
}

/// The first datagram of `bytes`; `None` when it is not whole.
pub(super) fn first(bytes: &[u8]) -> Option<&[u8]> {
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    rest.get(..usize::from(u16::from_be_bytes(*prefix)))
}

impl AsyncWrite for UdpLink {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let link = self.get_mut();
        let mut written = 0;
        if let Some(failed) = link.failed.take() {
            return Poll::Ready(Err(failed));
        }
        while first(&bytes[written..]).is_some() {
            let (next, taken) = link.bundle.next(&bytes[written..], &link.socket);
            let is_bundle = taken > PREFIX + next.len();
            match poll_send(&link.socket, cx, next) {
                Poll::Ready(Ok(())) => written += taken,
                Poll::Ready(Err(cause)) if is_bundle && is_uncut(&cause) => {
                    link.bundle.give_up(&link.socket);
                }
                Poll::Ready(Err(cause)) if written == 0 => return Poll::Ready(Err(cause)),
                Poll::Ready(Err(cause)) => {
                    link.failed = Some(cause);
                    break;
                }
                Poll::Pending if written == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn pair() -> (UdpLink, UdpSocket) {
        let [ours, theirs] = [
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        ];
        ours.connect(theirs.local_addr().unwrap()).await.unwrap();
        theirs.connect(ours.local_addr().unwrap()).await.unwrap();
        (UdpLink::new(ours), theirs)
    }

    #[tokio::test]
    async fn datagrams_keep_their_borders() {
        let (mut link, peer) = pair().await;
        link.write_all(&[0, 1, b'a', 0, 0, 0, 2, b'b', b'c'])
            .await
            .unwrap();
        let mut buffer = [0; 16];
        for datagram in [&b"a"[..], b"", b"bc"] {
            let length = peer.recv(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], datagram);
        }
        peer.send(b"xyz").await.unwrap();
        peer.send(b"").await.unwrap();
        let mut read = vec![0; 256 * 1024];
        let mut length = 0;
        while length < 7 {
            length += link.read(&mut read[length..]).await.unwrap();
        }
        assert_eq!(read[..7], [0, 3, b'x', b'y', b'z', 0, 0]);
    }

    #[tokio::test]
    async fn many_of_one_size_arrive_one_by_one() {
        let (mut link, peer) = pair().await;
        let mut sent = Vec::new();
        for number in 0..40_u8 {
            sent.extend([0, 2, number, 1]);
        }
        // A larger one must not be cut, a smaller one not be filled up.
        sent.extend([0, 5, 40, 1, 2, 3, 4, 0, 1, 41]);
        link.write_all(&sent).await.unwrap();
        let mut buffer = [0; 200];
        for number in 0..42 {
            let length = peer.recv(&mut buffer).await.unwrap();
            let expected = match number {
                40 => 5,
                41 => 1,
                _ => 2,
            };
            assert_eq!((buffer[0], length), (number, expected));
        }
    }

    #[tokio::test]
    async fn a_refusal_is_an_error() {
        let (mut link, peer) = pair().await;
        drop(peer);
        // The first one goes out; what came of it is known when the second one is to.
        let two = [0, 1, b'a', 0, 1, b'b'];
        let refused = link.write_all(&two).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
}
