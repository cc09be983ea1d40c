//! What TLS failures mean, in words with human dates.

use rustls::pki_types::UnixTime;
use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};

use super::verify::{Untrusted, Unusable};

/// A reason, and the way out where there is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) reason: String,
    pub(super) hint: Option<&'static str>,
}

const TRUST_HINT: &str = "--cafile FILE trusts its issuer; --insecure skips the check";
const NAME_HINT: &str = "--tls-server-name NAME verifies another name than the host's";
const PLAIN_HINT: &str = "the port may be one without TLS: try it without TLS, or another port";
const IDENTITY_HINT: &str = "--cert FILE --key FILE show a client certificate";

fn words(reason: impl Into<String>, hint: Option<&'static str>) -> Words {
    Words {
        reason: reason.into(),
        hint,
    }
}

/// The reason alone, for errors of our own certificates.
pub(super) fn reason(cause: &Error) -> String {
    client(cause, true).reason
}

/// What `cause` means to a client; `identity` tells whether we had a certificate to show.
pub(super) fn client(cause: &Error, identity: bool) -> Words {
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
            "server does not speak the TLS version asked for",
            Some("--tls-version sets it; known are 1.2 and 1.3"),
        ),
        Error::NoApplicationProtocol => words(
            "server accepts none of the protocols offered by --tls-alpn",
            None,
        ),
        other => words(format!("TLS failed: {}", lower(&other.to_string())), None),
    }
}

/// What `cause` means to a server.
pub(super) fn server(cause: &Error) -> String {
    match cause {
        Error::NoCertificatesPresented => String::from("client showed no certificate"),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            String::from("client does not speak TLS")
        }
        Error::AlertReceived(alert) => format!("client refused ({})", named(*alert)),
        other => reason(other),
    }
}

/// The peer answered in something else than TLS, or hung up on the first TLS record.
pub(super) fn not_tls(reason: &str) -> Words {
    words(reason, Some(PLAIN_HINT))
}

fn alerted(alert: AlertDescription, identity: bool) -> Words {
    let asks = "server requires a client certificate";
    match alert {
        AlertDescription::CertificateRequired => words(asks, Some(IDENTITY_HINT)),
        AlertDescription::HandshakeFailure if !identity => words(
            "server refused the TLS handshake; it may require a client certificate",
            Some(IDENTITY_HINT),
        ),
        AlertDescription::UnknownCA => words(
            "server does not trust our client certificate (unknown CA)",
            None,
        ),
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown if !identity => {
            words(asks, Some(IDENTITY_HINT))
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => words(
            format!("server refused our client certificate ({})", named(alert)),
            None,
        ),
        AlertDescription::CertificateExpired => words(
            "server refused our client certificate: it has expired",
            None,
        ),
        AlertDescription::CertificateRevoked => {
            words("server refused our client certificate: it is revoked", None)
        }
        AlertDescription::ProtocolVersion => words(
            "server does not speak the TLS version asked for",
            Some("--tls-version sets it; known are 1.2 and 1.3"),
        ),
        AlertDescription::UnrecognisedName => words(
            "server does not know the name that we sent",
            Some(NAME_HINT),
        ),
        AlertDescription::NoApplicationProtocol => words(
            "server accepts none of the protocols offered by --tls-alpn",
            None,
        ),
        other => words(
            format!("server refused the TLS handshake ({})", named(other)),
            None,
        ),
    }
}

fn certificate(cause: &CertificateError) -> Words {
    match cause {
        CertificateError::ExpiredContext { time, not_after } => words(
            format!("certificate expired {} ago", span(*not_after, *time)),
            Some("--insecure skips the check"),
        ),
        CertificateError::NotValidYetContext { time, not_before } => words(
            format!(
                "certificate is not valid yet, but in {}",
                span(*time, *not_before)
            ),
            Some("check the clock of this machine; --insecure skips the check"),
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => words(
            format!(
                "{}, not {:?}",
                presented_names(presented),
                expected.to_str()
            ),
            Some(NAME_HINT),
        ),
        CertificateError::UnknownIssuer => words(
            "certificate is signed by an unknown issuer",
            Some(TRUST_HINT),
        ),
        CertificateError::BadSignature => words(
            "certificate is not signed by the issuer it names",
            Some(TRUST_HINT),
        ),
        CertificateError::Revoked => words("certificate is revoked", None),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => words(
            "certificate is not meant for a server",
            Some("--insecure skips the check"),
        ),
        CertificateError::BadEncoding => words("certificate is broken", None),
        CertificateError::Other(OtherError(cause)) => explained(cause.as_ref()),
        other => words(
            format!(
                "certificate cannot be verified: {}",
                lower(&other.to_string())
            ),
            Some("--insecure skips the check"),
        ),
    }
}

fn explained(cause: &(dyn std::error::Error + 'static)) -> Words {
    if let Some(untrusted) = cause.downcast_ref::<Untrusted>() {
        let hint = if untrusted.self_signed {
            "--cafile FILE trusts that certificate; --insecure skips the check"
        } else {
            TRUST_HINT
        };
        return words(untrusted.to_string(), Some(hint));
    }
    if let Some(unusable) = cause.downcast_ref::<Unusable>() {
        return words(unusable.to_string(), Some("--insecure skips the check"));
    }
    words(
        format!(
            "certificate cannot be verified: {}",
            lower(&cause.to_string())
        ),
        Some("--insecure skips the check"),
    )
}

/// `certificate is for "a.example" (and "b.example")`. The presented names come as `DnsName("a.example")`.
fn presented_names(presented: &[String]) -> String {
    let mut names = presented.iter().map(|name| {
        let inside = name
            .split_once('(')
            .map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        format!("\"{}\"", inside.trim_matches('"'))
    });
    let Some(first) = names.next() else {
        return String::from("certificate names no host (it has no subjectAltName)");
    };
    let others: Vec<String> = names.collect();
    match others.as_slice() {
        [] => format!("certificate is for {first}"),
        others => format!("certificate is for {first} (and {})", others.join(", ")),
    }
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
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// An alert's name in words: `HandshakeFailure` is `handshake failure`.
fn named(alert: AlertDescription) -> String {
    let mut text = String::new();
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
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

    #[test]
    fn presented_names_are_listed() {
        let names = |list: &[&str]| {
            presented_names(&list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            names(&["DnsName(\"a.example\")"]),
            "certificate is for \"a.example\""
        );
        assert_eq!(
            names(&["DnsName(\"a.example\")", "IpAddress(127.0.0.1)"]),
            "certificate is for \"a.example\" (and \"127.0.0.1\")"
        );
        assert_eq!(
            names(&[]),
            "certificate names no host (it has no subjectAltName)"
        );
    }

    #[test]
    fn alerts_are_words() {
        assert_eq!(
            named(AlertDescription::HandshakeFailure),
            "handshake failure"
        );
        let missing = client(
            &Error::AlertReceived(AlertDescription::CertificateRequired),
            false,
        );
        assert_eq!(missing.reason, "server requires a client certificate");
        let refused = client(&Error::AlertReceived(AlertDescription::UnknownCA), true);
        assert_eq!(
            refused.reason,
            "server does not trust our client certificate (unknown CA)"
        );
    }
}
