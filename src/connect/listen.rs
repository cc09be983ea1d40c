//! The server side, for the embedded peers: tcp, tls, WebSocket and unix sockets.

use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::error::{Error, Kind, Result, plain};

use super::scheme::{Carrier, Protocol};
pub use super::server_tls::ServerTls;
use super::stream::{Stream, Tcp, Wire};
use super::tls_errors;
use super::upgrade::{self, Failure};
use super::zone;

/// How many connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 4096;
/// How long accepting rests when the system cannot hand out a connection, such as without file descriptors left.
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

    /// Reads `127.0.0.1:1883`, `[::]:1883`, `[fe80::1%eth0]:1883`, `localhost:0`, `:1883` (all interfaces), `unix:/path`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(PathBuf::from(
                path.strip_prefix("//").unwrap_or(path),
            )));
        }
        let socket = Self::socket(text, "127.0.0.1:1883 or unix:/path")?;
        Ok(Self::Tcp(socket))
    }
}

impl ListenAddress {
    /// Reads the address of a socket of TCP or UDP, for what listens on no other.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn ip(text: &str) -> Result<SocketAddr, String> {
        Self::socket(text, "127.0.0.1:8080")
    }

    /// Reads such an address; `example` is one, for those who wrote none.
    fn socket(text: &str, example: &str) -> Result<SocketAddr, String> {
        let wrong = || format!("{text:?} is not an address to listen on, such as {example}");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let inside = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Some(found) = inside.and_then(zone::ipv6_with_zone) {
            let (ip, zone) = found.map_err(|cause| format!("{text:?}: {cause}"))?;
            return Ok(SocketAddrV6::new(ip, port, 0, zone).into());
        }
        let address = match host {
            "" => Some(SocketAddr::from(([0; 16], port))),
            // Loopback is written with digits to the socket; IPv4 is what most clients try.
            "localhost" => Some(SocketAddr::from(([127, 0, 0, 1], port))),
            _ => text.to_socket_addrs().map_err(|_| wrong())?.next(),
        };
        address.ok_or_else(wrong)
    }
}

/// What to listen on and what to speak there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where.
    pub address: ListenAddress,
    /// With it every connection is TLS.
    pub tls: Option<ServerTls>,
    /// Every connection starts with a WebSocket handshake, after TLS if that is on.
    pub websocket: bool,
}

impl ListenOn {
    /// MQTT over plain tcp or a plain unix socket at `address`.
    pub const fn plain(address: ListenAddress) -> Self {
        Self {
            protocol: Protocol::Mqtt,
            address,
            tls: None,
            websocket: false,
        }
    }
}

/// The TLS of a listener, which can be replaced while it listens; clones are the same.
#[derive(Clone)]
pub struct LiveTls {
    acceptor: Arc<Mutex<TlsAcceptor>>,
    /// The protocol that clients must know where they name any (ALPN).
    alpn: Option<&'static str>,
}

impl LiveTls {
    fn new(config: Arc<ServerConfig>, alpn: Option<&'static str>) -> Self {
        Self {
            acceptor: Arc::new(Mutex::new(with_alpn(config, alpn).into())),
            alpn,
        }
    }

    /// Connections accepted from now on get `config` ([`ServerTls::config`]).
    pub fn replace(&self, config: Arc<ServerConfig>) {
        let acceptor = with_alpn(config, self.alpn).into();
        *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = acceptor;
    }

