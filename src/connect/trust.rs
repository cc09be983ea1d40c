//! Whom a user trusts: authorities that are in date, and certificates that are trusted themselves.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error as TlsError, RootCertStore};

use crate::error::{Error, Result};

use super::certificate::Certificate;
use super::tls_errors::{self, Reason};

/// A certificate that was named as trusted, with the file it came from.
pub(super) type Named = (PathBuf, CertificateDer<'static>);

/// What verifies chains that lead to these authorities; `None` when there are none.
pub(super) type Build<V> = fn(RootCertStore) -> Option<V>;

/// Whom to trust. `V` is webpki's verifier of chains, for servers or for clients.
pub(super) struct Trusted<V> {
    named: Vec<Named>,
    /// Leads to those that may sign others: trusting one server does not extend to other names.
    chains: Option<V>,
    /// The time in which all of them are in date: webpki itself does not look at the dates of an authority.
    span: (UnixTime, UnixTime),
    build: Build<V>,
}

impl<V> Trusted<V> {
    /// Trusts the certificates of files.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`], naming the file, for a certificate that is malformed.
    pub(super) fn named(named: Vec<Named>, build: Build<V>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let mut span = (EPOCH, FOREVER);
        for (file, certificate) in &named {
            let parsed = Certificate::parse(certificate);
            if let Some((from, until)) = parsed.as_ref().map(Certificate::validity) {
                span = (span.0.max(from), span.1.min(until));
            }
            if parsed.as_ref().is_some_and(|it| !it.may_sign()) {
                continue;
            }
            match (roots.add(certificate.clone()), parsed) {
                // Whatever webpki finds amiss in an authority, the certificate itself can still be shown by a server.
                (Ok(()), _) | (Err(_), Some(_)) => {}
                (Err(cause), None) => {
                    let (file, reason) = (file.display(), tls_errors::reason(&cause));
                    let text = format!("a certificate in {file} cannot be used: {reason}");
                    return Err(Error::usage(text));
                }
            }
        }
        Ok(Self {
            named,
            chains: build(roots),
            span,
            build,
        })
    }

    /// Trusts the operating system's authorities, which it keeps in date itself.
    pub(super) fn system(roots: RootCertStore, build: Build<V>) -> Self {
        Self {
            named: Vec::new(),
            chains: build(roots),
            span: (EPOCH, FOREVER),
            build,
        }
    }

    /// Whether this very certificate was named: it then needs no issuer.
    pub(super) fn is_pinned(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates().any(|named| named == certificate)
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.named.iter().map(|(_, certificate)| certificate)
    }

    /// Verifies a chain with the authorities that are in date.
    ///
    /// # Errors
    /// What `by` says; and [`Reason`] for an authority that is out of date.
    pub(super) fn verify<T>(
        &self,
        now: UnixTime,
        by: impl Fn(&V) -> Result<T, TlsError>,
    ) -> Result<T, TlsError> {
        let unknown = || Err(CertificateError::UnknownIssuer.into());
        if (self.span.0..=self.span.1).contains(&now) {
            return self.chains.as_ref().map_or_else(unknown, by);
        }
        let (current, stale): (Vec<&Named>, Vec<&Named>) = self
            .named
            .iter()
            .partition(|(_, certificate)| out_of_date(certificate, now).is_none());
        let chains = |named: &[&Named]| {
            let mut roots = RootCertStore::empty();
            let signs = |it: &&&Named| Certificate::parse(&it.1).is_some_and(|it| it.may_sign());
            let named = named.iter().filter(signs);
            roots.add_parsable_certificates(named.map(|(_, it)| it.clone()));
            (self.build)(roots)
        };
        let verified = chains(&current).as_ref().map_or_else(unknown, &by);
        let Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) = verified else {
            return verified;
        };
        let leads_to = |it: &&&Named| chains(&[**it]).as_ref().is_some_and(|it| by(it).is_ok());
        match stale.iter().find(leads_to) {
            Some((file, authority)) => Err(stale_authority(file, authority, now).into()),
            None => verified,
        }
    }
}

impl<V> fmt::Debug for Trusted<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.named.iter().map(|(file, _)| file);
        f.debug_list().entries(files).finish()
    }
}

const EPOCH: UnixTime = UnixTime::since_unix_epoch(Duration::ZERO);
/// Later than any date in a certificate.
const FOREVER: UnixTime = UnixTime::since_unix_epoch(Duration::MAX);

/// Why a certificate does not count at this time; `None` when it does.
pub(super) fn out_of_date(
    certificate: &CertificateDer<'_>,
    now: UnixTime,
) -> Option<CertificateError> {
    let (not_before, not_after) = Certificate::parse(certificate)?.validity();
    if now > not_after {
        let time = now;
        return Some(CertificateError::ExpiredContext { time, not_after });
    }
    let time = now;
    (now < not_before).then_some(CertificateError::NotValidYetContext { time, not_before })
}

fn stale_authority(file: &Path, authority: &CertificateDer<'_>, now: UnixTime) -> Reason {
    let name = Certificate::parse(authority).map(|it| it.subject_name());
    let date = out_of_date(authority, now).map(TlsError::InvalidCertificate);
    let date = date.as_ref().map(tls_errors::reason).unwrap_or_default();
    Reason {
        text: format!(
            "the CA certificate {} in {}: {date}",
            name.unwrap_or_default(),
            file.display()
        ),
        hint: "use --cafile FILE with a newer certificate, or --insecure to skip verification",
    }
}
