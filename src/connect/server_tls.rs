//! Server TLS for the embedded peers.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::error::{Error, Result};

use super::identity::{self, Unlock};
use super::pem;
use super::trust::Trusted;
use super::verify_client::ClientVerifier;

/// The files that a TLS listener needs, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The certificate chain, own certificate first.
    pub cert: PathBuf,
    /// The private key, not encrypted.
    pub key: PathBuf,
    /// With it every client must show one of these certificates, or one that they signed.
    pub client_ca: Option<PathBuf>,
}

impl ServerTls {
    /// What decides about the certificates that clients must show; `None`: they need not show any.
    ///
    /// # Errors
    /// As [`ServerTls::identity`].
    pub fn client_verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>> {
        let Some(file) = &self.client_ca else {
            return Ok(None);
        };
        let named = pem::certificates(file)?.into_iter();
        let named = named.map(|it| (file.clone(), it)).collect();
        let trusted = Trusted::named(named, ClientVerifier::chains)?;
        Ok(Some(Arc::new(ClientVerifier::new(trusted))))
    }

    /// The certificate to show, with its key, for DTLS.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] and [`crate::error::Kind::Local`]: the files hold not what they should, or cannot be read.
    pub fn identity(&self) -> Result<Arc<CertifiedKey>> {
        identity::read(&self.cert, Some(&self.key), &Unlock::Never)
    }

    /// Reads the files for TLS.
    ///
    /// # Errors
    /// As [`ServerTls::identity`].
    pub fn config(&self) -> Result<Arc<ServerConfig>> {
        let identity = self.identity()?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .map_err(|cause| Error::usage(format!("cannot set up TLS: {cause}")))?;
        let builder = match self.client_verifier()? {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(verifier),
        };
        Ok(Arc::new(builder.with_cert_resolver(Arc::new(
            SingleCertAndKey::from(identity),
        ))))
    }
}
