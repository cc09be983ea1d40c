//! What proves who is who to a server, and to its clients; it can be replaced while the server runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_shared::error::Error as DtlsError;
use rustls::pki_types::CertificateDer;

use super::certificate::certificate;
use super::cookie::{Cookie, Dealer};
use super::dtls::{CERTIFICATE_SUITES, PSK_SUITES, cannot_set_up, provider, verify};
use crate::connect::{Psk, Rpk, ServerTls, client_failure};
use crate::error::{Result, brief};

/// The alert (RFC 4279 §2) that the library sends when it cannot decrypt with the key.
const UNKNOWN_PSK_IDENTITY: u8 = 115;

/// What proves who is who.
#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    /// A key and its name; without a name the client may use any.
    pub psk: Option<Psk>,
    /// The server's certificate, and whose certificates clients must show.
    pub tls: Option<ServerTls>,
    /// The server's raw public key, and which ones clients must have.
    pub rpk: Option<Rpk>,
}

/// What new associations get.
#[derive(Clone)]
pub(super) struct Config {
    /// That of the library, unless there are raw public keys only.
    pub(super) library: Option<Arc<HandshakeConfig>>,
    /// Whether the library has certificates.
    pub(super) certificates: bool,
    pub(super) rpk: Option<Arc<Rpk>>,
}

/// The secrets of a server, which can be replaced while it runs; clones are the same.
#[derive(Clone)]
pub(crate) struct LiveSecrets {
    dealer: Arc<Dealer>,
    refusal: Refusal,
    config: Arc<Mutex<Config>>,
}

/// Why a client was not let in, in our words: the library passes on only that it was not.
type Refusal = Arc<Mutex<Option<String>>>;

impl LiveSecrets {
    pub(super) fn new(secrets: &Secrets) -> Result<Self> {
        let dealer = Arc::new(Dealer::new(provider()?));
        let refusal = Refusal::default();
        let config = config(secrets, &dealer, &refusal)?;
        Ok(Self {
            dealer,
            refusal,
            config: Arc::new(Mutex::new(config)),
        })
    }

    /// Makes ready what the result puts into force: associations that begin from then on get it.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for secrets that cannot be used, [`crate::error::Kind::Local`] for unreadable files.
    pub(crate) fn fresh(&self, secrets: &Secrets) -> Result<impl FnOnce() + use<>> {
        let config = config(secrets, &self.dealer, &self.refusal)?;
        let current = Arc::clone(&self.config);
        Ok(move || *lock(&current) = config)
    }

    pub(super) fn config(&self) -> Config {
        lock(&self.config).clone()
    }

    /// The next cookie that the library draws is this one.
    pub(super) fn deal(&self, cookie: Cookie) {
        self.dealer.deal(cookie);
    }

    /// Why the handshake failed that the library was just busy with, which has left this alert to be sent.
    pub(super) fn why(&self, cause: &DtlsError, alert: Option<&Bytes>) -> String {
        if let Some(refusal) = lock(&self.refusal).take() {
            return refusal;
        }
        match (cause, alert.and_then(|it| it.last())) {
            (DtlsError::ErrAlertFatalOrClose, Some(&UNKNOWN_PSK_IDENTITY)) => {
                String::from("the key is wrong")
            }
            (DtlsError::ErrAlertFatalOrClose, Some(number)) => {
                format!("protocol violation (alert {number})")
            }
            (DtlsError::ErrAlertFatalOrClose, None) => String::from("the peer rejected it"),
            (other, _) => other.to_string(),
        }
    }
}

/// What is in them is whole at any time.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long the server waits for the client's next flight before it repeats its own. Clients repeat theirs after one
/// second (RFC 6347 §4.2.4.1); the same interval here keeps GnuTLS' clients from ever doing so, as what comes from us
/// just then restarts their timers.
const INTERVAL: Duration = Duration::from_millis(1500);

fn config(secrets: &Secrets, dealer: &Arc<Dealer>, refusal: &Refusal) -> Result<Config> {
    let rpk = secrets.rpk.clone().map(Arc::new);
    let library = match (&secrets.psk, &secrets.tls) {
        (None, None) if rpk.is_some() => None,
        _ => Some(of_library(secrets, dealer, refusal)?),
    };
    Ok(Config {
        library,
        certificates: secrets.tls.is_some(),
        rpk,
    })
}

fn of_library(
    secrets: &Secrets,
    dealer: &Arc<Dealer>,
    refusal: &Refusal,
) -> Result<Arc<HandshakeConfig>> {
    let mut builder = ConfigBuilder::default()
        .with_crypto_provider(dealer.clone())
        .with_flight_interval(INTERVAL);
    let mut suites = Vec::new();
    if let Some(psk) = secrets.psk.clone() {
        suites.extend(PSK_SUITES);
        let refusal = Arc::clone(refusal);
        builder = builder.with_psk(Some(Arc::new(move |identity: &[u8]| {
            key(&psk, identity, &refusal)
        })));
    }
    if let Some(tls) = &secrets.tls {
        suites.extend(CERTIFICATE_SUITES);
        builder = builder.with_certificates(vec![certificate(&tls.identity()?)]);
        builder = with_clients(builder, tls, refusal)?;
    }
    let builder = builder.with_cipher_suites(suites);
    builder
        .build(false, None)
        .map(Arc::new)
        .map_err(cannot_set_up)
}

/// Whether a client's certificate is to be trusted is decided by what decides it for TLS.
fn with_clients(
    builder: ConfigBuilder,
    tls: &ServerTls,
    refusal: &Refusal,
) -> Result<ConfigBuilder> {
    let Some(verifier) = tls.client_verifier()? else {
        return Ok(builder);
    };
    let refusal = Arc::clone(refusal);
    let check = move |chain: &[Vec<u8>], _: &[CertificateDer<'static>]| {
        let verified = verify(chain, |own, others, now| {
            verifier.verify_client_cert(own, others, now).map(drop)
        });
        verified.map_err(|cause| {
            *lock(&refusal) = Some(client_failure(&cause));
            DtlsError::ErrClientCertificateNotVerified
        })
    };
    Ok(builder
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_verify_peer_certificate(Some(Arc::new(check))))
}

fn key(psk: &Psk, identity: &[u8], refusal: &Refusal) -> Result<Vec<u8>, DtlsError> {
    if psk.identity.is_empty() || psk.identity.as_bytes() == identity {
        return Ok(psk.key.reveal().to_vec());
    }
    let identity = String::from_utf8_lossy(identity);
    *lock(refusal) = Some(format!("no key for {:?}", brief(&identity).to_string()));
    Err(DtlsError::ErrPskAndIdentityMustBeSetForClient)
}
