//! Where CoAP servers listen, and what protects it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::coap::net::Server;
use crate::coap::secure::{LiveSecrets, Secrets};
use crate::connect::{
    ConnectArgs, ListenAddress, ListenOn, Listener, LiveTls, Protocol, Psk, Rpk, Secret, ServerTls,
};
use crate::error::{Error, Result};

/// One place where the server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// How messages travel.
    pub scheme: ListenScheme,
    /// Port 0 takes a free one.
    pub address: SocketAddr,
}

/// How messages travel to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenScheme {
    /// `coap`
    Udp,
    /// `coaps`
    Dtls,
    /// `coap+tcp`
    Tcp,
    /// `coaps+tcp`
    Tls,
    /// `coap+ws`
    WebSocket,
    /// `coaps+ws`
    SecureWebSocket,
}

impl ListenScheme {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Udp,
        Self::Dtls,
        Self::Tcp,
        Self::Tls,
        Self::WebSocket,
        Self::SecureWebSocket,
    ];

    /// As it stands in a URI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "coap",
            Self::Dtls => "coaps",
            Self::Tcp => "coap+tcp",
            Self::Tls => "coaps+tcp",
            Self::WebSocket => "coap+ws",
            Self::SecureWebSocket => "coaps+ws",
        }
    }

    /// The port where nobody says another (RFC 7252, section 6; RFC 8323, section 8).
    const fn usual_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5683,
            Self::Dtls | Self::Tls => 5684,
            Self::WebSocket => 80,
            Self::SecureWebSocket => 443,
        }
    }

    /// Whether its connections begin as HTTP.
    const fn is_websocket(self) -> bool {
        matches!(self, Self::WebSocket | Self::SecureWebSocket)
    }

    /// Whether a certificate is needed.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket)
    }
}

impl Listen {
    /// Reads `SCHEME-listen://ADDR[:PORT]`, as ends of flows have it; `None`: the scheme is another one.
    pub(crate) fn parse(name: &str) -> Option<Result<Self>> {
        let (scheme, place) = name.split_once("://")?;
        let scheme = scheme.strip_suffix("-listen")?;
        let scheme = ListenScheme::ALL
            .into_iter()
            .find(|it| it.name() == scheme)?;
        let place = place.trim_end_matches('/');
        let port = scheme.usual_port();
        let address = place.parse().ok().or_else(|| {
            let host = place.trim_start_matches('[').trim_end_matches(']');
            Some(SocketAddr::new(host.parse().ok()?, port))
        });
        Some(match address {
            Some(address) => Ok(Self { scheme, address }),
            None => Err(
                Error::usage(format!("{name}: {place:?} is not an address to listen on"))
                    .hint("write an IP address and a port, such as coap-listen://0.0.0.0:5683"),
            ),
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-listen://{}", self.scheme.name(), self.address)
    }
}

/// How listeners with TLS or DTLS protect what they hear.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    /// PEM files for TLS and DTLS; there whenever a TLS listener needs them.
    pub tls: Option<ServerTls>,
    /// The name of the key below; clients must use it. Without a name any will do.
    pub psk_identity: Option<String>,
    /// The key that DTLS clients may use instead of certificates.
    pub psk: Option<Secret>,
    /// A file that holds it.
    pub psk_file: Option<PathBuf>,
    /// The private key whose public part DTLS clients may know the server by.
    pub rpk_key: Option<PathBuf>,
    /// The public keys of which such clients must then have one; without it, they need none.
    pub rpk_peer: Option<PathBuf>,
}

/// What protects a listener, and can be read again.
pub(crate) enum Live {
    /// Certificates of TLS.
    Streams(LiveTls),
    /// Certificates and keys of DTLS.
    Datagrams(LiveSecrets),
}

impl Protection {
    /// That of a client, turned round: its certificate is shown to those who connect, who must have one that its authorities
    /// signed where those are named.
    pub(crate) fn of(connect: &ConnectArgs) -> Self {
        let files = connect.cert.clone().zip(connect.key.clone());
        Self {
            tls: files.map(|(cert, key)| ServerTls {
                cert,
                key,
                client_ca: connect.cafile.clone(),
            }),
            psk_identity: connect.psk_identity.clone(),
            psk: connect.psk.clone(),
            psk_file: connect.psk_file.clone(),
            rpk_key: connect.rpk_key.clone(),
            rpk_peer: connect.rpk_peer.clone(),
        }
    }