    fn acceptor(&self) -> TlsAcceptor {
        let current = self.acceptor.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn with_alpn(config: Arc<ServerConfig>, protocol: Option<&str>) -> Arc<ServerConfig> {
    match protocol {
        None => config,
        Some(protocol) => {
            let mut config = ServerConfig::clone(&config);
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            Arc::new(config)
        }
    }
}

/// A bound socket that hands out connections.
pub struct Listener {
    socket: Socketed,
    address: ListenAddress,
    tls: Option<LiveTls>,
    protocol: Protocol,
    websocket: bool,
    /// Device and inode of a unix socket's file.
    file: Option<(u64, u64)>,
    /// It was reported that no connection can be accepted, and since then none was without trouble.
    troubled: AtomicBool,
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
        let carrier = match on.websocket {
            true => Carrier::SecureWebSocket,
            false => Carrier::Tls,
        };
        let alpn = on.protocol.alpn(carrier);
        let config = on.tls.as_ref().map(ServerTls::config).transpose()?;
        let tls = config.map(|it| LiveTls::new(it, alpn));
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
        let file = match &address {
            ListenAddress::Unix(path) => identity(path),
            ListenAddress::Tcp(_) => None,
        };
        Ok(Self {
            socket,
            address,
            tls,
            protocol: on.protocol,
            websocket: on.websocket,
            file,
            troubled: AtomicBool::new(false),
        })
    }

    /// Its TLS, if it has any, to be replaced later.
    pub fn tls(&self) -> Option<LiveTls> {
        self.tls.clone()
    }

    /// Where it listens, with the port that the kernel chose.
    pub const fn local_addr(&self) -> &ListenAddress {
        &self.address
    }

    /// The next connection, before any of its bytes: a slow client delays nobody. Cancel-safe.
    ///
    /// When the process has no file descriptors left, or the network is in trouble, it waits until that is over;
    /// connections that were gone before they were accepted are passed over.
    ///
    /// # Errors
    /// [`Kind::Local`] when the socket itself no longer works.
    pub async fn accept(&self) -> Result<Incoming> {
        self.accept_or(|_| {}).await
    }

    /// The same; `trouble` hears why connections have to wait, once until they need not wait any more.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn accept_or(&self, trouble: impl Fn(&Error)) -> Result<Incoming> {
        let mut waited = false;
        loop {
            let cause = match self.accept_once().await {
                Ok(incoming) => {
                    self.troubled.fetch_and(waited, Ordering::Relaxed);
                    return Ok(incoming);
                }
                Err(cause) if is_of_the_client(&cause) => continue,
                Err(cause) => cause,
            };
            let error = Error::local(format!("cannot accept on {}", self.address), &cause);
            if is_of_the_socket(&cause) {
                return Err(error);
            }
            waited = true;
            if !self.troubled.swap(true, Ordering::Relaxed) {
                trouble(&error);
            }
            tokio::time::sleep(REST).await;
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
            tls: self.tls.as_ref().map(LiveTls::acceptor),
            websocket: self.websocket.then_some(self.protocol),
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
        if let ListenAddress::Unix(path) = &self.address
            // Somebody else may have put something there meanwhile.
            && identity(path) == self.file
        {
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
    /// The protocol in WebSocket.
    websocket: Option<Protocol>,
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
                    .accept(Tcp::server(tcp))
                    .await
                    .map_err(|cause| failed("TLS", tls_reason(&cause)))?;
                Wire::Tls(Box::new(TlsStream::from(secured)))
            }
            (Accepted::Tcp(tcp), None) => Wire::Tcp(Tcp::server(tcp)),
            (Accepted::Unix(unix), _) => Wire::Unix(unix),
        };
        let Some(protocol) = websocket else {
            return Ok(Stream::bare(wire, peer));
        };
        match upgrade::accept(wire, protocol).await {
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
        Some(cause) => tls_errors::server(cause),
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

/// A socket file that nobody listens on any more is replaced; one that is in use is not, nor is anything else.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {
            if identity(path).is_none() {
                return Err(io::Error::other("there is a file that is not a socket"));
            }
            if !is_stale(path) {
                return Err(cause);
            }
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        outcome => outcome,
    }
}

/// Device and inode of the socket at `path`; `None`: there is none, links are not followed.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let facts = fs::symlink_metadata(path).ok()?;
    let is_socket = facts.file_type().is_socket();
    is_socket.then(|| (facts.dev(), facts.ino()))
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

/// Whether the listening socket is of no use any more. Whatever else accepting reports is over some time: descriptors or
/// memory that are spent, and the network errors of accept(2).
fn is_of_the_socket(cause: &io::Error) -> bool {
    use rustix::io::Errno;
    let useless = [Errno::BADF, Errno::NOTSOCK];
    useless
        .iter()
        .any(|errno| cause.raw_os_error() == Some(errno.raw_os_error()))
}
