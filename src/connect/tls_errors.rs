//! What TLS failures mean, in words with human dates.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, Error, ExtendedKeyPurpose, InvalidMessage, OtherError,
    PeerIncompatible,
};

use crate::error::counted;

use super::certificate::algorithm_name;

/// A reason, and the way out where there is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    pub(super) reason: String,
    pub(super) hint: Option<Cow<'static, str>>,
}

pub(super) const TRUST_HINT: &str =
    "use --cafile FILE to trust its issuer, or --insecure to skip verification";
/// For certificates as `openssl x509 -req` makes them by default.
pub(super) const RIGHT_HINT: &str = "use --cafile with the server's own certificate to trust it, or create a proper one with openssl x509 -req -extfile and subjectAltName=DNS:NAME in that file";
const SKIP_HINT: &str = "use --insecure to skip verification";
const NAME_HINT: &str = "use --tls-server-name NAME to verify another name than the host";
const PLAIN_HINT: &str = "the port may not use TLS: try it without TLS, or another port";
const IDENTITY_HINT: &str = "use --cert FILE --key FILE for a client certificate";
const ALPN_HINT: &str = "--tls-alpn names the protocols that are offered";
const VERSION_HINT: &str = "use --tls-version 1.2 or 1.3";
/// The most names of a certificate that are listed.
const NAMES: usize = 5;

fn words(reason: impl Into<String>, hint: Option<&'static str>) -> Explanation {
    Explanation {
        reason: reason.into(),
        hint: hint.map(Cow::Borrowed),
    }
}

/// What is known of the client certificate when the handshake failed.
#[derive(Clone, Copy)]
pub(super) struct Identity {
    /// We have one.
    pub(super) given: bool,
    /// The server has asked for it.
    pub(super) asked: bool,
}

/// The reason alone, for errors of client certificates.
pub(super) fn reason(cause: &Error) -> String {
    let identity = Identity {
        given: true,
        asked: true,
    };
    client(cause, identity).reason
}

/// What `cause` means to a client.
pub(super) fn client(cause: &Error, identity: Identity) -> Explanation {
    match cause {
        Error::InvalidCertificate(cause) => certificate(cause),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => not_tls("server does not speak TLS"),
        Error::AlertReceived(alert) => alerted(*alert, identity),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        ) => words(
            "server does not support the requested TLS version",
            Some(VERSION_HINT),
        ),
        Error::NoApplicationProtocol => words(
            "server accepts none of the offered application protocols (ALPN)",
            Some(ALPN_HINT),
        ),
        other => words(format!("TLS failed: {}", peer_fault(other)), None),
    }
}

/// What `cause` means to a server.
pub fn server(cause: &Error) -> String {
    match cause {
        Error::NoCertificatesPresented => String::from("client sent no certificate"),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            String::from("client does not speak TLS")
        }
        Error::AlertReceived(alert) => format!("client rejected the handshake ({})", named(*alert)),
        other => reason(other),
    }
}

/// What rustls tells with names of its own, in words.
fn peer_fault(cause: &Error) -> String {
    match cause {
        Error::PeerIncompatible(why) => format!("the peer has {}", spelled(why)),
        Error::PeerMisbehaved(why) => {
            format!("protocol violation by the other side ({})", spelled(why))
        }
        Error::InvalidMessage(why) => {
            format!("the peer sent a malformed message ({})", spelled(why))
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            String::from("the peer sent an unexpected message")
        }
        Error::General(text) => lower(text),
        other => lower(&other.to_string()),
    }
}

/// The peer answered in something else than TLS, or hung up on the first TLS record.
pub(super) fn not_tls(reason: &str) -> Explanation {
    words(reason, Some(PLAIN_HINT))
}

fn alerted(alert: AlertDescription, identity: Identity) -> Explanation {
    use AlertDescription as Alert;
    let refused = |why: &str| words(format!("server rejected the client certificate{why}"), None);
    match alert {
        Alert::CertificateRequired => {
            words("server requires a client certificate", Some(IDENTITY_HINT))
        }
        Alert::ProtocolVersion => words(
            "server does not support the requested TLS version",
            Some(VERSION_HINT),
        ),
        Alert::UnrecognisedName => words(
            "server does not recognise the server name (SNI)",
            Some(NAME_HINT),
        ),
        Alert::NoApplicationProtocol => words(
            "server accepts none of the offered application protocols (ALPN)",
            Some(ALPN_HINT),
        ),
        // With TLS 1.2 a server has no other way to say it, and each chooses one of these.
        Alert::HandshakeFailure | Alert::BadCertificate | Alert::CertificateUnknown
            if identity.asked && !identity.given =>
        {
            words("server requires a client certificate", Some(IDENTITY_HINT))
        }
        Alert::HandshakeFailure if !identity.asked => words(
            "server rejected the TLS handshake (handshake failure): no common cipher or key type",
            Some(
                "supported are the ciphers of TLS 1.3, ECDHE with AES-GCM or ChaCha20, and P-256, P-384, Ed25519 and RSA keys",
            ),
        ),
        Alert::UnknownCA if identity.given => words(
            "server does not trust the client certificate (unknown CA)",
            None,
        ),
        Alert::CertificateExpired if identity.given => refused(": it has expired"),
        Alert::CertificateRevoked if identity.given => refused(": it is revoked"),
        Alert::HandshakeFailure
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied
            if identity.given =>
        {
            refused(&format!(" ({})", named(alert)))
        }
        other => words(
            format!("server rejected the TLS handshake ({})", named(other)),
            None,
        ),
    }
}

