//! Keys that sign and verify: Ed25519 and P-256. Private keys are PKCS#8, public keys SubjectPublicKeyInfo, as openssl and
//! imgtool write them. A key is known by the SHA-256 of its SubjectPublicKeyInfo, which is MCUboot's key hash too.

use std::fmt;

use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::refusal::{Refusal, Result};
use super::{Digest, sha256, short};

/// The kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// EdDSA over Curve25519 (RFC 8032).
    Ed25519,
    /// ECDSA over P-256 with SHA-256.
    P256,
}

impl Algorithm {
    /// What stands before the key itself in a SubjectPublicKeyInfo (RFC 8410 §4, RFC 5480 §2.1.1).
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => &[
                0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
            ],
            Self::P256 => &[
                0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
            ],
        }
    }

    /// In bytes; P-256 is an uncompressed point.
    const fn key_length(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::P256 => 65,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::P256 => "P-256",
        })
    }
}

/// How the numbers of an ECDSA signature are put into bytes; Ed25519 has one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As COSE has them: r and s, 32 bytes each.
    Fixed,
    /// As MCUboot has them: DER.
    Der,
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki: Vec<u8>,
    id: Digest,
}

impl PublicKey {
    /// From a SubjectPublicKeyInfo; `None` where it is of another kind.
    pub fn from_spki(spki: &[u8]) -> Option<Self> {
        let algorithm = [Algorithm::Ed25519, Algorithm::P256]
            .into_iter()
            .find(|it| spki.starts_with(it.prefix()))?;
        let point = &spki[algorithm.prefix().len()..];
        let is_whole = point.len() == algorithm.key_length()
            && (algorithm == Algorithm::Ed25519 || point[0] == 4);
        is_whole.then(|| Self {
            algorithm,
            spki: spki.to_vec(),
            id: sha256(spki),
        })
    }

    fn from_raw(algorithm: Algorithm, raw: &[u8]) -> Self {
        let spki = [algorithm.prefix(), raw].concat();
        let id = sha256(&spki);
        Self {
            algorithm,
            spki,
            id,
        }
    }

    /// The kind of key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The SHA-256 of the SubjectPublicKeyInfo.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// The SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// As a PEM file.
    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki)
    }

    /// Whether `signature` is this key's for `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8], form: Form) -> bool {
        let how: &dyn signature::VerificationAlgorithm = match (self.algorithm, form) {
            (Algorithm::Ed25519, _) => &signature::ED25519,
            (Algorithm::P256, Form::Fixed) => &signature::ECDSA_P256_SHA256_FIXED,
            (Algorithm::P256, Form::Der) => &signature::ECDSA_P256_SHA256_ASN1,
        };
        let key = &self.spki[self.algorithm.prefix().len()..];
        UnparsedPublicKey::new(how, key)
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    /// The first digits of its id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short(&self.id))
    }
}

