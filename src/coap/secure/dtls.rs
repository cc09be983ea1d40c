//! DTLS 1.2 by `rtc-dtls`: pre-shared keys and certificates. Raw public keys are `raw`'s.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ConfigBuilder, HandshakeConfig};
use rtc_dtls::conn::DTLSConn;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::state::State;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error as DtlsError;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::budget::Budget;
use super::certificate::certificate;
use super::flight::Flight;
use super::record::{self, ALERT, Record};
use super::{SecureDatagram, Trouble, raw};
use crate::connect::tls::ClientTls;
use crate::connect::{Psk, Target};
use crate::error::{Error, Result};

/// The level of an alert that ends the association (RFC 5246 §7.2).
const FATAL: u8 = 2;

/// What an alert in a handshake means.
const REJECTED: &str = "the peer rejected the handshake";

/// The stronger one first, then the one that every CoAP implementation has (RFC 7252 §9.1.3.1).
pub(super) const PSK_SUITES: [CipherSuiteId; 2] = [
    CipherSuiteId::Tls_Psk_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Psk_With_Aes_128_Ccm_8,
];

/// Those for certificates: CoAP's own (RFC 7252 §9.1.3.3) and the usual ones; none with CBC.
pub(super) const CERTIFICATE_SUITES: [CipherSuiteId; 6] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Ccm_8,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Ccm,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
];

/// What the verifier said about a certificate that it did not accept.
type Refusal = Arc<Mutex<Option<rustls::Error>>>;

/// The client's side of an association with `remote`.
///
/// # Errors
/// [`crate::error::Kind::Usage`] when certificates or names cannot be used.
pub(crate) fn client(target: &Target, remote: SocketAddr) -> Result<Box<dyn SecureDatagram>> {
    if let Some(rpk) = &target.rpk {
        return Ok(raw::client(rpk));
    }
    let refusal = Refusal::default();
    let builder = match (&target.psk, &target.tls) {
        (Some(psk), _) if psk.identity.is_empty() => {
            // The library writes none: a message with it fails (`ErrInvalidClientKeyExchange`).
            let text = "the pre-shared key has no identity, and an empty one cannot be sent";
            return Err(Error::usage(text).hint("use --psk-identity or IOTCTL_PSK_IDENTITY"));
        }
        (Some(psk), _) => with_psk(builder()?, psk),
        (None, Some(tls)) => with_certificates(builder()?, tls, &target.host, &refusal)?,
        (None, None) => return Err(Error::usage("DTLS needs a key or certificates to trust")),
    };
    let config = builder.build(true, Some(remote)).map_err(cannot_set_up)?;
    let local = SocketAddr::from(([0; 4], 0));
    Ok(Box::new(Client {
        endpoint: Endpoint::new(local, TransportProtocol::UDP, None),
        config: Arc::new(config),
        remote,
        established: false,
        closed: None,
        refusal,
        flight: Flight::new(),
        budget: Budget::new(),
        out: VecDeque::new(),
    }))
}

pub(super) fn provider() -> Result<Arc<dyn RTCCryptoProvider>> {
    rtc_crypto::default_provider()
        .map_err(|cause| Error::usage(format!("cannot set up DTLS: {cause}")))
}

fn builder() -> Result<ConfigBuilder> {
    Ok(ConfigBuilder::default().with_crypto_provider(provider()?))
}

fn with_psk(builder: ConfigBuilder, psk: &Psk) -> ConfigBuilder {
    let key = psk.key.clone();
    builder
        .with_psk(Some(Arc::new(move |_hint: &[u8]| {
            Ok(key.reveal().to_vec())
        })))
        // The library's name for it; of a client it is the identity.
        .with_psk_identity_hint(Some(psk.identity.clone().into_bytes()))
        .with_cipher_suites(PSK_SUITES.to_vec())
        // There is no certificate to verify.
        .with_insecure_skip_verify(true)
}

