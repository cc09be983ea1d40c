//! Connects: name lookup, both address families, TLS and WebSocket handshakes, under one deadline.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::error::{Cause, Error, Kind, Result, brief, plain};

use super::failure::{cannot_connect, tls_failure};
use super::happy;
use super::phases::Phase;
use super::proxy::Obstacle;
use super::scheme::{Carrier, Protocol};
use super::servers;
use super::stream::{Stream, Tcp, Wire};
use super::target::{Target, Transport};
use super::tls::ClientTls;
use super::upgrade::{self, Failure};

/// Connects to `target`, ready for the protocol's first byte.
///
/// # Errors
/// - [`Kind::TimedOut`] when the target's `connect_timeout` passes first;
/// - [`Kind::Local`] when the command that prints the password fails;
/// - [`Kind::Unauthorized`] when a WebSocket server answers 401 or 403;
/// - [`Kind::Usage`] when TLS cannot be set up as asked;
/// - [`Kind::Unreachable`] for all else: `cannot connect to mqtt://h:1: connection refused`.
pub async fn dial(target: &Target) -> Result<Stream> {
    target.prepare()?;
    target.renew_password().await?;
    servers::first(target, connect).await
}

/// Connects as `connecting` does, but no longer than `limit`, whatever it waits for.
///
/// # Errors
/// Those of `connecting`; [`Kind::TimedOut`].
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    target: &Target,
    connecting: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(limit) = limit else {
        return connecting.await;
    };
    timeout(limit, connecting).await.unwrap_or_else(|_| {
        let limit = humantime::format_duration(limit);
        Err(Error::new(
            Kind::TimedOut,
            format!("no connection to {target} within {limit}"),
        ))
    })
}

async fn connect(target: &Target) -> Result<Stream> {
    if let Transport::Unix(path) = &target.transport {
        return connect_unix(target, path).await;
    }
    let tcp = connect_tcp(target).await?;
    over(target, tcp).await
}

/// Secures and upgrades a TCP connection to `target` that is already open, as [`dial`] does with its own;
/// without its deadline.
///
/// # Errors
/// As [`dial`].
pub(crate) async fn over(target: &Target, tcp: TcpStream) -> Result<Stream> {
    let peer = tcp
        .peer_addr()
        .map_or_else(|_| target.authority(), |address| address.to_string());
    target.reached(|| peer.clone());
    let wire = match &target.tls {
        Some(tls) => Wire::Tls(Box::new(secure(target, tls, tcp).await?)),
        None => Wire::Tcp(Tcp::client(tcp)),
    };
    if !target.transport.is_websocket() {
        return Ok(Stream::bare(wire, peer));
    }
    let path = target
        .path
        .as_deref()
        // Of CoAP's, the URL's path is not the WebSocket's (RFC 8323 §8.4).
        .filter(|_| target.protocol != Protocol::Coap)
        .unwrap_or_else(|| target.protocol.websocket_path());
    let began = Instant::now();
    let upgraded = upgrade::request(
        wire,
        &target.http_host(),
        path,
        target.subprotocol,
        &target.headers,
    )
    .await;
    target.took(Phase::WebSocket, began);
    upgraded
        .map(|websocket| Stream::websocket(websocket, peer))
        .map_err(|cause| upgrade_failure(target, cause))
}

/// The address that connecting to `target` would try first, and that answers: for callers that open many connections
/// and looks the name up once.
///
/// # Errors
/// As [`dial`].
pub(crate) async fn address(target: &Target) -> Result<SocketAddr> {
    if target.servers.is_none() {
        let found = happy::addresses(&target.host, target.port, target.only_family())
            .await
            .map_err(|cause| cannot_connect(target, lookup_words(&target.host, &cause)))?;
        if let [only] = found[..] {
            return Ok(only);
        }
    }
    servers::first(target, async |target| {
        let tcp = connect_tcp(target).await?;
        tcp.peer_addr()
            .map_err(|cause| cannot_connect(target, plain(&cause)))
    })
    .await
}

async fn connect_unix(target: &Target, path: &Path) -> Result<Stream> {
    let unix = UnixStream::connect(path)
        .await
        .map_err(|cause| because(cannot_connect(target, plain(&cause)), &cause))?;
    let peer = path.display().to_string();
    target.reached(|| peer.clone());
    Ok(Stream::bare(Wire::Unix(unix), peer))
}

pub(super) async fn connect_tcp(target: &Target) -> Result<TcpStream> {
    let Some(proxy) = &target.proxy else {
        return connect_to(target, &target.host, target.port).await;
    };
    let through = |why: &str| format!("cannot connect to {target} through {proxy}: {why}");
    let mut tcp = connect_to(target, &proxy.host, proxy.port)
        .await
        .map_err(|cause| {
            let text = through(cause.text());
            cause.reworded(text)
        })?;
    let began = Instant::now();
    let opened = proxy.open(&mut tcp, &target.host, target.port).await;
    target.took(Phase::Proxy, began);
    match opened {
        Ok(()) => Ok(tcp),
        Err(Obstacle::Login(why)) => Err(Error::new(Kind::Unauthorized, through(&why))),
        Err(Obstacle::Refused(why)) => Err(Error::new(Kind::Unreachable, through(&why))),
        Err(Obstacle::Io(cause)) => Err(Error::new(Kind::Unreachable, through(&plain(&cause)))),
    }
}

