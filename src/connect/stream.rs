//! One byte stream, whatever carries it.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::HandshakeKind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

use super::websocket::WebSocket;

/// A connection as a stream of bytes over tcp, tls, WebSocket or a unix socket.
///
/// What is written may stay in a buffer of TLS or WebSocket until it is flushed.
pub struct Stream {
    inner: Inner,
    peer: String,
}

enum Inner {
    Bare(Wire),
    WebSocket(Box<WebSocket<Wire>>),
}

/// What lies below a possible WebSocket.
pub(super) enum Wire {
    Tcp(Tcp),
    Tls(Box<TlsStream<Tcp>>),
    Unix(UnixStream),
}

impl Wire {
    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(tcp) => Some(&tcp.stream),
            Self::Tls(tls) => Some(&tls.get_ref().0.stream),
            Self::Unix(_) => None,
        }
    }
}

/// A TCP connection, below TLS if there is any.
pub(super) struct Tcp {
    stream: TcpStream,
    /// Whether all that was read is acknowledged at once.
    prompt: bool,
    /// Something was read since the last acknowledgement.
    unacknowledged: bool,
}

impl Tcp {
    /// The side that connected; see [`Stream::quick_ack`].
    pub(super) const fn client(stream: TcpStream) -> Self {
        Self {
            stream,
            prompt: false,
            unacknowledged: false,
        }
    }

    /// The side that accepted. A client that leaves Nagle's algorithm on and writes a packet in two pieces sends the
    /// second one only when the first is acknowledged, which Linux by itself delays by 40 ms.
    pub(super) const fn server(stream: TcpStream) -> Self {
        Self {
            stream,
            prompt: true,
            unacknowledged: false,
        }
    }

    /// The kernel keeps the setting only until something is sent, so it is made anew whenever all is read; what is
    /// still to be acknowledged is so at that moment.
    fn acknowledge(&mut self) {
        if std::mem::take(&mut self.unacknowledged) {
            quick_ack(&self.stream);
        }
    }
}

/// Only speed depends on it, so a refusal is no failure.
fn quick_ack(tcp: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(tcp).set_tcp_quickack(true);
    #[cfg(not(target_os = "linux"))]
    let _ = tcp;
}

impl Stream {
    pub(super) const fn bare(wire: Wire, peer: String) -> Self {
        Self {
            inner: Inner::Bare(wire),
            peer,
        }
    }

    pub(super) fn websocket(websocket: WebSocket<Wire>, peer: String) -> Self {
        Self {
            inner: Inner::WebSocket(Box::new(websocket)),
            peer,
        }
    }

    /// The other side's address: `127.0.0.1:1883`, or the path of a unix socket.
    pub fn peer(&self) -> String {
        self.peer.clone()
    }

    /// Our own address; `None` on a unix socket.
    pub fn local(&self) -> Option<SocketAddr> {
        self.wire().tcp()?.local_addr().ok()
    }

    /// Lets the kernel acknowledge what arrives next at once instead of up to 40 ms later.
    ///
    /// The setting does not last: a request/response phase arms it again before each read.
    /// Linux only; elsewhere, and on a unix socket, it does nothing.
    pub fn quick_ack(&self) {
        if let Some(tcp) = self.wire().tcp() {
            quick_ack(tcp);
        }
    }

    /// The application protocol that TLS agreed on (ALPN), if any.
    pub fn alpn(&self) -> Option<&[u8]> {
        match self.wire() {
            Wire::Tls(tls) => tls.get_ref().1.alpn_protocol(),
            Wire::Tcp(_) | Wire::Unix(_) => None,
        }
    }

    /// Whether TLS went on with a session of an earlier connection, which costs both sides less; `None` without TLS.
    pub fn is_resumed(&self) -> Option<bool> {
        match self.wire() {
            Wire::Tls(tls) => {
                let kind = tls.get_ref().1.handshake_kind();
                Some(kind == Some(HandshakeKind::Resumed))
            }
            Wire::Tcp(_) | Wire::Unix(_) => None,
        }
    }

    /// The certificate that the other side proved to own, in DER; `None` without TLS or certificate.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        match self.wire() {
            Wire::Tls(tls) => {
                let certificates = tls.get_ref().1.peer_certificates()?;
                certificates.first().map(|first| first.as_ref())
            }
            Wire::Tcp(_) | Wire::Unix(_) => None,
        }
    }

    /// Whether what was read last was the end of a WebSocket message: one read never crosses it.
    /// Always true for streams that know no messages.
    pub fn at_message_end(&self) -> bool {
        match &self.inner {
            Inner::Bare(_) => true,
            Inner::WebSocket(websocket) => websocket.at_message_end(),
        }
    }

    fn wire(&self) -> &Wire {
        match &self.inner {
            Inner::Bare(wire) => wire,
            Inner::WebSocket(websocket) => websocket.get_ref(),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.peer)
    }
}

/// Calls `method` with arguments that arrive as one token tree.
macro_rules! call {
    ($on:expr, $method:ident ($($argument:expr),*)) => {
        $on.$method($($argument),*)
    };
}

/// Calls the same method on whichever stream is inside.
macro_rules! each {
    ($this:expr, [$($variant:ident),+], $method:ident $arguments:tt) => {
        match $this.get_mut() {
            $(Self::$variant(inner) => call!(Pin::new(inner), $method $arguments),)+
        }
    };
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        match polled {
            Poll::Ready(_) => self.unacknowledged = self.prompt,
            Poll::Pending => self.acknowledge(),
        }
        polled
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, [Tcp, Tls, Unix], poll_read(cx, into))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, [Tcp, Tls, Unix], poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, [Tcp, Tls, Unix], poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, [Tcp, Tls, Unix], poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, [Tcp, Tls, Unix], poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

impl AsyncRead for Inner {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, [Bare, WebSocket], poll_read(cx, into))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Inner {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, [Bare, WebSocket], poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, [Bare, WebSocket], poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, [Bare, WebSocket], poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, [Bare, WebSocket], poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Bare(_))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