/// The library still checks that the server has the certificate's key; whether the certificate is to be trusted
/// is decided by what decides it for TLS.
fn with_certificates(
    builder: ConfigBuilder,
    tls: &ClientTls,
    host: &str,
    refusal: &Refusal,
) -> Result<ConfigBuilder> {
    let verifier = tls.server_verifier()?;
    let name = tls.server_name(host)?;
    let refusal = Arc::clone(refusal);
    let sent_name = match &name {
        ServerName::DnsName(name) => name.as_ref().to_owned(),
        _ => String::new(),
    };
    let check = move |chain: &[Vec<u8>], _: &[CertificateDer<'static>]| {
        let verified = verify(chain, |own, others, now| {
            let verified = verifier.verify_server_cert(own, others, &name, &[], now);
            verified.map(drop)
        });
        verified.map_err(|cause| {
            // A poisoned lock would mean that a verification panicked; the words are then lost, not the refusal.
            if let Ok(mut said) = refusal.lock() {
                *said = Some(cause);
            }
            DtlsError::ErrKeySignatureMismatch
        })
    };
    let builder = builder
        .with_insecure_skip_verify(true)
        .with_cipher_suites(CERTIFICATE_SUITES.to_vec())
        .with_verify_peer_certificate(Some(Arc::new(check)))
        .with_server_name(sent_name);
    Ok(match tls.identity() {
        Some(identity) => builder.with_certificates(vec![certificate(identity)]),
        None => builder,
    })
}

/// Hands a chain, as the library has it, to what decides about it.
pub(super) fn verify(
    chain: &[Vec<u8>],
    decide: impl Fn(&CertificateDer<'_>, &[CertificateDer<'_>], UnixTime) -> Result<(), rustls::Error>,
) -> Result<(), rustls::Error> {
    let chain: Vec<_> = chain
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    let (own, others) = chain
        .split_first()
        .ok_or(rustls::Error::NoCertificatesPresented)?;
    decide(own, others, UnixTime::now())
}

pub(super) fn cannot_set_up(cause: DtlsError) -> Error {
    match cause {
        DtlsError::ErrNoAvailableCipherSuites => {
            Error::usage("cannot set up DTLS: the key type of the certificate is not supported")
                .hint("supported are P-256, P-384 and RSA keys")
        }
        other => Error::usage(format!("cannot set up DTLS: {other}")),
    }
}

struct Client {
    endpoint: Endpoint,
    config: Arc<HandshakeConfig>,
    remote: SocketAddr,
    established: bool,
    closed: Option<u8>,
    refusal: Refusal,
    flight: Flight,
    /// Of records that are protected by keys that are not there yet.
    budget: Budget,
    out: VecDeque<Bytes>,
}

impl Client {
    fn drain(&mut self, now: Instant) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let datagram = transmit.message.freeze();
            if !self.established {
                self.flight.sent(&datagram);
            }
            self.out.push_back(datagram);
        }
        let library = self.endpoint.poll_timeout(&self.remote);
        self.flight.watch(now, library, self.established);
    }

    fn trouble(&self, cause: &DtlsError) -> Trouble {
        let refused = self.refusal.lock().ok().and_then(|mut said| said.take());
        match (refused, cause) {
            (Some(refused), _) => Trouble::Certificate(refused),
            (None, DtlsError::ErrAlertFatalOrClose) => Trouble::Alert(String::from(REJECTED)),
            // GnuTLS asks for the cookie again where it would have to refuse.
            (None, DtlsError::ErrInvalidFsmTransition) => {
                Trouble::Alert(String::from("the peer does not continue the handshake"))
            }
            (None, other) => Trouble::Other(other.to_string()),
        }
    }
}