    /// Whether a listener of this scheme has what it needs; `Err`: what it lacks.
    pub(crate) fn suffices(&self, scheme: ListenScheme) -> std::result::Result<(), &'static str> {
        let has_key = self.psk.is_some() || self.psk_file.is_some() || self.rpk_key.is_some();
        match scheme {
            _ if self.tls.is_some() => Ok(()),
            ListenScheme::Tls | ListenScheme::SecureWebSocket => Err("--cert and --key"),
            ListenScheme::Dtls if !has_key => Err("--cert and --key"),
            _ => Ok(()),
        }
    }

    /// Listens; `groups`: as a member of those of all CoAP nodes, too, where it is plain CoAP over UDP. Returns where it does.
    ///
    /// # Errors
    /// An address that cannot be listened on, files that cannot be read.
    pub(crate) async fn bind(
        &self,
        listen: Listen,
        groups: bool,
        server: &mut Server,
    ) -> Result<(SocketAddr, Option<Live>)> {
        let Listen { scheme, address } = listen;
        match scheme {
            ListenScheme::Udp if groups => Ok((server.listen_with_groups(address)?, None)),
            ListenScheme::Udp => Ok((server.listen_datagrams(address)?, None)),
            ListenScheme::Dtls => {
                let (address, live) = server.listen_securely(address, &self.secrets()?)?;
                Ok((address, Some(Live::Datagrams(live))))
            }
            _ => {
                let listener = Listener::bind(&ListenOn {
                    protocol: Protocol::Coap,
                    address: ListenAddress::Tcp(address),
                    tls: self.tls.clone().filter(|_| scheme.is_encrypted()),
                    websocket: scheme.is_websocket(),
                })
                .await?;
                let live = listener.tls().map(Live::Streams);
                let bound = match listener.local_addr() {
                    ListenAddress::Tcp(bound) => *bound,
                    ListenAddress::Unix(_) => address,
                };
                server.listen_streams(listener, scheme.is_websocket());
                Ok((bound, live))
            }
        }
    }

    /// What DTLS needs.
    ///
    /// # Errors
    /// Files that cannot be read, contradictions.
    pub(crate) fn secrets(&self) -> Result<Secrets> {
        Ok(Secrets {
            psk: Psk::given(
                self.psk_identity.as_deref(),
                self.psk.as_ref(),
                self.psk_file.as_deref(),
            )?,
            tls: self.tls.clone(),
            rpk: Rpk::read(self.rpk_key.as_deref(), self.rpk_peer.as_deref())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_have_an_address_and_a_scheme_of_their_own() {
        for (name, meant) in [
            (
                "coap-listen://127.0.0.1:5690",
                "coap-listen://127.0.0.1:5690",
            ),
            ("coap-listen://0.0.0.0", "coap-listen://0.0.0.0:5683"),
            ("coap-listen://[::1]/", "coap-listen://[::1]:5683"),
            ("coap+tcp-listen://[::]:1", "coap+tcp-listen://[::]:1"),
            ("coap+ws-listen://::1", "coap+ws-listen://[::1]:80"),
            ("coaps-listen://127.0.0.1", "coaps-listen://127.0.0.1:5684"),
            (
                "coaps+tcp-listen://127.0.0.1/",
                "coaps+tcp-listen://127.0.0.1:5684",
            ),
            ("coaps+ws-listen://[::1]", "coaps+ws-listen://[::1]:443"),
        ] {
            assert_eq!(Listen::parse(name).unwrap().unwrap().to_string(), meant);
        }
        assert!(Listen::parse("coap://h").is_none());
        assert!(Listen::parse("http-listen://127.0.0.1").is_none());
        let refused = Listen::parse("coap-listen://host").unwrap().unwrap_err();
        assert_eq!(
            refused.text(),
            "coap-listen://host: \"host\" is not an address to listen on"
        );
    }
}
