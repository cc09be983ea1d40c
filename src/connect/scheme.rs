//! The protocols and what their URL schemes stand for.

/// A protocol that can be connected to; it fixes URL schemes, ports and the WebSocket sub-protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// MQTT, any version.
    Mqtt,
    /// CoAP (RFC 7252, RFC 8323).
    Coap,
    /// AMQP 0-9-1.
    Amqp,
    /// HTTP/1.1, for what is sent to services beside; no command is for it alone.
    Http,
}

/// How the bytes travel, before any address is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Tcp,
    Tls,
    WebSocket,
    SecureWebSocket,
    Unix,
    Udp,
    Dtls,
}

impl Carrier {
    pub(super) const fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket | Self::Dtls)
    }

    pub(super) const fn is_websocket(self) -> bool {
        matches!(self, Self::WebSocket | Self::SecureWebSocket)
    }
}

/// Whether a URL has the scheme of a server, or of a listener, that is not encrypted.
pub(crate) fn is_plain(url: &str) -> bool {
    let name = url.split_once(':').map_or("", |(name, _)| name);
    let name = name.strip_suffix("-listen").unwrap_or(name);
    [
        Protocol::Mqtt,
        Protocol::Coap,
        Protocol::Amqp,
        Protocol::Http,
    ]
    .into_iter()
    .find_map(|protocol| protocol.scheme(name))
    .is_some_and(|scheme| !scheme.carrier.is_encrypted())
}

/// One URL scheme of a protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) name: &'static str,
    pub(super) carrier: Carrier,
    /// The port when none is given; 0 for a unix socket.
    pub(super) port: u16,
}

impl Scheme {
    /// The one for the same without encryption.
    pub(super) fn plain(&'static self) -> &'static Self {
        let carrier = match self.carrier {
            Carrier::Tls => Carrier::Tcp,
            Carrier::SecureWebSocket => Carrier::WebSocket,
            Carrier::Dtls => Carrier::Udp,
            Carrier::Tcp | Carrier::WebSocket | Carrier::Unix | Carrier::Udp => return self,
        };
        let mut all = [
            Protocol::Mqtt,
            Protocol::Coap,
            Protocol::Amqp,
            Protocol::Http,
        ]
        .into_iter();
        let own = all.find(|protocol| protocol.schemes().contains(self));
        own.map_or(self, |protocol| protocol.scheme_of(carrier))
    }
}

const fn scheme(name: &'static str, carrier: Carrier, port: u16) -> Scheme {
    Scheme {
        name,
        carrier,
        port,
    }
}

/// The first scheme of each carrier is the one that [`super::Target`] shows.
const MQTT: [Scheme; 8] = [
    scheme("mqtt", Carrier::Tcp, 1883),
    scheme("mqtts", Carrier::Tls, 8883),
    scheme("ws", Carrier::WebSocket, 80),
    scheme("wss", Carrier::SecureWebSocket, 443),
    scheme("unix", Carrier::Unix, 0),
    scheme("tcp", Carrier::Tcp, 1883),
    scheme("ssl", Carrier::Tls, 8883),
    scheme("tls", Carrier::Tls, 8883),
];

const COAP: [Scheme; 6] = [
    scheme("coap", Carrier::Udp, 5683),
    scheme("coaps", Carrier::Dtls, 5684),
    scheme("coap+tcp", Carrier::Tcp, 5683),
    scheme("coaps+tcp", Carrier::Tls, 5684),
    scheme("coap+ws", Carrier::WebSocket, 80),
    scheme("coaps+ws", Carrier::SecureWebSocket, 443),
];

const AMQP: [Scheme; 3] = [
    scheme("amqp", Carrier::Tcp, 5672),
    scheme("amqps", Carrier::Tls, 5671),
    scheme("unix", Carrier::Unix, 0),
];

const HTTP: [Scheme; 2] = [
    scheme("http", Carrier::Tcp, 80),
    scheme("https", Carrier::Tls, 443),
];

impl Protocol {
    /// Those that commands are for.
    const ALL: [Self; 3] = [Self::Mqtt, Self::Coap, Self::Amqp];