fn certificate(cause: &CertificateError) -> Explanation {
    let skip = |reason: String| words(reason, Some(SKIP_HINT));
    match cause {
        CertificateError::ExpiredContext { time, not_after } => skip(format!(
            "certificate expired {} ago",
            span(*not_after, *time)
        )),
        CertificateError::NotValidYetContext { time, not_before } => words(
            format!(
                "certificate is not valid yet, only in {}",
                span(*time, *not_before)
            ),
            Some("check the clock of this machine, or use --insecure to skip verification"),
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => wrong_name(expected, presented),
        CertificateError::UnknownIssuer => words(
            "certificate is signed by an unknown issuer",
            Some(TRUST_HINT),
        ),
        CertificateError::BadSignature => words(
            "certificate is not signed by the issuer it names",
            Some(TRUST_HINT),
        ),
        CertificateError::Revoked => words("certificate is revoked", None),
        CertificateError::InvalidPurposeContext { required, .. } => {
            let whom = match required {
                ExtendedKeyPurpose::ClientAuth => "client",
                _ => "server",
            };
            skip(format!(
                "certificate is not meant for a {whom} (extendedKeyUsage)"
            ))
        }
        other => odd(other),
    }
}

/// What is rarer than a wrong date, name or issuer.
fn odd(cause: &CertificateError) -> Explanation {
    let skip = |reason: String| words(reason, Some(SKIP_HINT));
    match cause {
        CertificateError::BadEncoding => words("certificate is malformed", None),
        CertificateError::UnhandledCriticalExtension => skip(String::from(
            "certificate has an unknown critical extension",
        )),
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => words(
            format!(
                "certificate is signed with {}, which is not accepted",
                algorithm_name(signature_algorithm_id)
            ),
            Some(
                "use --cafile with the server's own certificate to trust it, or sign a new one with openssl x509 -req -sha256",
            ),
        ),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => skip(
            String::from("certificate's signature does not match the key type of its issuer"),
        ),
        CertificateError::Other(OtherError(cause)) => match cause.downcast_ref::<Reason>() {
            Some(reason) => words(reason.text.clone(), Some(reason.hint)),
            None => skip(format!(
                "certificate cannot be verified: {}",
                spelled(cause)
            )),
        },
        other => skip(format!(
            "certificate cannot be verified: {}",
            spelled(other)
        )),
    }
}

/// A certificate for another host. The presented names come as `DnsName("a.example")`.
fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> Explanation {
    let inside = |kind: &str, name: &str| {
        let name = name.strip_prefix(kind)?.strip_suffix(')')?;
        Some(name.trim_matches('"').to_owned())
    };
    let names: Vec<String> = presented
        .iter()
        .filter_map(|name| inside("DnsName(", name).or_else(|| inside("IpAddress(", name)))
        .collect();
    let host = expected.to_str();
    let Some((first, others)) = names.split_first() else {
        return words(
            "certificate has no host name (subjectAltName)",
            Some(RIGHT_HINT),
        );
    };
    if names.contains(&host.to_string()) {
        return Explanation {
            reason: format!("certificate has {host} as a DNS name, not as an address"),
            hint: Some(format!("create a certificate with openssl x509 -req and subjectAltName=IP:{host} in its -extfile").into()),
        };
    }
    let others = match others.len() {
        0 => String::new(),
        1..=NAMES => format!(" (and {})", quoted(others)),
        more => format!(
            " (and {} and {} more)",
            quoted(&others[..NAMES]),
            more - NAMES
        ),
    };
    words(
        format!("certificate is for {first:?}{others}, not {host:?}"),
        Some(NAME_HINT),
    )
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

/// The time from `earlier` to `later` in the largest unit that fits: `3 days`.
fn span(earlier: UnixTime, later: UnixTime) -> String {
    let seconds = later.as_secs().saturating_sub(earlier.as_secs());
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..63_072_000 => (seconds / 86_400, "day"),
        _ => (seconds / 31_536_000, "year"),
    };
    counted(count, unit)
}

/// An alert's name in words: `HandshakeFailure` is `handshake failure`.
fn named(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA => String::from("unknown CA"),
        AlertDescription::Unknown(number) => format!("alert {number}"),
        known => spelled(&known),
    }
}