/// A key that signs.
pub struct SigningKey {
    public: PublicKey,
    /// As PKCS#8.
    pkcs8: Vec<u8>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

/// No key of these kinds, or the system has no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate(algorithm: Algorithm) -> std::result::Result<Self, NoKey> {
        let random = SystemRandom::new();
        let made = match algorithm {
            // Version 1, without the public key: openssl 1.1 and Python's cryptography read no other.
            Algorithm::Ed25519 => {
                let seed: [u8; 32] = ring::rand::generate(&random).map_err(|_| NoKey)?.expose();
                return Self::from_pkcs8(&[ED25519_PKCS8, &seed].concat());
            }
            Algorithm::P256 => {
                let how = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                EcdsaKeyPair::generate_pkcs8(how, &random)
            }
        };
        Self::from_pkcs8(made.map_err(|_| NoKey)?.as_ref())
    }

    /// From PKCS#8, of version 1 or 2.
    ///
    /// # Errors
    /// It is of another kind, or damaged.
    pub fn from_pkcs8(der: &[u8]) -> std::result::Result<Self, NoKey> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            let public = PublicKey::from_raw(Algorithm::Ed25519, pair.public_key().as_ref());
            let pkcs8 = der.to_vec();
            return Ok(Self { public, pkcs8 });
        }
        let how = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(how, der, &SystemRandom::new()).map_err(|_| NoKey)?;
        let public = PublicKey::from_raw(Algorithm::P256, pair.public_key().as_ref());
        let pkcs8 = der.to_vec();
        Ok(Self { public, pkcs8 })
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// As a PEM file.
    pub fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    /// The signature of `message`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn sign(&self, message: &[u8], form: Form) -> std::result::Result<Vec<u8>, NoKey> {
        if self.public.algorithm == Algorithm::Ed25519 {
            let pair =
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.pkcs8).map_err(|_| NoKey)?;
            return Ok(pair.sign(message).as_ref().to_vec());
        }
        let how = match form {
            Form::Fixed => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            Form::Der => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        };
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(how, &self.pkcs8, &random).map_err(|_| NoKey)?;
        let signed = pair.sign(&random, message).map_err(|_| NoKey)?;
        Ok(signed.as_ref().to_vec())
    }
}

/// What stands before the seed in PKCS#8 of version 1 (RFC 8410 §7).
const ED25519_PKCS8: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

fn pem(label: &str, der: &[u8]) -> String {
    let digits = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in digits.as_bytes().chunks(64) {
        // cannot panic: base64 is ASCII
        text.push_str(str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// The keys whose signatures count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted(Vec<PublicKey>);

impl Trusted {
    /// Any of these keys.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// All of them.
    pub fn keys(&self) -> &[PublicKey] {
        &self.0
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        match names.is_empty() {
            true => String::from("none"),
            false => names.join(", "),
        }
    }

    /// The trusted key of this kind that has signed. `named` is the beginning of the id of the key that the signature
    /// says is its own, where it says so.
    ///
    /// # Errors
    /// Which key signed, where that is known, and which are trusted.
    pub(super) fn signer(
        &self,
        algorithm: Algorithm,
        named: Option<&[u8]>,
        verifies: impl Fn(&PublicKey) -> bool,
    ) -> Result<&PublicKey> {
        let kind = |key: &&PublicKey| key.algorithm == algorithm;
        let Some(named) = named.filter(|named| !named.is_empty()) else {
            let found = self.0.iter().filter(kind).find(|key| verifies(key));
            return found.ok_or_else(|| Refusal::NoKeyFits {
                trusted: self.names(),
            });
        };
        let of_name = |key: &&PublicKey| kind(key) && key.id.starts_with(named);
        let Some(key) = self.0.iter().find(of_name) else {
            return Err(Refusal::UntrustedKey {
                by: short(named),
                trusted: self.names(),
            });
        };
        match verifies(key) {
            true => Ok(key),
            false => Err(Refusal::BadSignature {
                by: key.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_and_verifies_and_its_text_reads_back() {
        for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
            let key = SigningKey::generate(algorithm).expect("randomness");
            let public = PublicKey::from_spki(key.public().spki()).expect("a key");
            assert_eq!((&public, public.algorithm()), (key.public(), algorithm));
            assert!(key.pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
            assert!(public.pem().ends_with("\n-----END PUBLIC KEY-----\n"));
            for form in [Form::Fixed, Form::Der] {
                let signature = key.sign(b"message", form).expect("a signature");
                assert!(public.verifies(b"message", &signature, form));
                assert!(!public.verifies(b"massage", &signature, form));
            }
        }
    }

    #[test]
    fn what_is_no_key_of_these_kinds_is_none() {
        let key = SigningKey::generate(Algorithm::P256).expect("randomness");
        let spki = key.public().spki();
        for end in 0..spki.len() {
            assert_eq!(PublicKey::from_spki(&spki[..end]), None);
        }
        for end in 0..key.pkcs8.len() {
            assert!(SigningKey::from_pkcs8(&key.pkcs8[..end]).is_err());
        }
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public()));
    }
}
