//! Where to go and how, checked, with all its files read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;

use super::args::Retry;
use super::family::Family;
use super::oscore::Oscore;
use super::password::PasswordCommand;
use super::phases::Phases;
use super::proxy::Proxy;
use super::psk::Psk;
use super::rpk::Rpk;
use super::scheme::{Carrier, Protocol};
use super::secret::Secret;
use super::servers::Servers;
use super::tls::ClientTls;
use super::zone::LocalAddress;

/// The default limit for connecting.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How the bytes travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket over TCP (RFC 6455).
    WebSocket,
    /// WebSocket over TLS.
    SecureWebSocket,
    /// The unix stream socket at this path.
    Unix(PathBuf),
    /// UDP: no stream, see [`super::udp`].
    Udp,
    /// DTLS over UDP.
    Dtls,
}

impl Transport {
    /// Whether TLS or DTLS protects the connection.
    pub const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket | Self::Dtls)
    }

    /// Whether what is sent travels as datagrams.
    pub const fn is_datagram(&self) -> bool {
        matches!(self, Self::Udp | Self::Dtls)
    }

    /// Whether the bytes travel in WebSocket frames.
    pub const fn is_websocket(&self) -> bool {
        matches!(self, Self::WebSocket | Self::SecureWebSocket)
    }

    pub(super) const fn carrier(&self) -> Carrier {
        match self {
            Self::Tcp => Carrier::Tcp,
            Self::Tls => Carrier::Tls,
            Self::WebSocket => Carrier::WebSocket,
            Self::SecureWebSocket => Carrier::SecureWebSocket,
            Self::Unix(_) => Carrier::Unix,
            Self::Udp => Carrier::Udp,
            Self::Dtls => Carrier::Dtls,
        }
    }
}

/// A checked place to connect to. `Display` shows it as a URL without credentials.
#[derive(Clone)]
pub struct Target {
    /// Whose schemes and sub-protocol count.
    pub protocol: Protocol,
    /// How the bytes travel.
    pub transport: Transport,
    /// A name or an IP address without brackets; empty for a unix socket. Of several servers the first, and of one that is
    /// to be looked up the domain.
    pub host: String,
    /// 1–65535; 0 for a unix socket.
    pub port: u16,
    /// All servers, where there is more than one, or it is to be looked up.
    pub(crate) servers: Option<Arc<Servers>>,
    /// With WebSocket the path and query of the request, verbatim, never `None`; otherwise the URL's
    /// path, decoded and without its first slash, which the protocol may read as a topic.
    pub path: Option<String>,
    /// Who we are.
    pub username: Option<String>,
    /// What proves it; empty where a command prints it, see [`Target::latest_password`].
    pub password: Option<Secret>,
    /// What prints the password anew.
    pub(crate) password_command: Option<Arc<PasswordCommand>>,
    /// Present exactly if the transport is encrypted.
    pub tls: Option<ClientTls>,
    /// The key that both sides share, with DTLS only; then no certificate is shown or verified.
    pub psk: Option<Psk>,
    /// Raw public keys, with DTLS only; then there are neither certificates nor a pre-shared key.
    pub rpk: Option<Rpk>,
    /// What protects messages between the two ends, whatever the transport; for CoAP only.
    pub oscore: Option<Oscore>,
    /// Until the connection is usable; see [`CONNECT_TIMEOUT`].
    pub connect_timeout: Duration,
    /// What was said about trying again, if anything.
    pub retry: Option<Retry>,
    /// Addresses of this family only.
    pub(crate) family: Option<Family>,
    /// The local address to connect from.
    pub bind: Option<LocalAddress>,
    /// The local port to send datagrams from; 0 for any.
    pub bind_port: u16,
    /// The way there.
    pub proxy: Option<Proxy>,
    /// More headers for the WebSocket handshake.
    pub headers: Vec<(String, String)>,
    /// The WebSocket sub-protocol to ask for; a client of an older protocol version changes it.
    pub subprotocol: &'static str,
    /// Takes down what connecting consists of.
    pub phases: Option<Phases>,
}

impl Target {
    /// A plain TCP target without credentials, for tests and embedded peers.
    pub fn tcp(protocol: Protocol, host: impl Into<String>, port: u16) -> Self {
        Self {
            protocol,
            transport: Transport::Tcp,
            host: host.into(),
            port,
            servers: None,
            path: None,
            username: None,
            password: None,
            password_command: None,
            tls: None,
            psk: None,
            rpk: None,
            oscore: None,
            connect_timeout: CONNECT_TIMEOUT,
            retry: None,
            family: None,
            bind: None,
            bind_port: 0,
            proxy: None,
            headers: Vec::new(),
            subprotocol: protocol.subprotocol(),
            phases: None,
        }
    }

