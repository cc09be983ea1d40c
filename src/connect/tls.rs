//! Client TLS: whom to trust, who we are, what to offer.
//!
//! Always rustls with the ring provider, passed explicitly. The configuration is built once, at the
//! first use, and shared by all connections to a target; the operating system's roots are loaded
//! only then, and only when nothing else was named to be trusted.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, KeyLog, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use crate::error::{Error, Result};

use super::args::TlsVersion;
use super::key_log::KeyLogFile;
use super::pin::{Pin, Pinned};
use super::trust::{Named, Trusted};
use super::verify::{Anything, Verifier};

/// What is known about TLS to a target; cheap to clone.
#[derive(Clone)]
pub struct ClientTls {
    pub(super) trust: Trust,
    pub(super) identity: Option<Arc<CertifiedKey>>,
    pub(super) server_name: Option<String>,
    pub(super) alpn: Vec<String>,
    pub(super) version: Option<TlsVersion>,
    /// Keys one of which the server must have.
    pub(super) pins: Vec<Pin>,
    /// The certificate may have another name than the server's.
    pub(super) any_name: bool,
    pub(super) key_log: Option<Arc<KeyLogFile>>,
    resumes: bool,
    /// A server has asked for our certificate.
    asked: Arc<AtomicBool>,
    pub(super) built: Arc<OnceLock<Arc<ClientConfig>>>,
}

/// Which server certificates are accepted.
#[derive(Clone)]
pub(super) enum Trust {
    /// Those that the operating system trusts.
    System,
    /// Those that lead to one of these; each with the file it came from.
    These(Vec<Named>),
    /// All of them.
    Anyone,
}

impl ClientTls {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            trust,
            identity: None,
            server_name: None,
            alpn: Vec::new(),
            version: None,
            pins: Vec::new(),
            any_name: false,
            key_log: None,
            resumes: true,
            asked: Arc::default(),
            built: Arc::default(),
        }
    }

    /// The same, with a full handshake for each connection.
    pub(super) fn without_resumption(self) -> Self {
        Self {
            resumes: false,
            built: Arc::default(),
            ..self
        }
    }

    /// The same, which offers this application protocol (ALPN) where the user has named none. A server that chooses none
    /// is accepted.
    pub(super) fn offering(mut self, protocol: Option<&str>) -> Self {
        if self.alpn.is_empty() {
            self.alpn.extend(protocol.map(String::from));
        }
        self
    }

    /// Whether any server is accepted, whatever its certificate and key.
    pub const fn is_insecure(&self) -> bool {
        matches!(self.trust, Trust::Anyone) && self.pins.is_empty()
    }

    /// Whether the name in the server's certificate is not looked at.
    pub(super) const fn takes_any_name(&self) -> bool {
        self.any_name
    }

    /// Whether we have a certificate to show when the server asks for one.
    pub const fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// Whether the server has asked for our certificate.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The name to send and verify for `host`.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] when it is neither a DNS name nor an IP address.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(|_| {
            Error::usage(format!("{name:?} cannot be the name of a certificate"))
                .hint("use --tls-server-name NAME for the name to verify")
        })
    }

    /// What decides about the server's certificate, for DTLS.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] when what is to be trusted cannot be used.
    pub fn server_verifier(&self) -> Result<Arc<dyn ServerCertVerifier>> {
        let trusted = match &self.trust {
            Trust::Anyone => None,
            Trust::These(named) => Some(Trusted::named(named.clone(), Verifier::chains)?),
            Trust::System => Some(Trusted::system(system_roots(), Verifier::chains)),
        };
        let verifier = trusted.map(|it| -> Arc<dyn ServerCertVerifier> {
            Arc::new(Verifier::new(it, self.any_name))
        });
        Ok(match (verifier, &self.pins[..]) {
            (Some(verifier), []) => verifier,
            (None, []) => Arc::new(Anything::new()),
            (verifier, pins) => Arc::new(Pinned::new(pins.to_vec(), verifier)),
        })
    }

    /// The certificate to show, with its key, for DTLS.
    pub const fn identity(&self) -> Option<&Arc<CertifiedKey>> {
        self.identity.as_ref()
    }

    /// The configuration, built at the first call.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.built.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build()?);
        Ok(Arc::clone(self.built.get_or_init(|| config)))
    }

    fn build(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(self.version))
            .map_err(|cause| Error::usage(format!("cannot set up TLS: {cause}")))?
            .dangerous()
            .with_custom_certificate_verifier(self.server_verifier()?)
            .with_client_cert_resolver(Arc::new(Shown {
                identity: self.identity.clone(),
                asked: Arc::clone(&self.asked),
            }));
        if let Some(log) = &self.key_log {
            config.key_log = Arc::clone(log) as Arc<dyn KeyLog>;
        }
        if !self.resumes {
            config.resumption = Resumption::disabled();
        }
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.clone().into_bytes())
            .collect();
        Ok(config)
    }
}

/// Shows our certificate, if there is one, to who asks for it, and remembers that it was asked for: with TLS 1.2 a server
/// that wanted one fails the handshake without saying so.
#[derive(Debug)]
struct Shown {
    identity: Option<Arc<CertifiedKey>>,
    asked: Arc<AtomicBool>,
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.clone()
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("insecure", &self.is_insecure())
            .field("identity", &self.has_identity())
            .field("server_name", &self.server_name)
            .field("alpn", &self.alpn)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

static ONLY_12: [&SupportedProtocolVersion; 1] = [&TLS12];
static ONLY_13: [&SupportedProtocolVersion; 1] = [&TLS13];

fn versions(only: Option<TlsVersion>) -> &'static [&'static SupportedProtocolVersion] {
    match only {
        Some(TlsVersion::V12) => &ONLY_12,
        Some(TlsVersion::V13) => &ONLY_13,
        Some(TlsVersion::From12) | None => rustls::DEFAULT_VERSIONS,
    }
}

/// The operating system's roots; a machine without any, such as a bare container, gets Mozilla's.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // What cannot be read or parsed is left out: the remaining ones decide.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
