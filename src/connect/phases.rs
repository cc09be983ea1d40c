//! What connecting consists of, and how long each part takes: for commands that measure it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::CommonState;
use rustls::pki_types::UnixTime;

use super::certificate::Certificate;
use super::target::Target;

/// A part of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The name was looked up.
    Resolve,
    /// TCP, over whichever address answers first.
    Tcp,
    /// A proxy reached the server.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The WebSocket handshake.
    WebSocket,
}

impl Phase {
    /// Its name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Tcp => "tcp",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::WebSocket => "websocket",
        }
    }
}

/// What was seen of the last connection.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The address of the other side.
    pub peer: Option<String>,
    /// How long each phase took, in their order.
    pub times: Vec<(Phase, Duration)>,
    /// What TLS was agreed on.
    pub tls: Option<TlsSeen>,
}

/// What TLS was agreed on.
#[derive(Clone, Debug, Default)]
pub struct TlsSeen {
    /// `TLSv1.3`
    pub version: String,
    /// `TLS13_AES_256_GCM_SHA384`
    pub cipher: String,
    /// What the server showed, its own certificate first.
    pub certificates: Vec<CertificateSeen>,
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct CertificateSeen {
    /// `CN=…`
    pub subject: String,
    /// `CN=…`
    pub issuer: String,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub not_before: SystemTime,
    /// Until when it is valid.
    pub not_after: SystemTime,
}

/// Takes down what is seen; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Phases(Arc<Mutex<Seen>>);

impl Phases {
    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target {
    /// A phase that began then is over.
    pub(super) fn took(&self, phase: Phase, began: Instant) {
        let Some(phases) = &self.phases else {
            return;
        };
        let mut seen = phases.lock();
        // Another connection begins.
        if phase == Phase::Resolve {
            *seen = Seen::default();
        }
        seen.times.push((phase, began.elapsed()));
    }

    /// The address of the other side.
    pub(super) fn reached(&self, peer: impl FnOnce() -> String) {
        if let Some(phases) = &self.phases {
            phases.lock().peer = Some(peer());
        }
    }

    /// TLS is agreed on.
    pub(super) fn secured(&self, tls: &CommonState) {
        let Some(phases) = &self.phases else {
            return;
        };
        let certificates = tls.peer_certificates().unwrap_or_default().iter();
        let version = tls.protocol_version().and_then(|it| it.as_str());
        let cipher = tls.negotiated_cipher_suite();
        let cipher = cipher.and_then(|it| it.suite().as_str());
        phases.lock().tls = Some(TlsSeen {
            version: version.unwrap_or_default().replace('_', "."),
            cipher: cipher.unwrap_or_default().to_owned(),
            certificates: certificates.filter_map(|it| seen(it)).collect(),
        });
    }
}

fn seen(der: &[u8]) -> Option<CertificateSeen> {
    let certificate = Certificate::parse(der)?;
    let (from, until) = certificate.validity();
    let moment = |time: UnixTime| SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs());
    Some(CertificateSeen {
        subject: certificate.subject_name(),
        issuer: certificate.issuer_name(),
        names: certificate.host_names(),
        not_before: moment(from),
        not_after: moment(until),
    })
}