/// The name of a variant in words, without what it holds: `NoCipherSuitesInCommon` is `no cipher suites in common`.
fn spelled(variant: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    let name = format!("{variant:?}");
    let name = name.split([' ', '(', '{']).next().unwrap_or_default();
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let starts =
            letter.is_ascii_uppercase() && letters.peek().is_some_and(char::is_ascii_lowercase);
        if starts && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Why a certificate is not accepted, where rustls has no words for it.
#[derive(Debug)]
pub(super) struct Reason {
    /// `certificate is …`.
    pub(super) text: String,
    /// The way out of a client.
    pub(super) hint: &'static str,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Reason {}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let start = UnixTime::since_unix_epoch(Duration::from_secs(1_000_000_000));
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (61, "1 minute"),
            (7_200, "2 hours"),
            (3 * 86_400 + 5, "3 days"),
            (400 * 86_400, "400 days"),
            (800 * 86_400, "2 years"),
        ] {
            let end = UnixTime::since_unix_epoch(Duration::from_secs(1_000_000_000 + seconds));
            assert_eq!(span(start, end), text);
        }
    }

    fn told(cause: CertificateError) -> Explanation {
        certificate(&cause)
    }

    fn for_another(host: &'static str, presented: &[&str]) -> Explanation {
        told(CertificateError::NotValidForNameContext {
            expected: ServerName::try_from(host).unwrap(),
            presented: presented.iter().map(|&name| name.to_owned()).collect(),
        })
    }

    #[test]
    fn a_certificate_for_another_host_lists_its_names() {
        for (presented, reason) in [
            (
                &["DnsName(\"a.example\")"][..],
                "certificate is for \"a.example\", not \"h\"",
            ),
            (
                &["DnsName(\"a.example\")", "IpAddress(127.0.0.1)"],
                "certificate is for \"a.example\" (and \"127.0.0.1\"), not \"h\"",
            ),
            (
                &["UniformResourceIdentifier(\"urn:x\")"],
                "certificate has no host name (subjectAltName)",
            ),
            (&[], "certificate has no host name (subjectAltName)"),
        ] {
            assert_eq!(for_another("h", presented).reason, reason);
        }
        let hint = for_another("h", &[]).hint.unwrap();
        assert!(hint.contains("subjectAltName=DNS:NAME"), "{hint}");
        let many: Vec<String> = (0..9).map(|it| format!("DnsName(\"{it}\")")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            for_another("h", &many).reason,
            "certificate is for \"0\" (and \"1\", \"2\", \"3\", \"4\", \"5\" and 3 more), not \"h\""
        );
    }

    #[test]
    fn an_address_as_a_dns_name_is_told_as_that() {
        let words = for_another("127.0.0.1", &["DnsName(\"127.0.0.1\")"]);
        assert_eq!(
            words.reason,
            "certificate has 127.0.0.1 as a DNS name, not as an address"
        );
        assert!(words.hint.unwrap().contains("subjectAltName=IP:127.0.0.1"));
    }

    #[test]
    fn nothing_is_told_in_rust() {
        let sha_1 = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
            supported_algorithms: Vec::new(),
        };
        assert_eq!(
            told(sha_1).reason,
            "certificate is signed with SHA-1, which is not accepted"
        );
        assert_eq!(
            told(CertificateError::InvalidOcspResponse).reason,
            "certificate cannot be verified: invalid ocsp response"
        );
        for (cause, said) in [
            (
                Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "TLS failed: the peer has no cipher suites in common",
            ),
            (
                Error::PeerMisbehaved(rustls::PeerMisbehaved::TooManyKeyUpdateRequests),
                "TLS failed: protocol violation by the other side (too many key update requests)",
            ),
            (
                Error::InappropriateMessage {
                    expect_types: Vec::new(),
                    got_type: rustls::ContentType::Alert,
                },
                "TLS failed: the peer sent an unexpected message",
            ),
        ] {
            assert_eq!(reason(&cause), said);
        }
    }

    #[test]
    fn alerts_are_words() {
        let said = |alert, given, asked| {
            let identity = Identity { given, asked };
            client(&Error::AlertReceived(alert), identity).reason
        };
        assert_eq!(
            named(AlertDescription::HandshakeFailure),
            "handshake failure"
        );
        assert_eq!(named(AlertDescription::UnknownCA), "unknown CA");
        let asks = "server requires a client certificate";
        assert_eq!(
            said(AlertDescription::CertificateRequired, false, true),
            asks
        );
        assert_eq!(said(AlertDescription::HandshakeFailure, false, true), asks);
        assert_eq!(
            said(AlertDescription::UnknownCA, true, true),
            "server does not trust the client certificate (unknown CA)"
        );
        assert_eq!(
            said(AlertDescription::HandshakeFailure, true, true),
            "server rejected the client certificate (handshake failure)"
        );
        // A server that has not asked for a certificate does not miss one.
        for given in [false, true] {
            let text = said(AlertDescription::HandshakeFailure, given, false);
            assert!(!text.contains("certificate"), "{text}");
        }
    }
}