    /// The same, with a full TLS handshake for each connection.
    #[must_use]
    pub fn without_resumption(self) -> Self {
        Self {
            tls: self.tls.map(ClientTls::without_resumption),
            ..self
        }
    }

    /// What the command that prints the password printed for the connection that was made last.
    pub fn latest_password(&self) -> Option<Secret> {
        self.password_command.as_ref().and_then(|it| it.latest())
    }

    /// Lets the command that prints the password run, if there is one, for no longer than connecting may take.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`] when it fails, [`crate::error::Kind::TimedOut`].
    pub(crate) async fn renew_password(&self) -> Result<()> {
        match &self.password_command {
            Some(command) => command.renew(self.connect_timeout).await,
            None => Ok(()),
        }
    }

    /// The connection was lost or is of no use: of several servers, the next one is connected to first.
    pub fn move_on(&self) {
        if let Some(servers) = &self.servers {
            servers.move_on();
        }
    }

    /// The same with one server of several. `announced`: DNS named it, and the certificate must be the domain's.
    pub(super) fn alone(&self, (host, port): &(String, u16), announced: bool) -> Self {
        let mut alone = Self {
            host: host.clone(),
            port: *port,
            servers: None,
            ..self.clone()
        };
        if let Some(tls) = alone.tls.as_mut().filter(|_| announced) {
            tls.server_name.get_or_insert_with(|| self.host.clone());
        }
        alone
    }

    /// The first of several servers, while another is connected to.
    pub(crate) fn first(&self) -> Option<Self> {
        let place = self.servers.as_ref()?.first_elsewhere()?;
        Some(self.alone(&place, false))
    }

    /// The first of several servers is connected to again.
    pub(crate) fn back_at_first(&self) {
        if let Some(servers) = &self.servers {
            servers.back_at_first();
        }
    }

    /// The server of several that is connected to.
    pub(crate) fn current(&self) -> Self {
        let known = self.servers.as_ref();
        match known.and_then(|it| Some((it.place()?, it.are_announced()))) {
            Some((place, announced)) => self.alone(&place, announced),
            None => self.clone(),
        }
    }

    /// The one family of addresses that is to be used, or that can be reached from the local address.
    pub(super) fn only_family(&self) -> Option<Family> {
        self.family
            .or_else(|| self.bind.and_then(LocalAddress::family))
    }

    /// Whether the server's certificate is not verified; the command must say so.
    pub fn is_insecure(&self) -> bool {
        match &self.rpk {
            Some(rpk) => rpk.peers.is_none(),
            None => self.psk.is_none() && self.tls.as_ref().is_some_and(ClientTls::is_insecure),
        }
    }

    /// Whether the name in the server's certificate is not verified; the command must say so.
    pub fn takes_any_name(&self) -> bool {
        self.tls.as_ref().is_some_and(ClientTls::takes_any_name)
    }

    /// Does all that can fail without the network: builds the TLS configuration, loads the operating
    /// system's roots. [`super::dial()`] does it too; a command that must fail early calls it first.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] when certificates or names cannot be used.
    pub fn prepare(&self) -> Result<()> {
        match &self.tls {
            Some(tls) if self.transport != Transport::Dtls => tls.config().map(drop),
            _ => Ok(()),
        }
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn authority(&self) -> String {
        let place = self.servers.as_ref().and_then(|it| it.place());
        let (host, port) = match &place {
            Some((host, port)) => (host, *port),
            None => (&self.host, self.port),
        };
        match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }
    }
}

impl Target {
    /// The value of an HTTP Host header: the authority without the scope of an IPv6 address, which means something on
    /// this machine only (RFC 6874 §3).
    pub(super) fn http_host(&self) -> String {
        let authority = self.authority();
        match (authority.find('%'), authority.rfind(']')) {
            (Some(start), Some(end)) if start < end => {
                format!("{}{}", &authority[..start], &authority[end..])
            }
            _ => authority,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Transport::Unix(path) = &self.transport {
            return write!(f, "unix:{}", path.display());
        }
        let scheme = self.protocol.scheme_of(self.transport.carrier());
        write!(f, "{}://{}", scheme.name, self.authority())?;
        match &self.path {
            // A query may carry a token; the path alone says where.
            Some(path) if self.transport.is_websocket() => {
                f.write_str(path.split('?').next().unwrap_or(path))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Target {
    /// The URL, who we are, and stars.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.to_string())
            .field("username", &self.username)
            .field("password", &self.password)
            .field("tls", &self.tls)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_no_part_of_an_http_host() {
        let host = |host: &str| Target::tcp(Protocol::Mqtt, host, 8080).http_host();
        assert_eq!(host("fe80::1%eth0"), "[fe80::1]:8080");
        assert_eq!(host("::1"), "[::1]:8080");
        assert_eq!(host("broker.example"), "broker.example:8080");
    }
}
