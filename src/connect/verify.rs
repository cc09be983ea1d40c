//! Decides about server certificates, and keeps what a refusal needs to be told in words.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use super::certificate::Certificate;

/// Verifies chains and names, and takes a certificate that was itself given as trusted.
#[derive(Debug)]
pub(super) struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    /// What `--cafile` and `--capath` named. A server may show one of these as its own: that is how a
    /// self-signed certificate is trusted, also one that says it is a CA, as `openssl req -x509` makes it.
    pinned: Vec<CertificateDer<'static>>,
}

impl Verifier {
    pub(super) const fn new(
        chains: Arc<WebPkiServerVerifier>,
        pinned: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self { chains, pinned }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self
            .pinned
            .iter()
            .any(|pinned| pinned.as_ref() == end_entity.as_ref())
        {
            return verify_pinned(end_entity, server_name, now);
        }
        self.chains
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|cause| match cause {
                Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                    untrusted(end_entity, intermediates)
                }
                other => explain(other, end_entity),
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.chains.root_hint_subjects()
    }
}

/// Trusted as it is, the certificate must still be in date and carry the name.
fn verify_pinned(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    if let Some((from, until)) =
        Certificate::parse(certificate).and_then(|parsed| parsed.validity())
    {
        if now.as_secs() > until.as_secs() {
            return Err(CertificateError::ExpiredContext {
                time: now,
                not_after: until,
            }
            .into());
        }
        if now.as_secs() < from.as_secs() {
            return Err(CertificateError::NotValidYetContext {
                time: now,
                not_before: from,
            }
            .into());
        }
    }
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    Ok(ServerCertVerified::assertion())
}

/// Accepts whatever the server shows; only the handshake's own signature must fit.
#[derive(Debug)]
pub(super) struct Anything {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Anything {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
            .or_else(accept_unreadable)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
            .or_else(accept_unreadable)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A certificate that cannot even be parsed, such as one of X.509 version 1, proves nothing, and
/// nothing is what was asked for. A signature that is wrong stays an error.
fn accept_unreadable(cause: Error) -> Result<HandshakeSignatureValid, Error> {
    match cause {
        Error::InvalidCertificate(CertificateError::BadSignature) => Err(cause),
        Error::InvalidCertificate(_) => Ok(HandshakeSignatureValid::assertion()),
        other => Err(other),
    }
}

/// A certificate that leads to nobody we trust, with the names that tell the user whom to trust.
#[derive(Debug)]
pub(super) struct Untrusted {
    /// Who signed the last certificate of the chain, as `CN=…`.
    pub(super) issuer: String,
    pub(super) self_signed: bool,
}

/// A certificate that is no server certificate to rustls: `reason` says why.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) reason: &'static str,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.self_signed {
            write!(f, "certificate is self-signed ({})", self.issuer)
        } else {
            write!(
                f,
                "certificate is signed by an unknown issuer ({})",
                self.issuer
            )
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl std::error::Error for Untrusted {}
impl std::error::Error for Unusable {}

fn untrusted(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Error {
    let Some(first) = Certificate::parse(end_entity) else {
        return CertificateError::UnknownIssuer.into();
    };
    // The user needs the name at the top of what was sent: the one that is missing from the trusted.
    let mut top = first;
    for candidate in intermediates
        .iter()
        .filter_map(|certificate| Certificate::parse(certificate))
    {
        if candidate.subject == top.issuer && !top.is_self_signed() {
            top = candidate;
        }
    }
    other(Untrusted {
        issuer: top.issuer_name(),
        self_signed: first.is_self_signed(),
    })
}

fn explain(cause: Error, end_entity: &CertificateDer<'_>) -> Error {
    let Error::InvalidCertificate(CertificateError::Other(_) | CertificateError::BadEncoding) =
        cause
    else {
        return cause;
    };
    match Certificate::parse(end_entity) {
        Some(parsed) if parsed.is_version_1() => other(Unusable {
            reason: "certificate is of the outdated X.509 version 1, without names to verify",
        }),
        Some(parsed) if parsed.is_self_signed() => other(Untrusted {
            issuer: parsed.issuer_name(),
            self_signed: true,
        }),
        _ => cause,
    }
}

fn other(reason: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}
