//! What an X.509 certificate says (RFC 5280 §4.1): for words, and for what webpki does not decide.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Any, FromDer, Oid};
use x509_parser::extensions::GeneralName;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name, X509Version};

/// A certificate's fields. Nothing about it is verified.
pub(super) struct Certificate<'a>(X509Certificate<'a>);

/// A public key as signature algorithms take it.
pub(super) struct PublicKeyBits<'a> {
    /// The content of its AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    /// The content of its BIT STRING.
    pub(super) bits: &'a [u8],
}

/// Attribute types of a name (RFC 5280 §4.1.2.4), with the letters people know them by.
const ATTRIBUTES: [(&str, &str); 3] = [("2.5.4.3", "CN"), ("2.5.4.10", "O"), ("2.5.4.11", "OU")];

/// Algorithms that are not supported here but are met in the field, and curves that are.
const ALGORITHMS: [(&str, &str); 15] = [
    ("1.2.840.10045.3.1.7", P256),
    ("1.3.132.0.34", P384),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.2.840.113549.1.1.2", "MD2"),
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.3.14.3.2.29", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.3.101.112", ED25519),
    ("1.3.101.113", "Ed448"),
];

const P256: &str = "P-256";
const P384: &str = "P-384";
const ED25519: &str = "Ed25519";

/// The sizes of RSA keys, in bits, whose signatures are verified.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

impl<'a> Certificate<'a> {
    /// Finds the fields; `None` when `der` is no certificate.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        rest.is_empty().then_some(Self(certificate))
    }

    pub(super) fn is_version_1(&self) -> bool {
        self.0.version == X509Version::V1
    }

    pub(super) fn is_self_signed(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// Whether it says that it may sign others (RFC 5280 §4.2.1.9).
    pub(super) fn is_authority(&self) -> bool {
        self.0.is_ca()
    }

    /// Whether certificates that its key has signed may be trusted for its sake (RFC 5280 §6.1.4). Authorities of old do
    /// not say that they are.
    pub(super) fn may_sign(&self) -> bool {
        let constraints = self.0.basic_constraints().ok().flatten();
        let usage = self.0.key_usage().ok().flatten();
        let signs = usage.map(|it| it.value.key_cert_sign());
        match constraints {
            Some(constraints) => constraints.value.ca && signs.unwrap_or(true),
            None => signs.unwrap_or_else(|| self.is_version_1()),
        }
    }

    /// Whether it names hosts: a DNS name or an address in its subjectAltName (RFC 6125 §6.4).
    pub(super) fn names_hosts(&self) -> bool {
        let names = self.0.subject_alternative_name().ok().flatten();
        names.is_some_and(|names| {
            let host = |it: &GeneralName<'_>| {
                matches!(it, GeneralName::DNSName(_) | GeneralName::IPAddress(_))
            };
            names.value.general_names.iter().any(host)
        })
    }

    /// The hosts that it names: DNS names and addresses.
    pub(super) fn host_names(&self) -> Vec<String> {
        let names = self.0.subject_alternative_name().ok().flatten();
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let name = |it: &GeneralName<'_>| match it {
            GeneralName::DNSName(name) => Some(plain_text(name.as_bytes())),
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let sixteen = || <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
                four.or_else(|_| sixteen()).ok().map(|it| it.to_string())
            }
            _ => None,
        };
        names.filter_map(name).collect()
    }

    /// The issuer's name, DER.
    pub(super) fn issuer(&self) -> &'a [u8] {
        self.0.tbs_certificate.issuer.as_raw()
    }

    /// The name of what it certifies, DER.
    pub(super) fn subject(&self) -> &'a [u8] {
        self.0.tbs_certificate.subject.as_raw()
    }

    /// `CN=…`, or what else the issuer is called.
    pub(super) fn issuer_name(&self) -> String {
        name(self.0.issuer())
    }

    /// `CN=…`, or what else it is called.
    pub(super) fn subject_name(&self) -> String {
        name(self.0.subject())
    }

    /// From when until when it is valid.
    pub(super) fn validity(&self) -> (UnixTime, UnixTime) {
        let validity = self.0.validity();
        (moment(validity.not_before), moment(validity.not_after))
    }

    /// Its SubjectPublicKeyInfo, DER.
    pub(super) fn public_key_info(&self) -> &'a [u8] {
        self.0.tbs_certificate.subject_pki.raw
    }

    /// Its key; `None` when it is malformed.
    pub(super) fn public_key(&self) -> Option<PublicKeyBits<'_>> {
        let key = self.0.public_key();
        // SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, … }
        let (_, outer) = Any::from_der(key.raw).ok()?;
        let (_, algorithm) = Any::from_der(outer.data).ok()?;
        Some(PublicKeyBits {
            algorithm: algorithm.data,
            bits: &key.subject_public_key.data,
        })
    }

    /// Why signatures by its key cannot be verified here: `its key is on the curve P-521`; `None` when they can.
    pub(super) fn key_fault(&self) -> Option<String> {
        key_fault(self.0.public_key())
    }
}

fn key_fault(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let kind = key.algorithm.algorithm.to_id_string();
    match (key.parsed(), algorithm(&kind).as_ref()) {
        (Ok(PublicKey::RSA(rsa)), _) if RSA_BITS.contains(&rsa.key_size()) => None,
        (Ok(PublicKey::RSA(rsa)), _) => Some(format!(
            "its RSA key has {} bits, not {} to {}",
            rsa.key_size(),
            RSA_BITS.start(),
            RSA_BITS.end()
        )),
        (Ok(PublicKey::EC(_)), _) => {
            let curve = key.algorithm.parameters.as_ref();
            let curve = curve.and_then(|it| Oid::try_from(it).ok());
            match curve.map(|it| it.to_id_string()).as_deref().map(algorithm) {
                Some(Cow::Borrowed(P256 | P384)) => None,
                Some(curve) => Some(format!("its key is on the curve {curve}")),
                None => Some(String::from("its key is on a curve without a name")),
            }
        }
        (_, ED25519) => None,
        (_, other) => Some(format!("its key is for {other}")),
    }
}

/// What the algorithm of this AlgorithmIdentifier's content is called: `SHA-1`, or its OID.
pub(super) fn algorithm_name(identifier: &[u8]) -> String {
    match Oid::from_der(identifier) {
        Ok((_, oid)) => algorithm(&oid.to_id_string()).into_owned(),
        Err(_) => String::from("something unknown"),
    }
}

fn algorithm(oid: &str) -> Cow<'static, str> {
    match ALGORITHMS.iter().find(|(known, _)| *known == oid) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(oid.to_owned()),
    }
}

fn name(name: &X509Name<'_>) -> String {
    let parts = name.iter_attributes().filter_map(|attribute| {
        let kind = attribute.attr_type().to_id_string();
        let (_, letters) = ATTRIBUTES.iter().find(|(oid, _)| *oid == kind)?;
        Some(format!("{letters}={}", plain_text(attribute.as_slice())))
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return String::from("without a name");
    }
    parts.join(", ")
}

/// A name comes from a stranger: what could steer a terminal is left out.
fn plain_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|it| !it.is_control()).collect()
}

fn moment(time: ASN1Time) -> UnixTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