impl Client {
    /// The records of a datagram that the library may be shown, and whether one in clear refuses the handshake.
    fn meant<'a>(&mut self, datagram: &'a [u8]) -> (Vec<Record<'a>>, bool) {
        let mut records = record::records(datagram);
        let mut refused = false;
        if self.established {
            let alert = |(at, it): (usize, &Record<'_>)| Some((at, self.fatal_alert(it)?));
            let ended = records.iter().enumerate().find_map(alert);
            if let Some((at, alert)) = ended {
                // What comes behind it does not count.
                records.truncate(at);
                self.closed = Some(alert);
            }
        } else {
            records.retain(|it| {
                let alert = it.bare_alert();
                refused |= alert == Some(true);
                alert.is_none() && (!it.is_protected() || self.budget.affords(it))
            });
        }
        (records, refused)
    }

    /// The fatal alert that a record is, with which the peer ends the association that is there.
    ///
    /// The library tells such a record like one that anybody has made up, and not what is in it. But it answers an alert with
    /// the same, and takes none twice: a twin of the connection, which has done no handshake and so answers in clear, says
    /// what it was, and by the second reading that it was the peer's.
    fn fatal_alert(&self, record: &Record<'_>) -> Option<u8> {
        if record.kind() != ALERT || !record.is_protected() {
            return None;
        }
        let state = self.endpoint.get_connection_state(self.remote)?;
        let mut copy = State::new(provider().ok()?, true);
        copy.unmarshal_binary(&state.marshal_binary().ok()?).ok()?;
        let mut twin = DTLSConn::new(Arc::clone(&self.config), true, Some(copy));
        let fatal = twin.read(record.bytes()).is_err();
        let answer = twin.outgoing_raw_packet()?;
        let is_genuine = fatal && twin.read(record.bytes()).is_ok();
        let [answer] = record::records(&answer)[..] else {
            return None;
        };
        match *answer.body() {
            [FATAL, alert] if is_genuine && answer.kind() == ALERT => Some(alert),
            _ => None,
        }
    }
}

impl SecureDatagram for Client {
    fn begin(&mut self, now: Instant) -> Result<(), Trouble> {
        let config = Arc::clone(&self.config);
        let begun = self.endpoint.connect(now, self.remote, config, None);
        self.drain(now);
        begun.map_err(|cause| self.trouble(&cause))
    }

    fn feed(&mut self, now: Instant, datagram: &[u8]) -> Result<Vec<Bytes>, Trouble> {
        let (records, refused) = self.meant(datagram);
        if records.is_empty() {
            return match refused {
                true => Err(Trouble::Alert(String::from(REJECTED))),
                false => Ok(Vec::new()),
            };
        }
        self.flight.turn();
        let datagram: BytesMut = records.iter().flat_map(|it| it.bytes()).copied().collect();
        let read = self.endpoint.read(now, self.remote, None, datagram);
        if let Ok(events) = &read {
            let done = |it: &EndpointEvent| matches!(it, EndpointEvent::HandshakeComplete);
            self.established |= events.iter().any(done);
        }
        let events = match read {
            Ok(events) => events,
            // Anyone can send garbage; an association that is there does not end by it, and the peer need not hear of it.
            Err(_) if self.established => {
                while self.endpoint.poll_transmit().is_some() {}
                return Ok(Vec::new());
            }
            Err(cause) => {
                let trouble = self.trouble(&cause);
                if matches!(trouble, Trouble::Other(_)) {
                    while self.endpoint.poll_transmit().is_some() {}
                }
                self.drain(now);
                return Err(trouble);
            }
        };
        self.drain(now);
        let mut plain = Vec::new();
        for event in events {
            match event {
                EndpointEvent::ApplicationData(data) => plain.push(data.freeze()),
                EndpointEvent::PeerClosed => self.closed = Some(0),
                _ => {}
            }
        }
        match self.closed {
            Some(alert) if !self.established => Err(Trouble::Closed(alert)),
            _ => Ok(plain),
        }
    }

    fn write(&mut self, now: Instant, plain: &[u8]) -> Result<(), Trouble> {
        if let Some(alert) = self.closed {
            return Err(Trouble::Closed(alert));
        }
        let written = self.endpoint.write(now, self.remote, plain);
        self.drain(now);
        written.map_err(|cause| self.trouble(&cause))
    }

    fn poll_transmit(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let library = self.endpoint.poll_timeout(&self.remote);
        library.or_else(|| self.flight.due())
    }

    fn handle_timeout(&mut self, now: Instant) {
        // It fails once there were too many; whoever waits for the handshake has a deadline.
        self.out.extend(self.flight.again(now).iter().cloned());
        self.flight.turn();
        let _ = self.endpoint.handle_timeout(self.remote, now);
        self.drain(now);
    }

    fn is_established(&self) -> bool {
        self.established
    }

    fn closed(&self) -> Option<u8> {
        self.closed
    }

    fn close(&mut self, now: Instant) {
        // A fatal alert is not answered.
        if self.closed.is_some_and(|alert| alert != 0) {
            return;
        }
        self.endpoint.stop(now, self.remote);
        self.drain(now);
    }
}