/// A connection to the target itself, or to the proxy before it.
async fn connect_to(target: &Target, host: &str, port: u16) -> Result<TcpStream> {
    let cannot_connect = |why: String| match target.proxy {
        Some(_) => Error::new(Kind::Unreachable, why),
        None => cannot_connect(target, why),
    };
    let began = Instant::now();
    let found = happy::addresses(host, port, target.only_family()).await;
    let addresses = found.map_err(|cause| {
        let why = lookup_words(host, &cause);
        cannot_connect(match (cause.kind(), target.bind) {
            (io::ErrorKind::AddrNotAvailable, Some(source)) => {
                format!("{why} reachable from {source}")
            }
            _ => why,
        })
        .because(Cause::Lookup)
    })?;
    target.took(Phase::Resolve, began);
    let began = Instant::now();
    let connected = happy::connect(&addresses, target.bind).await;
    target.took(Phase::Tcp, began);
    connected.map_err(|cause| {
        let reason = match (target.bind, cause.kind()) {
            (Some(source), io::ErrorKind::AddrNotAvailable) => source.unavailable(),
            _ => plain(&cause),
        };
        because(cannot_connect(reason), &cause)
    })
}

/// The failure with what the operating system says.
fn because(error: Error, cause: &io::Error) -> Error {
    match cause.raw_os_error() {
        Some(number) => error.because(Cause::System(number)),
        None => error,
    }
}

/// The resolver's failures come with its own words around the operating system's.
pub(super) fn lookup_words(host: &str, cause: &io::Error) -> String {
    let text = cause.to_string();
    if cause.kind() == io::ErrorKind::AddrNotAvailable {
        return text;
    }
    if text.contains("not known")
        || text.contains("No address associated")
        || text.contains("nodename nor servname")
    {
        return format!("unknown host {host:?}");
    }
    let why = text.rsplit(": ").next().unwrap_or(&text).to_lowercase();
    format!("cannot resolve {host:?}: {why}")
}

async fn secure(target: &Target, tls: &ClientTls, tcp: TcpStream) -> Result<TlsStream<Tcp>> {
    let name = tls.server_name(&target.host)?;
    let began = Instant::now();
    let secured = TlsConnector::from(tls.config()?)
        .connect(name, Tcp::client(tcp))
        .await
        .map_err(|cause| tls_failure(target, &cause))?;
    target.took(Phase::Tls, began);
    target.secured(secured.get_ref().1);
    Ok(TlsStream::from(secured))
}

/// A redirect is not followed, as what is sent afterwards is for this server only; but its destination is reported.
fn redirected(target: &Target, text: &str, location: &str) -> Error {
    // A query may carry a token, and what is before an @ is a password.
    let place = location.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = place
        .split_once("//")
        .map_or(("", place), |(scheme, rest)| {
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
            (scheme, &rest[start..])
        });
    let is_whole = place.contains("//");
    let shown = if is_whole {
        format!("{scheme}//{rest}")
    } else {
        rest.to_owned()
    };
    let error = cannot_connect(target, format!("{text}: it redirects to {}", brief(&shown)));
    let carrier = match scheme {
        "http:" | "ws:" => Carrier::WebSocket,
        "https:" | "wss:" => Carrier::SecureWebSocket,
        "" => target.transport.carrier(),
        _ => return error,
    };
    let there = match is_whole {
        true => rest.to_owned(),
        false if rest.starts_with('/') => target.authority() + rest,
        false => return error,
    };
    let scheme = target.protocol.scheme_of(carrier).name;
    let there = brief(&there);
    error.hint(format!("try {scheme}://{there}"))
}

fn upgrade_failure(target: &Target, cause: Failure) -> Error {
    match cause {
        Failure::Status {
            status: status @ (401 | 403),
            name,
            ..
        } => Error::new(
            Kind::Unauthorized,
            format!("cannot connect to {target}: not authorised (HTTP {status} {name})"),
        ),
        Failure::Status {
            status,
            name,
            location,
        } => {
            let answer = format!("server responded HTTP {status} {name}");
            let text = format!("{} instead of accepting the WebSocket", answer.trim_end());
            match location {
                Some(location) => redirected(target, &text, &location),
                None if status == 404 => cannot_connect(target, text)
                    .hint("the path of the URL must be the server's WebSocket path, such as /mqtt"),
                None => cannot_connect(target, text),
            }
        }
        Failure::Answer(why) => {
            cannot_connect(target, format!("server does not speak WebSocket: {why}"))
        }
        Failure::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => cannot_connect(
            target,
            "server closed the connection during the WebSocket handshake",
        ),
        Failure::Io(cause) => super::failure::handshake(target, &cause),
    }
}
