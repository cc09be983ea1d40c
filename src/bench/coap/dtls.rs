//! A DTLS association as a link: each datagram behind its length in two bytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UdpSocket;

use super::udp::{LARGEST, first, place, poll_send};
use crate::coap::net::Association;
use crate::coap::secure::{SecureDatagram, Trouble};
use crate::coap::wire::PREFIX;

/// Datagrams to and from one peer, encrypted on the way.
pub(super) struct DtlsLink {
    socket: UdpSocket,
    channel: Box<dyn SecureDatagram>,
    /// Decrypted and not yet read.
    plain: VecDeque<Bytes>,
    /// Encrypted and not yet sent.
    unsent: VecDeque<Bytes>,
    encrypted: Vec<u8>,
}

impl DtlsLink {
    pub(super) fn new(association: Association) -> Self {
        Self {
            socket: association.socket,
            channel: association.channel,
            plain: VecDeque::new(),
            unsent: VecDeque::new(),
            encrypted: vec![0; LARGEST],
        }
    }

    /// Takes one datagram off the socket.
    fn poll_feed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(alert) = self.channel.closed() {
            return Poll::Ready(Err(ended(&Trouble::Closed(alert))));
        }
        let mut space = ReadBuf::new(&mut self.encrypted);
        ready!(self.socket.poll_recv(cx, &mut space))?;
        let fed = self.channel.feed(Instant::now(), space.filled());
        self.plain.extend(fed.map_err(|it| ended(&it))?);
        // A handshake's last flight that is asked for again; should it be lost it is asked for once more.
        let _ = self.poll_out(cx)?;
        Poll::Ready(Ok(()))
    }

    /// Sends what is encrypted.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.channel.poll_transmit() {
            self.unsent.push_back(bytes);
        }
        while let Some(datagram) = self.unsent.front() {
            let sent = ready!(poll_send(&self.socket, cx, datagram));
            self.unsent.pop_front();
            sent?;
        }
        Poll::Ready(Ok(()))
    }

    /// Moves one decrypted datagram into `space`; the bytes it takes there.
    fn hand_over(&mut self, space: &mut [u8]) -> usize {
        let Some(datagram) = self.plain.pop_front() else {
            return 0;
        };
        let whole = PREFIX + datagram.len();
        // What does not fit is lost, as it would be on a socket.
        if let Some(space) = space.get_mut(..whole) {
            let (prefix, rest) = space.split_at_mut(PREFIX);
            // No datagram is longer than two bytes can say.
            prefix.copy_from_slice(&(datagram.len() as u16).to_be_bytes());
            rest.copy_from_slice(&datagram);
            return whole;
        }
        0
    }
}

fn ended(trouble: &Trouble) -> io::Error {
    io::Error::other(trouble.to_string())
}

impl AsyncRead for DtlsLink {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        let mut taken = 0;
        while let Some(space) = place(buffer.initialize_unfilled(), taken) {
            if !link.plain.is_empty() {
                taken += link.hand_over(space);
                continue;
            }
            match link.poll_feed(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(cause)) if taken == 0 => return Poll::Ready(Err(cause)),
                Poll::Pending if taken == 0 => return Poll::Pending,
                // An association that has ended says so again.
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
        buffer.advance(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for DtlsLink {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let link = self.get_mut();
        ready!(link.poll_out(cx))?;
        let mut written = 0;
        while let Some(datagram) = first(&bytes[written..]) {
            link.channel
                .write(Instant::now(), datagram)
                .map_err(|it| ended(&it))?;
            written += PREFIX + datagram.len();
            if link.poll_out(cx)?.is_pending() {
                break;
            }
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_out(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_out(cx)
    }
}

impl Drop for DtlsLink {
    /// Says goodbye; that it may be lost is no matter.
    fn drop(&mut self) {
        self.channel.close(Instant::now());
        while let Some(bytes) = self.channel.poll_transmit() {
            let _ = self.socket.try_send(&bytes);
        }
    }
}
