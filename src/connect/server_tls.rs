//! Server TLS for the embedded peers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};

use crate::error::{Error, Result};

use super::pem;

/// The files that a TLS listener needs, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The certificate chain, own certificate first.
    pub cert: PathBuf,
    /// The private key, not encrypted.
    pub key: PathBuf,
    /// With it every client must show a certificate that one of these has signed.
    pub client_ca: Option<PathBuf>,
}

impl ServerTls {
    /// Whose certificates clients must show, for DTLS; `None`: they need not show any.
    ///
    /// # Errors
    /// As [`ServerTls::identity`].
    pub fn client_roots(&self) -> Result<Option<RootCertStore>> {
        self.client_ca.as_deref().map(client_roots).transpose()
    }

    /// The certificate to show, with its key, for DTLS.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] and [`crate::error::Kind::Local`]: the files hold not what they should, or cannot be read.
    pub fn identity(&self) -> Result<Arc<CertifiedKey>> {
        pem::identity(&self.cert, &self.key)
    }

    /// Reads the files for TLS.
    ///
    /// # Errors
    /// As [`ServerTls::identity`].
    pub fn config(&self) -> Result<Arc<ServerConfig>> {
        let broken =
            |cause: &dyn std::fmt::Display| Error::usage(format!("cannot set up TLS: {cause}"));
        let identity = pem::identity(&self.cert, &self.key)?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .map_err(|cause| broken(&cause))?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let roots = client_roots(file)?;
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|cause| broken(&cause))?)
            }
        };
        Ok(Arc::new(builder.with_cert_resolver(Arc::new(
            SingleCertAndKey::from(identity),
        ))))
    }
}

fn client_roots(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(file)? {
        roots.add(certificate).map_err(|cause| {
            Error::usage(format!(
                "a certificate in {} cannot be used: {cause}",
                file.display()
            ))
        })?;
    }
    Ok(roots)
}