    /// The protocol's name in messages: `MQTT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mqtt => "MQTT",
            Self::Coap => "CoAP",
            Self::Amqp => "AMQP",
            Self::Http => "HTTP",
        }
    }

    /// The sub-protocol asked for in a WebSocket handshake (MQTT 5.0 §6: `mqtt`; RFC 8323 §8.4: `coap`).
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Coap => "coap",
            Self::Amqp => "amqp",
            Self::Http => "http",
        }
    }

    /// The sub-protocols that a listener of ours agrees to (MQTT 5.0 §6; `mqttv3.1` by usage; RFC 8323 §8.4).
    pub(super) const fn accepted_subprotocols(self) -> &'static [&'static str] {
        match self {
            Self::Mqtt => &["mqtt", "mqttv3.1"],
            Self::Coap => &["coap"],
            Self::Amqp => &["amqp"],
            Self::Http => &["http"],
        }
    }

    /// What both sides say by ALPN that the protocol is (RFC 8323 §8.2).
    pub(super) const fn alpn(self, carrier: Carrier) -> Option<&'static str> {
        match (self, carrier) {
            (Self::Coap, Carrier::Tls) => Some("coap"),
            _ => None,
        }
    }

    /// The WebSocket path when a URL has none.
    pub(super) const fn websocket_path(self) -> &'static str {
        match self {
            Self::Mqtt => "/mqtt",
            // RFC 8323 §4.
            Self::Coap => "/.well-known/coap",
            Self::Amqp => "/ws",
            Self::Http => "/",
        }
    }

    pub(super) const fn schemes(self) -> &'static [Scheme] {
        match self {
            Self::Mqtt => &MQTT,
            Self::Coap => &COAP,
            Self::Amqp => &AMQP,
            Self::Http => &HTTP,
        }
    }

    /// What carries the protocol where no scheme says so: without and with encryption.
    pub(super) const fn usual_carrier(self, encrypted: bool) -> Carrier {
        match (self, encrypted) {
            (Self::Coap, false) => Carrier::Udp,
            (Self::Coap, true) => Carrier::Dtls,
            (_, false) => Carrier::Tcp,
            (_, true) => Carrier::Tls,
        }
    }

    /// What DNS calls the service in SRV records (RFC 2782), as IANA has registered it; mosquitto's name for MQTT with TLS.
    pub(super) const fn service(self, carrier: Carrier) -> Option<&'static str> {
        Some(match (self, carrier) {
            (Self::Mqtt, Carrier::Tcp) => "_mqtt._tcp",
            (Self::Mqtt, Carrier::Tls) => "_secure-mqtt._tcp",
            (Self::Coap, Carrier::Tcp) => "_coap._tcp",
            (Self::Coap, Carrier::Tls) => "_coaps._tcp",
            (Self::Amqp, Carrier::Tcp) => "_amqp._tcp",
            (Self::Amqp, Carrier::Tls) => "_amqps._tcp",
            _ => return None,
        })
    }

    /// The scheme of this name, in any case of letters.
    pub(super) fn scheme(self, name: &str) -> Option<&'static Scheme> {
        self.schemes()
            .iter()
            .find(|scheme| scheme.name.eq_ignore_ascii_case(name))
    }

    /// The protocol that a URL with this scheme is for; `unix` is MQTT's, as it was first.
    pub(crate) fn of_scheme(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.scheme(name).is_some())
    }

    /// The other protocol that a URL with this scheme is for.
    pub(super) fn other_of_scheme(self, name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|other| self.scheme(name).is_none() && other.scheme(name).is_some())
    }

    /// The other protocol that this port is registered for. Those of WebSocket are everybody's.
    pub(super) fn other_of_port(self, port: u16) -> Option<Self> {
        let registered = |protocol: Self| {
            let mut own = protocol.schemes().iter();
            own.any(|scheme| scheme.port == port && !scheme.carrier.is_websocket())
        };
        let others = Self::ALL.into_iter();
        let mut others = others.filter(|other| !registered(self) && registered(*other));
        others.next()
    }

    /// The scheme that stands for `carrier`.
    pub(super) fn scheme_of(self, carrier: Carrier) -> &'static Scheme {
        let schemes = self.schemes();
        // A protocol without a scheme for the carrier cannot have been resolved to it; its first one then names it.
        schemes
            .iter()
            .find(|scheme| scheme.carrier == carrier)
            .unwrap_or(&schemes[0])
    }

    /// The scheme names, as an error lists them.
    pub(super) fn scheme_names(self) -> String {
        let names: Vec<&str> = self.schemes().iter().map(|scheme| scheme.name).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_plain_where_its_scheme_says_so() {
        for url in [
            "mqtt://h",
            "WS://h",
            "unix:/run/m",
            "coap+ws://h",
            "coap-listen://[::]",
            "http://h",
        ] {
            assert!(is_plain(url), "{url}");
        }
        for url in [
            "mqtts://h",
            "wss://h",
            "coaps+tcp-listen://[::]",
            "influxs://h/d",
            "home",
            "a.ndjson",
        ] {
            assert!(!is_plain(url), "{url}");
        }
    }
}
