//! The server side, for the embedded peers: tcp, tls, WebSocket and unix sockets.

use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::error::{Error, Kind, Result, plain};

pub use super::server_tls::ServerTls;
use super::stream::{Stream, Wire};
use super::tls_words;
use super::upgrade::{self, Failure};

/// How many connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 4096;
/// How long accepting rests when the process has no file descriptors left.
const REST: Duration = Duration::from_millis(50);

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// An IP address and port; port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// A unix socket at this path.
    Unix(PathBuf),
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    /// Reads `127.0.0.1:1883`, `[::]:1883`, `localhost:0`, `:1883` (all interfaces), `unix:/path`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(PathBuf::from(
                path.strip_prefix("//").unwrap_or(path),
            )));
        }
        let wrong = || {
            format!("{text:?} is not an address to listen on, such as 127.0.0.1:1883 or unix:/path")
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let address = match host {
            "" => Some(SocketAddr::from(([0; 16], port))),
            // Loopback is written with digits to the socket; IPv4 is what most clients try.
            "localhost" => Some(SocketAddr::from(([127, 0, 0, 1], port))),
            _ => text.to_socket_addrs().map_err(|_| wrong())?.next(),
        };
        address.map(Self::Tcp).ok_or_else(wrong)
    }
}

/// What to listen on and what to speak there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// Where.
    pub address: ListenAddress,
    /// With it every connection is TLS.
    pub tls: Option<ServerTls>,
    /// Every connection starts with a WebSocket handshake, after TLS if that is on.
    pub websocket: bool,
}

impl ListenOn {
    /// Plain tcp or a plain unix socket at `address`.
    pub const fn plain(address: ListenAddress) -> Self {
        Self {
            address,
            tls: None,
            websocket: false,
        }
    }
}

/// A bound socket that hands out connections.
pub struct Listener {
    socket: Socketed,
    address: ListenAddress,
    tls: Option<TlsAcceptor>,
    websocket: bool,
}

enum Socketed {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Starts to listen; the TLS files are read first.
    ///
    /// # Errors
    /// [`Kind::Local`]: `cannot listen on 127.0.0.1:1883: address already in use`, and for unreadable files;
    /// [`Kind::Usage`] for files that do not hold what they should.
    pub async fn bind(on: &ListenOn) -> Result<Self> {
        let tls = on
            .tls
            .as_ref()
            .map(ServerTls::config)
            .transpose()?
            .map(TlsAcceptor::from);
        let cannot = |cause| Error::local(format!("cannot listen on {}", on.address), &cause);
        let (socket, address) = match &on.address {
            ListenAddress::Tcp(address) => {
                let listener = bind_tcp(*address).map_err(cannot)?;
                let chosen = listener.local_addr().map_err(cannot)?;
                (Socketed::Tcp(listener), ListenAddress::Tcp(chosen))
            }
            ListenAddress::Unix(path) => (
                Socketed::Unix(bind_unix(path).map_err(cannot)?),
                on.address.clone(),
            ),
        };
        Ok(Self {
            socket,
            address,
            tls,
            websocket: on.websocket,
        })
    }

    /// Where it listens, with the port that the kernel chose.
    pub const fn local_addr(&self) -> &ListenAddress {
        &self.address
    }

    /// The next connection, before any of its bytes: a slow client delays nobody. Cancel-safe.
    ///
    /// When the process has no file descriptors left it waits until some are free again; connections
    /// that were gone before they were accepted are passed over.
    ///
    /// # Errors
    /// [`Kind::Local`] when the socket itself no longer works.
    pub async fn accept(&self) -> Result<Incoming> {
        loop {
            match self.accept_once().await {
                Ok(incoming) => return Ok(incoming),
                Err(cause) if is_of_the_client(&cause) => {}
                Err(cause) if is_exhaustion(&cause) => tokio::time::sleep(REST).await,
                Err(cause) => {
                    return Err(Error::local(
                        format!("cannot accept on {}", self.address),
                        &cause,
                    ));
                }
            }
        }
    }

    async fn accept_once(&self) -> io::Result<Incoming> {
        let (socket, peer) = match &self.socket {
            Socketed::Tcp(listener) => {
                let (tcp, peer) = listener.accept().await?;
                tcp.set_nodelay(true)?;
                (Accepted::Tcp(tcp), peer.to_string())
            }
            Socketed::Unix(listener) => (
                Accepted::Unix(listener.accept().await?.0),
                self.address.to_string(),
            ),
        };
        Ok(Incoming {
            socket,
            peer,
            tls: self.tls.clone(),
            websocket: self.websocket,
        })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let ListenAddress::Unix(path) = &self.address {
            // It may be gone already; there is nobody to tell.
            let _ = fs::remove_file(path);
        }
    }
}

/// An accepted connection whose handshakes are still to be made.
pub struct Incoming {
    socket: Accepted,
    peer: String,
    tls: Option<TlsAcceptor>,
    websocket: bool,
}

enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Incoming {
    /// The client's address.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Makes the TLS and WebSocket handshakes. The caller spawns it and sets a time limit.
    ///
    /// # Errors
    /// [`Kind::Lost`]: what went wrong, with the client's address.
    pub async fn ready(self) -> Result<Stream> {
        let Self {
            socket,
            peer,
            tls,
            websocket,
        } = self;
        let failed = |what: &str, why: String| {
            Error::new(
                Kind::Lost,
                format!("{what} handshake with {peer} failed: {why}"),
            )
        };
        let wire = match (socket, tls) {
            (Accepted::Tcp(tcp), Some(acceptor)) => {
                let secured = acceptor
                    .accept(tcp)
                    .await
                    .map_err(|cause| failed("TLS", tls_reason(&cause)))?;
                Wire::Tls(Box::new(TlsStream::from(secured)))
            }
            (Accepted::Tcp(tcp), None) => Wire::Tcp(tcp),
            (Accepted::Unix(unix), _) => Wire::Unix(unix),
        };
        if !websocket {
            return Ok(Stream::bare(wire, peer));
        }
        match upgrade::accept(wire).await {
            Ok(websocket) => Ok(Stream::websocket(websocket, peer)),
            Err(Failure::Io(cause)) => Err(failed("WebSocket", plain(&cause))),
            Err(Failure::Answer(why)) => Err(failed("WebSocket", why)),
            Err(Failure::Status { status, .. }) => {
                Err(failed("WebSocket", format!("HTTP {status}")))
            }
        }
    }
}

fn tls_reason(cause: &io::Error) -> String {
    match cause
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(cause) => tls_words::server(cause),
        None => plain(cause),
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // All interfaces means both families.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// A socket file that nobody listens on any more is replaced; one that is in use is not.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AddrInUse && is_stale(path) => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        outcome => outcome,
    }
}

fn is_stale(path: &Path) -> bool {
    matches!(StdUnixStream::connect(path), Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused)
}

fn is_of_the_client(cause: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        cause.kind(),
        ConnectionAborted | ConnectionReset | InvalidInput | NotConnected
    )
}

fn is_exhaustion(cause: &io::Error) -> bool {
    use rustix::io::Errno;
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    exhausted
        .iter()
        .any(|errno| cause.raw_os_error() == Some(errno.raw_os_error()))
}
