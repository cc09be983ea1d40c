//! Decides about a server's certificate, and keeps what a refusal needs to be told in words.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore, SignatureScheme,
};

use super::certificate::Certificate;
use super::tls_errors::RIGHT_HINT;
use super::tls_errors::Reason;
use super::trust::{Trusted, out_of_date};

/// Verifies chains and names, and takes a certificate that was itself named as trusted.
#[derive(Debug)]
pub(super) struct Verifier {
    /// A server may show one of those named in `--cafile` and `--capath` as its own: that is how a self-signed
    /// certificate is trusted, and one that has no names, or says that it is a CA, as `openssl req -x509` makes it.
    trusted: Trusted<Arc<WebPkiServerVerifier>>,
    /// The names in the certificate do not matter.
    any_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(trusted: Trusted<Arc<WebPkiServerVerifier>>, any_name: bool) -> Self {
        Self {
            trusted,
            any_name,
            algorithms: ring::default_provider().signature_verification_algorithms,
        }
    }

    /// The name is looked at last, when all else is verified.
    fn without_name(
        &self,
        verified: Result<ServerCertVerified, Error>,
    ) -> Result<ServerCertVerified, Error> {
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    /// For [`Trusted`].
    pub(super) fn chains(roots: RootCertStore) -> Option<Arc<WebPkiServerVerifier>> {
        let provider = Arc::new(ring::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .ok()
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
        check_key(end_entity)?;
        if self.trusted.is_pinned(end_entity) {
            return self.without_name(verify_pinned(end_entity, server_name, now));
        }
        let verified = self.trusted.verify(now, |chains| {
            let verified = chains.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            self.without_name(verified)
        });
        verified.map_err(|cause| explain(cause, end_entity, intermediates))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls12(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls13(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Trusted as it is, the certificate must still be in date, and carry the name if it carries any: one without names
/// stands for the one server that has its key, and so does one that webpki does not read, such as one of X.509 version 1.
fn verify_pinned(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    if let Some(cause) = out_of_date(certificate, now) {
        return Err(cause.into());
    }
    let named = Certificate::parse(certificate).is_none_or(|it| it.names_hosts());
    match ParsedCertificate::try_from(certificate) {
        Ok(parsed) if named => verify_server_name(&parsed, name)?,
        _ => {}
    }
    Ok(ServerCertVerified::assertion())
}

/// Accepts whatever the server shows; only the handshake's own signature must fit.
#[derive(Debug)]
pub(super) struct Anything {
    algorithms: WebPkiSupportedAlgorithms,
}

impl Anything {
    pub(super) fn new() -> Self {
        Self {
            algorithms: ring::default_provider().signature_verification_algorithms,
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
        signed_in_tls12(message, certificate, signature, &self.algorithms)
            .or_else(|cause| accept_unreadable(cause, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls13(message, certificate, signature, &self.algorithms)
            .or_else(|cause| accept_unreadable(cause, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A certificate that cannot be parsed, or whose key is of no use here, proves nothing, and nothing is what was asked
/// for. A signature that is wrong stays an error.
fn accept_unreadable(
    cause: Error,
    certificate: &CertificateDer<'_>,
) -> Result<HandshakeSignatureValid, Error> {
    match cause {
        Error::InvalidCertificate(CertificateError::BadSignature)
            if check_key(certificate).is_ok() =>
        {
            Err(cause)
        }
        Error::InvalidCertificate(_) => Ok(HandshakeSignatureValid::assertion()),
        other => Err(other),
    }
}

/// As rustls does, and also by the key of a certificate that webpki does not read, such as one of X.509 version 1.
pub(super) fn signed_in_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let Some(odd) = unread_by_webpki(certificate) else {
        return verify_tls12_signature(message, certificate, signature, algorithms);
    };
    let key = odd.public_key().ok_or(CertificateError::BadEncoding)?;
    let scheme = |(scheme, _): &&(SignatureScheme, _)| *scheme == signature.scheme;
    let (_, candidates) = algorithms
        .mapping
        .iter()
        .find(scheme)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let algorithm = candidates
        .iter()
        .find(|it| it.public_key_alg_id().as_ref() == key.algorithm)
        .ok_or(CertificateError::BadSignature)?;
    algorithm
        .verify_signature(key.bits, message, signature.signature())
        .map_err(|_| CertificateError::BadSignature)?;
    Ok(HandshakeSignatureValid::assertion())
}

/// The same for TLS 1.3, which allows fewer algorithms.
pub(super) fn signed_in_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    match unread_by_webpki(certificate) {
        None => verify_tls13_signature(message, certificate, signature, algorithms),
        Some(odd) => {
            let key = SubjectPublicKeyInfoDer::from(odd.public_key_info());
            verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
        }
    }
}

fn unread_by_webpki<'a>(certificate: &'a CertificateDer<'_>) -> Option<Certificate<'a>> {
    match ParsedCertificate::try_from(certificate) {
        Ok(_) => None,
        Err(_) => Certificate::parse(certificate),
    }
}

/// Refuses a key whose signatures cannot be verified; the handshake would fail by it without saying why.
pub(super) fn check_key(certificate: &CertificateDer<'_>) -> Result<(), Error> {
    let fault = Certificate::parse(certificate).and_then(|it| it.key_fault());
    fault.map_or(Ok(()), |fault| {
        Err(Reason {
            text: format!("certificate cannot be used: {fault}"),
            hint: "supported are P-256, P-384, Ed25519, and RSA keys of at least 2048 bits",
        }
        .into())
    })
}

/// What `cause` is about, where rustls does not say it.
pub(super) fn explain(
    cause: Error,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Error {
    let Some(parsed) = Certificate::parse(end_entity) else {
        return cause;
    };
    match &cause {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            untrusted(&parsed, intermediates)
        }
        Error::InvalidCertificate(CertificateError::Other(other))
            if other.0.downcast_ref::<Reason>().is_some() =>
        {
            cause
        }
        Error::InvalidCertificate(CertificateError::Other(_) | CertificateError::BadEncoding) => {
            match unusable(&parsed) {
                Some(reason) => reason.into(),
                None => cause,
            }
        }
        _ => cause,
    }
}

/// Why webpki takes a certificate for none of a server or client.
fn unusable(parsed: &Certificate<'_>) -> Option<Reason> {
    if parsed.is_version_1() {
        return Some(Reason {
            text: String::from(
                "certificate has the outdated X.509 version 1, without names to verify",
            ),
            hint: RIGHT_HINT,
        });
    }
    if parsed.is_self_signed() {
        return Some(self_signed(parsed));
    }
    parsed.is_authority().then(|| Reason {
        text: String::from(
            "certificate is a CA certificate (CA:TRUE), which a server or client may not present",
        ),
        hint: RIGHT_HINT,
    })
}

fn self_signed(parsed: &Certificate<'_>) -> Reason {
    Reason {
        text: format!("certificate is self-signed ({})", parsed.issuer_name()),
        hint: "use --cafile FILE to trust the certificate, or --insecure to skip verification",
    }
}

fn untrusted(first: &Certificate<'_>, intermediates: &[CertificateDer<'_>]) -> Error {
    if first.is_self_signed() {
        return self_signed(first).into();
    }
    // The user needs the name at the top of what was sent: the one that is missing from the trusted.
    let (mut issuer, mut name) = (first.issuer(), first.issuer_name());
    for certificate in intermediates {
        let Some(candidate) = Certificate::parse(certificate) else {
            continue;
        };
        if candidate.subject() == issuer && !candidate.is_self_signed() {
            (issuer, name) = (candidate.issuer(), candidate.issuer_name());
        }
    }
    Reason {
        text: format!("certificate is signed by an unknown issuer ({name})"),
        hint: super::tls_errors::TRUST_HINT,
    }
    .into()
}
