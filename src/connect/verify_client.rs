//! Decides about the certificates that clients show to our servers.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::certificate::Certificate;
use super::trust::{Trusted, out_of_date};
use super::verify::{check_key, explain, signed_in_tls12, signed_in_tls13};

/// Verifies chains, and takes a certificate that was itself named as trusted.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    trusted: Trusted<Arc<dyn ClientCertVerifier>>,
    /// Whose certificates are asked for; anyone's, if there are none.
    issuers: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientVerifier {
    pub(super) fn new(trusted: Trusted<Arc<dyn ClientCertVerifier>>) -> Self {
        let is_issuer = |it: &CertificateDer<'_>| {
            Certificate::parse(it).is_none_or(|it| it.is_authority() || it.is_self_signed())
        };
        // A client that looks for a certificate of those issuers would not find one that is trusted itself.
        let mut issuers = RootCertStore::empty();
        if trusted.certificates().all(is_issuer) {
            issuers.add_parsable_certificates(trusted.certificates().cloned());
        }
        Self {
            trusted,
            issuers: issuers.subjects(),
            algorithms: ring::default_provider().signature_verification_algorithms,
        }
    }

    /// For [`Trusted`].
    pub(super) fn chains(roots: RootCertStore) -> Option<Arc<dyn ClientCertVerifier>> {
        let provider = Arc::new(ring::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .ok()
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.issuers
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        check_key(end_entity)?;
        if self.trusted.is_pinned(end_entity) {
            return match out_of_date(end_entity, now) {
                Some(cause) => Err(cause.into()),
                None => Ok(ClientCertVerified::assertion()),
            };
        }
        let verified = self.trusted.verify(now, |chains| {
            chains.verify_client_cert(end_entity, intermediates, now)
        });
        verified.map_err(|cause| match cause {
            // The alert that rustls makes of it tells the client more than the one it would make of other words.
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => cause,
            other => explain(other, end_entity, intermediates),
        })
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
