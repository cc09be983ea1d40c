//! What a peer speaks that does not speak our protocol.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::dial;
use super::scheme::Carrier;
use super::target::{Target, Transport};
use super::verify::Anything;

/// How long the probe of [`silent_close`] may take.
const PROBE: Duration = Duration::from_secs(2);
/// How much of a stranger's first line is shown.
const SHOWN: usize = 60;

/// What the first bytes of a peer tell about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Speaks {
    /// Completes "the server speaks …": `HTTP ("HTTP/1.1 400 Bad Request")`.
    pub what: String,
    /// The way out, where there is one.
    pub hint: Option<&'static str>,
}

const OTHER_PORT: &str = "that port belongs to another service; try another port";

/// Recognises other protocols by the first bytes that a peer sent; five bytes are enough for most.
/// `None`: nothing that is known here, so perhaps our own protocol.
pub(crate) fn first_bytes(bytes: &[u8]) -> Option<Speaks> {
    let speaks = |what: &str, hint| {
        Some(Speaks {
            what: what.to_owned(),
            hint: Some(hint),
        })
    };
    let quoted = |name: &str, hint| {
        Some(Speaks {
            what: format!("{name} ({:?})", first_line(bytes)),
            hint: Some(hint),
        })
    };
    match bytes {
        [b'H', b'T', b'T', b'P', b'/', ..] => {
            quoted("HTTP", "use ws:// or wss:// for a WebSocket server")
        }
        [b'S', b'S', b'H', b'-', ..] => quoted("SSH", OTHER_PORT),
        [b'A', b'M', b'Q', b'P', ..] => speaks(
            "AMQP",
            "that port belongs to an AMQP broker; try another port",
        ),
        [b'2', b'2', b'0', b' ' | b'-', ..] => quoted("SMTP or FTP", OTHER_PORT),
        [b'-', b'E', b'R', b'R', ..] | [b'+', b'O', b'K', ..] => {
            quoted("Redis or POP3", OTHER_PORT)
        }
        [b'I', b'N', b'F', b'O', b' ', ..] => speaks("NATS", OTHER_PORT),
        // A TLS record: alert or handshake, version 3.x (RFC 8446 §5.1).
        [0x15 | 0x16, 0x03, 0..=4, ..] => speaks(
            "TLS",
            "this looks like a TLS port; use mqtts:// or the TLS flags",
        ),
        // An HTTP/2 SETTINGS frame on stream 0 (RFC 9113 §6.5), as gRPC servers send it first.
        [0, 0, _, 0x04, 0, 0, 0, 0, 0, ..] => speaks("HTTP/2", OTHER_PORT),
        _ => None,
    }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes
        .split(|&byte| byte == b'\r' || byte == b'\n')
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned();
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// After a plain connection was closed, or refused to answer, before its first byte: knocks once with
/// a TLS hello and returns a hint when the peer speaks TLS. Takes 2 s at most; sends no credentials.
pub(crate) async fn silent_close(target: &Target) -> Option<String> {
    let carrier = match target.transport {
        Transport::Tcp => Carrier::Tls,
        Transport::WebSocket => Carrier::SecureWebSocket,
        Transport::Tls
        | Transport::SecureWebSocket
        | Transport::Unix(_)
        | Transport::Udp
        | Transport::Dtls => return None,
    };
    let target = &target.current();
    if !timeout(PROBE, speaks_tls(target)).await.unwrap_or(false) {
        return None;
    }
    let scheme = target.protocol.scheme_of(carrier).name;
    Some(format!(
        "this looks like a TLS port; use {scheme}://{}",
        target.authority()
    ))
}

/// A CONNECT of a version of MQTT that there is not, which no server opens a session for.
const NO_CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x7f\x02\0\0\0\0";

/// What to do about a port where MQTT is spoken.
pub(crate) const MQTT_PORT: &str = "that port belongs to an MQTT broker; try another port";

/// After a plain connection was closed before its first byte: knocks once, and returns whether the peer refuses a CONNECT as a
/// server of MQTT does (MQTT 3.1.1 §3.1.2.2, MQTT 5.0 §3.1.2.2). Takes 2 s at most; sends no credentials.
pub(crate) async fn speaks_mqtt(target: &Target) -> bool {
    if !matches!(target.transport, Transport::Tcp) {
        return false;
    }
    let target = &target.current();
    let knock = async {
        let mut tcp = dial::connect_tcp(target).await.ok()?;
        tcp.write_all(NO_CONNECT).await.ok()?;
        let mut answer = [0; 3];
        tcp.read_exact(&mut answer).await.ok()?;
        Some(answer)
    };
    let answer = timeout(PROBE, knock).await.ok().flatten();
    matches!(answer, Some([0x20, 2 | 3, 0]))
}

async fn speaks_tls(target: &Target) -> bool {
    let Some((config, name)) = probe(&target.host) else {
        return false;
    };
    let Ok(tcp) = dial::connect_tcp(target).await else {
        return false;
    };
    match TlsConnector::from(config).connect(name, tcp).await {
        Ok(_) => true,
        // Only a TLS server answers with an alert, or in a version that we do not speak.
        Err(cause) => cause
            .get_ref()
            .and_then(|inner| inner.downcast_ref())
            .is_some_and(|cause| {
                matches!(
                    cause,
                    rustls::Error::AlertReceived(_)
                        | rustls::Error::PeerIncompatible(_)
                        | rustls::Error::InvalidCertificate(_)
                )
            }),
    }
}

fn probe(host: &str) -> Option<(Arc<ClientConfig>, ServerName<'static>)> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything::new()))
        .with_no_client_auth();
    Some((
        Arc::new(config),
        ServerName::try_from(host.to_owned()).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_recognised() {
        for (bytes, what) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n"[..],
                "HTTP (\"HTTP/1.1 400 Bad Request\")",
            ),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH (\"SSH-2.0-OpenSSH_9.2\")"),
            (b"AMQP\0\0\x09\x01", "AMQP"),
            (
                b"220 mail.example ESMTP",
                "SMTP or FTP (\"220 mail.example ESMTP\")",
            ),
            (
                b"-ERR unknown command",
                "Redis or POP3 (\"-ERR unknown command\")",
            ),
            (b"INFO {\"server_id\"", "NATS"),
            (&[0x15, 3, 3, 0, 2, 2, 40], "TLS"),
            (&[0x16, 3, 1, 0, 5], "TLS"),
            (&[0, 0, 18, 4, 0, 0, 0, 0, 0], "HTTP/2"),
        ] {
            assert_eq!(first_bytes(bytes).unwrap().what, what);
        }
    }

    #[test]
    fn mqtt_answers_are_not_strangers() {
        for bytes in [
            &[0x20, 2, 0, 0][..],
            &[0x20, 3, 0, 0, 0],
            &[0xE0, 0],
            &[0xD0, 0],
            b"",
        ] {
            assert_eq!(first_bytes(bytes), None);
        }
    }

    #[test]
    fn what_is_quoted_cannot_steer_a_terminal() {
        let speaks = first_bytes(b"HTTP/1.1 \x1b[31m400").unwrap();
        assert_eq!(speaks.what, "HTTP (\"HTTP/1.1 [31m400\")");
    }
}
